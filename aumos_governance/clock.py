"""The clock by which this package reckons how long something may take, and times as it keeps and writes them.

Test tools freeze and move the clocks of the process they run in: freezegun replaces `time.time`, `time.monotonic` and
`time.perf_counter` in every loaded module, time-machine what the functions behind `time.time` and
`time.clock_gettime(CLOCK_REALTIME)` return. A deadline reckoned by a frozen clock never comes, so neither may reach
the clock here. It is bound inside an object, which freezegun does not look into, and it is CLOCK_MONOTONIC itself,
which neither tool changes, even when this module is imported while time is frozen (freezegun 1.5, time-machine 3.6).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Final

__all__ = ["EPOCH", "MICROS", "monotonic", "since_epoch", "time_micros", "time_text", "to_datetime", "to_micros"]

# Windows has no clock_gettime.
monotonic: Final[Callable[[], float]] = (
    functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else functools.partial(time.monotonic)
)
"""Seconds on a clock that never goes back and that is never set."""
_START: Final = time.time() - monotonic()


def since_epoch() -> float:
    """Seconds since the epoch by the system's clock as it stood when this module was imported.

    It does not follow a clock that is set later, and is no basis for a decision.
    """
    return _START + monotonic()


MICROS: Final = 1_000_000
"""A second in the ledger's unit of time: whole microseconds, since the epoch, UTC."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def to_micros(when: datetime) -> int:
    """Microseconds since the epoch; a datetime without a time zone is UTC."""
    aware = when if when.tzinfo is not None else when.replace(tzinfo=timezone.utc)
    # Whole numbers throughout: a float timestamp loses microseconds.
    return (aware - EPOCH) // timedelta(microseconds=1)


def to_datetime(micros: int) -> datetime:
    """The UTC datetime of microseconds since the epoch."""
    return EPOCH + timedelta(microseconds=micros)


def time_text(micros: int) -> str:
    """Microseconds since the epoch as ISO 8601 in UTC, always with six decimals and a ``Z``."""
    return to_datetime(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time_micros(text: str) -> int:
    """The microseconds since the epoch of a `time_text`."""
    # Python 3.10 does not read the Z.
    return to_micros(datetime.fromisoformat(text.removesuffix("Z") + "+00:00"))
