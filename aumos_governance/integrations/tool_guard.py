"""One governed tool call of an agent framework: an action, decided by trust level and budget before the tool runs."""

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
    """Governs tools: each call is one governed action, shown to a user where its trust level needs an approval.

    ``cost`` is what one call costs in USD, for every tool or by the tool's name (0 for a tool it does not name): it is
    held before the call and charged after it. ``required_trust_level`` is the level that an agent needs to run a tool.
    Where ``engine`` and ``agent_id`` are not given, they are the default engine and its agent at the time of a call.
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
        """Run ``call`` if the action is allowed.

        Raises GovernanceDeniedError if it is not: then the tool did not run. A tool that fails is not charged.
        """
        engine = self._engine or default_engine()
        with engine.authorize(self.action(engine, tool, arguments)):
            return call()

    async def run_async(
        self, tool: str, arguments: Mapping[str, Any], call: Callable[[], Awaitable[_Result]]
    ) -> _Result:
        """As `run`, awaited; while it waits for a user, the event loop goes on."""
        engine = self._engine or default_engine()
        async with engine.authorize(self.action(engine, tool, arguments)):
            return await call()

    def action(self, engine: Engine, tool: str, arguments: Mapping[str, Any]) -> GovernanceAction:
        """The governed action of a call of this tool, with what the user sees of it."""
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
    """The arguments as JSON values: what a framework adds that is none is shown as Python shows it."""
    return json.loads(json.dumps(dict(arguments), default=repr))
