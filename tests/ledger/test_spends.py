from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from aumos_governance.errors import (
    ConflictError,
    ExpiredError,
    IdempotencyError,
    InvalidAmountError,
    InvalidRequestError,
)
from aumos_governance.ledger.base import Balance, Ledger, Request
from aumos_governance.ledger.terms import SessionTerms
from aumos_governance.types import GovernanceOutcome, TrustLevel
from tests.ledger.kit import (
    CENT,
    HOUR,
    KERNEL,
    NOTEBOOK,
    OTHER,
    PERSON,
    SECOND,
    USD,
    Backend,
    at,
    balance,
    closing,
    move,
    opening,
    records,
    spend,
    state,
    void,
)


def test_a_spend_that_fits_is_charged_and_recorded(ledger: Ledger) -> None:
    ledger.execute(opening(agent_id="planner"))
    decision = ledger.execute(spend(5 * CENT, tool="gpt-4o"))
    assert decision.allowed
    assert decision.outcome is GovernanceOutcome.ALLOW
    assert (decision.reasons, decision.code, decision.overrun) == ((), None, False)
    assert decision.state == state(ledger)
    assert balance(ledger) == Balance(10 * USD, 5 * CENT, 0)
    record = records(ledger)[-1]
    assert record.record_id == decision.record_id
    assert record.charge_id == decision.charge_id
    assert (record.event, record.tool, record.agent_id, record.amount) == ("spend", "gpt-4o", "planner", 5 * CENT)
    assert (record.spent_delta, record.held_delta) == (5 * CENT, 0)
    assert (record.actor, record.cell_id, record.execution_count) == ("kernel", "c1", 3)
    assert record.notebook == NOTEBOOK.path


def test_exactly_what_is_left_fits_and_one_nano_dollar_more_does_not(ledger: Ledger) -> None:
    ledger.execute(opening(budget=10 * USD))
    ledger.execute(spend(20 * CENT))
    denied = ledger.execute(spend(10 * USD - 20 * CENT + 1))
    assert not denied.allowed
    assert denied.code == "BUDGET_EXCEEDED"
    assert denied.reasons == ("Would exceed budget ($10.000000001 > $10.00)",)
    assert denied.charge_id is None
    assert denied.state == state(ledger)
    assert balance(ledger).spent == 20 * CENT
    record = records(ledger)[-1]
    assert (record.outcome, record.code, record.reasons) == (GovernanceOutcome.DENY, denied.code, denied.reasons)
    assert (record.amount, record.spent_delta) == (denied.amount, 0)
    assert ledger.execute(spend(10 * USD - 20 * CENT)).allowed
    assert balance(ledger).remaining == 0
    assert not ledger.execute(spend(1)).allowed


def test_three_dimes_fit_into_thirty_cents(ledger: Ledger) -> None:
    ledger.execute(opening(budget=30 * CENT))
    assert all(ledger.execute(spend(10 * CENT)).allowed for _ in range(3))


def test_the_refusal_reads_as_people_look_for_it(ledger: Ledger) -> None:
    ledger.execute(opening(budget=10 * USD))
    ledger.execute(spend(20 * CENT))
    assert ledger.execute(spend(10 * USD)).reasons == ("Would exceed budget ($10.20 > $10.00)",)


def test_a_call_below_its_level_is_denied(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L0_OBSERVER))
    denied = ledger.execute(spend())
    assert denied.code == "TRUST_LEVEL_INSUFFICIENT"
    assert denied.reasons == ("A call needs trust level L1 (Monitor), and this notebook is at L0 (Observer)",)
    ledger.execute(opening(trust_level=TrustLevel.L1_MONITOR))
    assert ledger.execute(spend()).allowed
    assert not ledger.execute(spend(required_level=TrustLevel.L2_SUGGEST)).allowed


def test_with_no_session_open_everything_is_denied_and_recorded(ledger: Ledger) -> None:
    before = ledger.execute(spend())
    assert before.code == "NO_SESSION"
    assert before.reasons == ("Governance is not active for this notebook; start it with %governance",)
    assert before.state is not None
    assert not before.state.active
    ledger.execute(opening())
    ledger.execute(spend())
    ledger.execute(closing())
    after = ledger.execute(spend(already_paid=True))
    assert after.code == "NO_SESSION"
    assert balance(ledger).spent == CENT
    found = records(ledger, notebook=NOTEBOOK)
    assert [(record.event, record.chain == "ledger") for record in found] == [
        ("spend", True),
        ("open", False),
        ("spend", False),
        ("close", False),
        ("spend", True),
    ]
    assert found[0].record_id == before.record_id
    assert found[-1].detail == {"already_paid": True}


def test_money_that_is_gone_is_recorded_in_full(ledger: Ledger) -> None:
    ledger.execute(opening(budget=10 * CENT))
    fits = ledger.execute(spend(4 * CENT, already_paid=True))
    assert (fits.outcome, fits.overrun) == (GovernanceOutcome.ALLOW, False)
    over = ledger.execute(spend(20 * CENT, already_paid=True))
    assert over.outcome is GovernanceOutcome.ALLOW_WITH_CAVEAT
    assert over.allowed
    assert over.overrun
    assert over.reasons == ("Would exceed budget ($0.24 > $0.10)",)
    assert balance(ledger) == Balance(10 * CENT, 24 * CENT, 0)
    assert balance(ledger).over == 14 * CENT
    assert records(ledger)[-1].detail == {"already_paid": True, "overrun": True}
    ledger.execute(opening(OTHER, trust_level=TrustLevel.L0_OBSERVER))
    forbidden = ledger.execute(spend(CENT, OTHER, already_paid=True))
    assert forbidden.code == "TRUST_LEVEL_INSUFFICIENT"
    assert forbidden.overrun
    assert balance(ledger, OTHER).spent == CENT


@pytest.mark.parametrize("amount", [0, -1, 0.01, True, "1", 10**18 + 1])
def test_what_is_no_amount_is_refused(ledger: Ledger, amount: object) -> None:
    ledger.execute(opening())
    with pytest.raises(InvalidAmountError):
        ledger.execute(spend(amount))  # type: ignore[arg-type]
    assert len(records(ledger)) == 1


def test_sums_never_leave_the_column(ledger: Ledger) -> None:
    ledger.execute(opening())
    for _ in range(9):
        ledger.execute(spend(10**18, already_paid=True))
    with pytest.raises(InvalidAmountError, match="add up"):
        ledger.execute(spend(10**18, already_paid=True))
    assert balance(ledger).spent == 9 * 10**18
    assert ledger.verify().ok


def test_parallel_spends_never_pass_the_ceiling(ledger: Ledger) -> None:
    ledger.execute(opening(budget=5 * USD))
    allowed = []

    def work() -> None:
        allowed.extend(ledger.execute(spend(CENT)).allowed for _ in range(125))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(allowed) == 1000
    assert sum(allowed) == 500
    assert balance(ledger) == Balance(5 * USD, 5 * USD, 0)
    assert ledger.verify().ok


# ---- keys


def test_a_request_that_comes_again_is_answered_again(backend: Backend) -> None:
    ledger = backend.open()
    asks: list[Request[object]] = [
        opening(),
        spend(),
        spend(20 * USD),
        closing(),
        spend(),
        void("unknown"),
        move("a", "b"),
    ]
    answers = [ledger.execute(ask) for ask in asks]
    count = len(records(ledger))
    assert [ledger.execute(ask) for ask in asks] == answers
    if backend.durable:
        ledger.close()
        ledger = backend.open()
        assert [ledger.execute(ask) for ask in asks] == answers
    assert len(records(ledger)) == count
    assert balance(ledger).spent == CENT


def test_a_retry_may_differ_in_what_the_asker_does_not_choose(ledger: Ledger) -> None:
    ledger.execute(opening())
    ask = spend(expires_at=10**17)
    answer = ledger.execute(ask)
    later = replace(ask, expires_at=None, origin=replace(KERNEL, incarnation="two"))
    assert ledger.execute(later) == answer
    wish = opening(OTHER)
    opened = ledger.execute(wish)
    assert ledger.execute(replace(wish, terms=SessionTerms(strict=True))) == opened


def test_a_retry_after_a_rename_is_the_same_ask(ledger: Ledger) -> None:
    ledger.execute(opening())
    ask = spend()
    answer = ledger.execute(ask)
    ledger.execute(move(NOTEBOOK.path, "renamed.ipynb"))
    assert ledger.execute(replace(ask, notebook=at("renamed.ipynb"))) == answer
    assert ledger.execute(ask) == answer
    ledger.execute(opening(OTHER))
    with pytest.raises(IdempotencyError):
        ledger.execute(replace(ask, notebook=OTHER))


def test_a_key_with_other_content_is_an_error(ledger: Ledger) -> None:
    ledger.execute(opening())
    ask = spend()
    ledger.execute(ask)
    for other in (
        replace(ask, amount=2 * CENT),
        replace(ask, tool="other"),
        replace(ask, already_paid=True),
        replace(ask, origin=replace(KERNEL, actor="someone")),
        opening(key=ask.key),
        void("x", key=ask.key),
    ):
        with pytest.raises(IdempotencyError, match="used before with other content"):
            ledger.execute(other)
    assert balance(ledger).spent == CENT
    assert len(records(ledger)) == 2


def test_keys_of_other_scopes_are_other_keys(ledger: Ledger) -> None:
    ledger.execute(opening())
    ask = spend()
    ledger.execute(ask)
    ledger.execute(replace(ask, amount=2 * CENT, origin=replace(KERNEL, scope="kernel-2")))
    assert balance(ledger).spent == 3 * CENT


def test_a_denied_answer_is_kept_and_an_error_is_not(ledger: Ledger) -> None:
    denied = spend()
    assert not ledger.execute(denied).allowed
    wrong = spend(0)
    with pytest.raises(InvalidAmountError):
        ledger.execute(wrong)
    ledger.execute(opening())
    assert not ledger.execute(denied).allowed
    assert ledger.execute(replace(wrong, amount=CENT)).allowed


def test_keys_are_kept_for_a_day(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    ask = spend()
    answer = ledger.execute(ask)
    backend.clock.advance(24 * HOUR)
    for _ in range(3):
        ledger.execute(spend())
    assert ledger.execute(ask) == answer


def test_answers_are_forgotten_long_after(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    ask = spend()
    ledger.execute(ask)
    backend.clock.advance(72 * HOUR)
    for _ in range(3):
        ledger.execute(spend())
    ledger.execute(ask)
    assert balance(ledger).spent == 5 * CENT


def test_a_request_of_great_length_is_refused(ledger: Ledger) -> None:
    ledger.execute(opening())
    with pytest.raises(InvalidRequestError, match="longer than"):
        ledger.execute(spend(tool="x" * 70_000))
    assert ledger.execute(spend(tool="back\\u0000slash")).allowed
    assert ledger.execute(spend(tool="Grüße 🙂")).tool == "Grüße 🙂"
    assert records(ledger)[-1].tool == "Grüße 🙂"
    assert ledger.verify().ok


# ---- expiry


def test_nothing_is_done_after_a_requests_expiry(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    ask = spend(expires_at=backend.clock.now + 10 * SECOND)
    late = spend(expires_at=backend.clock.now + 10 * SECOND)
    answer = ledger.execute(ask)
    backend.clock.advance(11 * SECOND)
    with pytest.raises(ExpiredError):
        ledger.execute(late)
    assert balance(ledger).spent == CENT
    # What was done in time is still answered.
    assert ledger.execute(ask) == answer


# ---- void


def test_a_cancel_takes_an_allowed_spend_back(ledger: Ledger) -> None:
    ledger.execute(opening(agent_id="planner"))
    ledger.execute(spend(2 * CENT))
    ask = spend(3 * CENT, tool="gpt-4o")
    charged = ledger.execute(ask)
    voided = ledger.execute(void(ask.key))
    assert voided.voided
    assert voided.state == state(ledger)
    assert balance(ledger) == Balance(10 * USD, 2 * CENT, 0)
    record = records(ledger)[-1]
    assert (record.event, record.spent_delta, record.charge_id) == ("void", -3 * CENT, charged.charge_id)
    assert (record.tool, record.agent_id) == ("gpt-4o", "planner")
    # A second cancel changes nothing, and the ask is not answered any more.
    assert ledger.execute(void(ask.key)).voided
    assert balance(ledger).spent == 2 * CENT
    assert len(records(ledger)) == 4
    with pytest.raises(ConflictError, match="cancelled"):
        ledger.execute(ask)
    with pytest.raises(IdempotencyError):
        ledger.execute(replace(ask, amount=CENT))


def test_an_ask_cancelled_before_it_comes_is_refused(ledger: Ledger) -> None:
    ledger.execute(opening())
    ask = spend()
    assert ledger.execute(void(ask.key)).voided
    with pytest.raises(ConflictError, match="cancelled"):
        ledger.execute(ask)
    assert balance(ledger).spent == 0
    assert len(records(ledger)) == 1


def test_a_cancel_is_no_refund(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    ask = spend(expires_at=backend.clock.now + 10 * SECOND)
    ledger.execute(ask)
    backend.clock.advance(11 * SECOND)
    assert not ledger.execute(void(ask.key)).voided
    assert balance(ledger).spent == CENT


def test_only_an_allowed_spend_of_the_same_scope_is_taken_back(ledger: Ledger) -> None:
    wish = opening()
    ledger.execute(wish)
    denied = spend(11 * USD)
    ledger.execute(denied)
    assert not ledger.execute(void(denied.key)).voided
    assert not ledger.execute(void(wish.key)).voided
    ask = spend()
    ledger.execute(ask)
    ledger.execute(void(ask.key, origin=replace(KERNEL, scope="kernel-2")))
    ledger.execute(void(ask.key, origin=PERSON))
    assert balance(ledger).spent == CENT
    assert len(records(ledger)) == 3


def test_a_cancel_reaches_a_closed_session(ledger: Ledger) -> None:
    ledger.execute(opening())
    ask = spend(3 * CENT)
    ledger.execute(ask)
    ledger.execute(closing())
    ledger.execute(opening())
    assert ledger.execute(void(ask.key)).voided
    assert balance(ledger).spent == 0
    previous = state(ledger).previous
    assert previous is not None
    assert previous.spent == 0
    assert ledger.verify().ok
