"""The adapter for LangChain's tools: `governed_tool` makes each call of a tool a governed action.

The engine decides by trust level and budget whether the tool may run, and a user may have to approve the call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from langchain_core.tools import BaseTool

from ..errors import GovernanceDeniedError
from .tool_guard import ToolGuard

_Tool = TypeVar("_Tool", bound=BaseTool)
_FROM_LANGCHAIN = ("run_manager", "callbacks", "config")
"""Keyword arguments that LangChain adds to the arguments that the model wrote."""


def governed_tool(tool: _Tool, guard: ToolGuard | None = None, *, tell_model: bool = False) -> _Tool:
    """Return a copy of the tool; each call of the copy, by an agent or by other code, is a governed action.

    ``guard`` has the price of a call and the required trust level, by default those of `ToolGuard`. A denied tool does
    not run, and GovernanceDeniedError ends the run. With ``tell_model``, the reason is returned as the tool's result
    instead, so that an agent's model reads it. A tool that raises an exception is not charged.
    """
    tool_guard = guard or ToolGuard()
    governed: _Tool = tool.model_copy()

    def result_of_denial(denied: GovernanceDeniedError) -> Any:
        if not tell_model:
            raise denied
        return (denied.message, None) if tool.response_format == "content_and_artifact" else denied.message

    run: Callable[..., Any] = tool._run
    run_async: Callable[..., Awaitable[Any]] = tool._arun

    @wraps(run)
    def run_governed(*args: Any, **kwargs: Any) -> Any:
        try:
            return tool_guard.run(tool.name, _arguments(args, kwargs), lambda: run(*args, **kwargs))
        except GovernanceDeniedError as denied:
            return result_of_denial(denied)

    @wraps(run_async)
    async def run_governed_async(*args: Any, **kwargs: Any) -> Any:
        try:
            return await tool_guard.run_async(tool.name, _arguments(args, kwargs), lambda: run_async(*args, **kwargs))
        except GovernanceDeniedError as denied:
            return result_of_denial(denied)

    # Tools of every class run through these two methods. They are set on the copy, and not in a subclass, so that code
    # which checks the tool's class finds it unchanged.
    object.__setattr__(governed, "_run", run_governed)
    object.__setattr__(governed, "_arun", run_governed_async)
    return governed


def _arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that the model wrote, to show them to a user; positional ones become the list ``input``."""
    named = {name: value for name, value in kwargs.items() if name not in _FROM_LANGCHAIN}
    return {**named, "input": list(args)} if args else named
