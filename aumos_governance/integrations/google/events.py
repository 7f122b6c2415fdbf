"""Reads the events of Google's streams; each event is a response with the usage so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..guarding.calls import body_of_json
from ..pricing.seen import Seen
from .fields import listed
from .seen import see
from .tools import Grounding


class ResponseMeter:
    """A `Meter` for one stream, whose events are server-sent events or the elements of a JSON array.

    The last usage applies. The usage may follow the event with the finish reason, so `ended` is never True and the
    response is only complete when the stream ends. ``hidden`` is `Seen.hidden`.
    """

    ended = False

    def __init__(self, *, hidden: bool) -> None:
        self.seen = Seen(hidden=hidden)
        self.grounding = Grounding()
        self._known: dict[str, Any] = {"finished": False}

    @property
    def response(self) -> Mapping[str, Any] | None:
        """The usage reported so far, as in `Meter.response`, with two further fields.

        ``grounding`` is the `Grounding` of all candidates. ``finished`` is whether an event had a finish reason;
        without a finish reason the stream broke off, even if its connection was closed without an error.
        """
        if "usageMetadata" not in self._known:
            return None
        return {**self._known, "grounding": self.grounding}

    def see(self, data: bytes) -> bool:
        """Read the data of one event; return False, since no event is hidden from the caller."""
        event = body_of_json(data)
        see(event, self.seen)
        if b"groundingMetadata" in data:
            self.grounding.see(event)
        for name in ("modelVersion", "responseId"):
            if event.get(name):
                self._known[name] = event[name]
        usage = event.get("usageMetadata")
        if isinstance(usage, Mapping):
            # The counts are sums so far. A report may lack counts that an earlier report had, and Vertex AI's first
            # reports have none.
            self._known["usageMetadata"] = {**self._known.get("usageMetadata", {}), **usage}
        if "promptFeedback" in event or any(map(_is_last, listed(event.get("candidates")))):
            self._known["finished"] = True
        return False


def _is_last(candidate: object) -> bool:
    return isinstance(candidate, Mapping) and bool(candidate.get("finishReason"))
