"""The groups of audit records that can be summed: of one tool, of one agent, or within a stretch of time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...clock import MICROS, to_datetime
from ...errors import InvalidRequestError
from .chain import AUDIT_COLUMNS, AuditRow

STRETCHES: Final = {"day": 86_400 * MICROS, "hour": 3_600 * MICROS, "minute": 60 * MICROS}
"""The length of each stretch of time, in microseconds."""
_AT: Final = AUDIT_COLUMNS.index("at")
_BY: Final = ("tool", "agent", *STRETCHES)


def check_by(by: str) -> None:
    """Raise InvalidRequestError unless records can be summed by ``by``."""
    if by not in _BY:
        raise InvalidRequestError(f"Audit records can be summed by {', '.join(_BY)}, not by {by[:40]!r}.")


def stretch_name(by: str, number: int) -> str:
    """Return the start of a day, hour or minute in UTC, as its name; ``number`` counts them since the epoch."""
    start = to_datetime(number * STRETCHES[by])
    return start.date().isoformat() if by == "day" else start.strftime("%Y-%m-%dT%H:%MZ")


def sum_name(by: str) -> Callable[[AuditRow], str | None]:
    """Return a function that returns the name of a record's sum, or None if no sum includes the record.

    Raises InvalidRequestError as `check_by` does.
    """
    check_by(by)
    if by in STRETCHES:
        return lambda row: stretch_name(by, row[_AT] // STRETCHES[by])
    column = AUDIT_COLUMNS.index("agent_id" if by == "agent" else by)

    def name(row: AuditRow) -> str | None:
        found: str | None = row[column]
        return found

    return name
