"""The adapter for Pydantic AI: a toolset whose tools run as governed actions.

The engine decides by trust level and budget whether a tool may run, and a user may have to approve the call.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

from pydantic_ai import exceptions
from pydantic_ai.tools import AgentDepsT, RunContext
from pydantic_ai.toolsets import ToolsetTool, WrapperToolset

from ..errors import GovernanceDeniedError
from .tool_guard import ToolGuard

__all__ = ["GovernedToolset"]

# Without `ToolFailed`, Pydantic AI cannot report a final failure to the model; `ModelRetry` requests another attempt.
_Refused: type[Exception] = getattr(exceptions, "ToolFailed", exceptions.ModelRetry)


@dataclass
class GovernedToolset(WrapperToolset[AgentDepsT]):
    """A toolset that runs the tools of another toolset, ``wrapped``, as governed actions.

    ``guard`` has the prices of calls and the required trust level, by default those of `ToolGuard`. A denied tool does
    not run, and GovernanceDeniedError ends the agent's run. With ``tell_model``, the model reads the reason as the
    tool's failure instead, and the run goes on. A tool that raises an exception, ``ModelRetry`` included, is not
    charged.
    """

    guard: ToolGuard = field(default_factory=ToolGuard)
    tell_model: bool = False

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[AgentDepsT], tool: ToolsetTool[AgentDepsT]
    ) -> Any:
        """Run the tool if its action is allowed, and return its result."""

        def call() -> Awaitable[Any]:
            return self.wrapped.call_tool(name, tool_args, ctx, tool)

        try:
            return await self.guard.run_async(name, tool_args, call)
        except GovernanceDeniedError as denied:
            if self.tell_model:
                raise _Refused(denied.message) from denied
            raise
