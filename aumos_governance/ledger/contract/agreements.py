"""What a user approves and reviews, and what agents may do: the records of it, and the requests that change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ...frozen import quick
from ...types import GovernanceOutcome, TrustLevel
from .audit_facts import Recorded
from .facts import Decision, NotebookKey
from .requests import Request

__all__ = [
    "AcknowledgeReport",
    "Approval",
    "ApprovalStatus",
    "AskApproval",
    "Consent",
    "DecideApproval",
    "Evaluate",
    "FileReport",
    "FinishReport",
    "GrantConsent",
    "Record",
    "RemoveTrust",
    "Report",
    "RevokeConsent",
    "SetTrust",
    "TouchTrust",
    "TrustAssignment",
    "WithdrawApproval",
    "session_realm",
]


class ApprovalStatus(str, Enum):
    """Where an approval stands."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    """The caller does not wait any more: timed out, interrupted, or its kernel is gone."""
    USED = "used"
    """Approved, and the one action that it was for has been allowed."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Approval:
    """A user's decision on one exact action."""

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
    """What was done at level L4, shown until a user has acknowledged it."""

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
    """The trust level of an agent, everywhere or in one scope."""

    agent_id: str
    scope: str | None
    level: TrustLevel
    assigned_by: str | None
    assigned_at: int
    touched_at: int


@dataclass(frozen=True, slots=True)
class Consent:
    """The permission to use a kind of data; with no purpose it covers every purpose."""

    agent_id: str
    data_type: str
    purpose: str | None
    granted_by: str
    granted_at: int
    expires_at: int | None


# ---- requests


@dataclass(frozen=True, slots=True, kw_only=True)
class AskApproval(Request[Approval]):
    """Request a user's approval of one exact action. Raises NotFoundError when no session is open."""

    notebook: NotebookKey
    digest: str
    shown: str
    """What the user sees, as JSON; deleted when it is decided."""
    tool: str = "unknown"
    agent_id: str | None = None
    amount: int = 0
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApproval(Request[Approval]):
    """A user's decision, bound to the digest of what the user saw.

    Raises NotAllowedError where the caller is no user, NotFoundError for no such approval, ConflictError when it
    is not pending or the digest is another.
    """

    approval_id: str
    digest: str
    approve: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawApproval(Request[Approval]):
    """The caller does not wait any more. An approval that is decided stays as it is, and is returned.

    Raises NotFoundError for no such approval of the caller's.
    """

    approval_id: str
    why: str = "the request was withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport(Request[Report]):
    """Report to the user what was done at level L4. Raises NotFoundError when the notebook never had a session."""

    notebook: NotebookKey
    shown: str
    tool: str = "unknown"
    agent_id: str | None = None
    charge_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishReport(Request[Report]):
    """Add to a report of the notebook's how its action ended. One that was acknowledged before is shown again.

    ``result``, and ``spent`` in USD where it is given, are written into what is shown. Raises NotFoundError for no
    such report.
    """

    notebook: NotebookKey
    report_id: str
    result: str
    spent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeReport(Request[Report]):
    """A user acknowledges it. Raises NotAllowedError where the caller is no user, NotFoundError for no such report."""

    report_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTrust(Request[TrustAssignment]):
    """Give an agent a trust level, everywhere or in one scope. ``realm`` keeps the agents of engines apart.

    With None for a realm it is given within the notebook's open session, and ends with it. Then NotFoundError is raised
    when none is open, and NotAllowedError for a level above the session's, or with ``tighten_only`` above what counts
    for the agent now.
    """

    notebook: NotebookKey
    agent_id: str
    level: TrustLevel
    scope: str | None = None
    assigned_by: str | None = None
    realm: str | None = ""
    tighten_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchTrust(Request[bool]):
    """Note that an agent was active; no record. Returns False when it has no assignment."""

    agent_id: str
    scope: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTrust(Request[bool]):
    """Take an agent's assignment away; returns False when there was none.

    With None for a realm it is one within the notebook's open session, and NotFoundError is raised when none is open.
    With ``tighten_only`` NotAllowedError is raised where what then counts is a higher level.
    """

    notebook: NotebookKey
    agent_id: str
    scope: str | None = None
    realm: str | None = ""
    tighten_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantConsent(Request[Consent]):
    """Allow the use of a kind of data, for one purpose or (None) for every one; replaces an earlier grant.

    With None for a realm it counts within the notebook's open session; NotFoundError is raised when none is open.
    """

    notebook: NotebookKey
    agent_id: str
    data_type: str
    purpose: str | None
    granted_by: str
    until: int | None = None
    realm: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeConsent(Request[int]):
    """Take back one consent, or with ``data_type=None`` all of an agent's; returns how many that were.

    Raises ConsentNotFoundError when that one consent does not exist. A realm of None is as for `GrantConsent`.
    """

    notebook: NotebookKey
    agent_id: str
    data_type: str | None = None
    purpose: str | None = None
    realm: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Request[Recorded]):
    """Append one audit record of a decision made elsewhere. ``detail`` holds JSON values.

    Where no ``agent_id`` is given it is that of the session's agent.
    """

    notebook: NotebookKey
    event: str
    outcome: GovernanceOutcome
    code: str | None = None
    reasons: tuple[str, ...] = ()
    agent_id: str | None = None
    tool: str | None = None
    action_type: str | None = None
    resource: str | None = None
    amount: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluate(Request[Decision]):
    """Check an action: trust, then budget, then consent. One record, and nothing is charged.

    A check whose field is not given is skipped; the first that fails denies. The reasons have the result of each
    check, in that order: of a denial, the last one is the cause. With no open session it is denied.
    """

    notebook: NotebookKey
    agent_id: str
    required_level: TrustLevel | None = None
    scope: str | None = None
    category: str | None = None
    amount: int | None = None
    data_type: str | None = None
    purpose: str | None = None
    action_type: str | None = None
    resource: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    default_level: TrustLevel = TrustLevel.L1_MONITOR
    """The level of an agent without one of its own."""
    default_deny: bool = True
    """Whether the use of data that no consent covers is denied."""
    overdraft: bool = False
    """Whether an amount above the budget is allowed, with a caveat."""
    realm: str | None = ""
    """With None the agent's level is the one within the session, and an empty ``agent_id`` is the session's agent."""


def session_realm(session_id: str) -> str:
    """The realm of the agents of one governance session; it is of no more use when the session is closed."""
    return f"session/{session_id}"
