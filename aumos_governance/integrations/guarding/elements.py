"""A stream that is one JSON array, whose elements arrive one by one, where others send server-sent events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..pricing.seen import Seen
from .calls import Meter

__all__ = ["Elements", "Metered"]

_TO_MARK: Final = re.compile(rb'(?:[^"{}\[\]]+|"[^"\\]*(?:\\.[^"\\]*)*")*', re.DOTALL)
"""All up to the next bracket, or to a text that has not ended yet."""
_IN_TEXT: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
"""What a text in quotes has, up to the quote that ends it."""
_TEXT, _ARRAY, _OPENS = ord('"'), ord("["), frozenset(b"{[")
_MOST: Final = 64 * 1024 * 1024
"""Bytes of an element that is kept until it is complete; of a longer one nothing is read."""


class Metered:
    """What the readers of a stream have in common; those whose bytes all pass on as they come keep `rest` as well."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._pending = bytearray()
        self._missed = False
        """Something passed that was not read, so what was seen to arrive is not all that did."""

    @property
    def ended(self) -> bool:
        """Whether the stream has reported all of its usage."""
        return self._meter.ended

    def rest(self) -> bytes:
        """Nothing was held back."""
        return b""

    def response(self) -> Mapping[str, Any] | None:
        """What is known of the usage; nothing where a part was missed and what was reported is not the end of it."""
        return None if self._missed and not self._meter.ended else self._meter.response

    def seen(self) -> Seen | None:
        """What of the response has arrived; None where a part was missed."""
        return None if self._missed else self._meter.seen


class Elements(Metered):
    """Reads each element of the array when it is complete; its bytes pass on as they come.

    A body that is an object, and no array, is one element.
    """

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter)
        self._at = 0
        """Where in `_pending` reading goes on."""
        self._in_text = False
        self._depth = 0
        self._outer = 0
        """The depth at which an element begins."""
        self._begun: int | None = None

    def feed(self, chunk: bytes) -> bytes:
        """Read some more bytes; all of them are the caller's."""
        self._pending += chunk
        pending, end = self._pending, len(self._pending)
        while self._at < end:
            # A long text is read on where the last chunk ended.
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
        """Let go of what no element needs any more."""
        done = self._at if self._begun is None else self._begun
        del self._pending[:done]
        self._at -= done
        self._begun = None if self._begun is None else 0
        if len(self._pending) > _MOST:
            self._pending.clear()
            self._at, self._begun, self._missed = 0, None, True
