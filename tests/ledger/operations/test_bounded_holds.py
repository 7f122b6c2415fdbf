"""Bounded holds: the amounts that they are granted, and which denials would change if other holds ended."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import IdempotencyError, InvalidAmountError, InvalidRequestError
from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.charges import Hold
from aumos_governance.ledger.contract.facts import Decision
from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.charges import OTHER_KERNEL, gone, release, settle
from tests.ledger.kit import (
    CENT,
    KERNEL,
    NOTEBOOK,
    OTHER,
    SERVER,
    USD,
    Backend,
    balance,
    budget,
    change,
    key,
    opening,
    records,
    spend,
)


def bounded(amount: int = 3 * USD, least: int | None = CENT, **values: Any) -> Hold:
    defaults = {"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "amount": amount, "least": least}
    return Hold(**defaults | values)


def granted(ledger: Ledger, **values: Any) -> int:
    decision = ledger.execute(bounded(**values))
    assert decision.allowed, decision
    return decision.amount


def refused(ledger: Ledger, **values: Any) -> Decision:
    decision = ledger.execute(bounded(**values))
    assert not decision.allowed
    return decision


@pytest.mark.parametrize(
    ("amount", "most", "waiting", "expected"),
    [
        (CENT, None, 0, CENT),  # the worst case
        (3 * USD, 20 * CENT, 0, 20 * CENT),  # what is configured
        (3 * USD, None, 0, USD // 2),  # a half: one may come next
        (3 * USD, None, 8, USD // 10),  # a tenth, with eight that wait and one that may come next
        (3 * USD, None, 500, 2 * CENT),  # no less than the least
    ],
)
def test_the_smallest_of_the_bounds_is_granted(
    ledger: Ledger, amount: int, most: int | None, waiting: int, expected: int
) -> None:
    ledger.execute(opening(budget=USD))
    assert granted(ledger, amount=amount, least=2 * CENT, most=most, waiting=waiting) == expected
    assert balance(ledger).held == expected
    assert ledger.verify().ok


def test_many_have_room_together(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    amounts = [granted(ledger) for _ in range(8)]
    # A half, a third of the rest (one is in flight, one may come next), a quarter of the rest, and so on.
    assert amounts[:3] == [USD // 2, USD // 6, (USD - USD // 2 - USD // 6) // 4]
    assert min(amounts) > CENT
    assert sum(amounts) == balance(ledger).held <= USD
    # When not even the least amount is left, none is granted, and the budget is not exceeded.
    while ledger.execute(bounded()).allowed:
        pass
    assert USD - CENT < balance(ledger).held <= USD


def test_what_was_requested_and_what_was_granted_are_on_record(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    decision = ledger.execute(bounded(detail={"provider": "openai"}))
    (record,) = records(ledger, event="hold")
    assert (record.amount, record.held_delta, record.charge_id) == (USD // 2, USD // 2, decision.charge_id)
    assert record.detail == {"provider": "openai", "worst_case": "3", "least": "0.01"}


def test_less_than_the_least_is_denied_with_the_limits_numbers(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    ledger.execute(spend(USD - CENT + 1))
    decision = refused(ledger)
    assert (decision.code, decision.amount) == ("BUDGET_EXCEEDED", CENT)
    assert decision.limit is not None
    assert (decision.limit.kind, decision.limit.asked, decision.limit.allowed) == ("session", USD + 1, USD)
    (record,) = records(ledger, outcome=decision.outcome, event="hold")
    assert record.detail == {"worst_case": "3", "least": "0.01"}


def test_a_copy_gets_what_the_first_one_was_granted(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    same = key()
    first = ledger.execute(bounded(key=same))
    ledger.execute(change(budget=100 * USD))
    again = ledger.execute(bounded(key=same, most=2 * CENT, waiting=7))
    assert (again.amount, again.charge_id) == (first.amount, first.charge_id) == (USD // 2, first.charge_id)
    for other in (bounded(key=same, least=2 * CENT), bounded(key=same, least=None), bounded(2 * USD, key=same)):
        with pytest.raises(IdempotencyError):
            ledger.execute(other)
    assert balance(ledger).held == USD // 2


def test_each_ceiling_has_a_share_of_its_own(ledger: Ledger) -> None:
    spec = EnvelopeSpec("mine", 60 * CENT, EnvelopeKind.OWNER)
    ledger.execute(ConfigureEnvelopes(key="", origin=SERVER, owner="ann", root="/srv/ann", envelopes=(spec,)))
    ledger.execute(opening(budget=USD))
    ledger.execute(opening(OTHER, budget=USD))
    ledger.execute(budget("llm", 20 * CENT))
    assert granted(ledger, category="llm") == 10 * CENT
    assert granted(ledger, notebook=OTHER) == 50 * CENT // 3
    with_level = refused(ledger, required_level=5)
    assert with_level.code == "TRUST_LEVEL_INSUFFICIENT"


@pytest.mark.parametrize("unit", [0, CENT])
def test_who_counts_as_in_flight(ledger: Ledger, unit: int) -> None:
    ledger.execute(opening(budget=USD))
    kept = ledger.execute(Hold(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=unit))
    left = USD - unit
    expected = left // 3 if unit else left // 2
    assert granted(ledger, origin=OTHER_KERNEL) == expected
    ledger.execute(settle(kept.charge_id, 0))
    ledger.execute(gone("one"))
    # One hold is left. When its caller is gone, it still counts, but needs no share.
    ledger.execute(gone("two"))
    assert granted(ledger) == (USD - expected) // 2


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"least": -1}, InvalidAmountError),
        ({"least": True}, InvalidAmountError),
        ({"most": 10**18 + 1}, InvalidAmountError),
        ({"least": 3, "most": 2}, InvalidRequestError),
        ({"least": None, "most": 2}, InvalidRequestError),
        ({"waiting": -1}, InvalidRequestError),
    ],
)
def test_bounds_that_cannot_be_are_refused(ledger: Ledger, values: dict[str, Any], error: type[Exception]) -> None:
    ledger.execute(opening(budget=USD))
    with pytest.raises(error):
        ledger.execute(bounded(**values))
    assert balance(ledger).held == 0


def test_a_least_above_the_worst_case_is_the_worst_case(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    ledger.execute(spend(USD - 5))
    assert granted(ledger, amount=3, least=10) == 3


def test_only_what_live_callers_hold_is_worth_waiting_for(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    first = ledger.execute(Hold(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=60 * CENT))
    other = ledger.execute(Hold(key=key(), origin=OTHER_KERNEL, notebook=NOTEBOOK, amount=40 * CENT))
    before = len(records(ledger))

    def requested(amount: int, **values: Any) -> Decision:
        return ledger.execute(bounded(amount, least=None, waits_turn=True, **values))

    waits = requested(USD)
    assert (waits.undecided, waits.code, waits.allowed) == (True, "BUDGET_HELD", False)
    assert waits.limit is not None
    assert (waits.limit.asked, waits.limit.allowed) == (2 * USD, USD)
    assert len(records(ledger)) == before
    assert requested(USD + 1, waits_at_limit=True).code == "BUDGET_EXCEEDED"
    assert not requested(USD + 1).undecided
    ledger.execute(gone("two"))
    # Its outcome is unknown now, so no request waits for its end.
    assert requested(60 * CENT).undecided
    assert not requested(60 * CENT + 1).undecided
    ledger.execute(settle(first.charge_id, 10 * CENT))
    assert requested(50 * CENT).allowed
    assert other.allowed
    assert ledger.verify().ok


def test_an_undecided_key_is_free_for_the_next_try(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    first = ledger.execute(Hold(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=USD))
    same = key()
    assert ledger.execute(bounded(key=same, waits_turn=True)).undecided
    ledger.execute(release(first.charge_id))
    decision = ledger.execute(bounded(key=same, waits_turn=True, waiting=2))
    assert decision.amount == USD // 4
    assert ledger.execute(bounded(key=same, waits_turn=True)).charge_id == decision.charge_id


def test_it_counts_what_others_of_the_same_transaction_hold(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=USD))
    futures = [ledger.submit(bounded()) for _ in range(30)]
    decisions = [future.result() for future in futures]
    allowed = [decision.amount for decision in decisions if decision.allowed]
    assert len(allowed) >= 8
    assert sum(allowed) == balance(ledger).held <= USD
    assert ledger.verify().ok


def test_without_a_session_nothing_is_granted(ledger: Ledger) -> None:
    decision = refused(ledger)
    assert (decision.code, decision.amount) == ("NO_SESSION", CENT)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"amount": 0, "least": 0}, 0),
        ({"least": 2 * CENT, "most": 2 * CENT}, 2 * CENT),
        ({"most": 10**18}, USD // 2),
        ({"amount": 5 * CENT, "most": 9 * CENT}, 5 * CENT),
        ({"amount": 5 * CENT, "least": None}, 5 * CENT),
    ],
)
def test_bounds_may_be_as_low_and_as_high_as_amounts(ledger: Ledger, values: dict[str, Any], expected: int) -> None:
    ledger.execute(opening(budget=USD))
    assert granted(ledger, **values) == expected


@pytest.mark.parametrize("waiting", [1.5, True, "2", None])
def test_how_many_wait_is_a_whole_number(ledger: Ledger, waiting: Any) -> None:
    ledger.execute(opening(budget=USD))
    with pytest.raises(InvalidRequestError):
        ledger.execute(bounded(waiting=waiting))


def test_where_more_is_spent_than_the_budget_is_now_nothing_is_granted(ledger: Ledger) -> None:
    ledger.execute(opening(budget=USD))
    ledger.execute(spend(90 * CENT))
    ledger.execute(change(budget=50 * CENT))
    decision = refused(ledger, least=1)
    assert (decision.code, decision.amount) == ("BUDGET_EXCEEDED", 1)
    assert not refused(ledger, least=1, waits_turn=True).undecided
