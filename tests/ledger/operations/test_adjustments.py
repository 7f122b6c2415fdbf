"""An estimated charge is replaced by its true cost, once, when a later response of the provider states it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import (
    AumOSGovernanceError,
    ConflictError,
    IdempotencyError,
    InvalidAmountError,
    InvalidRequestError,
    NotFoundError,
)
from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec, SetBudget
from aumos_governance.ledger.contract.charges import Adjust
from aumos_governance.ledger.contract.facts import Balance
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditSums, ListBudgets, ListEnvelopes
from aumos_governance.types import BudgetPeriod, GovernanceOutcome
from tests.ledger.charges import (
    OTHER_KERNEL,
    correct,
    gone,
    hold,
    settle,
    sums,
)
from tests.ledger.kit import (
    CENT,
    HOUR,
    KERNEL,
    NOTEBOOK,
    OTHER,
    SERVER,
    USD,
    Backend,
    balance,
    closing,
    key,
    opening,
    records,
    state,
)


def adjust(charge_id: str | None, amount: int, **values: Any) -> Adjust:
    requested = {"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "charge_id": charge_id, "amount": amount}
    return Adjust(**requested | values)


def estimated(ledger: Ledger, amount: int = 40 * CENT, **values: Any) -> str:
    """Return the id of a charge that was settled with an estimate of the held amount."""
    reported = {name: values.pop(name) for name in ("reference",) if name in values}
    decision = ledger.execute(hold(amount, **values))
    ledger.execute(settle(decision.charge_id, amount, estimated=True, **reported))
    assert decision.charge_id is not None
    return decision.charge_id


def test_a_caller_that_is_in_another_notebook_now_adjusts_its_charge_all_the_same(ledger: Ledger) -> None:
    ledger.execute(opening(budget=1 * USD))
    ledger.execute(opening(OTHER))
    adjusted = ledger.execute(adjust(estimated(ledger), 25 * CENT, notebook=OTHER))
    assert adjusted.spent == 25 * CENT
    found = ledger.verify()
    assert found.ok, found.findings


@pytest.mark.parametrize("true", [0, 1, 25 * CENT, 40 * CENT, 70 * CENT])
def test_both_amounts_are_on_record_and_the_difference_counts(ledger: Ledger, true: int) -> None:
    ledger.execute(opening(budget=1 * USD, agent_id="planner"))
    charge = estimated(ledger, tool="gpt-4o")
    adjusted = ledger.execute(adjust(charge, true))
    assert (adjusted.charge_id, adjusted.estimate, adjusted.spent) == (charge, 40 * CENT, true)
    assert adjusted.overrun is (true > 40 * CENT)
    assert adjusted.state == state(ledger)
    assert balance(ledger) == Balance(1 * USD, true, 0)
    record = records(ledger)[-1]
    assert (record.event, record.record_id, record.charge_id) == ("adjust", adjusted.record_id, charge)
    assert (record.amount, record.spent_delta, record.held_delta) == (true, true - 40 * CENT, 0)
    assert (record.tool, record.agent_id) == ("gpt-4o", "planner")
    assert record.detail["before"] == "0.4"
    assert record.detail["after"] == str(true / USD if true not in (0, 1) else {0: "0", 1: "0.000000001"}[true])
    caveat = GovernanceOutcome.ALLOW_WITH_CAVEAT if adjusted.overrun else GovernanceOutcome.ALLOW
    assert (record.outcome, record.detail.get("overrun", False)) == (caveat, adjusted.overrun)
    assert sums(ledger) == (true, 0)
    (by_tool,) = ledger.read(AuditSums(by="tool", notebook=NOTEBOOK))
    assert (by_tool.name, by_tool.spent) == ("gpt-4o", true)
    assert ledger.verify().ok


def test_above_the_limit_it_is_recorded_in_full(ledger: Ledger) -> None:
    ledger.execute(opening(budget=50 * CENT))
    ledger.execute(adjust(estimated(ledger), 70 * CENT))
    assert (balance(ledger).spent, balance(ledger).over, balance(ledger).remaining) == (70 * CENT, 20 * CENT, 0)
    assert not ledger.execute(hold(1)).allowed


def test_what_it_gives_back_can_be_held_again(ledger: Ledger) -> None:
    ledger.execute(opening(budget=40 * CENT))
    charge = estimated(ledger)
    assert not ledger.execute(hold(30 * CENT)).allowed
    ledger.execute(adjust(charge, 10 * CENT))
    assert ledger.execute(hold(30 * CENT)).allowed


def test_once_and_never_again(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge = estimated(ledger)
    ledger.execute(adjust(charge, 10 * CENT))
    for amount in (10 * CENT, 5 * CENT, 40 * CENT):
        with pytest.raises(ConflictError, match=r"adjusted to \$0.10 already") as caught:
            ledger.execute(adjust(charge, amount))
        assert caught.value.code == "ADJUSTED_ALREADY"
    assert balance(ledger).spent == 10 * CENT
    assert [record.event for record in records(ledger)].count("adjust") == 1


def test_the_same_request_again_gets_the_same_response(ledger: Ledger) -> None:
    ledger.execute(opening())
    requested = adjust(estimated(ledger), 10 * CENT)
    first = ledger.execute(requested)
    assert ledger.execute(requested) == first
    assert ledger.execute(replace(requested, expires_at=4_000_000_000_000_000)) == first
    with pytest.raises(IdempotencyError):
        ledger.execute(replace(requested, amount=11 * CENT))
    assert balance(ledger).spent == 10 * CENT


def test_only_an_estimate_is_adjusted(ledger: Ledger) -> None:
    ledger.execute(opening())
    settled = ledger.execute(hold()).charge_id
    ledger.execute(settle(settled, 5 * CENT))
    still_held = ledger.execute(hold()).charge_id
    for charge in (settled, still_held):
        with pytest.raises(ConflictError) as caught:
            ledger.execute(adjust(charge, CENT))
        assert caught.value.code == "NOT_ESTIMATED"
    assert balance(ledger) == Balance(10 * USD, 5 * CENT, 10 * CENT)


@pytest.mark.parametrize("amount", [-1, 1.0, True, 10**18 + 1])
def test_an_amount_that_is_none(ledger: Ledger, amount: Any) -> None:
    ledger.execute(opening())
    charge = estimated(ledger)
    with pytest.raises(InvalidAmountError):
        ledger.execute(adjust(charge, amount))
    ledger.execute(adjust(charge, 0))


def test_what_names_no_charge(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge = estimated(ledger, reference="openai/resp_1")
    cases: list[tuple[Adjust, type[AumOSGovernanceError]]] = [
        (adjust("unknown", CENT), NotFoundError),
        (adjust(None, CENT, reference="openai/resp_2"), NotFoundError),
        (adjust(None, CENT), InvalidRequestError),
        (adjust(charge, CENT, reference="openai/resp_1"), InvalidRequestError),
    ]
    for wrong, error in cases:
        with pytest.raises(error):
            ledger.execute(wrong)
    assert balance(ledger).spent == 40 * CENT


def test_only_the_caller_or_its_notebook_names_it(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(opening(OTHER, origin=OTHER_KERNEL))
    charge = estimated(ledger, reference="openai/resp_1")
    for id, reference in ((charge, None), (None, "openai/resp_1")):
        with pytest.raises(NotFoundError):
            ledger.execute(adjust(id, CENT, reference=reference, origin=OTHER_KERNEL, notebook=OTHER))
        outside = replace(KERNEL, within=("eve", "/srv/eve"))
        with pytest.raises(NotFoundError):
            ledger.execute(adjust(id, CENT, reference=reference, origin=outside))
    # Another kernel of the same notebook, such as the one after a restart of the server.
    assert ledger.execute(adjust(charge, CENT, origin=OTHER_KERNEL)).spent == CENT


def test_by_its_reference_it_is_found_by_the_next_kernel(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    estimated(ledger, 10 * CENT, reference="openai/resp_0")
    charge = estimated(ledger, reference="openai/resp_1")
    ledger.execute(gone())
    if backend.durable:
        ledger.close()
        ledger = backend.open()
    after = replace(OTHER_KERNEL, incarnation="two")
    found = ledger.execute(adjust(None, 3 * CENT, reference="openai/resp_1", origin=after))
    assert (found.charge_id, found.spent) == (charge, 3 * CENT)
    with pytest.raises(ConflictError) as caught:
        ledger.execute(adjust(None, 3 * CENT, reference="openai/resp_1", origin=after))
    assert caught.value.code == "ADJUSTED_ALREADY"
    assert balance(ledger).spent == 13 * CENT


def test_of_several_with_one_reference_the_latest_is_adjusted_first(ledger: Ledger) -> None:
    ledger.execute(opening())
    first, second = (estimated(ledger, reference="openai/resp_1") for _ in range(2))
    found = [ledger.execute(adjust(None, CENT, reference="openai/resp_1")).charge_id for _ in range(2)]
    assert found == [second, first]


def test_what_a_user_corrected_stays(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge = estimated(ledger)
    ledger.execute(correct(charge, 30 * CENT))
    with pytest.raises(ConflictError) as caught:
        ledger.execute(adjust(charge, 20 * CENT))
    assert caught.value.code == "CORRECTED"
    assert balance(ledger).spent == 10 * CENT


def test_a_correction_afterwards_takes_back_what_counts_then(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge = estimated(ledger)
    ledger.execute(adjust(charge, 10 * CENT))
    with pytest.raises(ConflictError, match=r"only \$0.10 of it is charged now"):
        ledger.execute(correct(charge, 11 * CENT))
    assert ledger.execute(correct(charge, 10 * CENT)).left == 0
    assert (balance(ledger).spent, sums(ledger)) == (0, (0, 0))


def test_it_counts_in_every_envelope_and_in_the_period_of_the_charge(backend: Backend) -> None:
    ledger = backend.open()
    day = EnvelopeSpec("day", 5 * USD, EnvelopeKind.NOTEBOOK, BudgetPeriod.DAILY)
    team = EnvelopeSpec("class", 9 * USD, EnvelopeKind.TEAM)
    ledger.execute(ConfigureEnvelopes(key=key(), origin=SERVER, owner="ann", root="/srv/ann", envelopes=(day, team)))
    ledger.execute(opening())
    ledger.execute(SetBudget(key=key(), origin=KERNEL, notebook=NOTEBOOK, category="llm", ceiling=USD))
    charge = estimated(ledger, category="llm")

    def spent() -> dict[str, int]:
        inside = ledger.read(ListEnvelopes(notebook=NOTEBOOK))
        (llm,) = ledger.read(ListBudgets(notebook=NOTEBOOK))
        return {envelope.name: envelope.balance.spent for envelope in inside} | {"llm": llm.balance.spent}

    assert spent() == {"budget": 40 * CENT, "day": 40 * CENT, "class": 40 * CENT, "llm": 40 * CENT}
    backend.clock.advance(24 * HOUR)
    assert spent()["day"] == 0
    ledger.execute(adjust(charge, 15 * CENT))
    # The amount given back belongs to yesterday, and nothing is spent today.
    assert spent() == {"budget": 15 * CENT, "day": 0, "class": 15 * CENT, "llm": 15 * CENT}
    backend.clock.advance(-24 * HOUR)
    assert spent()["day"] == 15 * CENT


def test_in_a_closed_session_its_sum_follows(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge = estimated(ledger)
    ledger.execute(closing())
    ledger.execute(adjust(charge, 15 * CENT))
    previous = state(ledger).previous
    assert previous is not None
    assert (previous.spent, balance(ledger).spent) == (15 * CENT, 15 * CENT)
    assert ledger.verify().ok


def test_a_sum_that_cannot_be_added_up_changes_nothing(ledger: Ledger) -> None:
    ledger.execute(opening(budget=10**18))
    charges = [estimated(ledger, 1) for _ in range(11)]
    for charge in charges[:9]:
        ledger.execute(adjust(charge, 10**18))
    with pytest.raises(InvalidAmountError, match="add up"):
        ledger.execute(adjust(charges[9], 10**18))
    ledger.execute(adjust(charges[9], 2))
    assert balance(ledger).spent == 9 * 10**18 + 3
