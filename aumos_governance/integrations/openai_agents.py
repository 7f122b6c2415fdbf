"""The OpenAI Agents SDK: function tools as governed actions."""

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
    """A governed tool was refused and did not run. The SDK lets its own kind of error end a run as it is."""

    def __init__(self, denied: GovernanceDeniedError) -> None:
        super().__init__(denied.agent_id, denied.denial_reason, denied.audit_record_id, message=denied.message)


def governed_tool(tool: FunctionTool, guard: ToolGuard | None = None, *, tell_model: bool = False) -> FunctionTool:
    """A copy of the tool, each call of which is a governed action.

    A denied tool does not run, and ToolDeniedError ends the run; with ``tell_model`` the model reads the reason
    as the tool's result and goes on. Where the SDK hides a tool's error from the run and passes it to the model, the
    tool counts as run, and is charged.
    """
    governed = copy.copy(tool)
    invoke, judge = governed.on_invoke_tool, guard or ToolGuard()

    async def invoke_governed(context: ToolContext[Any], arguments: str) -> Any:
        def call() -> Awaitable[Any]:
            return invoke(context, arguments)

        try:
            return await judge.run_async(governed.name, _parsed(arguments), call)
        except GovernanceDeniedError as denied:
            if tell_model:
                return denied.message
            raise ToolDeniedError(denied) from None

    governed.on_invoke_tool = invoke_governed
    return governed


def _parsed(arguments: str) -> Mapping[str, Any]:
    """The arguments as the model wrote them; what is no JSON object is the tool's to refuse, and shown as it is."""
    try:
        parsed = json.loads(arguments or "{}")
    except ValueError:
        parsed = arguments
    return parsed if isinstance(parsed, dict) else {"arguments": parsed}
