"""Reads the events of Anthropic's streams to find the usage, and measures the output of streams and whole messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..guarding.calls import body_of_json
from ..pricing.seen import Seen, utf8_size

_IN: Final = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


def seen_in(response: Mapping[str, Any], *, hidden: bool) -> Seen:
    """Return the measure of the visible output in the body of a message or legacy completion.

    ``hidden`` is the value of `Seen.hidden`.
    """
    seen = Seen(hidden=hidden, whole=True)
    content = response.get("content")
    for block in content if isinstance(content, list) else ():
        if isinstance(block, Mapping):
            _see_block(seen, block)
    seen.text += _size(response.get("completion"))
    return seen


@dataclass(slots=True)
class MessageMeter:
    """A `Meter` for the stream of a message.

    The first event reports the input tokens, and the last but one event the output tokens; both counts are totals. The
    first event's count of output tokens is a placeholder, so `response` leaves it out until the true count arrives.
    """

    response: Mapping[str, Any] | None = None
    ended: bool = False
    seen: Seen = field(default_factory=Seen)

    def see(self, data: bytes) -> bool:
        """Read the data of one event; return False, since no event is hidden from the caller."""
        event = body_of_json(data)
        kind = event.get("type")
        if kind == "content_block_delta":
            _see_delta(self.seen, event.get("delta"))
        elif kind == "content_block_start":
            block = event.get("content_block")
            if isinstance(block, Mapping):
                _see_block(self.seen, block)
        elif kind == "message_start":
            message = event.get("message")
            if isinstance(message, Mapping):
                self._begin(message)
        elif kind == "message_delta":
            self._report(event.get("usage"))
        elif kind == "message_stop":
            self._end(event.get("amazon-bedrock-invocationMetrics"))
        return False

    def _end(self, metrics: object) -> None:
        """Note that the stream is complete; ``metrics`` are counts that Bedrock adds to the last event, or None."""
        self.ended = True
        usage = (self.response or {}).get("usage")
        counted = metrics.get("outputTokenCount") if isinstance(metrics, Mapping) else None
        if type(counted) is not int or not isinstance(usage, dict):
            return
        reported = usage.setdefault("output_tokens", counted)
        if type(reported) is int and counted > reported:
            # `units_of` charges the larger count, as an estimate, because the total includes it.
            usage["total_tokens"] = sum(value for name in _IN if type(value := usage.get(name)) is int) + counted

    def _begin(self, message: Mapping[str, Any]) -> None:
        usage = message.get("usage")
        reported = {**usage} if isinstance(usage, Mapping) else None
        if reported is not None:
            reported.pop("output_tokens", None)
        self.response = {"model": message.get("model") or "", "usage": reported}

    def _report(self, usage: object) -> None:
        if not isinstance(usage, Mapping):
            return
        begun = self.response or {}
        former = begun.get("usage")
        reported = {name: value for name, value in usage.items() if value is not None}
        self.response = {"model": begun.get("model") or "", "usage": {**(former or {}), **reported}}


@dataclass(slots=True)
class CompletionMeter:
    """A `Meter` for the stream of a legacy completion; the stream reports no usage, and only its output is measured."""

    response: Mapping[str, Any] | None = None
    ended: bool = False
    seen: Seen = field(default_factory=Seen)

    def see(self, data: bytes) -> bool:
        """Read the data of one event; return False, since no event is hidden from the caller."""
        event = body_of_json(data)
        self.seen.text += _size(event.get("completion"))
        if event.get("stop_reason") is not None:
            self.response, self.ended = event, True
        return False


def _see_block(seen: Seen, block: Mapping[str, Any]) -> None:
    kind = str(block.get("type") or "")
    if kind == "text":
        seen.text += _size(block.get("text"))
    elif kind.endswith("tool_use"):
        arguments = block.get("input")
        seen.tools += _size(block.get("name")) + (_size(json.dumps(arguments)) if arguments else 0)
    elif kind in ("thinking", "redacted_thinking"):
        seen.hidden = True
        seen.reasoning += _size(block.get("thinking"))
    elif kind == "fallback":
        # Another model's output begins here. The sums of the usage do not include the output before it.
        seen.text = seen.tools = seen.reasoning = 0
        seen.hidden = True


def _see_delta(seen: Seen, delta: object) -> None:
    if not isinstance(delta, Mapping):
        return
    kind = delta.get("type")
    if kind == "text_delta":
        seen.text += _size(delta.get("text"))
    elif kind == "input_json_delta":
        seen.tools += _size(delta.get("partial_json"))
    elif kind == "thinking_delta":
        seen.reasoning += _size(delta.get("thinking"))


def _size(text: object) -> int:
    return utf8_size(text) if isinstance(text, str) else 0
