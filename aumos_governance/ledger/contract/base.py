"""The ledger's contract: requests go in, frozen records come out, and nothing is decided outside of it.

Every change is one `Request`, executed in one transaction that decides, charges, writes the audit record and
links it. When `execute` returns, the change is on disk; when it raises, nothing has changed. All backends
pass one contract suite.

The parts of the contract are in `contract`; this module gathers them.

Amounts are integer nano-USD; times are integer microseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from .agreement_facts import (
    Approval,
    ApprovalStatus,
    Consent,
    Report,
    TrustAssignment,
)
from .agreements import (
    AcknowledgeReport,
    AskApproval,
    DecideApproval,
    Evaluate,
    FileReport,
    FinishReport,
    GrantConsent,
    Record,
    RemoveTrust,
    RevokeConsent,
    SetTrust,
    TouchTrust,
    WithdrawApproval,
)
from .audit_facts import (
    AuditEntry,
    AuditPage,
    AuditSum,
    Finding,
    Recorded,
    VerifyResult,
)
from .budget_facts import (
    Adjusted,
    BudgetState,
    CeilingState,
    ChargeState,
    Corrected,
    EnvelopeKind,
    EnvelopeSpec,
    EnvelopeState,
    HeldCharge,
    Resolved,
)
from .budgets import ConfigureEnvelopes, SetBudget, SetCeiling
from .charges import (
    Adjust,
    Charging,
    Checks,
    Correct,
    ExpireHolds,
    Hold,
    KernelGone,
    KernelsPresent,
    Release,
    Settle,
    Spend,
    TakeBack,
    Unconfirmed,
    Void,
)
from .facts import (
    TRUST_LIMITS,
    Balance,
    ClosedSessions,
    Decision,
    Found,
    Limit,
    NotebookKey,
    Opened,
    Origin,
    SessionState,
    Voided,
)
from .queries import (
    AuditFilters,
    AuditQuery,
    AuditSums,
    CountAudit,
    FindConsent,
    FindTrust,
    ListApprovals,
    ListBudgets,
    ListCeilings,
    ListConsents,
    ListEnvelopes,
    ListHolds,
    ListNotebooks,
    ListReports,
    ListStates,
    ListTrust,
    Query,
    ReadApproval,
    ReadState,
)
from .requests import (
    AnswerT_co,
    ChangeSession,
    CloseSession,
    DeleteNotebook,
    JoinNotebooks,
    MoveNotebook,
    OpenSession,
    Request,
)

__all__ = [
    "TRUST_LIMITS",
    "AcknowledgeReport",
    "Adjust",
    "Adjusted",
    "AnswerT_co",
    "Approval",
    "ApprovalStatus",
    "AskApproval",
    "AuditEntry",
    "AuditFilters",
    "AuditPage",
    "AuditQuery",
    "AuditSum",
    "AuditSums",
    "Balance",
    "BudgetState",
    "CeilingState",
    "ChangeSession",
    "ChargeState",
    "Charging",
    "Checks",
    "CloseSession",
    "ClosedSessions",
    "ConfigureEnvelopes",
    "Consent",
    "Correct",
    "Corrected",
    "CountAudit",
    "DecideApproval",
    "Decision",
    "DeleteNotebook",
    "EnvelopeKind",
    "EnvelopeSpec",
    "EnvelopeState",
    "Evaluate",
    "ExpireHolds",
    "FileReport",
    "FindConsent",
    "FindTrust",
    "Finding",
    "FinishReport",
    "Found",
    "GrantConsent",
    "HeldCharge",
    "Hold",
    "JoinNotebooks",
    "KernelGone",
    "KernelsPresent",
    "Ledger",
    "Limit",
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
    "Listener",
    "MoveNotebook",
    "NotebookKey",
    "OpenSession",
    "Opened",
    "Origin",
    "Query",
    "ReadApproval",
    "ReadState",
    "Record",
    "Recorded",
    "Release",
    "RemoveTrust",
    "Report",
    "Request",
    "Resolved",
    "RevokeConsent",
    "SessionState",
    "SetBudget",
    "SetCeiling",
    "SetTrust",
    "Settle",
    "Spend",
    "TakeBack",
    "TouchTrust",
    "TrustAssignment",
    "Unconfirmed",
    "VerifyResult",
    "Void",
    "Voided",
    "WithdrawApproval",
]

Listener = Callable[[tuple[SessionState, ...]], None]
"""Called after each commit with the states it changed, in the thread that committed; must not block or raise."""


class Ledger(Protocol):
    """Durable governance state. All methods may be called from any thread."""

    @property
    def at_once(self) -> bool:
        """Whether who asks alone is served in their own thread by `execute`, so that asking ahead gains nothing."""
        ...

    def execute(self, request: Request[AnswerT_co]) -> AnswerT_co:
        """Do the change and wait until it is durable."""
        ...

    def submit(self, request: Request[AnswerT_co]) -> Future[AnswerT_co]:
        """Queue the change; the future is done, in the ledger's thread, when it is durable or has failed."""
        ...

    def read(self, query: Query[AnswerT_co]) -> AnswerT_co:
        """Answer from what is committed."""
        ...

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        """Walk one session's chain, or all chains, and compare the tables with the records, all in one snapshot.

        With ``known_head``, also prove that this head is in a chain.

        With ``under``, the ledger-wide chain and the sessions of this owner under this server root alone. Raises
        NotFoundError for no such session.
        """
        ...

    def attending(self) -> frozenset[str]:
        """The names of the servers that have this ledger open now, as `open_ledger` was told them.

        One that was killed is not among them. One that lives may be missing for a moment, while it has lost its
        connection to the database, and always where the system has no locks on files.
        """
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of changes made through this object; the answer ends it."""
        ...

    def close(self) -> None:
        """Finish what is queued and let go of files and connections. Idempotent."""
        ...
