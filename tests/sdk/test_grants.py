"""What a grant is before, at and after its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance import ConflictError, GovernanceAction, GovernanceEngine, UnavailableError
from aumos_governance.authority.authorization import AsyncGrant, Ending, Grant, Granted, Settlement

ACTION = GovernanceAction("a", 1, budget_category="llm", budget_amount=Decimal(4))
SETTLED = Settlement(Decimal(1), Decimal(4), False, "r")


class PostedEnding:
    """An ending whose response the test lets arrive."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.arrive: Callable[[], object] = lambda: None

    def then(self, function: Callable[[], object]) -> None:
        self.arrive = function

    def result(self) -> Settlement:
        if self.error is not None:
            raise self.error
        return SETTLED


class PostingResolver:
    """A resolver that posts each settlement; it settles a grant at once only while the test's ``during`` runs."""

    def __init__(self) -> None:
        self.posted: list[PostedEnding] = []
        self.during: Callable[[Granted], object] = lambda grant: None

    def resolve(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement:
        self.during(grant)
        return SETTLED

    async def resolve_async(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement:
        return self.resolve(grant, cost, estimated=estimated)

    def resolve_soon(self, grant: Granted, cost: int | None, *, estimated: bool) -> Ending:
        self.posted.append(PostedEnding())
        return self.posted[-1]


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


def test_a_grant_is_settled_once_while_its_settlement_lasts(funded: GovernanceEngine) -> None:
    resolver = PostingResolver()
    grant = Grant(resolver, funded.begin(ACTION).decision, 4 * 10**9, "hold")

    def settle_again(other: Granted) -> None:
        with pytest.raises(ConflictError):
            other.resolve_now(None)
        with pytest.raises(ConflictError):
            other.resolve_soon(None)

    resolver.during = settle_again
    assert grant.settle(1) is SETTLED
    assert resolver.posted == []


def test_a_settlement_that_failed_may_be_tried_again(funded: GovernanceEngine) -> None:
    resolver = PostingResolver()
    grant = Grant(resolver, funded.begin(ACTION).decision, 4 * 10**9, "hold")

    def fail(other: Granted) -> None:
        raise UnavailableError("The ledger does not respond.")

    resolver.during = fail
    with pytest.raises(UnavailableError):
        grant.settle(1)
    resolver.during = lambda other: None
    assert grant.settle(1) is SETTLED


def test_a_posted_settlement_is_the_grants_once_its_response_arrived(funded: GovernanceEngine) -> None:
    resolver = PostingResolver()
    grant = Grant(resolver, funded.begin(ACTION).decision, 4 * 10**9, "hold")
    for failed in (True, False):
        ending = grant.resolve_soon(10**9)
        assert ending is resolver.posted[-1]
        for again in (lambda: grant.resolve_soon(None), grant.release):
            with pytest.raises(ConflictError):
                again()
        assert grant.settlement is None
        # One that failed may be posted again.
        resolver.posted[-1].error = UnavailableError("The ledger does not respond.") if failed else None
        resolver.posted[-1].arrive()
    assert grant.settlement is SETTLED
    assert len(resolver.posted) == 2


def test_an_awaited_grant_is_settled_once_while_its_settlement_lasts(funded: GovernanceEngine) -> None:
    resolver = PostingResolver()
    grant = AsyncGrant(resolver, funded.begin(ACTION).decision, 4 * 10**9, "hold")
    settled: list[Granted] = []
    resolver.during = settled.append

    async def running() -> None:
        results = await asyncio.gather(grant.settle(1), grant.settle(1), grant.release(), return_exceptions=True)
        assert results[0] is SETTLED
        assert [type(result) for result in results[1:]] == [ConflictError, ConflictError]

    asyncio.run(running())
    assert settled == [grant]
