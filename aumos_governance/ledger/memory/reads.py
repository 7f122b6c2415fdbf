"""The execution of queries on the ledger in memory, by scanning all rows. Databases must return the same results."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter, itemgetter
from typing import Any, Final

from ...errors import InvalidRequestError
from ..commit.dispatch import Clock, reader_of
from ..contract.audit_facts import AuditPage, AuditSum
from ..contract.facts import NotebookKey, SessionState
from ..contract.queries import DECISIONS, AuditFilters, AuditQuery, AuditSums, CountAudit, ListStates, Query, ReadState
from ..operations.balances import seen_from, state_at, state_of
from ..rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN, NO_NOTEBOOK, NO_OUTCOME, AuditRow, entry
from ..rules.cursors import check_limit, read_cursor, write_cursor
from ..rules.files import file_of, lies_in, sort_key
from ..rules.sums import sum_name
from ..transaction.rows import NotebookRow
from ..transaction.work import Work
from .store import MemoryStore

_AT, _CHAIN, _SEQ, _NOTEBOOK_ID = (AUDIT_COLUMNS.index(name) for name in ("at", "chain", "seq", "notebook_id"))
_TEXT_COLUMNS: Final = tuple(
    AUDIT_COLUMNS.index(name)
    for name in ("tool", "agent_id", "actor", "notebook", "reasons", "detail", "action_type", "resource")
)


def read(store: MemoryStore, query: Query[Any], clock: Clock) -> Any:
    """Execute a query on the rows of ``store`` and return its result.

    ``clock`` returns the current time in microseconds. Raises InvalidRequestError for an unknown class of queries.
    """
    shared = reader_of(query)
    if shared is not None:
        work = Work(store)
        work.now = clock()
        return shared(work, query)
    read = _READERS.get(type(query))
    if read is None:
        raise InvalidRequestError(f"The ledger does not know the query {type(query).__name__}.")
    return read(store, query)


def _read_state(store: MemoryStore, query: ReadState) -> SessionState:
    return state_at(Work(store), query.notebook)


def _list_states(store: MemoryStore, query: ListStates) -> tuple[SessionState, ...]:
    check_limit(query.limit)
    work = Work(store)
    found = [
        notebook
        for notebook in store.live(query.owner, query.root)
        if notebook.session_id is not None and notebook.file > sort_key(query.root, query.after)
    ]
    return tuple(seen_from(query.root, state_of(work, notebook)) for notebook in found[: query.limit])


def _audit(store: MemoryStore, query: AuditQuery) -> AuditPage:
    check_limit(query.limit)
    position: tuple[Any, ...] | None = read_cursor(query)
    matches = _matcher(store, query)
    if query.session_id is None:
        rows = store.audit
        order: tuple[int, ...] = (_AT, _CHAIN, _SEQ)
    else:
        # Records of one chain are sorted by their numbers, since their times may be wrong if the clock was set back.
        rows, order = store.chains.get(query.session_id, []), (_SEQ, _SEQ)
        position = None if position is None else (position[2], position[2])
    place = itemgetter(*order)
    found = sorted((row for row in rows if matches(row)), key=place, reverse=not query.oldest_first)
    if position is not None:
        found = [row for row in found if place(row) != position and (place(row) > position) == query.oldest_first]
    page = found[: query.limit]
    more = len(found) > len(page)
    last = page[-1] if page else None
    return AuditPage(
        tuple(entry(row) for row in page),
        write_cursor(query, (last[_AT], last[_CHAIN], last[_SEQ])) if more and last is not None else None,
    )


def _count(store: MemoryStore, query: CountAudit) -> int:
    return len(_matching(store, query))


def _sums(store: MemoryStore, query: AuditSums) -> tuple[AuditSum, ...]:
    name = sum_name(query.by)
    found: dict[str, list[AuditRow]] = {}
    for row in _matching(store, query):
        if (key := name(row)) is not None:
            found.setdefault(key, []).append(row)
    spent, outcome = AUDIT_COLUMNS.index("spent_delta"), AUDIT_COLUMNS.index("outcome")
    sums = [
        AuditSum(key, len(rows), sum(row[outcome] == "deny" for row in rows), sum(row[spent] for row in rows))
        for key, rows in found.items()
    ]
    return tuple(sorted(sums, key=attrgetter("name")))


def _matching(store: MemoryStore, query: AuditFilters) -> list[AuditRow]:
    matches = _matcher(store, query)
    rows = store.audit if query.session_id is None else store.chains.get(query.session_id, [])
    return [row for row in rows if matches(row)]


def _matcher(store: MemoryStore, query: AuditFilters) -> Callable[[AuditRow], bool]:
    wanted: dict[int, object] = {}
    for name, value in (
        ("agent_id", query.agent_id),
        ("event", query.event),
        ("tool", query.tool),
        ("action_type", query.action_type),
        ("resource", query.resource),
        ("outcome", None if query.outcome is None else query.outcome.value),
    ):
        if value is not None:
            wanted[AUDIT_COLUMNS.index(name)] = value
    event, outcome = AUDIT_COLUMNS.index("event"), AUDIT_COLUMNS.index("outcome")
    text = None if query.text is None else _lower(query.text)
    ids = None if query.notebook is None else store.aliases(_notebook_id(store, query.notebook))

    def matches(row: AuditRow) -> bool:
        if query.session_id is None and row[_CHAIN] == LEDGER_CHAIN and row[event] in ("open", "close"):
            # Openings and closings are in the sessions' own chains as well.
            return False
        if query.since is not None and row[_AT] < query.since:
            return False
        if query.until is not None and row[_AT] >= query.until:
            return False
        if ids is not None and row[_NOTEBOOK_ID] not in ids:
            return False
        if any(row[column] != value for column, value in wanted.items()):
            return False
        if query.decisions and (row[event] not in DECISIONS or row[outcome] == NO_OUTCOME):
            return False
        if query.outcome is not None and row[event] == "ask":
            # Earlier versions recorded an approval request as allowed.
            return False
        if query.under is not None and not _lies_under(store, row, query.under):
            return False
        return text is None or any(row[column] and text in _lower(row[column]) for column in _TEXT_COLUMNS)

    return matches


def _lies_under(store: MemoryStore, row: AuditRow, under: tuple[str, str]) -> bool:
    notebook = store.tables[NotebookRow].get((row[_NOTEBOOK_ID],))
    return isinstance(notebook, NotebookRow) and lies_in(notebook, *under)


def _notebook_id(store: MemoryStore, key: NotebookKey) -> str:
    file = file_of(key.root, key.path)
    live = store.notebook_at(key.owner, file)
    if live is not None:
        return live.id
    deleted = store.deleted_at(key.owner, file)
    # A path that never had a notebook matches no record, not even the records without a notebook.
    return max(deleted, key=attrgetter("deleted_at", "id")).id if deleted else NO_NOTEBOOK


_UPPER_TO_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def _lower(text: str) -> str:
    # Only ASCII letters, which all databases change to lower case in the same way.
    return text.translate(_UPPER_TO_LOWER)


_READERS: Final[dict[type[Query[Any]], Callable[[MemoryStore, Any], Any]]] = {
    ReadState: _read_state,
    ListStates: _list_states,
    AuditQuery: _audit,
    CountAudit: _count,
    AuditSums: _sums,
}
