"""Reads Google's streams as they pass: each piece is a response, and says what was used so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..guarding.calls import body_of_json
from ..pricing.seen import Seen
from .fields import listed
from .seen import see
from .tools import Grounding

__all__ = ["ResponseMeter"]


class ResponseMeter:
    """Reads one stream, whose pieces are server-sent events or the elements of a JSON array.

    The last usage counts. It may come after the piece that states why the model ended, so the response is complete only
    when the stream ends. ``hidden`` is that of `Seen`.
    """

    ended = False

    def __init__(self, *, hidden: bool) -> None:
        self.seen = Seen(hidden=hidden)
        self.grounding = Grounding()
        self._known: dict[str, Any] = {"finished": False}

    @property
    def response(self) -> Mapping[str, Any] | None:
        """As `Meter.response`; ``grounding`` is what the candidates were grounded with.

        ``finished`` False: no piece stated why the model ended, so the stream broke off even where it ended well.
        """
        if "usageMetadata" not in self._known:
            return None
        return {**self._known, "grounding": self.grounding}

    def see(self, data: bytes) -> bool:
        """As `Meter.see`."""
        piece = body_of_json(data)
        see(piece, self.seen)
        if b"groundingMetadata" in data:
            self.grounding.see(piece)
        for name in ("modelVersion", "responseId"):
            if piece.get(name):
                self._known[name] = piece[name]
        usage = piece.get("usageMetadata")
        if isinstance(usage, Mapping):
            # Sums so far. A report may leave out what an earlier one had: Vertex AI's first ones have no counts.
            self._known["usageMetadata"] = {**self._known.get("usageMetadata", {}), **usage}
        if "promptFeedback" in piece or any(map(_is_last, listed(piece.get("candidates")))):
            self._known["finished"] = True
        return False


def _is_last(candidate: object) -> bool:
    return isinstance(candidate, Mapping) and bool(candidate.get("finishReason"))
