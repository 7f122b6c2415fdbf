"""Makes the tool calls of agent frameworks governed actions.

Before a tool runs, the engine decides by trust level and budget whether it may, and a user may have to approve the
call. The adapters for the frameworks use `ToolGuard` for this.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from .. import money
from ..engine import Engine, GovernanceAction, default_engine
from ..types import TrustLevel

__all__ = ["ToolGuard"]

Cost: TypeAlias = "float | Decimal | str"
_Result = TypeVar("_Result")


class ToolGuard:
    """A guard that makes each tool call a governed action; a user approves the action if the trust level requires it.

    ``cost`` is the price of one call in USD: an amount for every tool, or a mapping from tools' names to amounts. A
    tool that the mapping does not name costs 0. The price is held before the call and charged after it.
    ``required_trust_level`` is the level that an agent needs to run a tool, and ``budget_category`` names a budget that
    the calls are charged to as well. ``engine`` decides; by default it is the notebook's engine at the time of a call.
    ``agent_id`` is the agent that the calls are recorded for, by default the engine's.
    """

    def __init__(
        self,
        *,
        engine: Engine | None = None,
        agent_id: str | None = None,
        budget_category: str | None = None,
        required_trust_level: int = TrustLevel.L3_ACT_APPROVE,
        cost: Cost | Mapping[str, Cost] = 0,
    ) -> None:
        self._engine = engine
        self._agent_id = agent_id
        self._category = budget_category
        self._level = required_trust_level
        costs = cost if isinstance(cost, Mapping) else {"": cost}
        self._costs = {tool: money.parse(amount, what="cost") for tool, amount in costs.items()}

    def run(self, tool: str, arguments: Mapping[str, Any], call: Callable[[], _Result]) -> _Result:
        """Run a tool with the function ``call`` if its action is allowed, and return the tool's result.

        ``tool`` and ``arguments`` are shown to a user who has to approve the action. Raises GovernanceDeniedError if
        the action is denied; the tool did not run then. Nothing is charged for a tool that raises an exception.
        """
        engine = self._engine or default_engine()
        with engine.authorize(self.action(engine, tool, arguments)):
            return call()

    async def run_async(
        self, tool: str, arguments: Mapping[str, Any], call: Callable[[], Awaitable[_Result]]
    ) -> _Result:
        """Do what `run` does, for a tool whose ``call`` is awaited; the event loop runs on while a user decides."""
        engine = self._engine or default_engine()
        async with engine.authorize(self.action(engine, tool, arguments)):
            return await call()

    def action(self, engine: Engine, tool: str, arguments: Mapping[str, Any]) -> GovernanceAction:
        """Return the action that ``engine`` decides about for one call of a tool, with the details shown to a user."""
        amount = money.to_text(self._costs.get(tool, self._costs.get("", 0)))
        return GovernanceAction(
            agent_id=self._agent_id or engine.agent_id,
            required_trust_level=self._level,
            budget_category=self._category,
            budget_amount=amount,
            action_type="tool_call",
            tool=tool,
            kind="act",
            shown={"tool": tool, "cost": amount, "arguments": _plain(arguments)},
        )


def _plain(arguments: Mapping[str, Any]) -> Any:
    """Return the arguments as JSON values; an object that is not JSON becomes its `repr`."""
    return json.loads(json.dumps(dict(arguments), default=repr))
