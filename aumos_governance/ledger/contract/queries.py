"""What can be read from a ledger: queries change nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic

from ...types import GovernanceOutcome
from .agreements import Approval, Consent, Report, TrustAssignment
from .audit_facts import AuditPage, AuditSum
from .budgets import BudgetState, CeilingState, EnvelopeState, HeldCharge
from .facts import NotebookKey, SessionState
from .requests import ResponseT_co

__all__ = [
    "DECISIONS",
    "AuditFilters",
    "AuditQuery",
    "AuditSums",
    "CountAudit",
    "FindConsent",
    "FindTrust",
    "ListApprovals",
    "ListBudgets",
    "ListCeilings",
    "ListConsents",
    "ListEnvelopes",
    "ListHolds",
    "ListNotebooks",
    "ListReports",
    "ListStates",
    "ListTrust",
    "Query",
    "ReadApproval",
    "ReadState",
]


DECISIONS: Final = ("evaluate", "hold")
"""The events that `AuditFilters.decisions` selects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[ResponseT_co]):
    """A reading of what is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadState(Query[SessionState]):
    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListNotebooks(Query[tuple[NotebookKey, ...]]):
    """All live notebooks of an owner, as they were named first, by file."""

    owner: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStates(Query[tuple[SessionState, ...]]):
    """All live notebooks of an owner and root that ever had a session, by path, after ``after``."""

    owner: str
    root: str
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilters:
    """Which audit records: those that match all that is given. ``since`` is inclusive, ``until`` exclusive.

    Openings and closings stand in the session's chain and in the ledger-wide one; here they count once. The
    latter as such is ``session_id="ledger"``.
    """

    notebook: NotebookKey | None = None
    session_id: str | None = None
    agent_id: str | None = None
    outcome: GovernanceOutcome | None = None
    """An approval request matches none: it is no decision."""
    event: str | None = None
    tool: str | None = None
    action_type: str | None = None
    resource: str | None = None
    text: str | None = None
    """Found in the tool, agent, actor, notebook, reasons, detail, action type or resource; A to Z as a to z."""
    since: int | None = None
    until: int | None = None
    under: tuple[str, str] | None = None
    """Of the notebooks of this owner under this server root alone; who shares a database reads no one else's."""
    decisions: bool = False
    """Only what was requested and decided about actions: the events in `DECISIONS`, with an outcome."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery(AuditFilters, Query[AuditPage]):
    """A page of audit records, newest first unless ``oldest_first``.

    ``cursor`` comes from the page before; pages neither skip nor repeat a record while new ones are written.
    A cursor of another query is an InvalidRequestError.
    """

    limit: int = 100
    cursor: str | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAudit(AuditFilters, Query[int]):
    """How many audit records match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSums(AuditFilters, Query[tuple[AuditSum, ...]]):
    """Sums over the matching records ``by`` tool, agent, day, hour or minute (UTC), in order of the name.

    Records that have no tool, or no agent, are left out of the sums by these.
    """

    by: str = "tool"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHolds(Query[tuple[HeldCharge, ...]]):
    """The holds of an owner and root, or of one notebook there, that still count, oldest first.

    ``after`` is the id of the last one that is known already.
    """

    owner: str
    root: str
    notebook: NotebookKey | None = None
    unresolved_only: bool = False
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListEnvelopes(Query[tuple[EnvelopeState, ...]]):
    """The envelopes that a charge of this notebook must fit in now, the session's own first."""

    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCeilings(Query[tuple[CeilingState, ...]]):
    """The ceilings that servers share, lifted ones included: those around an owner's sessions, or with None all."""

    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBudgets(Query[tuple[BudgetState, ...]]):
    """The budgets by category within the notebook's open or last session, by name."""

    notebook: NotebookKey
    category: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadApproval(Query[Approval]):
    """One approval; raises NotFoundError."""

    approval_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListApprovals(Query[tuple[Approval, ...]]):
    """The pending approvals of an owner and root, or of one notebook there, oldest first, after the id ``after``."""

    owner: str
    root: str
    notebook: NotebookKey | None = None
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ListReports(Query[tuple[Report, ...]]):
    """The reports of an owner and root, or of one notebook there, that are not acknowledged yet.

    Oldest first, after the id ``after``.
    """

    owner: str
    root: str
    notebook: NotebookKey | None = None
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FindTrust(Query["TrustAssignment | None"]):
    """What counts for an agent: its assignment in the scope, else the one everywhere, else None."""

    agent_id: str
    scope: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListTrust(Query[tuple[TrustAssignment, ...]]):
    """All assignments of a realm, by agent and scope."""

    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindConsent(Query["Consent | None"]):
    """What counts for a use of data now: the consent for this very purpose, else the one for every one, else None."""

    agent_id: str
    data_type: str
    purpose: str | None = None
    realm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConsents(Query[tuple[Consent, ...]]):
    """The consents of a realm, or of one agent in it, by agent, data type and purpose; expired ones included."""

    agent_id: str | None = None
    realm: str = ""
