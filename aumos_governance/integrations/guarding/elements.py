"""A stream that is one JSON array, whose elements arrive one by one, where others send server-sent events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..pricing.seen import Seen
from .calls import Meter

__all__ = ["Elements"]

_MARKS: Final = re.compile(rb'["{}\[\]]')
_IN_TEXT: Final = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*', re.DOTALL)
"""What a text in quotes has, up to the quote that ends it."""
_OPENS: Final = (b"{", b"[")
_MOST: Final = 64 * 1024 * 1024
"""Bytes of an element that is kept until it is complete; of a longer one nothing is read."""


class Elements:
    """Reads each element of the array when it is complete; its bytes pass on as they come.

    A body that is an object, and no array, is one element.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._pending = bytearray()
        self._at = 0
        """Where in `_pending` reading goes on."""
        self._in_text = False
        self._depth = 0
        self._outer = 0
        """The depth at which an element begins."""
        self._begun: int | None = None

    @property
    def ended(self) -> bool:
        """The stream has said all of its usage."""
        return self._meter.ended

    def feed(self, chunk: bytes) -> bytes:
        """Read some more bytes; all of them are the caller's."""
        self._pending += chunk
        while self._at < len(self._pending):
            if self._in_text:
                # A long one is read on where the last chunk ended.
                text = _IN_TEXT.match(self._pending, self._at)
                self._at = self._at if text is None else text.end()
                if self._pending[self._at : self._at + 1] != b'"':
                    break
                self._at += 1
                self._in_text = False
            mark = _MARKS.search(self._pending, self._at)
            self._at = len(self._pending) if mark is None else mark.end()
            if mark is not None:
                self._step(mark[0], mark.start())
        self._forget()
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

    def _step(self, mark: bytes, place: int) -> None:
        if mark == b'"':
            self._in_text = True
        elif mark in _OPENS:
            if self._depth == 0 and mark == b"[":
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
            self._at, self._begun = 0, None
