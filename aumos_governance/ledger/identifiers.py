"""Identifiers of what the ledger records."""

from __future__ import annotations

import os

__all__ = ["Identifiers"]

_AT_ONCE = 16


class Identifiers:
    """Fresh UUIDs (version 7) as 32 hex digits, for one transaction.

    They start with the time to a quarter of a microsecond, so that new rows go to the end of an index and not
    all over it, and that ids sort by when they were made.
    """

    def __init__(self) -> None:
        self._now = -1
        self._time = ""
        self._random: list[str] = []

    def new(self, now: int) -> str:
        """A fresh identifier; ``now`` is in microseconds."""
        if now != self._now:
            millis, micros = divmod(now, 1000)
            self._now, self._time = now, f"{millis & 0xFFFFFFFFFFFF:012x}7{micros * 4096 // 1000:03x}8"
        if not self._random:
            # Asking the system costs more than the rest, so it is asked for many at a time.
            digits = os.urandom(8 * _AT_ONCE).hex()
            self._random = [digits[start + 1 : start + 16] for start in range(0, len(digits), 16)]
        return self._time + self._random.pop()
