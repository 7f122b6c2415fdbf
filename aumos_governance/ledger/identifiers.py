"""Identifiers of what the ledger records."""

from __future__ import annotations

import os

__all__ = ["new_id"]

_VERSION = 7 << 76
_VARIANT = 2 << 62
_RANDOM = ((1 << 12) - 1) << 64 | ((1 << 62) - 1)


def new_id(now: int) -> str:
    """A fresh UUID (version 7) as 32 hex digits; ``now`` is in microseconds.

    It starts with the time, so that new rows go to the end of an index and not all over it.
    """
    random = int.from_bytes(os.urandom(10), "big") & _RANDOM
    return f"{(now // 1000 & 0xFFFFFFFFFFFF) << 80 | _VERSION | _VARIANT | random:032x}"
