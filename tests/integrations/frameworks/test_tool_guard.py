from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from aumos_governance import GovernanceDeniedError, TrustLevel
from aumos_governance.integrations.tool_guard import ToolGuard
from tests.integrations.clerk import Clerk


def test_a_call_is_charged_once_it_ran(clerk: Clerk) -> None:
    response = clerk.guard.run("send", {"to": "ann"}, lambda: clerk.send("ann", "Hello"))
    assert (response, clerk.spent, clerk.held) == ("sent", Decimal("0.04"), 0)


def test_a_call_that_fails_is_not_charged(clerk: Clerk) -> None:
    with pytest.raises(ValueError, match="no address"):
        clerk.guard.run("send", {"to": "nobody"}, lambda: clerk.send("nobody", "Hello"))
    assert (clerk.spent, clerk.held) == (0, 0)


def test_a_call_above_the_budget_does_not_run(clerk: Clerk) -> None:
    for _ in range(2):
        clerk.guard.run("send", {}, lambda: clerk.send("ann", "Hello"))
    with pytest.raises(GovernanceDeniedError, match="budget"):
        clerk.guard.run("send", {}, lambda: clerk.send("ann", "Hello"))
    assert len(clerk.sent) == 2


@pytest.mark.parametrize("level", [TrustLevel.L0_OBSERVER, TrustLevel.L1_MONITOR, TrustLevel.L2_SUGGEST])
def test_a_low_level_only_suggests(clerk: Clerk, level: TrustLevel) -> None:
    clerk.level(level)
    with pytest.raises(GovernanceDeniedError):
        clerk.guard.run("send", {}, lambda: clerk.send("ann", "Hello"))
    assert (clerk.sent, clerk.shown, clerk.spent) == ([], [], 0)


def test_a_user_sees_the_tool_its_arguments_and_its_cost_and_decides(clerk: Clerk) -> None:
    clerk.level(TrustLevel.L3_ACT_APPROVE)
    clerk.guard.run("send", {"to": "ann", "when": {1}}, lambda: clerk.send("ann", "Hello"))
    assert dict(clerk.shown[0]) == {"tool": "send", "cost": "0.04", "arguments": {"to": "ann", "when": "{1}"}}
    clerk.says_yes = False
    with pytest.raises(GovernanceDeniedError, match="denied it"):
        asyncio.run(clerk.guard.run_async("send", {"to": "bob"}, lambda: asyncio.sleep(0)))
    assert (clerk.sent, clerk.spent, clerk.held) == ([("ann", "Hello")], Decimal("0.04"), 0)


def test_a_cancelled_call_is_charged_since_its_effect_is_unknown(clerk: Clerk) -> None:
    async def main() -> None:
        started = asyncio.Event()

        async def send() -> None:
            started.set()
            await asyncio.Event().wait()

        task = asyncio.ensure_future(clerk.guard.run_async("send", {}, send))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (clerk.spent, clerk.held) == (Decimal("0.04"), 0)


def test_costs_by_tool_and_the_level_that_a_tool_needs(clerk: Clerk) -> None:
    guard = ToolGuard(
        engine=clerk.engine,
        agent_id="clerk",
        budget_category="mail",
        required_trust_level=TrustLevel.L5_AUTONOMOUS,
        cost={"call": "0.01"},
    )
    for tool in ("call", "write"):
        guard.run(tool, {}, lambda: None)
    assert clerk.spent == Decimal("0.01")
    clerk.level(TrustLevel.L4_ACT_REPORT)
    with pytest.raises(GovernanceDeniedError, match="L5"):
        guard.run("write", {}, lambda: None)


def test_a_cost_that_is_no_amount_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="cost"):
        ToolGuard(cost="free")
