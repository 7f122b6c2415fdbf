"""The clock by which this package reckons how long something may take.

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
from typing import Final

__all__ = ["monotonic", "since_epoch"]


# Windows has no clock_gettime.
monotonic: Final[Callable[[], float]] = (
    functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)
    if hasattr(time, "clock_gettime")
    else functools.partial(time.monotonic)
)
"""Seconds on a clock that never goes back and that is never set."""
_EPOCH: Final = time.time() - monotonic()


def since_epoch() -> float:
    """Seconds since the epoch by the system's clock as it stood when this module was imported.

    It does not follow a clock that is set later, and is no basis for a decision.
    """
    return _EPOCH + monotonic()
