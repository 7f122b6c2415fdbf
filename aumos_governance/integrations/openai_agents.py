"""The adapter for the OpenAI Agents SDK: `governed_tool` makes each call of a function tool a governed action.

The engine decides by trust level and budget whether the tool may run, and a user may have to approve the call.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Mapping
from typing import Any

from agents import AgentsException, FunctionTool
from agents.tool_context import ToolContext

from ..errors import GovernanceDeniedError
from .tool_guard import ToolGuard

__all__ = ["ToolDeniedError", "governed_tool"]


class ToolDeniedError(GovernanceDeniedError, AgentsException):
    """Raised when a call of a governed tool is denied; the tool did not run.

    The class derives from AgentsException too, since the Agents SDK lets only AgentsExceptions end a run unchanged.
    """

    def __init__(self, denied: GovernanceDeniedError) -> None:
        super().__init__(denied.agent_id, denied.denial_reason, denied.audit_record_id, message=denied.message)


def governed_tool(tool: FunctionTool, guard: ToolGuard | None = None, *, tell_model: bool = False) -> FunctionTool:
    """Return a copy of the tool; each call of the copy is a governed action.

    ``guard`` has the price of a call and the required trust level, by default those of `ToolGuard`. A denied tool does
    not run, and ToolDeniedError ends the run. With ``tell_model``, the model reads the reason as the tool's result
    instead, and the run goes on. If a tool fails and the SDK reports the error to the model instead of raising it, the
    call is charged.
    """
    governed = copy.copy(tool)
    invoke, tool_guard = governed.on_invoke_tool, guard or ToolGuard()

    async def invoke_governed(context: ToolContext[Any], arguments: str) -> Any:
        def call() -> Awaitable[Any]:
            return invoke(context, arguments)

        try:
            return await tool_guard.run_async(governed.name, _parsed(arguments), call)
        except GovernanceDeniedError as denied:
            if tell_model:
                return denied.message
            raise ToolDeniedError(denied) from None

    governed.on_invoke_tool = invoke_governed
    return governed


def _parsed(arguments: str) -> Mapping[str, Any]:
    """Return the model's arguments as a mapping; text that is no JSON object becomes the entry ``arguments``."""
    try:
        parsed = json.loads(arguments or "{}")
    except ValueError:
        parsed = arguments
    return parsed if isinstance(parsed, dict) else {"arguments": parsed}
