"""Holds: made, settled, released, expired, and left unresolved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aumos_governance.errors import (
    ConflictError,
    InvalidAmountError,
    InvalidRequestError,
    NotAllowedError,
    NotFoundError,
)
from aumos_governance.ledger.contract.budgets import ChargeState
from aumos_governance.ledger.contract.charges import ExpireHolds, KernelsPresent
from aumos_governance.ledger.contract.facts import Balance
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListHolds
from aumos_governance.types import GovernanceOutcome
from tests.ledger.charges import (
    OTHER_KERNEL,
    gone,
    held,
    hold,
    release,
    settle,
    sums,
)
from tests.ledger.kit import (
    BY_USER,
    CENT,
    NOTEBOOK,
    OTHER,
    SECOND,
    SERVER,
    USD,
    Backend,
    balance,
    change,
    closing,
    key,
    opening,
    records,
    spend,
    state,
    void,
)


def test_a_hold_sets_aside_and_a_settlement_charges_what_it_cost(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD, agent_id="planner"))
    decision = ledger.execute(hold(40 * CENT, tool="gpt-4o"))
    assert decision.allowed
    assert decision.state is not None
    assert decision.state.balance == Balance(1 * USD, 0, 40 * CENT)
    assert balance(ledger).remaining == 60 * CENT
    resolved = ledger.execute(settle(decision.charge_id, 25 * CENT))
    assert (resolved.outcome, resolved.held, resolved.spent) == (ChargeState.SETTLED, 40 * CENT, 25 * CENT)
    assert not resolved.overrun
    assert resolved.state == state(ledger)
    assert balance(ledger) == Balance(1 * USD, 25 * CENT, 0)
    found = records(ledger)[1:]
    assert [(r.event, r.amount, r.spent_delta, r.held_delta) for r in found] == [
        ("hold", 40 * CENT, 0, 40 * CENT),
        ("settle", 25 * CENT, 25 * CENT, -40 * CENT),
    ]
    assert {r.charge_id for r in found} == {decision.charge_id}
    assert {(r.tool, r.agent_id) for r in found} == {("gpt-4o", "planner")}


def test_the_record_of_a_settlement_has_what_the_provider_counted(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    counted = {"prompt_tokens": 11, "prompt_tokens_details.cached_tokens": 3}
    first, second = (ledger.execute(hold(40 * CENT)).charge_id for _ in range(2))
    request = replace(settle(first, 25 * CENT), usage=counted)
    resolved = ledger.execute(request)
    # A copy without this field has the same content.
    assert ledger.execute(replace(request, usage={})) == resolved
    assert records(ledger)[-1].detail == {"usage": counted}
    for usage in ({"a": -1}, {"a": 1.5}, {"a": True}, {"a b": 1}, {"": 1}, {f"n{i}": i for i in range(33)}):
        with pytest.raises(InvalidRequestError):
            ledger.execute(replace(settle(second, 25 * CENT), usage=usage))


def test_the_record_of_a_settlement_has_whose_call_it_was(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    source = {"kind": "gateway", "provider": "openai", "key": "kernel of a.ipynb"}
    first, second = (ledger.execute(hold(40 * CENT)).charge_id for _ in range(2))
    request = replace(settle(first, 25 * CENT), source=source)
    resolved = ledger.execute(request)
    # A copy without this field has the same content.
    assert ledger.execute(replace(request, source={})) == resolved
    assert records(ledger)[-1].detail == source
    for wrong in ({"estimated": "yes"}, {"usage": "1"}, {"key": 1}, {"key": "x" * 1_000_000}, {"key": "\0"}):
        with pytest.raises(InvalidRequestError):
            ledger.execute(replace(settle(second, 25 * CENT), source=wrong))
    marked = replace(settle(second, 50 * CENT), source=source, usage={"tokens": 1}, estimated=True)
    ledger.execute(marked)
    assert records(ledger)[-1].detail == {**source, "overrun": True, "estimated": True, "usage": {"tokens": 1}}
    assert ledger.verify().ok


def test_a_hold_must_fit_with_what_is_held(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    ledger.execute(hold(60 * CENT))
    denied = ledger.execute(hold(40 * CENT + 1))
    assert denied.code == "BUDGET_EXCEEDED"
    assert denied.charge_id is None
    assert not ledger.execute(spend(41 * CENT)).allowed
    assert ledger.execute(hold(40 * CENT)).allowed
    assert balance(ledger) == Balance(1 * USD, 0, 1 * USD)


def test_a_settlement_above_the_hold_is_recorded_in_full(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    decision = ledger.execute(hold(90 * CENT))
    resolved = ledger.execute(settle(decision.charge_id, 120 * CENT))
    assert resolved.overrun
    assert balance(ledger) == Balance(1 * USD, 120 * CENT, 0)
    assert balance(ledger).over == 20 * CENT
    record = records(ledger)[-1]
    assert record.outcome is GovernanceOutcome.ALLOW_WITH_CAVEAT
    assert record.detail == {"overrun": True}
    assert record.reasons == ("Cost $1.20, more than the $0.90 held",)


def test_a_settlement_adds_to_the_sums_what_it_costs_more_than_was_held(ledger: Ledger) -> None:
    """Sums of 64 bits hold about 9.22 thousand million USD."""
    most = (1 << 63) - 1
    ledger.execute(opening(budget=10**9 * USD))
    requested = [ledger.execute(hold(10**17)).charge_id for _ in range(2)]
    for _ in range(8):
        ledger.execute(spend(10**18, already_paid=True))
    room = most - 8 * 10**18 - 2 * 10**17
    ledger.execute(spend(10**18, already_paid=True))
    room -= 10**18
    assert 0 < room < 10**17
    with pytest.raises(InvalidAmountError, match="add up"):
        ledger.execute(settle(requested[0], 10**17 + room + 1))
    assert ledger.execute(settle(requested[0], 10**17 + room)).spent == 10**17 + room
    with pytest.raises(InvalidAmountError, match="add up"):
        ledger.execute(settle(requested[1], 10**17 + 1))
    ledger.execute(settle(requested[1], 10**17))
    assert balance(ledger).spent == most
    assert ledger.verify().ok


def test_nothing_is_an_amount_and_a_cost(ledger: Ledger) -> None:
    ledger.execute(opening(budget=0))
    decision = ledger.execute(hold(0))
    assert decision.allowed
    assert not ledger.execute(settle(decision.charge_id, 0)).overrun
    for amount in (-1, 1.0, True, 10**18 + 1):
        with pytest.raises(InvalidAmountError):
            ledger.execute(hold(amount))  # type: ignore[arg-type]
        with pytest.raises(InvalidAmountError):
            ledger.execute(settle("x", amount))  # type: ignore[arg-type]


def test_a_hold_is_resolved_once(ledger: Ledger) -> None:
    ledger.execute(opening())
    decision = ledger.execute(hold())
    request = settle(decision.charge_id, 5 * CENT)
    first = ledger.execute(request)
    assert ledger.execute(request) == first
    for again in (settle(decision.charge_id, 5 * CENT), release(decision.charge_id)):
        with pytest.raises(ConflictError, match="is settled already"):
            ledger.execute(again)
    second = ledger.execute(hold())
    assert ledger.execute(release(second.charge_id)).outcome is ChargeState.RELEASED
    with pytest.raises(ConflictError, match="is released already"):
        ledger.execute(settle(second.charge_id, 1))
    assert balance(ledger) == Balance(10 * USD, 5 * CENT, 0)
    charged = ledger.execute(spend())
    with pytest.raises(ConflictError, match="is spent already"):
        ledger.execute(settle(charged.charge_id, 1))
    assert sums(ledger) == (6 * CENT, 0)


def test_a_kernel_resolves_its_own_holds_only(ledger: Ledger) -> None:
    ledger.execute(opening())
    decision = ledger.execute(hold())
    with pytest.raises(NotFoundError):
        ledger.execute(settle(decision.charge_id, 0, origin=OTHER_KERNEL))
    with pytest.raises(NotFoundError):
        ledger.execute(release("unknown"))
    with pytest.raises(NotAllowedError, match="still runs"):
        ledger.execute(release(decision.charge_id, origin=BY_USER))
    assert balance(ledger).held == 10 * CENT


def test_holds_of_a_kernel_that_is_gone_wait_for_a_user(ledger: Ledger) -> None:
    ledger.execute(opening())
    first, second = ledger.execute(hold(tool="a")), ledger.execute(hold(5 * CENT, tool="b"))
    other = ledger.execute(hold(1 * CENT, origin=OTHER_KERNEL))
    done = ledger.execute(hold())
    ledger.execute(release(done.charge_id))
    assert ledger.execute(gone()) == 2
    assert ledger.execute(gone()) == 0
    assert balance(ledger).held == 16 * CENT
    listed = held(ledger)
    assert [(found.charge_id, found.state) for found in listed] == [
        (first.charge_id, ChargeState.UNRESOLVED),
        (second.charge_id, ChargeState.UNRESOLVED),
        (other.charge_id, ChargeState.HELD),
    ]
    assert listed[0].notebook == NOTEBOOK
    assert len(held(ledger, unresolved_only=True)) == 2
    assert held(ledger, limit=1) == listed[:1]
    assert [record.event for record in records(ledger)][-2:] == ["unresolved", "unresolved"]
    settled = ledger.execute(settle(first.charge_id, 7 * CENT, origin=BY_USER))
    assert settled.outcome is ChargeState.SETTLED
    # The kernel may settle late, as long as no user has resolved the hold.
    assert ledger.execute(settle(second.charge_id, 5 * CENT)).spent == 5 * CENT
    with pytest.raises(ConflictError):
        ledger.execute(settle(first.charge_id, 7 * CENT))
    assert balance(ledger) == Balance(10 * USD, 12 * CENT, 1 * CENT)
    assert sums(ledger) == (12 * CENT, 1 * CENT)
    assert records(ledger)[-2].actor == "ann"


def test_when_a_server_starts_absent_kernels_are_gone(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(hold())
    ledger.execute(hold(origin=OTHER_KERNEL))
    foreign = replace(NOTEBOOK, owner="bob")
    ledger.execute(opening(foreign))
    ledger.execute(hold(notebook=foreign))
    start = KernelsPresent(key=key(), origin=SERVER, owner="ann", root="/srv/ann", incarnations=("two",))
    assert ledger.execute(start) == 1
    assert [found.state for found in held(ledger)] == [ChargeState.UNRESOLVED, ChargeState.HELD]
    assert ledger.read(ListHolds(owner="bob", root="/srv/ann"))[0].state is ChargeState.HELD


def test_closing_leaves_holds_counting(ledger: Ledger) -> None:
    ledger.execute(opening())
    decision = ledger.execute(hold())
    closed = ledger.execute(closing())
    assert closed.balance == Balance(10 * USD, 0, 10 * CENT)
    assert records(ledger)[-1].detail["held"] == "0.1"
    ledger.execute(opening())
    resolved = ledger.execute(settle(decision.charge_id, 12 * CENT))
    assert resolved.overrun
    assert balance(ledger) == Balance(10 * USD, 0, 0)
    previous = state(ledger).previous
    assert previous is not None
    assert previous.spent == 12 * CENT
    assert ledger.verify().ok


def test_a_hold_ends_by_itself_only_at_its_stated_time(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    timed = ledger.execute(hold(until=backend.clock.now + 10 * SECOND))
    for_ever = ledger.execute(hold(20 * CENT))
    assert timed.charge_id is not None
    made = {record.charge_id: record.detail for record in records(ledger, event="hold")}
    assert made == {timed.charge_id: {"until": held(ledger)[0].until}, for_ever.charge_id: {}}
    backend.clock.advance(9 * SECOND)
    ledger.execute(opening())
    assert balance(ledger).held == 30 * CENT
    backend.clock.advance(10**6 * SECOND)
    # Holds expire before anything else is decided, even a request that is refused.
    with pytest.raises(NotFoundError):
        ledger.execute(release("unknown"))
    assert balance(ledger).held == 20 * CENT
    expired = records(ledger)[-1]
    assert (expired.event, expired.actor, expired.held_delta) == ("expire", "ledger", -10 * CENT)
    assert [found.charge_id for found in held(ledger)] == [for_ever.charge_id]
    with pytest.raises(ConflictError, match="expired already"):
        ledger.execute(release(timed.charge_id))
    # The money is spent, so it is recorded.
    late = ledger.execute(settle(timed.charge_id, 3 * CENT))
    assert (late.held, late.overrun) == (0, True)
    assert balance(ledger) == Balance(10 * USD, 3 * CENT, 20 * CENT)
    assert sums(ledger) == (3 * CENT, 20 * CENT)


def test_a_quiet_ledger_can_be_made_to_look(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    ledger.execute(hold(until=backend.clock.now + SECOND))
    backend.clock.advance(2 * SECOND)
    ledger.execute(ExpireHolds(key="", origin=SERVER))
    assert balance(ledger).held == 0
    assert ledger.execute(ExpireHolds(key="", origin=SERVER)) == 0


def test_a_cancelled_request_for_a_hold_gives_it_back(ledger: Ledger) -> None:
    ledger.execute(opening())
    request = hold()
    ledger.execute(request)
    assert ledger.execute(void(request.key)).voided
    assert balance(ledger) == Balance(10 * USD, 0, 0)
    assert (records(ledger)[-1].event, records(ledger)[-1].held_delta) == ("void", -10 * CENT)
    with pytest.raises(ConflictError, match="cancelled"):
        ledger.execute(request)
    settled = hold()
    charge = ledger.execute(settled).charge_id
    ledger.execute(settle(charge, CENT))
    assert not ledger.execute(void(settled.key)).voided
    assert balance(ledger).spent == CENT


def test_holds_of_a_notebook_that_a_user_has_limited(ledger: Ledger) -> None:
    ledger.execute(opening(OTHER))
    decision = ledger.execute(hold(5 * USD, notebook=OTHER))
    ledger.execute(change(OTHER, budget=1 * USD))
    assert balance(ledger, OTHER).over == 4 * USD
    ledger.execute(settle(decision.charge_id, 5 * USD))
    assert balance(ledger, OTHER) == Balance(1 * USD, 5 * USD, 0)
    assert sums(ledger, OTHER) == (5 * USD, 0)
