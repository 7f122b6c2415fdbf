"""The sets of rows that operations go through, each known to every backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic

from .rows import (
    ApprovalRow,
    BalanceRow,
    CeilingRow,
    ChargeRow,
    ConsentRow,
    EnvelopeRow,
    EstimateRow,
    MembershipRow,
    NotebookAliasRow,
    NotebookRow,
    ReportRow,
    RowT,
    SessionRow,
    TrustRow,
)

__all__ = [
    "ALIASES_OF_NOTEBOOK",
    "ALL_CEILINGS",
    "BALANCES_OF",
    "BUDGETS_OF_SESSION",
    "CEILINGS_OF",
    "CHARGES_IN",
    "CONSENTS_OF_AGENT",
    "CONSENTS_OF_REALM",
    "COUNTING_HOLDS",
    "DUE_APPROVALS",
    "DUE_HOLDS",
    "ESTIMATES_OF_REFERENCE",
    "HOLDS_OF_KERNEL",
    "HOLDS_OF_SERVER",
    "MEMBERSHIPS",
    "NOTEBOOKS_OF_OWNER",
    "OPEN_SESSIONS_OF_OWNER",
    "PENDING_OF_KERNEL",
    "PENDING_OF_SERVER",
    "SESSIONS_IN",
    "SESSIONS_OF_NOTEBOOK",
    "TRUST_OF_REALM",
    "UNSEEN_REPORTS",
    "Selection",
]


@dataclass(frozen=True)
class Selection(Generic[RowT]):
    """A named set of rows, in order of their keys."""

    kind: type[RowT]
    name: str


DUE_HOLDS: Final = Selection(ChargeRow, "due_holds")
"""Holds that are not resolved and whose stated time is at or before ``now``."""
DUE_APPROVALS: Final = Selection(ApprovalRow, "due_approvals")
"""Pending approvals whose stated time is at or before ``now``."""
ESTIMATES_OF_REFERENCE: Final = Selection(EstimateRow, "estimates_of_reference")
"""Estimated charges, adjusted ones included, with this ``reference``."""
HOLDS_OF_KERNEL: Final = Selection(ChargeRow, "holds_of_kernel")
"""Holds in the state ``held`` with this ``incarnation``."""
HOLDS_OF_SERVER: Final = Selection(ChargeRow, "holds_of_server")
"""Holds in the state ``held`` of notebooks with this ``owner`` and ``root``."""
PENDING_OF_KERNEL: Final = Selection(ApprovalRow, "pending_of_kernel")
"""Pending approvals with this ``incarnation``."""
PENDING_OF_SERVER: Final = Selection(ApprovalRow, "pending_of_server")
"""Pending approvals of notebooks with this ``owner`` and ``root``."""
OPEN_SESSIONS_OF_OWNER: Final = Selection(SessionRow, "open_sessions_of_owner")
"""Open sessions of notebooks with this ``owner``."""
ALL_CEILINGS: Final = Selection(CeilingRow, "all_ceilings")
"""All shared ceilings."""
MEMBERSHIPS: Final = Selection(MembershipRow, "memberships")
"""All owners, with the shared ceilings around their sessions."""
NOTEBOOKS_OF_OWNER: Final = Selection(NotebookRow, "notebooks_of_owner")
"""The live notebooks of this ``owner``."""
SESSIONS_OF_NOTEBOOK: Final = Selection(SessionRow, "sessions_of_notebook")
"""All sessions of the notebook with this ``notebook_id``."""
ALIASES_OF_NOTEBOOK: Final = Selection(NotebookAliasRow, "aliases_of_notebook")
"""The notebooks that turned out to be the one with this ``notebook_id``."""
CEILINGS_OF: Final = Selection(EnvelopeRow, "ceilings_of")
"""The envelopes of this ``kind`` and ``subject``."""
BALANCES_OF: Final = Selection(BalanceRow, "balances_of")
"""The balances of the envelope with this ``envelope_id``."""
CHARGES_IN: Final = Selection(ChargeRow, "charges_in")
"""All charges that count in the envelope with this ``envelope_id``; reads every charge."""
SESSIONS_IN: Final = Selection(SessionRow, "sessions_in")
"""All sessions that the envelope with this ``envelope_id`` encloses; reads every session."""
BUDGETS_OF_SESSION: Final = Selection(EnvelopeRow, "budgets_of_session")
"""The categories' envelopes of the session with this ``session_id``."""
COUNTING_HOLDS: Final = Selection(ChargeRow, "counting_holds")
"""Holds that are not resolved, of notebooks with this ``owner`` and ``root``."""
UNSEEN_REPORTS: Final = Selection(ReportRow, "unseen_reports")
"""Reports that nobody has acknowledged, of notebooks with this ``owner`` and ``root``."""
TRUST_OF_REALM: Final = Selection(TrustRow, "trust_of_realm")
"""Trust levels, removed ones included, with this ``realm``."""
CONSENTS_OF_REALM: Final = Selection(ConsentRow, "consents_of_realm")
"""Consents, revoked ones included, with this ``realm``."""
CONSENTS_OF_AGENT: Final = Selection(ConsentRow, "consents_of_agent")
"""Consents, revoked ones included, with this ``realm`` and ``agent_id``."""
