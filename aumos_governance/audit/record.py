"""The audit record of a decision as SDK users see it, and its conversion from and to a record of the ledger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from ..clock import to_datetime
from ..ledger.contract.audit_facts import AuditEntry
from ..types import GovernanceOutcome

__all__ = ["EVENT", "AuditRecord", "GovernanceDecisionContext", "as_json", "context_of", "detail_of", "record_of"]

EVENT: Final = "evaluate"
"""The ``event`` in the records that `GovernanceEngine.evaluate` and ``record_refusal`` and `AuditLogger.log` write."""
_DECISION: Final = "decision"
_DETAILS: Final = ("scope", "budget_category", "data_type", "purpose", "extra")
_details: Final = attrgetter(*_DETAILS)


@dataclass(frozen=True, slots=True)
class GovernanceDecisionContext:
    """A description of the action that a decision was about; None is a property that does not apply.

    ``extra`` has further JSON values; it must contain no prompts or keys.
    """

    agent_id: str | None = None
    action_type: str | None = None
    resource: str | None = None
    scope: str | None = None
    budget_category: str | None = None
    data_type: str | None = None
    purpose: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """A copy of the audit record of one decision; changing it does not change the ledger.

    ``decision`` is a sentence that describes the decision; ``reasons`` are sentences that give its reasons.
    ``timestamp`` is in UTC.
    """

    record_id: str
    outcome: GovernanceOutcome
    decision: str
    reasons: list[str]
    context: GovernanceDecisionContext
    timestamp: datetime


def detail_of(subject: object, decision: str | None = None) -> dict[str, Any]:
    """Return the part of a `GovernanceDecisionContext` or `GovernanceAction` that goes into a record's JSON ``detail``.

    These are the values for which the ledger has no columns. ``decision`` is added, unless it is None.
    """
    detail: dict[str, Any] = {} if decision is None else {_DECISION: decision}
    for name, value in zip(_DETAILS, _details(subject)):  # noqa: B905 - the lengths are equal, and this is a hot path
        if value is not None and value != {}:
            detail[name] = value if type(value) is str else as_json(value)
    return detail


def record_of(entry: AuditEntry) -> AuditRecord:
    """Return a record of the ledger as an `AuditRecord`. It must be the record of a decision, with an outcome."""
    assert entry.outcome is not None
    detail = entry.detail
    return AuditRecord(
        entry.record_id,
        entry.outcome,
        detail.get(_DECISION, f"Agent {entry.agent_id!r}: {entry.outcome}"),
        list(entry.reasons),
        context_of(entry.agent_id, entry.action_type, entry.resource, detail),
        to_datetime(entry.at),
    )


def context_of(
    agent_id: str | None, action_type: str | None, resource: str | None, detail: Mapping[str, Any]
) -> GovernanceDecisionContext:
    """Return the context of a recorded decision, from the columns of its record and from the JSON ``detail``.

    For ``detail``, this is the reverse of `detail_of`.
    """
    details = {name: detail[name] for name in _DETAILS if name in detail}
    if "category" in detail:
        # The ledger's own name for the category of a charge.
        details.setdefault("budget_category", detail["category"])
    return GovernanceDecisionContext(agent_id, action_type, resource, **details)


def as_json(value: Any) -> Any:
    """Return a value with all its members converted to types of JSON. Objects without a JSON type become text."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): as_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(member) for member in value]
    return str(value)
