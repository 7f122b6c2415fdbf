"""Notebooks that turn out to be one: by a link, by the folder above, by an older version's name for it."""

from __future__ import annotations

from ..contract.base import EnvelopeKind, JoinNotebooks, NotebookKey, Origin
from ..rules.chain import LEDGER_CHAIN
from ..rules.files import file_of
from ..transaction.rows import EnvelopeRow, NotebookAliasRow, NotebookRow, SessionRow
from ..transaction.selections import (
    ALIASES_OF_NOTEBOOK,
    BALANCES_OF,
    CEILINGS_OF,
    CHARGES_IN,
    SESSIONS_IN,
    SESSIONS_OF_NOTEBOOK,
)
from ..transaction.work import Work
from .places import envelope_id
from .records import record
from .sessions import close, open_session_of

__all__ = ["join_notebooks"]

_CEILING = EnvelopeKind.NOTEBOOK.value


def join_notebooks(work: Work, request: JoinNotebooks) -> int:
    """Join or rename what the pairs name; of the two notebooks of a pair one need not be known."""
    return sum(_join(work, old, new, request.origin) for old, new in request.pairs)


def _join(work: Work, old: NotebookKey, new: NotebookKey, origin: Origin) -> int:
    known = work.notebook(old)
    if known is None or known.file == file_of(new.root, new.path):
        return 0
    other = work.notebook(new)
    if other is None:
        work.relocate(known, new.root, new.path)
        return 1
    stays, goes = (known, other) if _rank(work, known) < _rank(work, other) else (other, known)
    _merge(work, stays, goes, origin)
    if stays is known:
        work.relocate(stays, new.root, new.path)
    return 1


def _rank(work: Work, notebook: NotebookRow) -> tuple[bool, str]:
    """Sorts first what stays: the older open session's notebook, without any the older notebook. Ids tell the time."""
    session = open_session_of(work, notebook)
    return (True, notebook.id) if session is None else (False, session.id)


def _merge(work: Work, stays: NotebookRow, goes: NotebookRow, origin: Origin) -> None:
    # What is left open here is the younger one, since the other notebook has an open session then.
    session = open_session_of(work, goes)
    if session is not None:
        close(work, goes, session, origin, f"the notebook is the same file as {stays.path}")
    for row in work.select(SESSIONS_OF_NOTEBOOK, goes.id):
        row.notebook_id = stays.id
        work.save(row)
    _take_over_sums(work, stays, goes)
    for envelope in work.select(CEILINGS_OF, _CEILING, goes.id):
        _move_ceiling(work, envelope, stays.id)
    for alias in work.select(ALIASES_OF_NOTEBOOK, goes.id):
        alias.notebook_id = stays.id
        work.save(alias)
    work.add(NotebookAliasRow(goes.id, stays.id))
    record(work, LEDGER_CHAIN, stays, origin, "join", detail={"notebook": goes.id, "into": stays.id})
    stays.seq = max(stays.seq, goes.seq)
    work.remove(goes)
    work.touch(stays)


def _take_over_sums(work: Work, stays: NotebookRow, goes: NotebookRow) -> None:
    stays.closed_sessions += goes.closed_sessions
    stays.closed_spent += goes.closed_spent
    goes.closed_sessions = goes.closed_spent = 0
    if goes.session_id is None or goes.closed_at is None:
        return
    if stays.closed_at is None or stays.closed_at < goes.closed_at:
        stays.closed_at, stays.closed_budget = goes.closed_at, goes.closed_budget
        latest = None if stays.session_id is None else work.get(SessionRow, stays.session_id)
        if latest is None or latest.closed_at is not None:
            stays.session_id = goes.session_id
    goes.session_id, goes.closed_at, goes.closed_budget = None, None, 0


def _move_ceiling(work: Work, envelope: EnvelopeRow, notebook_id: str) -> None:
    """What counts against one notebook's ceiling counts against the same ceiling of another one from now on."""
    id = envelope_id(_CEILING, notebook_id, envelope.name, envelope.period)
    balances = work.select(BALANCES_OF, envelope.id)
    charges = work.select(CHARGES_IN, envelope.id)
    sessions = work.select(SESSIONS_IN, envelope.id)
    if work.find(EnvelopeRow, id) is None:
        work.add(EnvelopeRow(id, _CEILING, envelope.name, envelope.period, envelope.ceiling, notebook_id))
    for balance in balances:
        total = work.balance(id, balance.period_start)
        total.spent += balance.spent
        total.held += balance.held
        total.charges += balance.charges
        balance.spent = balance.held = balance.charges = 0
        work.save(total)
        work.save(balance)
    for charge in charges:
        # Settled later or corrected, it must count where its amount is now.
        charge.envelopes = _replaced(charge.envelopes, envelope.id, id)
        work.save(charge)
    for session in sessions:
        session.outer_envelopes = _replaced(session.outer_envelopes, envelope.id, id)
        work.save(session)


def _replaced(envelopes: str, old: str, new: str) -> str:
    return " ".join(dict.fromkeys(new if id == old else id for id in envelopes.split()))
