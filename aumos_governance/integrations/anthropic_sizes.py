"""How much a request to Anthropic may come to, in tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Size", "size_of"]

_TOKENS_PER_IMAGE: Final = 5_000
"""More than the largest image is scaled down to."""
_TOKENS_OF_TOOLS: Final = 1_000
"""More than the provider adds to a request with tools."""
_TOKENS_PER_VALUE: Final = 8
"""More than a name's or a number's punctuation comes to."""
_SEARCHES: Final = 10
"""As often as a request may search the web that does not say how often."""
_ON_THE_SERVER: Final = ("web_search", "web_fetch", "code_execution", "advisor", "mcp_toolset")
"""Tools that the provider runs within the request, which adds their results to its input."""


@dataclass(slots=True)
class Size:
    """An upper bound: a token is at least one byte of text."""

    tokens: int = 0
    unbounded: bool = False
    """There is more to it than the request shows, up to what the model can take in."""
    cached: bool = False
    cached_1h: bool = False
    searches: int = 0
    runs_code: bool = False
    """It may use a container, which is billed by the hour."""


def size_of(body: Mapping[str, Any]) -> Size:
    """Measure a request, as the client was given it or as it is sent."""
    size = Size()
    for part in ("messages", "system", "tools", "prompt", "tool_choice", "output_config", "cache_control"):
        if part in body:
            _add(size, body[part], part)
    if body.get("tools"):
        size.tokens += _TOKENS_OF_TOOLS
        _add_tools(size, body["tools"])
    # What another request left on the server counts as input here.
    thread = body.get("thread")
    continued = bool(thread) and not (isinstance(thread, Mapping) and thread.get("type") == "create")
    size.unbounded |= continued or bool(body.get("mcp_servers")) or bool(body.get("container"))
    return size


def _add(size: Size, value: Any, name: str = "") -> None:
    if isinstance(value, str):
        size.tokens += len(value.encode())
    elif isinstance(value, Mapping):
        _add_mapping(size, value, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _add(size, item)
    elif hasattr(value, "model_dump"):
        _add(size, value.model_dump(), name)
    elif value is None or isinstance(value, (bool, int, float)) or type(value).__name__ in {"Omit", "NotGiven"}:
        size.tokens += _TOKENS_PER_VALUE
    else:
        # A file, or an iterator that must not be used up here.
        size.unbounded = True


def _add_mapping(size: Size, value: Mapping[str, Any], name: str) -> None:
    if name == "cache_control":
        size.cached = True
        size.cached_1h |= value.get("ttl") == "1h"
    kind = value.get("type")
    if kind == "image":
        size.tokens += _TOKENS_PER_IMAGE
        value = {key: inner for key, inner in value.items() if key != "source"}
    elif kind == "document" and not _is_text(value.get("source")):
        # Some bytes of a PDF are many pages, each of them text and image.
        size.unbounded = True
        return
    elif kind == "container_upload":
        size.unbounded = True
    for key, inner in value.items():
        size.tokens += len(str(key)) + _TOKENS_PER_VALUE
        _add(size, inner, str(key))


def _is_text(source: Any) -> bool:
    return isinstance(source, Mapping) and source.get("type") in {"text", "content"}


def _add_tools(size: Size, tools: Any) -> None:
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        kind = str(tool.get("type") or "") if isinstance(tool, Mapping) else ""
        if kind.startswith(_ON_THE_SERVER):
            size.unbounded = True
        size.runs_code |= kind.startswith("code_execution")
        if kind.startswith("web_search"):
            uses = tool.get("max_uses")
            size.searches += uses if isinstance(uses, int) else _SEARCHES
