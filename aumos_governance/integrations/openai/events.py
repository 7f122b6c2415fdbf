"""Reads the events of OpenAI's streams to find the usage and to measure the visible output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..guarding.calls import body_of_json
from ..pricing.seen import Seen, utf8_size
from .seen import see_chat

_DONE: Final = b"[DONE]"
_ENDS: Final = (b'"response.completed"', b'"response.incomplete"', b'"response.failed"')


class EventMeter:
    """A `Meter` for streams whose last event before ``[DONE]`` has the usage.

    These are chat, completions, images, transcriptions and speech. If a server reports the usage so far with every
    event, the last report applies. With ``swallow``, an event with nothing but the usage is hidden from the caller,
    because `govern` requested it and the caller did not. ``hidden`` is the value of `Seen.hidden`.
    """

    def __init__(self, *, swallow: bool = False, hidden: bool = True) -> None:
        self.response: Mapping[str, Any] | None = None
        self.ended = False
        self.seen = Seen(hidden=hidden)
        self._swallow = swallow

    def see(self, data: bytes) -> bool:
        """Read the data of one event; return whether to hide the event from the caller."""
        if data == _DONE:
            self.ended = True
            return False
        event = body_of_json(data)
        see_chat(event, self.seen)
        usage = event.get("usage")
        if not isinstance(usage, Mapping):
            return False
        self.response = event
        has_only_usage = not event.get("choices")
        self.ended = self.ended or has_only_usage
        return self._swallow and has_only_usage


class ResponseMeter:
    """A `Meter` for streams of the Responses API; the last event of these streams has the whole response.

    ``hidden`` is the value of `Seen.hidden`.
    """

    def __init__(self, *, hidden: bool = True) -> None:
        self.response: Mapping[str, Any] | None = None
        self.ended = False
        self.seen = Seen(hidden=hidden)

    def see(self, data: bytes) -> bool:
        """Read the data of one event; return False, since no event is hidden from the caller."""
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
