"""What is requested of the ledger while an amount is held: once, and given back where its caller cannot use it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aumos_governance import GovernanceAction, GovernanceDeniedError, GovernanceEngine, TrustLevel
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Hold, Release
from aumos_governance.ledger.contract.ledger import Ledger

PAID = GovernanceAction("a", required_trust_level=1, budget_category="llm", budget_amount=Decimal("0.5"), tool="m")
FREE = GovernanceAction("a", required_trust_level=1)


class Apart:
    """A ledger that another thread serves, with what was requested of it; its holds wait where the test says so."""

    at_once = False

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.requested: list[object] = []
        self.waiting: list[tuple[Future[Any], Any]] | None = None
        self.after: Callable[[], None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def execute(self, request: Any) -> Any:
        return self.submit(request).result(20)

    def submit(self, request: Any) -> Future[Any]:
        self.requested.append(request)
        if self.waiting is not None and isinstance(request, Hold):
            future: Future[Any] = Future()
            self.waiting.append((future, request))
            return future
        done = self._ledger.submit(request)
        after, self.after = self.after, None
        if after is not None:
            after()
        return done

    def answer(self) -> None:
        """Do what waits."""
        assert self.waiting is not None
        for future, request in self.waiting:
            future.set_result(self._ledger.execute(request))

    def of(self, *kinds: type) -> list[type]:
        return [type(request) for request in self.requested if isinstance(request, kinds)]


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    with contextlib.closing(open_ledger(f"sqlite:///{tmp_path / 'governance.db'}")) as ledger:
        yield Apart(ledger)


@pytest.fixture
def engine(apart: Apart) -> GovernanceEngine:
    engine = GovernanceEngine(ledger=apart)
    engine.budget.create_budget("llm", 10)
    apart.requested.clear()
    return engine


def held(engine: GovernanceEngine) -> Decimal:
    # The ledger does one request after the other.
    engine.evaluate_sync(FREE)
    return engine.budget.balance("llm").held


def interrupt() -> None:
    raise KeyboardInterrupt


def test_a_call_begun_ahead_is_held_before_its_caller_waits_and_only_once(
    engine: GovernanceEngine, apart: Apart
) -> None:
    begun = engine.begin_ahead(PAID)
    assert held(engine) == PAID.budget_amount
    grant = begun.grant()
    assert apart.of(Hold) == [Hold]
    grant.settle(Decimal("0.25"))
    assert held(engine) == 0
    assert engine.budget.balance("llm").spent == Decimal("0.25")


def test_a_ledger_that_is_served_in_the_callers_thread_is_asked_when_the_caller_waits(apart: Apart) -> None:
    apart.at_once = True
    engine = GovernanceEngine(ledger=apart)
    begun = engine.begin_ahead(PAID)
    assert apart.requested == []
    begun.drop()
    assert apart.requested == []


def test_a_call_begun_ahead_and_given_up_is_released_once(engine: GovernanceEngine, apart: Apart) -> None:
    begun = engine.begin_ahead(PAID)
    begun.drop()
    begun.drop()
    assert held(engine) == 0
    assert apart.of(Hold, Release) == [Hold, Release]


def test_an_interrupt_while_it_is_begun_ahead_gives_it_back(engine: GovernanceEngine, apart: Apart) -> None:
    apart.after = interrupt
    with pytest.raises(KeyboardInterrupt):
        engine.begin_ahead(PAID)
    assert held(engine) == 0
    assert apart.of(Hold, Release) == [Hold, Release]


@pytest.mark.parametrize("action", [PAID, FREE])
def test_an_interrupt_gives_back_what_was_held_and_nothing_else(
    engine: GovernanceEngine, apart: Apart, action: GovernanceAction
) -> None:
    apart.after = interrupt
    with pytest.raises(KeyboardInterrupt):
        engine.begin(action)
    assert held(engine) == 0
    assert len(apart.of(Release)) == (1 if action is PAID else 0)


def test_a_denied_call_begun_ahead_has_nothing_to_give_back(engine: GovernanceEngine, apart: Apart) -> None:
    engine.trust.set_level("a", TrustLevel.L0_OBSERVER)
    begun = engine.begin_ahead(PAID)
    with pytest.raises(GovernanceDeniedError):
        begun.grant()
    begun.drop()
    assert apart.of(Release) == []


@pytest.mark.parametrize("outcome", ["allowed", "denied", "failed", "never begun"])
def test_a_task_cancelled_meanwhile_gives_back_what_is_held_after_all(
    engine: GovernanceEngine, apart: Apart, outcome: str, caplog: pytest.LogCaptureFixture
) -> None:
    if outcome == "denied":
        engine.trust.set_level("a", TrustLevel.L0_OBSERVER)
    apart.waiting = []

    async def cancelled() -> None:
        task = asyncio.create_task(engine.begin_async(PAID))
        await asyncio.sleep(0)
        assert apart.waiting
        if outcome != "never begun":
            # From now on it cannot be taken out of the ledger's line.
            assert apart.waiting[0][0].set_running_or_notify_cancel()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with caplog.at_level(logging.DEBUG, "concurrent.futures"):
        asyncio.run(cancelled())
        assert apart.waiting[0][0].cancelled() == (outcome == "never begun")
        if outcome in ("allowed", "denied"):
            apart.answer()
        elif outcome == "failed":
            apart.waiting[0][0].set_exception(OSError("The disk is full."))
    # What a future's callback raises is only logged.
    assert caplog.records == []
    assert len(apart.of(Release)) == (1 if outcome == "allowed" else 0)
    apart.waiting = None
    assert held(engine) == 0


def test_the_error_names_what_the_user_can_do(engine: GovernanceEngine) -> None:
    with pytest.raises(GovernanceDeniedError) as denied:
        engine.begin(GovernanceAction("a", 1, budget_category="llm", budget_amount=11, tool="gpt"))
    assert "$11.00 for gpt was requested and $10.00 is left" in str(denied.value)
    assert "engine.budget.set_limit('llm', limit)" in str(denied.value)
    engine.trust.set_level("a", TrustLevel.L0_OBSERVER)
    with pytest.raises(GovernanceDeniedError) as denied:
        engine.begin(PAID)
    assert "engine.trust.set_level('a', level)" in str(denied.value)
    assert "requested" not in str(denied.value)
