"""The JSON bodies that kernels, browsers and scripts read: one function for each, used by every transport."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Final

from .. import money
from ..ledger.contract.audit_facts import AuditEntry
from ..ledger.contract.budgets import Adjusted, Resolved
from ..ledger.contract.facts import TRUST_LIMITS, Decision, Limit, SessionState

__all__ = [
    "adjustment_body",
    "audit_body",
    "decision_body",
    "limit_body",
    "previous_body",
    "resolution_body",
    "state_body",
    "time_text",
]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)


def state_body(state: SessionState, *, shared_with: str | None = None) -> dict[str, Any]:
    """The body of ``GET state``; all figures are null for a notebook that was never governed.

    ``set_by`` is the person who set the budget or else the trust level, and ``"kernel"`` or ``"server"`` where
    no person has set either.

    A hold, an approval or a report that comes or goes raises ``seq`` and so is told to every page, which then reads
    its list again. How many wait is not said here: to count them would cost every single decision a query.
    """
    balance = state.balance
    level = state.trust_level
    by = state.trust_set_by if state.trust_by_person and not state.budget_by_person else state.budget_set_by
    return {
        "path": state.notebook.path,
        "active": state.active,
        "session_id": state.session_id,
        "trust_level": None if level is None else int(level),
        "trust_label": None if level is None else level.label(),
        "budget": None if balance is None else money.to_text(balance.limit),
        "spent": None if balance is None else money.to_text(balance.spent),
        "held": None if balance is None else money.to_text(balance.held),
        "remaining": None if balance is None else money.to_text(balance.remaining),
        "over": None if balance is None else money.to_text(balance.over),
        "agent_id": state.agent_id,
        "set_by": by,
        "shared_with": shared_with,
        "seq": state.seq,
    }


def previous_body(state: SessionState) -> dict[str, Any] | None:
    """What the notebook's sessions before this one spent, or None."""
    previous = state.previous
    if previous is None:
        return None
    return {
        "sessions": previous.sessions,
        "spent": money.to_text(previous.spent),
        "budget": money.to_text(previous.budget),
        "closed_at": time_text(previous.closed_at),
    }


def decision_body(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome.value,
        "allowed": decision.allowed,
        "code": decision.code,
        "reasons": list(decision.reasons),
        "record_id": decision.record_id,
        "charge_id": decision.charge_id,
        "amount": money.to_text(decision.amount),
        "tool": decision.tool,
        "overrun": decision.overrun,
        "level": None if decision.level is None else int(decision.level),
        "limit": None if decision.limit is None else limit_body(decision.limit),
    }


def limit_body(limit: Limit) -> dict[str, Any]:
    """Which limit forbids an action: decimal text in USD of a limit on money, whole numbers of a trust level."""
    levels = limit.kind in TRUST_LIMITS
    return {
        "kind": limit.kind,
        "name": limit.name,
        "asked": limit.asked if levels else money.to_text(limit.asked),
        "allowed": limit.allowed if levels else money.to_text(limit.allowed),
    }


def resolution_body(resolved: Resolved) -> dict[str, Any]:
    """How a hold was resolved: ``outcome`` is ``settled`` or ``released``."""
    return {
        "hold_id": resolved.charge_id,
        "outcome": resolved.outcome.value,
        "held": money.to_text(resolved.held),
        "spent": money.to_text(resolved.spent),
        "overrun": resolved.overrun,
        "estimated": resolved.estimated,
        "record_id": resolved.record_id,
    }


def adjustment_body(adjusted: Adjusted) -> dict[str, Any]:
    """How an estimated charge was adjusted."""
    return {
        "hold_id": adjusted.charge_id,
        "estimate": money.to_text(adjusted.estimate),
        "spent": money.to_text(adjusted.spent),
        "overrun": adjusted.overrun,
        "record_id": adjusted.record_id,
    }


def audit_body(entry: AuditEntry) -> dict[str, Any]:
    return {
        "record_id": entry.record_id,
        "chain": entry.chain,
        "seq": entry.seq,
        "at": time_text(entry.at),
        "event": entry.event,
        "outcome": entry.outcome.value,
        "code": entry.code,
        "reasons": list(entry.reasons),
        "actor": entry.actor,
        "notebook": entry.notebook,
        "agent_id": entry.agent_id,
        "tool": entry.tool,
        "action_type": entry.action_type,
        "resource": entry.resource,
        "cell": {"id": entry.cell_id, "count": entry.execution_count},
        "amount": money.to_text(entry.amount),
        "spent_delta": money.to_text(entry.spent_delta),
        "held_delta": money.to_text(entry.held_delta),
        "charge_id": entry.charge_id,
        "detail": dict(entry.detail),
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def time_text(micros: int) -> str:
    """Microseconds since the epoch as ISO 8601 in UTC, always with six decimals and a ``Z``."""
    moment = _EPOCH + timedelta(microseconds=micros)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
