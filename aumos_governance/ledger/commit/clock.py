"""The ledger's clock, which tests replace."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Clock", "system_clock"]

Clock = Callable[[], int]
"""Gives the time in microseconds since the epoch, UTC."""


def system_clock() -> int:
    return time.time_ns() // 1000
