"""Computes the most input tokens that a request to Anthropic can have, and finds features that may cost more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..pricing.schemas import UNKNOWN, plain
from ..pricing.seen import utf8_size

_TOKENS_PER_IMAGE: Final = 5_000
"""An upper bound of the tokens of an image; the provider scales larger images down."""
_TOKENS_OF_TOOLS: Final = 1_000
"""An upper bound of the tokens that the provider adds to a request with tools."""
_TOKENS_OF_TOOLSETS: Final = {"computer": 5_500, "browser": 8_000, "bash": 500, "text_editor": 1_000}
"""Upper bounds of the tokens of the tools' definitions, by the beginning of the tool's type: about 4,590 tokens for all
of computer use, 7,550 for all of the browser's, 325 for bash, 700 for the editor
(https://platform.claude.com/docs/en/about-claude/pricing#tool-use-pricing).
"""
_TOKENS_PER_VALUE: Final = 8
"""An upper bound of the tokens of a number, or of the punctuation around a name."""
_SEARCHES: Final = 10
"""The number of web searches whose cost is held for a request that sets no limit."""
_ADVICE: Final = 5
"""The number of consultations of an advisor whose cost is held for a request that sets no limit."""
_TOKENS_OF_ADVICE: Final = 32_000
"""The tokens held for one use of an advisor without a limit; a use typically takes 1,400 to 1,800 tokens with thinking
(https://platform.claude.com/docs/en/agents-and-tools/tool-use/advisor-tool)."""
_ON_THE_SERVER: Final = ("web_search", "web_fetch", "code_execution", "mcp_toolset")
"""The beginnings of the types of tools that the provider runs within the request; their results become input."""
_WEB_TOOL: Final = re.compile(r"web_(?:search|fetch)_(\d{8})$")
_CODE_FREE_SINCE: Final = "20260209"
"""The first version of the web tools that makes code execution in the same request free apart from its tokens
(https://platform.claude.com/docs/en/about-claude/pricing#code-execution-tool)."""
_COMPACTED_AT: Final = 150_000
"""A conversation is compacted (summarized) at this many input tokens unless the request sets a trigger, by the
documentation of ``BetaCompact20260112EditParam`` in Anthropic's library."""
_NOT_READ_BY_THE_MODEL: Final = frozenset(
    {"model", "max_tokens", "max_tokens_to_sample", "metadata", "stream", "betas", "anthropic_beta"}
    | {"service_tier", "inference_geo", "speed", "temperature", "top_k", "top_p", "user_profile_id", "billing_policy"}
    | {"fallbacks", "fallback_credit_token", "container", "mcp_servers", "thread", "extra_headers", "timeout"}
)


@dataclass(frozen=True, slots=True)
class Advisor:
    """Another model that a request allows its model to consult."""

    model: str
    uses: int
    """The most times that the model may consult the advisor."""
    output: int
    """The most tokens that each use returns."""


@dataclass(slots=True)
class Size:
    """The most that a request's input can be, with one token per byte of text, and the features that may cost more."""

    tokens: int = 0
    unbounded: bool = False
    """Whether some input is not in the request itself; the most input is then the model's whole context window."""
    cached: bool = False
    """Whether input may be written to the provider's prompt cache, which costs more than other input."""
    cached_1h: bool = False
    """Whether input may be written to the cache for an hour, which costs more than for five minutes."""
    searches: int = 0
    """The most web searches that the model may make."""
    runs_code: bool = False
    """Whether the request may use a container that is billed by the hour."""
    compacted_at: int | None = None
    """The number of input tokens from which on the provider has the conversation summarized, in a further request.

    It is None if the request does not enable this.
    """
    advisors: list[Advisor] = field(default_factory=list)

    @property
    def served(self) -> bool:
        """Whether the provider may run models more often than once for this request.

        The first usage report of a stream does not include the input of the further runs.
        """
        return self.unbounded or bool(self.advisors) or self.compacted_at is not None


def size_of(body: Mapping[str, Any]) -> Size:
    """Measure the body of a request; it has JSON values, or objects that Anthropic's library converts to JSON."""
    size = Size()
    for name, value in body.items():
        if name not in _NOT_READ_BY_THE_MODEL:
            _add(size, value, name)
    if body.get("tools"):
        size.tokens += _TOKENS_OF_TOOLS
        _add_tools(size, body["tools"])
    _add_compaction(size, body)
    # Content that an earlier request stored on the server is input of this request.
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
        # The value is a file, or an iterator that must not be consumed here.
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
        # A few bytes of a PDF may be many pages, and each page counts as text and as an image.
        size.unbounded = True
        return
    elif kind in ("container_upload", "audio", "video", "input_audio"):
        # No Anthropic model takes sound or video, so it is not known how many tokens they would have.
        size.unbounded = True
    for key, inner in value.items():
        size.tokens += len(str(key)) + _TOKENS_PER_VALUE
        _add(size, inner, str(key))


def _is_text(source: Any) -> bool:
    return isinstance(source, Mapping) and source.get("type") in {"text", "content"}


def _add_tools(size: Size, tools: Any) -> None:
    code_is_free = False
    for definition in tools if isinstance(tools, (list, tuple)) else ():
        converted = definition if isinstance(definition, Mapping) else plain(definition)
        tool = converted if isinstance(converted, Mapping) else {}
        kind = str(tool.get("type") or "")
        if kind.startswith(_ON_THE_SERVER):
            # The provider writes to the cache between its own turns even without cache_control: see the usage in
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


def _limit(values: Mapping[str, Any], name: str, default: int) -> int:
    value = values.get(name)
    return value if type(value) is int and value >= 0 else default
