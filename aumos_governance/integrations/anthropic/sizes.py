"""How much a request to Anthropic may come to, in tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..pricing.schemas import UNKNOWN, plain
from ..pricing.seen import utf8_size

__all__ = ["Advisor", "Size", "size_of"]

_TOKENS_PER_IMAGE: Final = 5_000
"""More than the largest image is scaled down to."""
_TOKENS_OF_TOOLS: Final = 1_000
"""More than the provider adds to a request with tools."""
_TOKENS_OF_TOOLSETS: Final = {"computer": 5_500, "browser": 8_000, "bash": 500, "text_editor": 1_000}
"""More than the definitions that a name stands for: about 4,590 tokens for all of computer use, 7,550 for all of the
browser's, 325 for bash, 700 for the editor (https://platform.claude.com/docs/en/about-claude/pricing#tool-use-pricing).
"""
_TOKENS_PER_VALUE: Final = 8
"""More than a name's or a number's punctuation comes to."""
_SEARCHES: Final = 10
"""As often as a request may search the web that does not say how often."""
_ADVICE: Final = 5
"""As often as a request may call its advisor that does not say how often."""
_TOKENS_OF_ADVICE: Final = 32_000
"""The longest piece of advice where no limit is set: it takes 1,400 to 1,800 tokens typically, thinking included
(https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool)."""
_ON_THE_SERVER: Final = ("web_search", "web_fetch", "code_execution", "mcp_toolset")
"""Tools that the provider runs within the request, which adds their results to its input."""
_WEB_TOOL: Final = re.compile(r"web_(?:search|fetch)_(\d{8})$")
_CODE_FREE_SINCE: Final = "20260209"
"""With this version of the web tools or a later one in a request, its code execution costs nothing beyond tokens
(https://platform.claude.com/docs/en/about-claude/pricing#code-execution-tool)."""
_COMPACTED_AT: Final = 150_000
"""Tokens of input at which a conversation is compacted where no trigger is set: BetaCompact20260112EditParam."""
_NOT_READ_BY_THE_MODEL: Final = frozenset(
    {"model", "max_tokens", "max_tokens_to_sample", "metadata", "stream", "betas", "anthropic_beta"}
    | {"service_tier", "inference_geo", "speed", "temperature", "top_k", "top_p", "user_profile_id", "billing_policy"}
    | {"fallbacks", "fallback_credit_token", "container", "mcp_servers", "thread", "extra_headers", "timeout"}
)


@dataclass(frozen=True, slots=True)
class Advisor:
    """Another model that a request lets its model consult."""

    model: str
    uses: int
    output: int
    """The most tokens that each use returns."""


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
    """It may use a container that is billed by the hour."""
    compacted_at: int | None = None
    """Tokens of input at which the conversation is summarised first, in a request of its own; None: never."""
    advisors: list[Advisor] = field(default_factory=list)

    @property
    def served(self) -> bool:
        """The provider may sample more than once, and add input that the first report does not count."""
        return self.unbounded or bool(self.advisors) or self.compacted_at is not None


def size_of(body: Mapping[str, Any]) -> Size:
    """Measure a request, as the client was given it or as it is sent."""
    size = Size()
    for name, value in body.items():
        if name not in _NOT_READ_BY_THE_MODEL:
            _add(size, value, name)
    if body.get("tools"):
        size.tokens += _TOKENS_OF_TOOLS
        _add_tools(size, body["tools"])
    _add_compaction(size, body)
    # What another request left on the server counts as input here.
    thread = body.get("thread")
    continued = bool(thread) and not (isinstance(thread, Mapping) and thread.get("type") == "create")
    if continued or body.get("mcp_servers") or body.get("container"):
        size.unbounded = size.cached = True
    return size


def _add(size: Size, value: Any, name: str = "") -> None:
    if isinstance(value, str):
        size.tokens += utf8_size(value)
    elif isinstance(value, Mapping):
        _add_mapping(size, value, name)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _add(size, item)
    elif isinstance(value, (bytes, bytearray)):
        size.tokens += len(value)
    elif value is None or isinstance(value, (bool, int, float)):
        size.tokens += _TOKENS_PER_VALUE
    elif (converted := plain(value)) is UNKNOWN:
        # A file, or an iterator that must not be used up here.
        size.unbounded = True
    else:
        _add(size, converted, name)


def _add_mapping(size: Size, value: Mapping[str, Any], name: str) -> None:
    if name in ("cache_control", "caching"):
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
    elif kind in ("container_upload", "audio", "video", "input_audio"):
        # No model of Anthropic's takes sound or film; what it would count them as is not known.
        size.unbounded = True
    for key, inner in value.items():
        size.tokens += len(str(key)) + _TOKENS_PER_VALUE
        _add(size, inner, str(key))


def _is_text(source: Any) -> bool:
    return isinstance(source, Mapping) and source.get("type") in {"text", "content"}


def _add_tools(size: Size, tools: Any) -> None:
    code_is_free = False
    for given in tools if isinstance(tools, (list, tuple)) else ():
        read = given if isinstance(given, Mapping) else plain(given)
        tool = read if isinstance(read, Mapping) else {}
        kind = str(tool.get("type") or "")
        if kind.startswith(_ON_THE_SERVER):
            # The provider caches between its own turns, also where no request has cache_control: see the usage in
            # https://platform.claude.com/docs/en/about-claude/pricing#web-search-tool.
            size.unbounded = size.cached = True
        size.runs_code |= kind.startswith("code_execution")
        web = _WEB_TOOL.match(kind)
        code_is_free |= web is not None and web[1] >= _CODE_FREE_SINCE
        if kind.startswith("web_search"):
            size.searches += _limit(tool, "max_uses", _SEARCHES)
        elif kind.startswith("advisor"):
            advisor = Advisor(
                str(tool.get("model") or ""),
                _limit(tool, "max_uses", _ADVICE),
                _limit(tool, "max_tokens", _TOKENS_OF_ADVICE),
            )
            size.advisors.append(advisor)
            size.tokens += advisor.uses * advisor.output
        size.tokens += next((more for name, more in _TOKENS_OF_TOOLSETS.items() if kind.startswith(name)), 0)
    size.runs_code &= not code_is_free


def _add_compaction(size: Size, body: Mapping[str, Any]) -> None:
    management = body.get("context_management")
    edits = management.get("edits") if isinstance(management, Mapping) else None
    for edit in edits if isinstance(edits, (list, tuple)) else ():
        if isinstance(edit, Mapping) and str(edit.get("type") or "").startswith("compact"):
            trigger = edit.get("trigger")
            size.compacted_at = _limit(trigger if isinstance(trigger, Mapping) else {}, "value", _COMPACTED_AT)


def _limit(values: Mapping[str, Any], name: str, otherwise: int) -> int:
    value = values.get(name)
    return value if type(value) is int and value >= 0 else otherwise
