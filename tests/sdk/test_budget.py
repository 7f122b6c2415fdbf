from __future__ import annotations

from decimal import Decimal

import pytest

from aumos_governance import (
    BudgetConfig,
    BudgetExceededError,
    BudgetManager,
    BudgetNotFoundError,
    BudgetPeriod,
    GovernanceAction,
    GovernanceConfig,
    GovernanceDeniedError,
    GovernanceEngine,
    InvalidPeriodError,
    NotFoundError,
)
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.requests import CloseSession
from aumos_governance.ledger.contract.terms import SessionTerms
from tests.sdk.conftest import MakeEngine

OVERDRAFT = GovernanceConfig(budget=BudgetConfig(allow_overdraft=True))


def test_a_manager_stands_alone() -> None:
    manager = BudgetManager(BudgetConfig())
    manager.create_budget("llm", limit=100.0, period="monthly")
    manager.record_spending("llm", amount=30.0)
    assert manager.check_budget("llm", 10.0).available - 70.0 == 0


def test_a_check_states_the_figures(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 10, "weekly")
    engine.budget.record_spending("llm", 4)
    fits = engine.budget.check_budget("llm", 6.0)
    assert (fits.allowed, fits.requested, fits.available, fits.limit, fits.spent) == (True, 6.0, 6.0, 10.0, 4.0)
    assert fits.reason == "Budget 'llm': $6.00 requested, $6.00 left of $10.00 weekly"
    assert engine.budget.check_budget("llm", "6.000000001").allowed is False
    assert engine.budget.balance("llm").spent == 4


def test_a_spend_is_recorded(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 1)
    spent = engine.budget.record_spending("llm", 0.25, description="a summary")
    assert (spent.category, spent.amount, spent.description, spent.overrun) == ("llm", 0.25, "a summary", False)
    assert spent.recorded_at.utcoffset() is not None
    record = next(entry for entry in engine.audit.entries() if entry.event == "spend")
    assert record.record_id == spent.audit_record_id
    assert (record.tool, record.spent_delta, record.detail["note"]) == ("llm", 250_000_000, "a summary")


def test_a_spend_above_the_limit_changes_nothing(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 20)
    engine.budget.record_spending("llm", 15)
    with pytest.raises(BudgetExceededError, match=r"\$25.00 > \$20.00") as caught:
        engine.budget.record_spending("llm", 10)
    error = caught.value
    assert (error.category, error.requested, error.available, error.code) == ("llm", 10.0, 5.0, "BUDGET_EXCEEDED")
    assert engine.budget.balance("llm").spent == 15
    assert engine.budget.summary()[0]["transaction_count"] == 1


def test_an_overdraft_is_recorded_and_flagged(make_engine: MakeEngine) -> None:
    engine = make_engine(OVERDRAFT)
    engine.budget.create_budget("llm", 1)
    assert engine.budget.record_spending("llm", 1).overrun is False
    assert engine.budget.check_budget("llm", 0.5).allowed is True
    assert engine.budget.record_spending("llm", 0.5).overrun is True
    balance = engine.budget.balance("llm")
    assert (balance.spent, balance.remaining, balance.over) == (Decimal("1.5"), 0, Decimal("0.5"))
    assert engine.budget.get_utilization("llm") == 1.5
    record = [entry for entry in engine.audit.entries() if entry.event == "spend"][-1]
    assert record.outcome == "allow_with_caveat"
    assert record.detail["overrun"] is True


def test_the_same_budget_again_changes_nothing(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 5.0, "daily")
    engine.budget.record_spending("llm", 1)
    before = list(engine.audit.entries())
    engine.budget.create_budget("llm", "5", BudgetPeriod.DAILY)
    assert list(engine.audit.entries()) == before
    for limit, period in ((6, "daily"), (5, "weekly")):
        with pytest.raises(ValueError, match=r"call engine\.budget\.set_limit"):
            engine.budget.create_budget("llm", limit, period)
    assert engine.budget.balance("llm").limit == 5


def test_a_user_changes_a_limit(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 5, "yearly")
    engine.budget.record_spending("llm", 4)
    engine.budget.set_limit("llm", 3)
    balance = engine.budget.balance("llm")
    assert (balance.limit, balance.remaining, balance.over, balance.period) == (3, 0, 1, "yearly")
    changes = [entry.detail for entry in engine.audit.entries() if entry.event == "budget"]
    assert [(change["from"], change["to"]) for change in changes] == [(None, "5"), ("5", "3")]
    with pytest.raises(BudgetNotFoundError):
        engine.budget.set_limit("mail", 1)


def test_a_budget_that_is_not_there(engine: GovernanceEngine) -> None:
    budget = engine.budget
    for method in (budget.check_budget, budget.record_spending):
        with pytest.raises(BudgetNotFoundError) as caught:
            method("mail", 1.0)
        assert caught.value.code == "BUDGET_NOT_FOUND"
    for look in (budget.get_utilization, budget.balance):
        with pytest.raises(BudgetNotFoundError, match="create_budget"):
            look("mail")
    assert budget.list_categories() == []
    assert budget.summary() == []


@pytest.mark.parametrize("limit", [-1, -0.01, "-1", "much", float("inf"), 2e9, None, True])
def test_a_limit_is_an_amount(engine: GovernanceEngine, limit: object) -> None:
    with pytest.raises(ValueError, match="limit"):
        engine.budget.create_budget("llm", limit)  # type: ignore[arg-type]
    assert engine.budget.list_categories() == []


@pytest.mark.parametrize("amount", [0, -1, "0", 1e-12, "0.0000000001"])
def test_a_spend_is_more_than_nothing(engine: GovernanceEngine, amount: float | str) -> None:
    engine.budget.create_budget("llm", 1)
    with pytest.raises(ValueError, match="amount"):
        engine.budget.record_spending("llm", amount)
    assert engine.budget.balance("llm").spent == 0


@pytest.mark.parametrize("period", ["annually", "Monthly", "", None, 30])
def test_a_period_is_one_of_five(engine: GovernanceEngine, period: object) -> None:
    with pytest.raises(InvalidPeriodError, match="daily, weekly, monthly, yearly, lifetime") as caught:
        engine.budget.create_budget("llm", 1, period)  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)


def test_a_category_has_a_name(engine: GovernanceEngine) -> None:
    for method in (engine.budget.create_budget, engine.budget.check_budget, engine.budget.record_spending):
        with pytest.raises(ValueError, match="category must be a non-empty string"):
            method("", 1)


def test_the_summary(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("storage", 50, "lifetime")
    engine.budget.create_budget("llm", 10, "daily")
    engine.budget.create_budget("free", 0)
    engine.budget.record_spending("llm", 2.5)
    assert engine.budget.list_categories() == ["free", "llm", "storage"]
    free, llm, storage = engine.budget.summary()
    assert llm == {
        "category": "llm",
        "limit": 10.0,
        "effective_limit": 10.0,
        "spent": 2.5,
        "remaining": 7.5,
        "utilization": 0.25,
        "period": "daily",
        "last_reset": llm["last_reset"],
        "transaction_count": 1,
    }
    assert str(llm["last_reset"]).endswith("00:00:00+00:00")
    assert storage["last_reset"] is None
    assert (free["utilization"], free["limit"]) == (0.0, 0.0)


def test_exact_figures_are_decimals(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", Decimal("0.3"))
    engine.budget.record_spending("llm", "0.000000001")
    balance = engine.budget.balance("llm")
    assert balance.remaining == Decimal("0.299999999")
    assert {type(value) for value in (balance.limit, balance.spent, balance.held, balance.over)} == {Decimal}


def test_an_engine_whose_session_a_user_closed_charges_nothing(engine: GovernanceEngine) -> None:
    engine.budget.create_budget("llm", 1)
    realm = engine.realm
    unheld = engine.begin(GovernanceAction("a"))
    user = Origin("ann", person=True)
    realm.ledger.execute(CloseSession(key="", origin=user, notebook=realm.notebook, terms=SessionTerms()))
    with pytest.raises(GovernanceDeniedError):
        engine.budget.record_spending("llm", 0.5)
    with pytest.raises(NotFoundError):
        engine.budget.create_budget("mail", 1)
    # The cost of a grant without a hold is denied and recorded as well, and the grant is not settled.
    with pytest.raises(GovernanceDeniedError) as denied:
        unheld.settle(1)
    assert denied.value.audit_record_id == list(engine.audit.entries())[-1].record_id
    assert unheld.settlement is None
    assert engine.budget.balance("llm").spent == 0
