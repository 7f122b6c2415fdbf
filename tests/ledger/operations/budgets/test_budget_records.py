"""Budgets of categories: their bounds, what is recorded of them, and what a change of them shows."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import (
    ConfigurationError,
    ConflictError,
    InvalidAmountError,
    NotAllowedError,
    NotFoundError,
)
from aumos_governance.ledger.contract.budgets import EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.facts import Balance
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListBudgets, ListEnvelopes
from aumos_governance.types import BudgetPeriod
from tests.ledger.charges import hold
from tests.ledger.kit import BY_USER, CENT, NOTEBOOK, USD, budget, closing, opening, records, spend
from tests.ledger.rich import configure


@pytest.mark.parametrize("ceiling", [-1, 0.5, True, 10**18 + 1])
def test_what_is_no_ceiling_is_refused(ledger: Ledger, ceiling: Any) -> None:
    ledger.execute(opening())
    with pytest.raises(InvalidAmountError):
        ledger.execute(budget("llm", ceiling))
    assert ledger.read(ListBudgets(notebook=NOTEBOOK)) == ()


@pytest.mark.parametrize("ceiling", [0, 10**18])
def test_the_least_and_the_greatest_ceiling(ledger: Ledger, ceiling: int) -> None:
    ledger.execute(opening())
    assert ledger.execute(budget("llm", ceiling)).balance == Balance(ceiling, 0, 0)


def test_a_budget_is_recorded_when_it_is_created_and_changed_and_not_else(ledger: Ledger) -> None:
    session_id = ledger.execute(opening(agent_id="planner")).state.session_id
    for values in ({}, {}, {"ceiling": 2 * CENT, "create": False, "origin": BY_USER}, {"ceiling": 2 * CENT}):
        ledger.execute(budget("llm", **{"ceiling": CENT, "period": BudgetPeriod.DAILY} | values))
    created, changed = records(ledger)[1:]
    assert created.detail == {"category": "llm", "period": "daily", "from": None, "to": "0.01"}
    assert changed.detail == {"category": "llm", "period": "daily", "from": "0.01", "to": "0.02"}
    for record, actor in ((created, "kernel"), (changed, "ann")):
        assert (record.event, record.agent_id, record.chain, record.actor) == ("budget", "planner", session_id, actor)


@pytest.mark.parametrize(
    ("ceiling", "period"),
    [(2 * CENT, BudgetPeriod.DAILY), (CENT, BudgetPeriod.WEEKLY), (2 * CENT, BudgetPeriod.WEEKLY)],
)
def test_another_budget_of_the_same_name_is_not_created(ledger: Ledger, ceiling: int, period: BudgetPeriod) -> None:
    ledger.execute(opening())
    created = ledger.execute(budget("llm", CENT, period=BudgetPeriod.DAILY))
    with pytest.raises(ConflictError):
        ledger.execute(budget("llm", ceiling, period=period))
    assert ledger.execute(budget("llm", CENT, period=BudgetPeriod.DAILY)).balance == created.balance
    # A change names no period, and the budget keeps its own.
    changed = ledger.execute(budget("llm", ceiling, period=BudgetPeriod.MONTHLY, create=False))
    assert (changed.period, changed.balance.limit) == (BudgetPeriod.DAILY, ceiling)


def test_a_budget_is_shown_with_what_counts_in_it(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(budget("llm", USD))
    ledger.execute(spend(2 * CENT, category="llm"))
    ledger.execute(hold(3 * CENT, category="llm"))
    changed = ledger.execute(budget("llm", 2 * USD, create=False))
    assert (changed.created, changed.changed, changed.charges) == (False, True, 2)
    assert changed.balance == Balance(2 * USD, 2 * CENT, 3 * CENT)
    (listed,) = ledger.read(ListBudgets(notebook=NOTEBOOK))
    assert (listed.balance, listed.charges, listed.created, listed.changed) == (changed.balance, 2, False, False)
    (own,) = ledger.read(ListEnvelopes(notebook=NOTEBOOK))
    assert (own.kind, own.charges, own.balance) == ("session", 2, Balance(10 * USD, 2 * CENT, 3 * CENT))


def test_strict_lets_a_budget_only_be_tightened(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(budget("llm", CENT))
    with pytest.raises(NotAllowedError, match="cannot be raised"):
        ledger.execute(budget("llm", CENT + 1, create=False, tighten_only=True))
    assert not ledger.execute(budget("llm", CENT, create=False, tighten_only=True)).changed
    assert ledger.execute(budget("llm", CENT - 1, create=False, tighten_only=True)).changed
    assert ledger.execute(budget("llm", CENT, create=False)).changed


def test_a_closed_session_keeps_its_budgets_to_be_read_and_gets_no_more(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(budget("llm", CENT))
    ledger.execute(closing())
    with pytest.raises(NotFoundError, match="open governance session"):
        ledger.execute(budget("llm", CENT))
    assert [found.category for found in ledger.read(ListBudgets(notebook=NOTEBOOK))] == ["llm"]
    assert [found.name for found in ledger.read(ListEnvelopes(notebook=NOTEBOOK))] == ["budget"]


@pytest.mark.parametrize(("ceiling", "fits"), [(0, True), (10**18, True), (10**18 + 1, False), (-1, False)])
def test_the_ceilings_that_a_server_can_be_configured_with(ledger: Ledger, ceiling: int, fits: bool) -> None:
    request = configure("ann", "/srv/ann", EnvelopeSpec("here", ceiling, EnvelopeKind.SERVER))
    if not fits:
        with pytest.raises(ConfigurationError, match="here"):
            ledger.execute(request)
        return
    assert ledger.execute(request)
    ledger.execute(opening())
    assert [found.balance.limit for found in ledger.read(ListEnvelopes(notebook=NOTEBOOK))] == [10 * USD, ceiling]
