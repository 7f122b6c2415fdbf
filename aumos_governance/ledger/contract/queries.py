"""The queries of a ledger, which change nothing."""

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
"""The events that `AuditFilters.decisions` selects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[ResponseT_co]):
    """Base class of all queries. `Ledger.read` returns the result, a ``ResponseT_co``, from the committed state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadState(Query[SessionState]):
    """Read the current state of a notebook."""

    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotebooks(Query[tuple[NotebookKey, ...]]):
    """Find all notebooks of an owner that are not deleted, in order of their files.

    The responses name each notebook by its stored root, one of the server roots that it is used from, and its path
    below that root.
    """

    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStates(Query[tuple[SessionState, ...]]):
    """Find the states of notebooks of an owner and root that ever had a session and are not deleted.

    The states are in order of the notebooks' paths; ``after`` is the last path of the previous page.
    """

    owner: str
    root: str
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """Criteria for audit records; a record must match all that are set. ``since`` is inclusive, ``until`` exclusive.

    The opening and the closing of a session are recorded in the session's chain and in the ledger's own chain; the
    record in the session's chain matches, but with ``session_id="ledger"`` only the ledger's own chain is searched.
    """

    notebook: NotebookKey | None = None
    session_id: str | None = None
    agent_id: str | None = None
    outcome: GovernanceOutcome | None = None
    """A record that is not a decision, such as an approval request, has no outcome, and so never matches this
    filter."""
    event: str | None = None
    tool: str | None = None
    action_type: str | None = None
    resource: str | None = None
    text: str | None = None
    """Text in the tool, agent, actor, notebook, reasons, detail, action type or resource. The case of A to Z does not
    matter."""
    since: int | None = None
    until: int | None = None
    under: tuple[str, str] | None = None
    """An owner and a server root: only records of notebooks below that root match, so that users who share a database
    read only their own records."""
    decisions: bool = False
    """Whether only decisions about actions match: records with an outcome and an event in `DECISIONS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery(AuditFilters, Query[AuditPage]):
    """Read a page of audit records, newest first unless ``oldest_first`` is set.

    ``cursor`` is the previous page's cursor. Pages neither skip nor repeat a record while new records are written.
    Raises InvalidRequestError for a cursor of another query.
    """

    limit: int = 100
    cursor: str | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAudit(AuditFilters, Query[int]):
    """Count the audit records that match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSums(AuditFilters, Query[tuple[AuditSum, ...]]):
    """Add up the matching records ``by`` tool, agent, day, hour or minute (UTC), in order of the names.

    Sums by tool leave out records without a tool, and sums by agent leave out records without an agent.
    """

    by: str = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHolds(Query[tuple[HeldCharge, ...]]):
    """Find the pending holds of an owner and root, or of one notebook there, oldest first.

    ``after`` is the last id of the previous page.
    """

    owner: str
    root: str
    notebook: NotebookKey | None = None
    unresolved_only: bool = False
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEnvelopes(Query[tuple[EnvelopeState, ...]]):
    """Find the envelopes that limit a charge of this notebook now, the session's own budget first."""

    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCeilings(Query[tuple[CeilingState, ...]]):
    """Find the ceilings that servers share, including lifted ones.

    With ``owner`` set, find only the ceilings that limit this owner's sessions.
    """

    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBudgets(Query[tuple[BudgetState, ...]]):
    """Find the categories' budgets in the notebook's open session, or else in its last session, in order of names."""

    notebook: NotebookKey
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadApproval(Query[Approval]):
    """Read one approval. Raises NotFoundError if there is no such approval."""

    approval_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApprovals(Query[tuple[Approval, ...]]):
    """Find the pending approval requests of an owner and root, or of one notebook there, oldest first.

    ``after`` is the last id of the previous page.
    """

    owner: str
    root: str
    notebook: NotebookKey | None = None
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReports(Query[tuple[Report, ...]]):
    """Find the unacknowledged reports of an owner and root, or of one notebook there, oldest first.

    ``after`` is the last id of the previous page.
    """

    owner: str
    root: str
    notebook: NotebookKey | None = None
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FindTrust(Query["TrustAssignment | None"]):
    """Find the assignment that applies to an agent: for this scope, or else for all scopes, or else None."""

    agent_id: str
    scope: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTrust(Query[tuple[TrustAssignment, ...]]):
    """Find all assignments of a realm, in order of agent and scope."""

    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindConsent(Query["Consent | None"]):
    """Find the valid consent that covers a use of data: for this purpose, or else for all purposes, or else None."""

    agent_id: str
    data_type: str
    purpose: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConsents(Query[tuple[Consent, ...]]):
    """Find the consents of a realm, or for one agent in it, in order of agent, data type and purpose.

    Expired consents are included.
    """

    agent_id: str | None = None
    realm: str = ""
