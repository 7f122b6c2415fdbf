"""Approvals and reports of governed actions, agents' trust levels, and consents to the use of data.

The module has the values that the ledger returns for these, and the requests that change them. Times are in
microseconds since the epoch, amounts in nano-USD.

A *realm* is the namespace in which an agent's trust levels and consents are looked up: an owner's name for the agents
of the owner's engines (the SDK outside a notebook), or the realm of one governance session (`session_realm`) for the
agents in a notebook. In a request, None as ``realm`` means the notebook's open session.
"""

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
    """The state of an approval request: ``pending`` until a user decides it or its caller withdraws it."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    """Ended without a user's decision: the time is over, the caller was interrupted, or its kernel has ended."""
    USED = "used"
    """Approved, and then used up by the one action that it allowed."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Approval:
    """A user's approval of exactly one governed action, from the request for it to the decision.

    ``decided_at`` and ``decided_by`` are None while the request is pending.
    """

    approval_id: str
    notebook: NotebookKey
    session_id: str
    status: ApprovalStatus
    digest: str
    """A hash of the action as the user sees it: its tool, arguments, code and cost. It stays when ``shown`` is deleted,
    and proves which action the user decided on."""
    shown: str | None
    """The action as the user sees it, as JSON; None once the request is decided."""
    tool: str
    agent_id: str | None
    amount: int
    """The action's cost, in nano-USD."""
    asked_at: int
    until: int | None
    decided_at: int | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a governed action at trust level L4, where actions run at once and a user reviews them afterwards.

    The report is shown to users until one of them acknowledges it. The ledger then deletes the text, ``shown``.
    """

    report_id: str
    notebook: NotebookKey
    session_id: str
    tool: str
    agent_id: str | None
    shown: str | None
    """The action as the user sees it, as JSON; None once the report is acknowledged."""
    at: int
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None
    charge_id: str | None = None
    """The id of the charge for the action's cost; None if the action was not charged."""


@dataclass(frozen=True, slots=True)
class TrustAssignment:
    """A trust level that was set for an agent within a realm, for one scope or for all scopes.

    A scope is a part of the agent's work that has a trust level of its own, such as ``"mail"``; None means all scopes.
    ``touched_at`` is when the agent was last active.
    """

    agent_id: str
    scope: str | None
    level: TrustLevel
    assigned_by: str | None
    assigned_at: int
    touched_at: int


@dataclass(frozen=True, slots=True)
class Consent:
    """The permission for an agent to use a type of data, such as ``"health_data"``, for a purpose.

    With None as ``purpose`` the consent covers every purpose, and with None as ``expires_at`` it is valid until it is
    revoked. ``granted_by`` names who gave it.
    """

    agent_id: str
    data_type: str
    purpose: str | None
    granted_by: str
    granted_at: int
    expires_at: int | None


# ---- requests


@dataclass(frozen=True, slots=True, kw_only=True)
class AskApproval(Request[Approval]):
    """Create a request for a user's approval of exactly one action. The response is the pending approval.

    Raises NotFoundError if the notebook has no open session.
    """

    notebook: NotebookKey
    digest: str
    """A hash of the action as the user sees it. The later charge of the action must have the same digest."""
    shown: str
    """The action as the user sees it, as JSON. The ledger deletes this text once the approval is decided."""
    tool: str = "unknown"
    agent_id: str | None = None
    amount: int = 0
    until: int | None = None
    """The time when the request expires without a decision; None for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideApproval(Request[Approval]):
    """Store a user's decision on an approval request: to approve the action, or with ``approve=False`` to deny it.

    ``digest`` must be that of the action which the user saw, so that a decision cannot apply to another action. Raises
    NotAllowedError if the caller is not a user, NotFoundError if there is no such request, and ConflictError if the
    request is no longer pending or has another digest.
    """

    approval_id: str
    digest: str
    approve: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawApproval(Request[Approval]):
    """Withdraw an approval request whose caller no longer waits for the decision.

    A request that is decided already is returned unchanged. Raises NotFoundError if the caller has no such request.
    """

    approval_id: str
    why: str = "the request was withdrawn"
    """The reason, which the audit record gets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport(Request[Report]):
    """Store a report of a governed action at trust level L4, which starts now, for a user to acknowledge.

    Raises NotFoundError if the notebook never had a session.
    """

    notebook: NotebookKey
    shown: str
    """The action as the user sees it, as JSON. The ledger deletes this text once the report is acknowledged."""
    tool: str = "unknown"
    agent_id: str | None = None
    charge_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishReport(Request[Report]):
    """Complete the report of an action that has ended, with the ``result`` and the cost.

    A report shows a user what an agent does at trust level L4, without approval; see `FileReport`.

    ``spent`` is the cost in USD, as text, or None to add no cost. If a user acknowledged the report while the action
    ran, it is shown again and must be acknowledged again. Raises NotFoundError if the notebook has no such report.
    """

    notebook: NotebookKey
    report_id: str
    result: str
    spent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeReport(Request[Report]):
    """Mark a report as acknowledged by the user who makes the request; the report is then no longer shown.

    Raises NotAllowedError if the caller is not a user, and NotFoundError if there is no such report.
    """

    report_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTrust(Request[TrustAssignment]):
    """Set an agent's trust level within a realm, for one ``scope`` of its work or, with None, for all scopes.

    ``realm`` is the name of the owner whose engines the agent works for. With None the level is set within the
    notebook's open session, and ends with the session. Then the request raises NotFoundError if no session is open, and
    NotAllowedError for a level above the session's level. With ``tighten_only`` (on a strict server) it also raises
    NotAllowedError for a level above the agent's present one. ``assigned_by`` names who decided the level.
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
    """Store the present time as the time when an agent was last active, for users who list the trust levels.

    No level depends on this time, and no audit record is written. Returns False, and stores nothing, if no trust level
    was set for this agent, scope and realm.
    """

    agent_id: str
    scope: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTrust(Request[bool]):
    """Remove the trust level that was set for an agent within a realm. Returns False if none was set.

    ``scope`` and ``realm`` are those of `SetTrust`. With None as ``realm`` the level within the notebook's open session
    is removed. Then the request raises NotFoundError if no session is open, and with ``tighten_only`` (on a strict
    server) NotAllowedError if the agent would have a higher level afterwards.
    """

    notebook: NotebookKey
    agent_id: str
    scope: str | None = None
    realm: str | None = ""
    tighten_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantConsent(Request[Consent]):
    """Store a consent for an agent to use a type of data, for one ``purpose`` or, with None, for every purpose.

    The consent is valid until ``until``, or with None until it is revoked. It replaces an earlier consent of this agent
    for the same data type and purpose. With None as ``realm`` the consent is valid only within the notebook's open
    session; the request raises NotFoundError if no session is open.
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
    """Revoke one consent of an agent, or with ``data_type=None`` all its consents. Returns how many were revoked.

    A consent is named by the ``data_type``, ``purpose`` and ``realm`` that it was granted with. The realm None means
    the notebook's open session. Raises ConsentNotFoundError if there is no such consent, and NotFoundError if ``realm``
    is None and no session is open.
    """

    notebook: NotebookKey
    agent_id: str
    data_type: str | None = None
    purpose: str | None = None
    realm: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Request[Recorded]):
    """Append one audit record of a decision that the caller made itself, as the audit logger of the SDK does.

    ``event`` is a word of the caller's choice, but not the name of an event that the ledger writes itself. ``detail``
    has JSON values. With None as ``agent_id`` the record names the session's agent.
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
    """Check whether an agent's action is allowed, and record the decision with the result of each check.

    Nothing is charged. The checks are, in this order: the trust level (``required_level``), the budget (``amount``, in
    nano-USD) and the consent (``data_type``). A check whose field is None is skipped, and the first check that fails
    denies the action. The decision's reasons are the results of the checks, so the last reason is the cause of a
    denial. Without an open session the action is denied.
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
    """The trust level that applies to an agent for which no level was set."""
    default_deny: bool = True
    """Whether a use of data is denied if no consent covers it."""
    overdraft: bool = False
    """Whether an amount above the budget is allowed, with the outcome ``allow_with_caveat``."""
    realm: str | None = ""
    """The name of the owner whose engines the agent works for; the agent's level and consents are looked up under it.
    With None they are looked up within the notebook's open session, and an empty ``agent_id`` means the session's
    agent."""


def session_realm(session_id: str) -> str:
    """Return the realm under which the ledger stores the trust levels and consents of agents within one session.

    After the session is closed, nothing uses this realm.
    """
    return f"session/{session_id}"
