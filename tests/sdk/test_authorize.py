from __future__ import annotations

import asyncio
import contextlib
from decimal import Decimal

import pytest

from aumos_governance import (
    BudgetConfig,
    ConfigurationError,
    ConflictError,
    GovernanceAction,
    GovernanceConfig,
    GovernanceDeniedError,
    GovernanceEngine,
    NotFoundError,
    default_engine,
)
from aumos_governance.authority.authorization import Settlement
from aumos_governance.engine import register_default_engine
from tests.sdk.conftest import MakeEngine

PAID = GovernanceAction("a", 1, budget_category="llm", budget_amount=4.0, action_type="gpt", resource="r")


def figures(engine: GovernanceEngine) -> tuple[Decimal, Decimal]:
    balance = engine.budget.balance("llm")
    return balance.spent, balance.held


def events(engine: GovernanceEngine) -> list[str]:
    return [entry.event for entry in engine.audit.entries() if entry.event not in ("open", "budget")]


@pytest.fixture
def funded(engine: GovernanceEngine) -> GovernanceEngine:
    engine.budget.create_budget("llm", 10)
    return engine


def test_the_amount_is_held_while_the_block_runs(funded: GovernanceEngine) -> None:
    with funded.authorize(PAID) as grant:
        assert figures(funded) == (0, 4)
        assert grant.decision.allowed
        assert [hold.charge_id for hold in funded.budget.holds()] == [grant.hold_id]
        settlement = grant.settle("1.25")
        assert figures(funded) == (Decimal("1.25"), 0)
    assert (settlement.spent, settlement.held, settlement.overrun) == (Decimal("1.25"), 4, False)
    assert figures(funded) == (Decimal("1.25"), 0)
    assert events(funded) == ["hold", "settle"]
    settled = list(funded.audit.entries())[-1]
    assert settled.record_id == settlement.audit_record_id
    assert (settled.agent_id, settled.tool) == ("a", "gpt")


def test_a_normal_end_charges_what_was_held(funded: GovernanceEngine) -> None:
    with funded.authorize(PAID):
        pass
    assert figures(funded) == (4, 0)


def test_an_error_gives_it_back(funded: GovernanceEngine) -> None:
    with pytest.raises(ZeroDivisionError), funded.authorize(PAID):
        raise ZeroDivisionError
    assert figures(funded) == (0, 0)
    assert events(funded) == ["hold", "release"]


def test_what_was_settled_before_an_error_stays(funded: GovernanceEngine) -> None:
    with pytest.raises(ZeroDivisionError), funded.authorize(PAID) as grant:
        assert grant.settle(3).spent / 0
    assert figures(funded) == (3, 0)


def test_after_an_interrupt_it_is_charged(funded: GovernanceEngine) -> None:
    with pytest.raises(KeyboardInterrupt), funded.authorize(PAID):
        raise KeyboardInterrupt
    assert figures(funded) == (4, 0)


def test_released_by_hand(funded: GovernanceEngine) -> None:
    with funded.authorize(PAID) as grant:
        released = grant.release()
    assert (released.spent, released.held) == (0, 4)
    assert figures(funded) == (0, 0)


def test_more_than_was_held_is_recorded_in_full(funded: GovernanceEngine) -> None:
    with funded.authorize(PAID) as grant:
        settlement = grant.settle(12)
    assert settlement.overrun is True
    balance = funded.budget.balance("llm")
    assert (balance.spent, balance.over) == (12, 2)
    assert list(funded.audit.entries())[-1].outcome == "allow_with_caveat"


def test_a_call_that_cost_nothing(funded: GovernanceEngine) -> None:
    with funded.authorize(PAID) as grant:
        grant.settle(0)
    assert figures(funded) == (0, 0)


def test_a_grant_is_resolved_once(funded: GovernanceEngine) -> None:
    with funded.authorize(PAID) as grant:
        grant.settle(1)
        for again in (grant.release, lambda: grant.settle(1)):
            with pytest.raises(ConflictError, match="already"):
                again()
    assert figures(funded) == (1, 0)


def test_a_cost_that_is_none_leaves_the_hold(funded: GovernanceEngine) -> None:
    with funded.authorize(PAID) as grant:
        for wrong in (-1, float("nan"), "x"):
            with pytest.raises(ValueError, match="cost"):
                grant.settle(wrong)
        assert figures(funded) == (0, 4)
    assert figures(funded) == (4, 0)


def test_what_is_denied_does_not_run(funded: GovernanceEngine) -> None:
    ran = []
    for action in (
        GovernanceAction("a", 5, budget_category="llm", budget_amount=1),
        GovernanceAction("a", budget_category="llm", budget_amount=11),
        GovernanceAction("a", budget_category="mail", budget_amount=1),
        GovernanceAction("a", data_type="health_data"),
    ):
        with pytest.raises(GovernanceDeniedError) as caught, funded.authorize(action):
            ran.append(action)
        assert caught.value.agent_id == "a"
        assert caught.value.audit_record_id == funded.audit.latest(1)[0].record_id
        assert str(caught.value).startswith(f"DENIED: {caught.value.denial_reason}")
    assert ran == []
    assert figures(funded) == (0, 0)


def test_held_amounts_count_for_everyone(funded: GovernanceEngine) -> None:
    with funded.authorize(PAID), funded.authorize(PAID):
        with pytest.raises(GovernanceDeniedError, match=r"\$12.00 > \$10.00"), funded.authorize(PAID):
            pytest.fail("the third must not run")
        assert funded.budget.check_budget("llm", 2.5).allowed is False
    assert figures(funded) == (8, 0)


def test_an_action_without_an_amount_holds_nothing(funded: GovernanceEngine) -> None:
    with funded.authorize(GovernanceAction("a", 1)) as grant:
        assert grant.hold_id is None
        assert grant.release().spent == 0
    with funded.authorize(GovernanceAction("a", 1)):
        pass
    assert events(funded) == ["evaluate", "evaluate"]
    with funded.authorize(GovernanceAction("a", 1, budget_category="llm")) as grant:
        assert grant.settle(11).overrun is True
    assert figures(funded) == (11, 0)


def test_an_overdraft_runs_and_is_flagged(make_engine: MakeEngine) -> None:
    engine = make_engine(GovernanceConfig(budget=BudgetConfig(allow_overdraft=True)))
    engine.budget.create_budget("llm", 1)
    with engine.authorize(PAID) as grant:
        assert grant.decision.outcome == "allow_with_caveat"
    assert grant.settlement is not None
    assert grant.settlement.overrun is True
    assert figures(engine) == (4, 0)


def test_an_authorization_is_for_one_block(funded: GovernanceEngine) -> None:
    authorization = funded.authorize(PAID)
    with authorization:
        pass
    with pytest.raises(ConflictError, match="one block"), authorization:
        pytest.fail("it must not run")
    assert figures(funded) == (4, 0)


def test_awaited_it_does_the_same(funded: GovernanceEngine) -> None:
    async def settled() -> None:
        async with funded.authorize(PAID) as grant:
            await grant.settle(1)

    async def left_alone() -> None:
        async with funded.authorize(PAID):
            pass

    async def failed() -> None:
        async with funded.authorize(PAID):
            raise ZeroDivisionError

    async def released() -> None:
        async with funded.authorize(PAID) as grant:
            await grant.release()

    asyncio.run(settled())
    assert figures(funded) == (1, 0)
    asyncio.run(left_alone())
    assert figures(funded) == (5, 0)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(failed())
    asyncio.run(released())
    assert figures(funded) == (5, 0)
    funded.budget.set_limit("llm", 1)
    with pytest.raises(GovernanceDeniedError):
        asyncio.run(left_alone())
    assert figures(funded) == (5, 0)


def test_a_cancelled_task_is_charged(funded: GovernanceEngine) -> None:
    async def cancelled() -> None:
        running = asyncio.Event()

        async def call() -> None:
            async with funded.authorize(PAID):
                running.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(call())
        await running.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert figures(funded) == (4, 0)


def test_what_an_ended_process_held_is_resolved_by_another(make_engine: MakeEngine) -> None:
    ended, alive = make_engine(), make_engine()
    ended.budget.create_budget("llm", 10)
    first, second = ended.authorize(PAID), ended.authorize(PAID)
    first.__enter__()
    second.__enter__()
    holds = alive.budget.holds()
    assert [(hold.amount, hold.agent_id, hold.category) for hold in holds] == [(4 * 10**9, "a", "llm")] * 2
    alive.budget.settle_hold(holds[0].charge_id, 3.5)
    alive.budget.release_hold(holds[1].charge_id)
    assert figures(alive) == (Decimal("3.5"), 0)
    with pytest.raises(ConflictError):
        alive.budget.release_hold(holds[1].charge_id)
    with pytest.raises(NotFoundError):
        alive.budget.settle_hold("none", 1)


def test_without_a_block_the_caller_settles_or_releases(funded: GovernanceEngine) -> None:
    grant = funded.begin(PAID)
    assert figures(funded) == (0, 4)
    settled = grant.settle("1", estimated=True)
    assert (settled.spent, settled.estimated) == (1, True)
    assert list(funded.audit.entries())[-1].detail == {"estimated": True}
    with pytest.raises(ConflictError):
        grant.release()
    with pytest.raises(GovernanceDeniedError):
        funded.begin(GovernanceAction("a", 1, budget_category="llm", budget_amount=11))
    assert funded.audit.latest(1)[0].outcome == "deny"
    assert funded.audit.latest(2)[0].context.budget_category == "llm"

    async def awaited() -> None:
        grant = await funded.begin_async(PAID)
        settlement = await grant.settle(2, estimated=True)
        assert settlement == grant.settlement
        assert (settlement.spent, settlement.held, settlement.estimated) == (2, 4, True)
        with pytest.raises(ConflictError):
            await grant.settle(2)
        given_back = await (await funded.begin_async(PAID)).release()
        assert (given_back.spent, given_back.held) == (0, 4)

    asyncio.run(awaited())
    assert figures(funded) == (3, 0)


def test_the_tool_that_is_used_may_have_a_name_of_its_own(funded: GovernanceEngine) -> None:
    action = GovernanceAction("a", 1, budget_category="llm", budget_amount="0.5", action_type="chat", tool="gpt-4o")
    funded.begin(action).release()
    held = next(entry for entry in funded.audit.entries() if entry.event == "hold")
    assert (held.tool, held.action_type) == ("gpt-4o", "chat")


def test_an_estimate_without_a_hold_is_flagged_too(funded: GovernanceEngine) -> None:
    grant = funded.begin(GovernanceAction("a", 1, budget_category="llm"))
    assert grant.settle(1, estimated=True).estimated is True
    assert list(funded.audit.entries())[-1].detail["estimated"] is True


@pytest.mark.parametrize("settles", [False, True])
def test_a_task_cancelled_while_it_requests_leaves_no_hold(make_engine: MakeEngine, settles: bool) -> None:
    engine = make_engine()
    engine.budget.create_budget("llm", 1_000)

    async def cancelled(turns: int) -> None:
        async def call() -> None:
            grant = await engine.begin_async(PAID)
            if settles:
                await grant.settle(4)
            else:
                await grant.release()

        task = asyncio.create_task(call())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    for turns in range(1, 8):
        asyncio.run(cancelled(turns))
    # The ledger executes requests one after the other, so the earlier ones are done when this one is.
    engine.budget.create_budget("last", 1)
    assert figures(engine)[1] == 0


def test_an_act_needs_more_than_a_call(funded: GovernanceEngine) -> None:
    act = GovernanceAction("a", action_type="mail", kind="act", shown={"tool": "mail"})
    with pytest.raises(GovernanceDeniedError, match="only suggested"):
        funded.begin(act)
    funded.trust.set_level("a", 5)
    grant = funded.begin(act)
    assert grant.hold_id is not None
    grant.release()


def test_the_default_engine_is_the_registered_one(engine: GovernanceEngine) -> None:
    with pytest.raises(ConfigurationError, match="load_ext"):
        default_engine()
    register_default_engine(lambda: engine)
    try:
        assert default_engine() is engine
    finally:
        register_default_engine(None)


@pytest.mark.parametrize(
    ("error", "spent", "estimated"),
    [(None, 4, False), (ValueError, 0, False), (asyncio.CancelledError, 4, True), (KeyboardInterrupt, 4, True)],
)
@pytest.mark.parametrize("awaited", [False, True])
def test_only_the_charge_of_an_interrupted_block_is_an_estimate(
    funded: GovernanceEngine, error: type[BaseException] | None, spent: int, estimated: bool, awaited: bool
) -> None:
    def ending() -> None:
        if error is not None:
            raise error

    async def running() -> Settlement | None:
        with contextlib.suppress(ValueError, asyncio.CancelledError, KeyboardInterrupt):
            async with funded.authorize(PAID) as grant:
                ending()
        return grant.settlement

    if awaited:
        settlement = asyncio.run(running())
    else:
        suppressed = contextlib.suppress(ValueError, asyncio.CancelledError, KeyboardInterrupt)
        with suppressed, funded.authorize(PAID) as grant:
            ending()
        settlement = grant.settlement
    assert settlement is not None
    assert (settlement.spent, settlement.estimated) == (spent, estimated)
