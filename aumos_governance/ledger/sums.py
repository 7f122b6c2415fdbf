"""What audit records can be summed by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Final

from ..errors import InvalidRequestError
from .chain import AUDIT_COLUMNS, AuditRow

__all__ = ["DAY", "check_by", "day_name", "sum_name"]

DAY: Final = 86_400 * 1_000_000
"""Microseconds."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_AT: Final = AUDIT_COLUMNS.index("at")
_BY: Final = ("tool", "agent", "day")


def check_by(by: str) -> None:
    """Raises InvalidRequestError for anything that records cannot be summed by."""
    if by not in _BY:
        raise InvalidRequestError(f"Audit records can be summed by {', '.join(_BY)}, not by {by[:40]!r}.")


def day_name(day: int) -> str:
    """The date, in UTC, of a number of days since the epoch."""
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def sum_name(by: str) -> Callable[[AuditRow], str | None]:
    """What names the sum that a record belongs to; None leaves it out."""
    check_by(by)
    if by == "day":
        return lambda row: day_name(row[_AT] // DAY)
    column = AUDIT_COLUMNS.index("agent_id" if by == "agent" else by)

    def name(row: AuditRow) -> str | None:
        found: str | None = row[column]
        return found

    return name
