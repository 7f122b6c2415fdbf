"""The groups by which the query `AuditSums` adds up audit records: by tool, by agent, or by day, hour or minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ...clock import MICROS, to_datetime
from ...errors import InvalidRequestError
from .chain import AUDIT_COLUMNS, AuditRow

STRETCHES: Final = {"day": 86_400 * MICROS, "hour": 3_600 * MICROS, "minute": 60 * MICROS}
"""By name, the length in microseconds of each stretch of time that records can be summed by."""
_AT: Final = AUDIT_COLUMNS.index("at")
_BY: Final = ("tool", "agent", *STRETCHES)


def check_by(by: str) -> None:
    """Raise InvalidRequestError unless ``by`` names a group: ``tool``, ``agent``, ``day``, ``hour`` or ``minute``."""
    if by not in _BY:
        raise InvalidRequestError(f"Audit records can be summed by {', '.join(_BY)}, not by {by[:40]!r}.")


def stretch_name(by: str, number: int) -> str:
    """Return the name of a day, hour or minute in UTC: ``"2026-11-22"``, or for the others ``"2026-11-22T14:05Z"``.

    ``number`` is the number of such days, hours or minutes from the epoch to its start.
    """
    start = to_datetime(number * STRETCHES[by])
    return start.date().isoformat() if by == "day" else start.strftime("%Y-%m-%dT%H:%MZ")


def sum_name(by: str) -> Callable[[AuditRow], str | None]:
    """Return a function that returns, for an audit record, the name of the sum that the record is added to.

    The name is the record's tool or agent, or its day, hour or minute. It is None for a record without a tool or agent,
    which no sum includes. Raises InvalidRequestError for an unknown group, as `check_by` does.
    """
    check_by(by)
    if by in STRETCHES:
        return lambda row: stretch_name(by, row[_AT] // STRETCHES[by])
    column = AUDIT_COLUMNS.index("agent_id" if by == "agent" else by)

    def name(row: AuditRow) -> str | None:
        found: str | None = row[column]
        return found

    return name
