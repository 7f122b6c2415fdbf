"""What a grant is before, at and after its end."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance import ConflictError, GovernanceAction, GovernanceEngine, UnavailableError
from aumos_governance.authority.authorization import Settlement

ACTION = GovernanceAction("a", 1, budget_category="llm", budget_amount=Decimal(4))


@pytest.fixture
def funded(engine: GovernanceEngine) -> GovernanceEngine:
    engine.budget.create_budget("llm", 10)
    return engine


@pytest.mark.parametrize("amount", ["much", -1, float("nan")])
def test_an_amount_that_is_none_is_refused_before_the_block(funded: GovernanceEngine, amount: Any) -> None:
    action = GovernanceAction("a", 1, budget_category="llm", budget_amount=amount)
    with pytest.raises(ValueError, match="budget_amount"):
        funded.authorize(action)
    assert funded.budget.balance("llm").held == 0


def test_an_end_that_cannot_be_sent_ahead_does_nothing(funded: GovernanceEngine) -> None:
    grant = funded.begin(ACTION)
    assert grant.resolve_soon(10**9) is None
    assert (grant.settlement, funded.budget.balance("llm").held) == (None, 4)
    settlement = grant.settle(1)
    assert (settlement.spent, settlement.held, settlement.overrun, settlement.estimated) == (1, 4, False, False)
    for end in (grant.release, lambda: grant.settle(1), lambda: grant.resolve_soon(None)):
        with pytest.raises(ConflictError):
            end()
    assert funded.budget.balance("llm").spent == 1


def test_a_settlement_is_no_estimate_unless_it_says_so() -> None:
    assert Settlement(Decimal(1), Decimal(2), False, "r").estimated is False


@pytest.mark.parametrize("estimated", [False, True])
def test_an_estimate_says_so(funded: GovernanceEngine, estimated: bool) -> None:
    assert funded.begin(ACTION).settle(1, estimated=estimated).estimated is estimated


def test_an_awaited_end_that_failed_may_be_tried_again(
    funded: GovernanceEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def running() -> None:
        grant = await funded.begin_async(ACTION)

        async def unreachable(*_: Any, **__: Any) -> None:
            raise UnavailableError("The ledger does not respond.")

        with monkeypatch.context() as away:
            away.setattr(grant._resolver, "resolve_async", unreachable)
            with pytest.raises(UnavailableError):
                await grant.settle(1)
        assert (await grant.settle(1)).spent == 1

    asyncio.run(running())
