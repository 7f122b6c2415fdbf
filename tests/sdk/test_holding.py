"""The requests by which an engine holds amounts: each is made once, and released if its caller cannot use it."""

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

from aumos_governance import (
    AuditConfig,
    GovernanceAction,
    GovernanceConfig,
    GovernanceDeniedError,
    GovernanceEngine,
    TrustLevel,
)
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Hold, Release
from aumos_governance.ledger.contract.ledger import Ledger

PAID = GovernanceAction("a", required_trust_level=1, budget_category="llm", budget_amount=Decimal("0.5"), tool="m")
ACT = GovernanceAction("a", kind="act", budget_category="llm", budget_amount=Decimal("0.5"), tool="m")
FREE = GovernanceAction("a", required_trust_level=1)


class Apart:
    """A ledger that executes in another thread. It lists its requests, and delays holds while ``waiting`` is a list."""

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

    def execute_delayed(self) -> None:
        """Execute the delayed holds."""
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
    # The ledger executes requests one after the other, so the earlier ones are done now.
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


def test_a_ledger_that_is_served_in_the_callers_thread_is_called_when_the_caller_waits(apart: Apart) -> None:
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


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("The disk is full.")])
def test_an_act_interrupted_while_it_is_decided_gives_back_what_is_held_after_all(
    engine: GovernanceEngine, apart: Apart, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.trust.set_level("a", TrustLevel.L5_AUTONOMOUS)
    apart.waiting = []
    submit = engine.realm.submit

    def broken(request: Any) -> Future[Any]:
        future: Future[Any] = submit(request)
        errors, result = [error] if isinstance(request, Hold) else [], future.result

        def interrupted(timeout: float | None = None) -> Any:
            if errors:
                raise errors.pop()
            return result(timeout)

        future.result = interrupted  # type: ignore[method-assign]
        return future

    monkeypatch.setattr(engine.realm, "submit", broken)
    with pytest.raises(type(error)):
        engine.begin(ACT)
    apart.execute_delayed()
    assert apart.of(Hold, Release) == [Hold, Release]
    # A second hold request may follow after an approval, so the first one sets no hold id.
    assert [request.hold_id for request in apart.requested if isinstance(request, Hold)] == [None]
    apart.waiting = None
    assert held(engine) == 0


@pytest.mark.parametrize("action", [PAID, ACT])
@pytest.mark.parametrize("outcome", ["allowed", "denied", "failed", "never begun"])
def test_a_task_cancelled_meanwhile_gives_back_what_is_held_after_all(
    engine: GovernanceEngine, apart: Apart, outcome: str, action: GovernanceAction, caplog: pytest.LogCaptureFixture
) -> None:
    engine.trust.set_level("a", TrustLevel.L0_OBSERVER if outcome == "denied" else TrustLevel.L5_AUTONOMOUS)
    apart.waiting = []

    async def cancelled() -> None:
        task = asyncio.create_task(engine.begin_async(action))
        await asyncio.sleep(0)
        assert apart.waiting
        if outcome != "never begun":
            # From now on the ledger executes it even if it is cancelled.
            assert apart.waiting[0][0].set_running_or_notify_cancel()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with caplog.at_level(logging.DEBUG, "concurrent.futures"):
        asyncio.run(cancelled())
        assert apart.waiting[0][0].cancelled() == (outcome == "never begun")
        if outcome in ("allowed", "denied"):
            apart.execute_delayed()
        elif outcome == "failed":
            apart.waiting[0][0].set_exception(OSError("The disk is full."))
    # An exception in a future's callback is only logged.
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


# ---- what is requested, recorded and returned


def test_without_a_level_in_the_action_none_is_needed(engine: GovernanceEngine) -> None:
    engine.trust.set_level("a", TrustLevel.L0_OBSERVER)
    engine.begin(GovernanceAction("a", budget_category="llm", budget_amount=1, tool="m")).release()
    with pytest.raises(GovernanceDeniedError):
        engine.begin(GovernanceAction("a", 1, budget_category="llm", budget_amount=1, tool="m"))


def test_an_action_of_no_agent_holds_nothing(engine: GovernanceEngine, apart: Apart) -> None:
    with pytest.raises(ValueError, match="agent_id"):
        engine.begin(GovernanceAction("", budget_category="llm", budget_amount=1))
    assert apart.requested == []


@pytest.mark.parametrize("kept", [True, False])
def test_what_an_action_is_about_is_recorded_where_the_configuration_says_so(apart: Apart, kept: bool) -> None:
    engine = GovernanceEngine(GovernanceConfig(audit=AuditConfig(include_context=kept)), ledger=apart)
    engine.budget.create_budget("llm", 10)
    action = GovernanceAction(
        "a", budget_category="llm", budget_amount=1, action_type="gpt", resource="r", extra={"why": "a test"}
    )
    engine.begin(action).release()
    (hold,) = (entry for entry in engine.audit.entries() if entry.event == "hold")
    assert (hold.action_type, hold.resource) == (("gpt", "r") if kept else (None, None))
    assert ("a test" in str(hold.detail)) == kept
    assert hold.tool == "gpt"


def test_what_was_not_held_and_is_released_is_no_overrun(engine: GovernanceEngine) -> None:
    grant = engine.begin(FREE)
    settlement = grant.release()
    assert (settlement.spent, settlement.held, settlement.overrun) == (Decimal(0), Decimal(0), False)
    assert settlement.audit_record_id == grant.decision.audit_record_id


def test_an_act_that_shows_nothing_more_shows_its_tool_and_its_cost() -> None:
    seen: list[dict[str, Any]] = []

    def approve(shown: Any) -> bool:
        seen.append(dict(shown))
        return True

    with GovernanceEngine(approver=approve) as engine:
        engine.trust.set_level("a", TrustLevel.L3_ACT_APPROVE)
        engine.budget.create_budget("ops", 1)
        act = GovernanceAction("a", kind="act", budget_category="ops", budget_amount="0.25", action_type="deploy")
        engine.begin(act).settle("0.25")
        # An action that costs nothing needs an approval as well.
        engine.begin(GovernanceAction("a", kind="act", action_type="delete")).settle(0)
    assert seen == [{"tool": "deploy", "cost": "0.25"}, {"tool": "delete", "cost": "0"}]
