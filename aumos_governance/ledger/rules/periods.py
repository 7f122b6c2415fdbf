"""When a ceiling's current period began: calendar periods in UTC."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from ...clock import EPOCH, MICROS
from ...types import BudgetPeriod

__all__ = ["period_start"]

_DAY = 24 * 3600 * MICROS
_LIFETIME = BudgetPeriod.LIFETIME.value


def period_start(period: str, at: int) -> int:
    """The start of the period that ``at`` lies in, both in microseconds; 0 for ``lifetime``.

    A week starts on Monday, as in ISO 8601.
    """
    if period == _LIFETIME:
        return 0
    return _start(period, at // _DAY)


# Every period starts with a day, so that all charges of a day share one answer.
@lru_cache(maxsize=256)
def _start(period: str, days: int) -> int:
    day = EPOCH + timedelta(days=days)
    if period == BudgetPeriod.WEEKLY:
        day -= timedelta(days=day.weekday())
    elif period == BudgetPeriod.MONTHLY:
        day = day.replace(day=1)
    elif period == BudgetPeriod.YEARLY:
        day = day.replace(month=1, day=1)
    elif period != BudgetPeriod.DAILY:
        raise ValueError(f"no such period: {period!r}")
    return (day - EPOCH).days * _DAY
