"""The bodies of a notebook's asks and answers, as the facts of the ledger that they tell of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ... import money
from ...ledger.contract.agreements import Consent, TrustAssignment
from ...ledger.contract.audit_facts import AuditEntry
from ...ledger.contract.budgets import Adjusted, BudgetState, ChargeState, Resolved
from ...ledger.contract.facts import TRUST_LIMITS, Balance, Decision, Limit
from ...ledger.contract.queries import AuditFilters
from ...realm import to_micros
from ...types import BudgetPeriod, GovernanceOutcome, TrustLevel

__all__ = [
    "adjusted_of",
    "assignment_of",
    "budget_of",
    "consent_of",
    "decision_of",
    "entry_of",
    "filters_of",
    "limit_of",
    "resolved_of",
    "said",
]


def decision_of(told: Mapping[str, Any]) -> Decision:
    """The decision that an answer's body tells of."""
    level = told.get("level")
    return Decision(
        GovernanceOutcome(told["outcome"]),
        tuple(told["reasons"]),
        told["record_id"],
        money.parse(told["amount"]),
        told["tool"],
        told["code"],
        told["charge_id"],
        told["overrun"] is True,
        None,
        None if level is None else TrustLevel(level),
        limit_of(told.get("limit")),
    )


def limit_of(told: Mapping[str, Any] | None) -> Limit | None:
    """The limit that a decision's body names. A server of an earlier version names none."""
    if told is None:
        return None
    kind, asked, allowed = str(told["kind"]), told["asked"], told["allowed"]
    if kind not in TRUST_LIMITS:
        asked, allowed = money.parse(asked), money.parse(allowed)
    return Limit(kind, str(told["name"]), int(asked), int(allowed))


def said(**fields: Any) -> dict[str, Any]:
    """A body with what is given."""
    return {name: value for name, value in fields.items() if value is not None}


def filters_of(query: AuditFilters) -> dict[str, Any]:
    """The filters of a query of the record, as its body."""
    names = ("agent_id", "event", "tool", "action_type", "resource", "since", "until")
    return said(
        **{name: getattr(query, name) for name in names},
        outcome=None if query.outcome is None else GovernanceOutcome(query.outcome).value,
        decisions=query.decisions or None,
    )


def assignment_of(told: Mapping[str, Any]) -> TrustAssignment:
    """The level that an answer tells of."""
    at = _micros(told["assigned_at"])
    return TrustAssignment(told["agent_id"], told["scope"], TrustLevel(told["level"]), told["assigned_by"], at, at)


def budget_of(told: Mapping[str, Any]) -> BudgetState:
    """The budget that an answer tells of."""
    start = told["period_start"]
    return BudgetState(
        told["category"],
        BudgetPeriod(told["period"]),
        0 if start is None else _micros(start),
        Balance(*(money.parse(told[name]) for name in ("limit", "spent", "held"))),
        told["charges"],
    )


def consent_of(told: Mapping[str, Any]) -> Consent:
    """The consent that an answer tells of."""
    return Consent(
        told["agent_id"],
        told["data_type"],
        told["purpose"],
        told["granted_by"],
        _micros(told["granted_at"]),
        None if told["expires_at"] is None else _micros(told["expires_at"]),
    )


def resolved_of(told: Mapping[str, Any]) -> Resolved:
    """The settlement or release that an answer tells of."""
    return Resolved(
        told["hold_id"],
        ChargeState(told["outcome"]),
        money.parse(told["held"]),
        money.parse(told["spent"]),
        told["overrun"] is True,
        told["record_id"],
        estimated=told["estimated"] is True,
    )


def adjusted_of(told: Mapping[str, Any]) -> Adjusted:
    """The adjustment that a response reports."""
    return Adjusted(
        told["hold_id"],
        money.parse(told["estimate"]),
        money.parse(told["spent"]),
        told["overrun"] is True,
        told["record_id"],
    )


def entry_of(told: Mapping[str, Any]) -> AuditEntry:
    """The record that an answer tells of."""
    same = ("chain", "seq", "record_id", "event", "actor", "notebook", "code", "agent_id", "tool", "action_type")
    also = ("resource", "charge_id", "detail", "previous_hash", "hash")
    return AuditEntry(
        **{name: told[name] for name in (*same, *also)},
        at=_micros(told["at"]),
        outcome=GovernanceOutcome(told["outcome"]),
        reasons=tuple(told["reasons"]),
        cell_id=told["cell"]["id"],
        execution_count=told["cell"]["count"],
        amount=money.parse(told["amount"]),
        spent_delta=_delta(told["spent_delta"]),
        held_delta=_delta(told["held_delta"]),
    )


def _delta(text: str) -> int:
    return -money.parse(text[1:]) if text.startswith("-") else money.parse(text)


def _micros(text: str) -> int:
    # Python 3.10 does not read the Z.
    return to_micros(datetime.fromisoformat(text.removesuffix("Z") + "+00:00"))
