"""Identifiers of what the ledger records."""

from __future__ import annotations

import os

__all__ = ["new_id"]

_VERSION = 7 << 76
_VARIANT = 2 << 62
_RANDOM = (1 << 62) - 1


def new_id(now: int) -> str:
    """A fresh UUID (version 7) as 32 hex digits; ``now`` is in microseconds.

    It starts with the time to a quarter of a microsecond, so that new rows go to the end of an index and not
    all over it, and that ids sort by when they were made.
    """
    millis, micros = divmod(now, 1000)
    random = int.from_bytes(os.urandom(8), "big") & _RANDOM
    return f"{(millis & 0xFFFFFFFFFFFF) << 80 | _VERSION | (micros * 4096 // 1000) << 64 | _VARIANT | random:032x}"
