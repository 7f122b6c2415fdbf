"""Spends: decided, charged and recorded in one transaction."""

from __future__ import annotations

import threading

import pytest

from aumos_governance.errors import InvalidAmountError
from aumos_governance.ledger.contract.facts import Balance
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.types import GovernanceOutcome, TrustLevel
from tests.ledger.kit import (
    CENT,
    NOTEBOOK,
    OTHER,
    USD,
    balance,
    closing,
    opening,
    records,
    spend,
    state,
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


def test_the_refusal_reads_as_users_look_for_it(ledger: Ledger) -> None:
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


def test_money_that_is_gone_does_not_wait_for_room(ledger: Ledger) -> None:
    ledger.execute(opening(budget=10 * CENT))
    undecided = ledger.execute(spend(20 * CENT, waits_at_limit=True))
    assert (undecided.allowed, undecided.undecided) == (False, True)
    over = ledger.execute(spend(20 * CENT, already_paid=True, waits_at_limit=True))
    assert (over.allowed, over.undecided, over.overrun) == (True, False, True)
    assert balance(ledger).spent == 20 * CENT


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
