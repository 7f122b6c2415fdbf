"""Criteria for audit records, the result of a query, and counts of outcomes."""

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
    """Criteria for audit records; a record must match all that are set. ``since`` is inclusive, ``until`` exclusive.

    A datetime without a time zone is read as UTC. The first ``offset`` matching records are skipped; ``limit=0`` means
    all the others. Raises ValueError for an unknown outcome, and for a negative limit or offset.
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
    """The records that match a filter, oldest first. ``total_matched`` counts them before limit and offset."""

    records: list[AuditRecord]
    total_matched: int
    filter_applied: AuditFilter


def to_outcome(value: object) -> GovernanceOutcome:
    """Return the outcome with this value. Raises InvalidRequestError if there is none."""
    try:
        return GovernanceOutcome(value)
    except ValueError:
        known = ", ".join(outcome.value for outcome in GovernanceOutcome)
        raise InvalidRequestError(f"An outcome is one of {known}, not {value!r}.") from None


def aggregate_outcomes(records: Iterable[AuditRecord]) -> dict[str, int | float]:
    """Return the number of records with each outcome, their ``total``, and the ``denial_rate`` (0.0 for no records)."""
    counts = dict.fromkeys((outcome.value for outcome in GovernanceOutcome), 0)
    for record in records:
        counts[record.outcome.value] += 1
    total = sum(counts.values())
    return {**counts, "total": total, "denial_rate": counts["deny"] / total if total else 0.0}
