"""The selections of rows on the ledger in memory: which rows belong to each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from ..rules.files import lies_in
from ..transaction.rows import (
    ApprovalRow,
    BalanceRow,
    CeilingRow,
    ChargeRow,
    ConsentRow,
    EnvelopeRow,
    EstimateRow,
    Key,
    MembershipRow,
    NotebookAliasRow,
    NotebookRow,
    ReportRow,
    Row,
    SessionRow,
    TrustRow,
)

__all__ = ["SELECTIONS"]


class Tables(Protocol):
    tables: dict[type[Row], dict[Key, Row]]


def notebook_of(store: Tables, session_id: str) -> NotebookRow:
    """The notebook that a session belongs to."""
    session = store.tables[SessionRow][session_id,]
    assert isinstance(session, SessionRow)
    notebook = store.tables[NotebookRow][session.notebook_id,]
    assert isinstance(notebook, NotebookRow)
    return notebook


def _of_server(store: Tables, session_id: str, owner: str, root: str) -> bool:
    return lies_in(notebook_of(store, session_id), owner, root)


def _due_holds(_: Tables, row: ChargeRow, now: int) -> bool:
    return row.until is not None and row.until <= now and row.state in ("held", "unresolved")


def _due_approvals(_: Tables, row: ApprovalRow, now: int) -> bool:
    return row.until is not None and row.until <= now and row.status == "pending"


def _estimates_of_reference(_: Tables, row: EstimateRow, reference: str) -> bool:
    return row.reference == reference


def _holds_of_kernel(_: Tables, row: ChargeRow, incarnation: str) -> bool:
    return row.state == "held" and row.incarnation == incarnation


def _holds_of_server(store: Tables, row: ChargeRow, owner: str, root: str) -> bool:
    return row.state == "held" and _of_server(store, row.session_id, owner, root)


def _pending_of_kernel(_: Tables, row: ApprovalRow, incarnation: str) -> bool:
    return row.status == "pending" and row.incarnation == incarnation


def _pending_of_server(store: Tables, row: ApprovalRow, owner: str, root: str) -> bool:
    return row.status == "pending" and _of_server(store, row.session_id, owner, root)


def _open_sessions_of_owner(store: Tables, row: SessionRow, owner: str) -> bool:
    return row.closed_at is None and notebook_of(store, row.id).owner == owner


def _all_ceilings(_: Tables, row: CeilingRow) -> bool:
    return True


def _memberships(_: Tables, row: MembershipRow) -> bool:
    return True


def _notebooks_of_owner(_: Tables, row: NotebookRow, owner: str) -> bool:
    return row.deleted_at is None and row.owner == owner


def _sessions_of_notebook(_: Tables, row: SessionRow, notebook_id: str) -> bool:
    return row.notebook_id == notebook_id


def _aliases_of_notebook(_: Tables, row: NotebookAliasRow, notebook_id: str) -> bool:
    return row.notebook_id == notebook_id


def _ceilings_of(_: Tables, row: EnvelopeRow, kind: str, subject: str) -> bool:
    return row.kind == kind and row.subject == subject


def _balances_of(_: Tables, row: BalanceRow, envelope_id: str) -> bool:
    return row.envelope_id == envelope_id


def _charges_in(_: Tables, row: ChargeRow, envelope_id: str) -> bool:
    return envelope_id in row.envelopes.split()


def _sessions_in(_: Tables, row: SessionRow, envelope_id: str) -> bool:
    return envelope_id in row.outer_envelopes.split()


def _consents_of_agent(_: Tables, row: ConsentRow, realm: str, agent_id: str) -> bool:
    return (row.realm, row.agent_id) == (realm, agent_id)


def _consents_of_realm(_: Tables, row: ConsentRow, realm: str) -> bool:
    return row.realm == realm


def _trust_of_realm(_: Tables, row: TrustRow, realm: str) -> bool:
    return row.realm == realm


def _budgets_of_session(_: Tables, row: EnvelopeRow, session_id: str) -> bool:
    return row.kind == "category" and row.subject == session_id


def _counting_holds(store: Tables, row: ChargeRow, owner: str, root: str) -> bool:
    return row.state in ("held", "unresolved") and _of_server(store, row.session_id, owner, root)


def _unseen_reports(store: Tables, row: ReportRow, owner: str, root: str) -> bool:
    return row.acknowledged_at is None and _of_server(store, row.session_id, owner, root)


SELECTIONS: Final[dict[str, Callable[..., bool]]] = {
    "due_holds": _due_holds,
    "due_approvals": _due_approvals,
    "estimates_of_reference": _estimates_of_reference,
    "holds_of_kernel": _holds_of_kernel,
    "holds_of_server": _holds_of_server,
    "pending_of_kernel": _pending_of_kernel,
    "pending_of_server": _pending_of_server,
    "open_sessions_of_owner": _open_sessions_of_owner,
    "all_ceilings": _all_ceilings,
    "memberships": _memberships,
    "notebooks_of_owner": _notebooks_of_owner,
    "sessions_of_notebook": _sessions_of_notebook,
    "aliases_of_notebook": _aliases_of_notebook,
    "ceilings_of": _ceilings_of,
    "balances_of": _balances_of,
    "charges_in": _charges_in,
    "sessions_in": _sessions_in,
    "consents_of_agent": _consents_of_agent,
    "consents_of_realm": _consents_of_realm,
    "trust_of_realm": _trust_of_realm,
    "budgets_of_session": _budgets_of_session,
    "counting_holds": _counting_holds,
    "unseen_reports": _unseen_reports,
}
"""By the selection's name: whether a row belongs to it, given its values."""
