"""LangChain: tools as governed actions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from langchain_core.tools import BaseTool

from ..errors import GovernanceDeniedError
from .tool_guard import ToolGuard

__all__ = ["governed_tool"]

_Tool = TypeVar("_Tool", bound=BaseTool)
_FROM_LANGCHAIN = ("run_manager", "callbacks", "config")
"""What a tool is called with that is no argument of the model's."""


def governed_tool(tool: _Tool, guard: ToolGuard | None = None, *, tell_model: bool = False) -> _Tool:
    """A copy of the tool, each call of which is a governed action, also where other code invokes it.

    A denied tool does not run, and GovernanceDeniedError ends the run; with ``tell_model`` the reason is the tool's
    result, which an agent's model reads. A tool that raises is not charged.
    """
    judge = guard or ToolGuard()
    governed: _Tool = tool.model_copy()

    def refused(denied: GovernanceDeniedError) -> Any:
        if not tell_model:
            raise denied
        return (denied.message, None) if tool.response_format == "content_and_artifact" else denied.message

    run: Callable[..., Any] = tool._run
    run_async: Callable[..., Awaitable[Any]] = tool._arun

    @wraps(run)
    def run_governed(*args: Any, **kwargs: Any) -> Any:
        try:
            return judge.run(tool.name, _arguments(args, kwargs), lambda: run(*args, **kwargs))
        except GovernanceDeniedError as denied:
            return refused(denied)

    @wraps(run_async)
    async def run_governed_async(*args: Any, **kwargs: Any) -> Any:
        try:
            return await judge.run_async(tool.name, _arguments(args, kwargs), lambda: run_async(*args, **kwargs))
        except GovernanceDeniedError as denied:
            return refused(denied)

    # These two do the work of each kind of tool. The class stays, so that what looks at it finds the same tool.
    object.__setattr__(governed, "_run", run_governed)
    object.__setattr__(governed, "_arun", run_governed_async)
    return governed


def _arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: value for name, value in kwargs.items() if name not in _FROM_LANGCHAIN}
    return {**named, "input": list(args)} if args else named
