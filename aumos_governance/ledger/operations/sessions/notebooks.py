"""The operations on notebooks: move, delete and list them, and join two that turn out to be the same file.

The ledger may know one file as two notebooks: through a symbolic link, through the root folders of two servers of which
one lies in the other, or through the names that an earlier version of this package used.
"""

from __future__ import annotations

from operator import attrgetter

from ....errors import InvalidRequestError
from ...contract.budgets import EnvelopeKind
from ...contract.facts import NotebookKey, Origin
from ...contract.queries import ListNotebooks
from ...contract.requests import DeleteNotebook, JoinNotebooks, MoveNotebook
from ...rules.chain import LEDGER_CHAIN, check_text
from ...rules.files import file_of, path_below
from ...transaction.rows import EnvelopeRow, NotebookAliasRow, NotebookRow, SessionRow
from ...transaction.selections import (
    ALIASES_OF_NOTEBOOK,
    BALANCES_OF,
    CEILINGS_OF,
    CHARGES_IN,
    NOTEBOOKS_OF_OWNER,
    SESSIONS_IN,
    SESSIONS_OF_NOTEBOOK,
)
from ...transaction.work import Work, record
from ..balances import envelope_id, open_session_of, with_id_replaced
from ..registry import operation, reader
from .sessions import close

_CEILING = EnvelopeKind.NOTEBOOK.value


@operation(MoveNotebook)
def move_notebook(work: Work, request: MoveNotebook) -> int:
    """Execute `MoveNotebook`: store the new path of a notebook, or of all notebooks in a folder.

    Returns the number of notebooks that were moved.
    """
    old, new = request.old, request.new
    if new == old:
        return 0
    if new.startswith(f"{old}/"):
        raise InvalidRequestError(f"The folder {old!r} cannot be moved into itself, to {new!r}.")
    moved: list[NotebookRow] = []
    # Sorted by path, so that a/b has left its path before a/b/c takes it.
    source, target = file_of(request.root, old), file_of(request.root, new)
    for notebook in work.notebooks_under(request.owner, source):
        # The stored root does not change, so that a server of that root still finds the notebook by its path.
        path = path_below(notebook.root, target + notebook.file[len(source) :])
        replaced = work.notebook(NotebookKey(request.owner, notebook.root, path))
        if replaced is not None:
            _remove(work, replaced, request.origin, "another notebook was moved to its path")
            notebook.seq = max(notebook.seq, replaced.seq)
        work.relocate(notebook, notebook.root, path)
        moved.append(notebook)
    return len(moved)


@operation(DeleteNotebook)
def delete_notebook(work: Work, request: DeleteNotebook) -> int:
    """Execute `DeleteNotebook`: mark a notebook, or all notebooks in a folder, as deleted; return their number."""
    gone = work.notebooks_under(request.owner, file_of(request.root, request.path))
    for notebook in gone:
        _remove(work, notebook, request.origin, "the notebook was deleted")
    return len(gone)


def _remove(work: Work, notebook: NotebookRow, origin: Origin, why: str) -> None:
    session = open_session_of(work, notebook)
    if session is not None:
        close(work, notebook, session, origin, why)
    work.remove(notebook)


@operation(JoinNotebooks)
def join_notebooks(work: Work, request: JoinNotebooks) -> int:
    """Execute `JoinNotebooks`: join the two notebooks of each pair into one.

    If the ledger does not know a pair's second notebook, the first is renamed to it instead. Returns the number of
    notebooks that were joined or renamed.
    """
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
    """Return a sort key; of two notebooks that are joined, the notebook with the lower key stays.

    The notebook with the older open session stays; if no session is open, the older notebook stays. Ids rise with time.
    """
    session = open_session_of(work, notebook)
    return (True, notebook.id) if session is None else (False, session.id)


def _merge(work: Work, stays: NotebookRow, goes: NotebookRow, origin: Origin) -> None:
    # A session that is open here is the younger of two, since `_rank` keeps the notebook with the older open session.
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
    """Move the balances, charges and sessions under a notebook's ceiling to the same ceiling of another notebook.

    ``envelope`` is the ceiling of the notebook that is joined to the notebook with the id ``notebook_id``.
    """
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
        # A later settlement or correction must change the balance that includes the charge now.
        charge.envelopes = with_id_replaced(charge.envelopes, envelope.id, id)
        work.save(charge)
    for session in sessions:
        session.outer_envelopes = with_id_replaced(session.outer_envelopes, envelope.id, id)
        work.save(session)


@reader(ListNotebooks)
def list_notebooks(work: Work, query: ListNotebooks) -> tuple[NotebookKey, ...]:
    """Execute `ListNotebooks`: return the keys of an owner's notebooks, sorted by file, without deleted ones."""
    check_text(query.owner)
    rows = sorted(work.select(NOTEBOOKS_OF_OWNER, query.owner), key=attrgetter("file"))
    return tuple(NotebookKey(row.owner, row.root, row.path) for row in rows)
