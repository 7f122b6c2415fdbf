"""Approvals, reports, trust and consents as the ledger tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...types import TrustLevel
from .facts import NotebookKey

__all__ = [
    "Approval",
    "ApprovalStatus",
    "Consent",
    "Report",
    "TrustAssignment",
]


class ApprovalStatus(str, Enum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    """Nobody waits for it any more: timed out, interrupted, or its kernel is gone."""
    USED = "used"
    """Approved, and the one action that it was for has been allowed."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's yes or no to one exact action."""

    approval_id: str
    notebook: NotebookKey
    session_id: str
    status: ApprovalStatus
    digest: str
    """Of tool, arguments, code and cost as shown; kept when what was shown is deleted."""
    shown: str | None
    """JSON, until it is decided."""
    tool: str
    agent_id: str | None
    amount: int
    asked_at: int
    until: int | None
    decided_at: int | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was done at level L4, shown until a person has acknowledged it."""

    report_id: str
    notebook: NotebookKey
    session_id: str
    tool: str
    agent_id: str | None
    shown: str | None
    """JSON, until it is acknowledged."""
    at: int
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    charge_id: str | None = None
    """What it cost, where it cost something."""


@dataclass(frozen=True, slots=True)
class TrustAssignment:
    """The trust level that somebody gave an agent, everywhere or in one scope."""

    agent_id: str
    scope: str | None
    level: TrustLevel
    assigned_by: str | None
    assigned_at: int
    touched_at: int


@dataclass(frozen=True, slots=True)
class Consent:
    """The leave to use a kind of data; with no purpose it covers every one."""

    agent_id: str
    data_type: str
    purpose: str | None
    granted_by: str
    granted_at: int
    expires_at: int | None
