"""The filter that SDK users pass to `AuditLogger`, the result of its queries, and counts of the outcomes in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ..errors import InvalidRequestError
from ..types import GovernanceOutcome
from .record import AuditRecord

__all__ = ["AuditFilter", "AuditQueryResult", "aggregate_outcomes", "to_outcome"]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Criteria for audit records: a record matches if it meets all criteria that are not None.

    ``since`` is inclusive and ``until`` exclusive; a datetime without a time zone is read as UTC. The first ``offset``
    matching records are skipped, and at most ``limit`` records returned; 0 is no limit. Raises ValueError for an
    unknown outcome, and for a negative limit or offset.
    """

    agent_id: str | None = None
    outcome: GovernanceOutcome | None = None
    action_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    resource: str | None = None
    limit: int = 0
    offset: int = 0

    def __post_init__(self) -> None:
        if self.outcome is not None:
            object.__setattr__(self, "outcome", to_outcome(self.outcome))
        for name in ("limit", "offset"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise InvalidRequestError(f"{name} must be a whole number of at least 0, not {value!r}.")


@dataclass(frozen=True, slots=True)
class AuditQueryResult:
    """The result of `AuditLogger.query`: the matching records, oldest first.

    ``total_matched`` is the number of all matching records, also those that the filter's offset and limit left out.
    """

    records: list[AuditRecord]
    total_matched: int
    filter_applied: AuditFilter


def to_outcome(value: object) -> GovernanceOutcome:
    """Return the outcome with this value, such as ``"deny"``. Raises InvalidRequestError for any other value."""
    try:
        return GovernanceOutcome(value)
    except ValueError:
        known = ", ".join(outcome.value for outcome in GovernanceOutcome)
        raise InvalidRequestError(f"An outcome is one of {known}, not {value!r}.") from None


def aggregate_outcomes(records: Iterable[AuditRecord]) -> dict[str, int | float]:
    """Return how many records have each outcome, such as ``"deny"``, and two figures of all records.

    ``total`` is the number of all records, and ``denial_rate`` the part that was denied, from 0.0 to 1.0.
    """
    counts = dict.fromkeys((outcome.value for outcome in GovernanceOutcome), 0)
    for record in records:
        counts[record.outcome.value] += 1
    total = sum(counts.values())
    return {**counts, "total": total, "denial_rate": counts["deny"] / total if total else 0.0}
