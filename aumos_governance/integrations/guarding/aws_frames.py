"""The binary event stream in which AWS sends a model's events, where others send server-sent events."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final

from ..pricing.seen import Seen
from .calls import Meter

__all__ = ["CONTENT_TYPE", "Frames"]

CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
_PRELUDE: Final = 12
"""Bytes before a frame's headers: its length, theirs, and a checksum."""
_CHECKSUM: Final = 4
_LONGEST: Final = 24 * 1024 * 1024
"""Bytes of the longest frame that AWS allows, and more."""


class Frames:
    """Reads the events in frames, which pass on as they come. The caller's library checks their sums."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._pending = bytearray()

    @property
    def ended(self) -> bool:
        """The stream has said all of its usage."""
        return self._meter.ended

    def feed(self, chunk: bytes) -> bytes:
        """Read some more bytes; all of them are the caller's."""
        self._pending += chunk
        while len(self._pending) >= _PRELUDE:
            length, headers = (int.from_bytes(self._pending[place : place + 4], "big") for place in (0, 4))
            if not _PRELUDE + headers + _CHECKSUM <= length <= _LONGEST:
                # Not what it says that it is: its usage stays unknown.
                self._pending.clear()
                break
            if len(self._pending) < length:
                break
            self._see(bytes(self._pending[_PRELUDE + headers : length - _CHECKSUM]))
            del self._pending[:length]
        return chunk

    def rest(self) -> bytes:
        """Nothing was held back."""
        return b""

    def answer(self) -> Mapping[str, Any] | None:
        """What is known of the usage."""
        return self._meter.answer

    def seen(self) -> Seen | None:
        """What of the response has arrived."""
        return self._meter.seen

    def _see(self, payload: bytes) -> None:
        try:
            event = json.loads(payload)
            data = base64.b64decode(event["bytes"], validate=True)
        except (ValueError, TypeError, KeyError, binascii.Error):
            return
        self._meter.see(data)
