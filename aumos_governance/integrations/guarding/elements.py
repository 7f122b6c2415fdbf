"""Reads a stream that is one long JSON array, as Google's API sends it without ``alt=sse``.

Each element of the array is an event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..pricing.seen import Seen
from .calls import Meter

_TO_MARK: Final = re.compile(rb'(?:[^"{}\[\]]+|"[^"\\]*(?:\\.[^"\\]*)*")*', re.DOTALL)
"""Matches everything up to the next bracket, or up to a string that has not ended yet."""
_IN_TEXT: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
"""Matches the rest of a string, up to the quote that ends it."""
_TEXT, _ARRAY, _OPENS = ord('"'), ord("["), frozenset(b"{[")
_MOST: Final = 64 * 1024 * 1024
"""The most bytes of an incomplete element that are kept; a longer element is not read."""


class MeteredReader:
    """The base class of the readers that pass a stream's events to a `Meter`, which finds the usage in them."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._pending = bytearray()
        self._missed = False
        """Whether a part of the stream was too long to be read, so that the meter has missed some of the output."""

    @property
    def ended(self) -> bool:
        """Whether the stream has reported all of its usage."""
        return self._meter.ended

    def rest(self) -> bytes:
        """Return no bytes, since this reader holds none back."""
        return b""

    def response(self) -> Mapping[str, Any] | None:
        """Return the usage reported so far; None if a part was missed and the usage is not complete."""
        return None if self._missed and not self._meter.ended else self._meter.response

    def seen(self) -> Seen | None:
        """Return the measure of the output that has arrived; None if a part was missed."""
        return None if self._missed else self._meter.seen


class Elements(MeteredReader):
    """A reader that passes each complete element of a JSON array to a meter; it holds no bytes back.

    A body that is one object, and no array, is passed as one element.
    """

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter)
        self._at = 0
        """The position in `_pending` where reading continues."""
        self._in_text = False
        self._depth = 0
        self._outer = 0
        """The number of brackets open before an element begins: 1 in an array, 0 for a single object."""
        self._begun: int | None = None
        """The position in `_pending` where the current element begins; None between elements."""

    def feed(self, chunk: bytes) -> bytes:
        """Read a chunk of bytes, and return it whole for the caller."""
        self._pending += chunk
        pending, end = self._pending, len(self._pending)
        while self._at < end:
            # Reading continues where the last chunk ended, also within a string.
            skipped = (_IN_TEXT if self._in_text else _TO_MARK).match(pending, self._at)
            place = self._at if skipped is None else skipped.end()
            if place == end or (self._in_text and pending[place] != _TEXT):
                self._at = place
                break
            self._at = place + 1
            if self._in_text or pending[place] == _TEXT:
                self._in_text = not self._in_text
            else:
                self._step(pending[place], place)
        self._forget()
        return chunk

    def _step(self, bracket: int, place: int) -> None:
        if bracket in _OPENS:
            if self._depth == 0 and bracket == _ARRAY:
                self._outer = 1
            elif self._depth == self._outer:
                self._begun = place
            self._depth += 1
        else:
            self._depth -= 1
            if self._depth == self._outer and self._begun is not None:
                self._meter.see(bytes(self._pending[self._begun : self._at]))
                self._begun = None

    def _forget(self) -> None:
        """Delete the bytes that no incomplete element needs, and all bytes of an element that is too long."""
        done = self._at if self._begun is None else self._begun
        del self._pending[:done]
        self._at -= done
        self._begun = None if self._begun is None else 0
        if len(self._pending) > _MOST:
            self._pending.clear()
            self._at, self._begun, self._missed = 0, None, True
