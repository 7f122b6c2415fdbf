"""The queries of a ledger, which read its state and audit records and change nothing. `Ledger.read` executes them.

Many queries have the fields ``owner`` and ``root``: they find only what belongs to the notebooks of this owner below
this root folder of a server. A query with ``after`` and ``limit`` returns one page of at most ``limit`` items; for the
next page, the query is repeated with ``after`` set from the last item. Amounts are in nano-USD, times in microseconds
since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic

from ...types import GovernanceOutcome
from .agreements import Approval, Consent, Report, TrustAssignment
from .audit_facts import AuditPage, AuditSum
from .budgets import BudgetState, CeilingState, EnvelopeState, HeldCharge
from .facts import NotebookKey, SessionState
from .requests import ResponseT_co

DECISIONS: Final = ("evaluate", "hold")
"""The events of audit records that are decisions about actions, which `AuditFilters.decisions` selects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[ResponseT_co]):
    """Base class of all queries, which read the ledger's committed state and change nothing.

    `Ledger.read` executes a query and returns its result, a ``ResponseT_co``.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadState(Query[SessionState]):
    """Read the current state of a notebook: its open or last session, trust level, budget and spending."""

    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotebooks(Query[tuple[NotebookKey, ...]]):
    """Find all notebooks of an owner that are not deleted, on all servers, sorted by their files' paths.

    A notebook may be used from several servers with different root folders. It is returned once, named by the root
    folder that the ledger has stored for it, and its path below that folder.
    """

    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStates(Query[tuple[SessionState, ...]]):
    """Find the states of the owner's notebooks below ``root`` that ever had a session and are not deleted.

    ``root`` is the root folder of a server. The states are sorted by the notebooks' paths, and there is one page of at
    most ``limit``; ``after`` is the last path of the previous page.
    """

    owner: str
    root: str
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """Criteria for audit records; a record must match all that are set. ``since`` is inclusive, ``until`` exclusive.

    The opening and the closing of a session are recorded twice: in the session's own chain of records, and in the chain
    of the whole ledger. Only the record in the session's chain matches, so that nothing is listed twice. With
    ``session_id="ledger"``, the records in the chain of the whole ledger match instead.
    """

    notebook: NotebookKey | None = None
    session_id: str | None = None
    agent_id: str | None = None
    outcome: GovernanceOutcome | None = None
    """The outcome that a record must have. A record that is not a decision, such as that of an approval request, has no
    outcome, and so never matches."""
    event: str | None = None
    tool: str | None = None
    action_type: str | None = None
    resource: str | None = None
    text: str | None = None
    """Text that must occur in the record's tool, agent, actor, notebook, reasons, detail, action type or resource. The
    case of the letters A to Z does not matter."""
    since: int | None = None
    until: int | None = None
    under: tuple[str, str] | None = None
    """An owner and a server's root folder: only records of this owner's notebooks below that folder match, so that
    users who share a database read only their own records."""
    decisions: bool = False
    """Whether only decisions about actions match: the records that have an outcome, and an event in `DECISIONS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery(AuditFilters, Query[AuditPage]):
    """Read a page of the audit records that match the criteria, newest first unless ``oldest_first`` is set.

    ``cursor`` is the `AuditPage.cursor` of the previous page, or None for the first page. Pages neither skip nor repeat
    a record while new records are written. Raises InvalidRequestError for the cursor of a query with other criteria.
    """

    limit: int = 100
    cursor: str | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAudit(AuditFilters, Query[int]):
    """Count the audit records that match the criteria."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSums(AuditFilters, Query[tuple[AuditSum, ...]]):
    """Add up the audit records that match the criteria, and return one sum for each tool, agent, day, hour or minute.

    ``by`` is ``"tool"``, ``"agent"``, ``"day"``, ``"hour"`` or ``"minute"`` (UTC). The sums are sorted by name. Sums by
    tool leave out records without a tool, and sums by agent leave out records without an agent.
    """

    by: str = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHolds(Query[tuple[HeldCharge, ...]]):
    """Find the open holds, oldest first, in all of the owner's notebooks below a server's root folder, or in one.

    With ``notebook`` set, find only the holds of this notebook. With ``unresolved_only``, find only the holds whose
    kernel has ended, which a user must settle or release. ``after`` is the id of the last hold of the previous page.
    """

    owner: str
    root: str
    notebook: NotebookKey | None = None
    unresolved_only: bool = False
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEnvelopes(Query[tuple[EnvelopeState, ...]]):
    """Find the session's budget and the ceilings around it, which limit the charges of this notebook now.

    They are those of the notebook's open session, or else of its last one. The session's budget comes first. The
    budgets of categories are not included; `ListBudgets` finds them.
    """

    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCeilings(Query[tuple[CeilingState, ...]]):
    """Find the ceilings that several servers share (those of kind ``owner`` and ``team``), including lifted ones.

    With ``owner`` set, find only the ceilings that limit this owner's sessions.
    """

    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBudgets(Query[tuple[BudgetState, ...]]):
    """Find the budgets of categories in the notebook's open session, or else in its last session, sorted by name.

    With ``category`` set, find only the budget of this category.
    """

    notebook: NotebookKey
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadApproval(Query[Approval]):
    """Read one approval request, pending or decided. Raises NotFoundError if there is none with this id."""

    approval_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApprovals(Query[tuple[Approval, ...]]):
    """Find the pending approval requests, oldest first, in the owner's notebooks below a server's root folder.

    With ``notebook`` set, find only the requests of this notebook. ``after`` is the id of the last approval of the
    previous page.
    """

    owner: str
    root: str
    notebook: NotebookKey | None = None
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReports(Query[tuple[Report, ...]]):
    """Find the unacknowledged reports, oldest first, in the owner's notebooks below a server's root folder.

    With ``notebook`` set, find only the reports of this notebook. ``after`` is the id of the last report of the
    previous page.
    """

    owner: str
    root: str
    notebook: NotebookKey | None = None
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FindTrust(Query["TrustAssignment | None"]):
    """Find the trust level that applies to an agent: the one set for this ``scope``, or else for all scopes.

    ``realm`` is the namespace of the agent, such as the name of the owner of an SDK engine. The result is None if no
    level was set.
    """

    agent_id: str
    scope: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTrust(Query[tuple[TrustAssignment, ...]]):
    """Find all trust levels that were set for agents in a realm, sorted by agent and scope.

    ``realm`` is the namespace of the agents, such as the name of the owner of an SDK engine.
    """

    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindConsent(Query["Consent | None"]):
    """Find the valid consent that covers an agent's use of data: for this ``purpose``, or else for every purpose.

    ``realm`` is the namespace of the agent, such as the name of the owner of an SDK engine. The result is None if no
    valid consent covers the use.
    """

    agent_id: str
    data_type: str
    purpose: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConsents(Query[tuple[Consent, ...]]):
    """Find the consents that were granted in a realm, or to one agent in it, sorted by agent, data type and purpose.

    ``realm`` is the namespace of the agents, such as the name of the owner of an SDK engine. Expired consents are
    included, revoked ones are not.
    """

    agent_id: str | None = None
    realm: str = ""
