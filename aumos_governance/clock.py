"""A clock for deadlines and time-outs that test tools cannot freeze, and conversions of the ledger's times.

Test tools freeze or move the clocks of the process that they run in: freezegun replaces `time.time`, `time.monotonic`
and `time.perf_counter` in every loaded module, and time-machine changes the results of the functions behind
`time.time` and `time.clock_gettime(CLOCK_REALTIME)`. With a frozen clock no time-out would ever end, so neither tool
may affect the clock of this module. The clock is bound inside an object, which freezegun does not search, and it is
CLOCK_MONOTONIC, which neither tool changes, even if this module is imported while time is frozen (freezegun 1.5,
time-machine 3.6).
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Final

# Windows has no clock_gettime.
monotonic: Final[Callable[[], float]] = (
    functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else functools.partial(time.monotonic)
)
"""A function like `time.monotonic`: it returns the seconds of a clock that never goes backwards and cannot be set."""
_START: Final = time.time() - monotonic()


def since_epoch() -> float:
    """Return the current time in seconds since the epoch, even if a test tool freezes the system's clock meanwhile.

    It is the system clock's time at the import of this module, plus the time that has passed since then. Later changes
    of the system clock have no effect on it, so no decision may depend on it.
    """
    return _START + monotonic()


MICROS: Final = 1_000_000
"""The number of microseconds in a second. The ledger's times are whole microseconds since the epoch, UTC."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def to_micros(when: datetime) -> int:
    """Return a datetime as microseconds since the epoch. A datetime without a time zone is read as UTC."""
    aware = when if when.tzinfo is not None else when.replace(tzinfo=timezone.utc)
    # In whole numbers, since datetime.timestamp() is a float, which loses microseconds.
    return (aware - EPOCH) // timedelta(microseconds=1)


def to_datetime(micros: int) -> datetime:
    """Return microseconds since the epoch as a datetime in UTC."""
    return EPOCH + timedelta(microseconds=micros)


def time_text(micros: int) -> str:
    """Return microseconds since the epoch as ISO 8601 text in UTC, for example ``"2026-11-30T04:05:06.000000Z"``."""
    return to_datetime(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time_micros(text: str) -> int:
    """Return the microseconds since the epoch that a text from `time_text` stands for."""
    # Python 3.10's fromisoformat does not accept the Z.
    return to_micros(datetime.fromisoformat(text.removesuffix("Z") + "+00:00"))
