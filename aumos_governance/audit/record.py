"""A decision's audit record as callers see it, and its context."""

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
"""What the ledger's audit calls a decision that was evaluated without a charge, or logged by the caller."""
_DECISION: Final = "decision"
_DETAILS: Final = ("scope", "budget_category", "data_type", "purpose", "extra")
_details: Final = attrgetter(*_DETAILS)


@dataclass(frozen=True, slots=True)
class GovernanceDecisionContext:
    """What a decision was about. ``extra`` holds JSON values, never prompts or keys."""

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
    """One decision as it was recorded: a copy, whose change changes nothing in the ledger. ``timestamp`` is UTC."""

    record_id: str
    outcome: GovernanceOutcome
    decision: str
    reasons: list[str]
    context: GovernanceDecisionContext
    timestamp: datetime


def detail_of(about: object, decision: str | None = None) -> dict[str, Any]:
    """What the ledger keeps of a context, or of an action, beside its own columns; as JSON values."""
    detail: dict[str, Any] = {} if decision is None else {_DECISION: decision}
    for name, value in zip(_DETAILS, _details(about)):  # noqa: B905 - the getter gives one for each, and this is hot
        if value is not None and value != {}:
            detail[name] = value if type(value) is str else as_json(value)
    return detail


def record_of(entry: AuditEntry) -> AuditRecord:
    """The ledger's record as a decision, which it must be: one with an outcome."""
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
    """The context as it was recorded: the reverse of `detail_of`."""
    rest = {name: detail[name] for name in _DETAILS if name in detail}
    if "category" in detail:
        # As the ledger says it of a charge.
        rest.setdefault("budget_category", detail["category"])
    return GovernanceDecisionContext(agent_id, action_type, resource, **rest)


def as_json(value: Any) -> Any:
    """The value as JSON can hold it. The earlier SDK took any object: one that JSON has no type for becomes text."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(name): as_json(member) for name, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [as_json(member) for member in value]
    return str(value)
