"""Reads visible output and usage from OpenAI's streams as they pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..guarding.calls import body_of_json
from ..pricing.seen import Seen, utf8_size
from .seen import see_chat

__all__ = ["EventMeter", "ResponseMeter"]

_DONE: Final = b"[DONE]"
_ENDS: Final = (b'"response.completed"', b'"response.incomplete"', b'"response.failed"')


class EventMeter:
    """Streams whose last event but ``[DONE]`` has the usage: chat, completions, images, transcriptions, speech.

    Where a server reports the usage so far with every event, the last report counts. ``swallow`` hides the event that
    has only the usage, which the caller did not request. ``hidden`` as in `Seen`.
    """

    def __init__(self, *, swallow: bool = False, hidden: bool = True) -> None:
        self.response: Mapping[str, Any] | None = None
        self.ended = False
        self.seen = Seen(hidden=hidden)
        self._swallow = swallow

    def see(self, data: bytes) -> bool:
        """As `Meter.see`."""
        if data == _DONE:
            self.ended = True
            return False
        event = body_of_json(data)
        see_chat(event, self.seen)
        usage = event.get("usage")
        if not isinstance(usage, Mapping):
            return False
        self.response = event
        alone = not event.get("choices")
        self.ended = self.ended or alone
        return self._swallow and alone


class ResponseMeter:
    """The events of the Responses API: the one that ends it has the whole response."""

    def __init__(self, *, hidden: bool = True) -> None:
        self.response: Mapping[str, Any] | None = None
        self.ended = False
        self.seen = Seen(hidden=hidden)

    def see(self, data: bytes) -> bool:
        """As `Meter.see`."""
        if any(end in data for end in _ENDS):
            event = body_of_json(data)
            response = event.get("response")
            if event.get("type") in _TYPES and isinstance(response, Mapping):
                self.response, self.ended = response, True
        elif data == _DONE:
            self.ended = True
        elif b'.delta"' in data:
            self._see_delta(body_of_json(data))
        return False

    def _see_delta(self, event: Mapping[str, Any]) -> None:
        kind, delta = str(event.get("type")), event.get("delta")
        if not isinstance(delta, str):
            return
        size = utf8_size(delta)
        if "reasoning" in kind:
            self.seen.reasoning += size
        elif "arguments" in kind or "input" in kind:
            self.seen.tools += size
        elif "audio.delta" in kind:
            self.seen.media += size
        else:
            self.seen.text += size


_TYPES: Final = tuple(end.decode().strip('"') for end in _ENDS)
