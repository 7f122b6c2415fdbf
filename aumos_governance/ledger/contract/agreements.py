"""Approvals, reports, agents' trust levels and consents: their records, and the requests that change them."""

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


class ApprovalStatus(str, Enum):
    """The state of an approval request."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    """The caller no longer waits: the time is over, the caller was interrupted, or its kernel is gone."""
    USED = "used"
    """Approved, and used up by the action that it allowed."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Approval:
    """A request for a user's approval of exactly one action, and the user's decision, once there is one."""

    approval_id: str
    notebook: NotebookKey
    session_id: str
    status: ApprovalStatus
    digest: str
    """A hash of the tool, arguments, code and cost that the user is shown. The hash stays when ``shown`` is deleted."""
    shown: str | None
    """What the user is shown, as JSON; None once the approval is decided."""
    tool: str
    agent_id: str | None
    amount: int
    asked_at: int
    until: int | None
    decided_at: int | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report of an action at trust level L4, which is shown until a user has acknowledged it."""

    report_id: str
    notebook: NotebookKey
    session_id: str
    tool: str
    agent_id: str | None
    shown: str | None
    """What the user is shown, as JSON; None once the report is acknowledged."""
    at: int
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    charge_id: str | None = None
    """The charge for the action's cost; None if the action was not charged."""


@dataclass(frozen=True, slots=True)
class TrustAssignment:
    """A trust level that was set for an agent, for one scope or, with None, for all scopes."""

    agent_id: str
    scope: str | None
    level: TrustLevel
    assigned_by: str | None
    assigned_at: int
    touched_at: int


@dataclass(frozen=True, slots=True)
class Consent:
    """The permission for an agent to use a type of data. With None as ``purpose`` the consent covers every purpose."""

    agent_id: str
    data_type: str
    purpose: str | None
    granted_by: str
    granted_at: int
    expires_at: int | None


# ---- requests


@dataclass(frozen=True, slots=True, kw_only=True)
class AskApproval(Request[Approval]):
    """Request a user's approval of exactly one action. Raises NotFoundError if no session is open."""

    notebook: NotebookKey
    digest: str
    shown: str
    """What the user sees, as JSON; deleted once the approval is decided."""
    tool: str = "unknown"
    agent_id: str | None = None
    amount: int = 0
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApproval(Request[Approval]):
    """Enter a user's decision on an approval request. ``digest`` must be the digest of the action that the user saw.

    Raises NotAllowedError if the caller is not a user, NotFoundError if there is no such request, and ConflictError if
    the request is not pending or has another digest.
    """

    approval_id: str
    digest: str
    approve: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawApproval(Request[Approval]):
    """Withdraw an approval request whose caller no longer waits. A decided request is returned unchanged.

    Raises NotFoundError if the caller has no such request.
    """

    approval_id: str
    why: str = "the request was withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport(Request[Report]):
    """Report an action at trust level L4 to the user. Raises NotFoundError if the notebook never had a session."""

    notebook: NotebookKey
    shown: str
    tool: str = "unknown"
    agent_id: str | None = None
    charge_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishReport(Request[Report]):
    """Add to one of the notebook's reports how the action ended. An acknowledged report is shown to the user again.

    ``result`` and, if set, ``spent`` in USD are added to the text that the user is shown. Raises NotFoundError if there
    is no such report.
    """

    notebook: NotebookKey
    report_id: str
    result: str
    spent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeReport(Request[Report]):
    """Mark a report as acknowledged by a user.

    Raises NotAllowedError if the caller is not a user, and NotFoundError if there is no such report.
    """

    report_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTrust(Request[TrustAssignment]):
    """Set an agent's trust level, for one scope or all scopes. ``realm`` separates the agents of different engines.

    With None as ``realm`` the level is set within the notebook's open session, and ends with the session. In this case
    NotFoundError is raised if no session is open, and NotAllowedError for a level above the session's level or, with
    ``tighten_only``, above the level that applies to the agent now.
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
    """Store the time of an agent's last activity, without an audit record.

    Returns False for an agent without a level.
    """

    agent_id: str
    scope: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTrust(Request[bool]):
    """Remove the trust level that was set for an agent. Returns False if none was set.

    With None as ``realm`` the level within the notebook's open session is removed, and NotFoundError is raised if no
    session is open. In this case ``tighten_only`` means that NotAllowedError is raised if the level that applies to the
    agent would rise.
    """

    notebook: NotebookKey
    agent_id: str
    scope: str | None = None
    realm: str | None = ""
    tighten_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantConsent(Request[Consent]):
    """Record a consent to use a type of data, for one purpose or, with None, for every purpose.

    The new consent replaces an earlier consent for the same use. With None as ``realm`` the consent is valid within the
    notebook's open session, and NotFoundError is raised if no session is open.
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
    """Revoke one consent, or with ``data_type=None`` all consents for an agent. Returns how many were revoked.

    Raises ConsentNotFoundError if a ``data_type`` is named and the consent for it does not exist. As in `GrantConsent`,
    None as ``realm`` means the notebook's open session.
    """

    notebook: NotebookKey
    agent_id: str
    data_type: str | None = None
    purpose: str | None = None
    realm: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Request[Recorded]):
    """Append one audit record of a decision that the caller made. ``detail`` has JSON values.

    Without ``agent_id`` the record has the session's agent.
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
    """Check an action's trust level, then its budget, then its consent, and write one record. Nothing is charged.

    A check whose fields are None is skipped; the first check that fails denies the action. The decision's reasons are
    the results of the checks in this order, so that the last one is the cause of a denial. Without an open session the
    action is denied.
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
    """The level of an agent whose level was not set."""
    default_deny: bool = True
    """Whether a use of data is denied if no consent covers it."""
    overdraft: bool = False
    """Whether an amount above the budget is allowed, with a caveat."""
    realm: str | None = ""
    """The realm of the agent's level and consents. With None these are the level and consents within the session, and
    an empty ``agent_id`` means the session's agent."""


def session_realm(session_id: str) -> str:
    """Return the realm of the agents within one session. After the session is closed, nothing uses this realm."""
    return f"session/{session_id}"
