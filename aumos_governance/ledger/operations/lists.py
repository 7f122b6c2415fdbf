"""Queries that every backend answers alike, over a `Work` that only reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final, TypeVar

from ...errors import NotFoundError
from ...types import BudgetPeriod
from ..contract import base
from ..contract.base import (
    Balance,
    ChargeState,
    EnvelopeState,
    HeldCharge,
    NotebookKey,
)
from ..rules.content import check_text
from ..rules.cursors import check_limit
from ..rules.files import file_of, path_below
from ..rules.periods import period_start
from ..transaction.rows import ApprovalRow, ChargeRow, EnvelopeRow, NotebookRow, ReportRow, SessionRow
from ..transaction.selections import (
    ALL_CEILINGS,
    BUDGETS_OF_SESSION,
    CONSENTS_OF_AGENT,
    CONSENTS_OF_REALM,
    COUNTING_HOLDS,
    NOTEBOOKS_OF_OWNER,
    PENDING_OF_SERVER,
    TRUST_OF_REALM,
    UNSEEN_REPORTS,
    Selection,
)
from ..transaction.work import Work
from .approvals import approval_of, report_of
from .ceilings import ceiling_states
from .enclosures import shared_around
from .envelopes import budget_state
from .places import category_id, places_of
from .trust import assignment_of, consent_of, find_consent, find_trust

__all__ = ["READERS"]

_OpenRow = TypeVar("_OpenRow", ChargeRow, ApprovalRow, ReportRow)
_UNRESOLVED: Final = ChargeState.UNRESOLVED.value


def _holds(work: Work, query: base.ListHolds) -> tuple[HeldCharge, ...]:
    page = _page(work, query, COUNTING_HOLDS, lambda row: not query.unresolved_only or row.state == _UNRESOLVED)
    return tuple(
        HeldCharge(
            row.id,
            _named(notebook, query.root),
            row.session_id,
            ChargeState(row.state),
            row.amount,
            row.tool,
            row.agent_id,
            row.category,
            row.at,
            row.until,
        )
        for row, notebook in page
    )


def _envelopes(work: Work, query: base.ListEnvelopes) -> tuple[EnvelopeState, ...]:
    session = _session(work, query.notebook)
    if session is None:
        return ()
    return tuple(
        EnvelopeState(
            envelope.name,
            envelope.kind,
            BudgetPeriod(envelope.period),
            balance.period_start,
            Balance(envelope.ceiling, balance.spent, balance.held),
            balance.charges,
        )
        for envelope, balance in places_of(work, session.envelopes, work.now)
    )


def _ceilings(work: Work, query: base.ListCeilings) -> tuple[base.CeilingState, ...]:
    if query.owner is None:
        return ceiling_states(work, work.select(ALL_CEILINGS))
    check_text(query.owner)
    return ceiling_states(work, list(shared_around(work, query.owner)))


def _budgets(work: Work, query: base.ListBudgets) -> tuple[base.BudgetState, ...]:
    session = _session(work, query.notebook)
    if session is None:
        return ()
    if query.category is None:
        found = work.select(BUDGETS_OF_SESSION, session.id)
    else:
        only = work.find(EnvelopeRow, category_id(session.id, query.category))
        found = [] if only is None else [only]
    return tuple(
        budget_state(row, work.balance(row.id, period_start(row.period, work.now)))
        for row in sorted(found, key=attrgetter("name"))
    )


def _approval(work: Work, query: base.ReadApproval) -> base.Approval:
    row = work.find(ApprovalRow, query.approval_id)
    if row is None:
        raise NotFoundError(f"There is no approval {query.approval_id!r}.")
    return approval_of(row, _notebook(work, row.session_id))


def _approvals(work: Work, query: base.ListApprovals) -> tuple[base.Approval, ...]:
    return tuple(
        replace(approval_of(row, notebook), notebook=_named(notebook, query.root))
        for row, notebook in _page(work, query, PENDING_OF_SERVER)
    )


def _reports(work: Work, query: base.ListReports) -> tuple[base.Report, ...]:
    return tuple(
        replace(report_of(row, notebook), notebook=_named(notebook, query.root))
        for row, notebook in _page(work, query, UNSEEN_REPORTS)
    )


def _trust(work: Work, query: base.FindTrust) -> base.TrustAssignment | None:
    row = find_trust(work, query.realm, query.agent_id, query.scope)
    return None if row is None else assignment_of(row)


def _all_trust(work: Work, query: base.ListTrust) -> tuple[base.TrustAssignment, ...]:
    return tuple(assignment_of(row) for row in work.select(TRUST_OF_REALM, query.realm) if row.level is not None)


def _consent(work: Work, query: base.FindConsent) -> base.Consent | None:
    row = find_consent(work, query.realm, query.agent_id, query.data_type, query.purpose)
    return None if row is None else consent_of(row)


def _consents(work: Work, query: base.ListConsents) -> tuple[base.Consent, ...]:
    if query.agent_id is None:
        rows = work.select(CONSENTS_OF_REALM, query.realm)
    else:
        rows = work.select(CONSENTS_OF_AGENT, query.realm, query.agent_id)
    return tuple(consent_of(row) for row in rows if not row.revoked)


def _page(
    work: Work,
    query: base.ListHolds | base.ListApprovals | base.ListReports,
    selection: Selection[_OpenRow],
    wanted: Callable[[_OpenRow], bool] = lambda row: True,
) -> list[tuple[_OpenRow, NotebookRow]]:
    check_limit(query.limit)
    check_text(query.owner, query.root, query.after)
    found = []
    wanted_file = None if query.notebook is None else (query.notebook.owner, _file(query.notebook))
    # Few are open at any time, and their ids are in order of time.
    for row in work.select(selection, query.owner, query.root):
        notebook = _notebook(work, row.session_id)
        if row.id > query.after and wanted(row) and wanted_file in (None, (notebook.owner, notebook.file)):
            found.append((row, notebook))
            if len(found) == query.limit:
                break
    return found


def _session(work: Work, key: NotebookKey) -> SessionRow | None:
    notebook = work.notebook(key)
    if notebook is None or notebook.session_id is None:
        return None
    return work.get(SessionRow, notebook.session_id)


def _notebook(work: Work, session_id: str) -> NotebookRow:
    return work.get(NotebookRow, work.get(SessionRow, session_id).notebook_id)


def _file(key: NotebookKey) -> str:
    return file_of(key.root, key.path)


def _named(notebook: NotebookRow, root: str) -> NotebookKey:
    """The notebook's key as seen from this root."""
    return NotebookKey(notebook.owner, root, path_below(root, notebook.file))


def _notebooks(work: Work, query: base.ListNotebooks) -> tuple[NotebookKey, ...]:
    check_text(query.owner)
    rows = sorted(work.select(NOTEBOOKS_OF_OWNER, query.owner), key=attrgetter("file"))
    return tuple(NotebookKey(row.owner, row.root, row.path) for row in rows)


READERS: Final[dict[type[base.Query[Any]], Callable[[Work, Any], Any]]] = {
    base.ListHolds: _holds,
    base.ListNotebooks: _notebooks,
    base.ListEnvelopes: _envelopes,
    base.ListCeilings: _ceilings,
    base.ListBudgets: _budgets,
    base.ReadApproval: _approval,
    base.ListApprovals: _approvals,
    base.ListReports: _reports,
    base.FindTrust: _trust,
    base.ListTrust: _all_trust,
    base.FindConsent: _consent,
    base.ListConsents: _consents,
}
"""What answers each query; the work's ``now`` must be set."""
