"""When a ceiling's current period began: calendar periods in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from ..types import BudgetPeriod

__all__ = ["period_start"]

_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def period_start(period: str, at: int) -> int:
    """The start of the period that ``at`` lies in, both in microseconds; 0 for ``lifetime``.

    A week starts on Monday, as in ISO 8601.
    """
    if period == BudgetPeriod.LIFETIME:
        return 0
    # Whole microseconds throughout: a float timestamp would be off by one near a period's edge.
    day = (_EPOCH + timedelta(microseconds=at)).replace(hour=0, minute=0, second=0, microsecond=0)
    if period == BudgetPeriod.WEEKLY:
        day -= timedelta(days=day.weekday())
    elif period == BudgetPeriod.MONTHLY:
        day = day.replace(day=1)
    elif period == BudgetPeriod.YEARLY:
        day = day.replace(month=1, day=1)
    elif period != BudgetPeriod.DAILY:
        raise ValueError(f"no such period: {period!r}")
    return int((day - _EPOCH) / timedelta(microseconds=1))
