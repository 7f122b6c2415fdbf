"""Queries on a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from ...errors import InvalidRequestError, NotFoundError
from ..base import (
    AuditQuery,
    AuditSums,
    CountAudit,
    ListStates,
    NotebookKey,
    Query,
    ReadState,
    SessionState,
    VerifyResult,
)
from ..chain import LEDGER_CHAIN, AuditRow
from ..clock import Clock
from ..content import check_text
from ..cursors import check_limit
from ..files import file_of, sort_key
from ..lists import READERS
from ..operations.states import build_state, seen_from
from ..rows import EnvelopeRow, NotebookRow, SessionRow, columns
from ..verify import ChainEnd, Walk, walk_all
from ..work import Work
from .audit_reads import AuditReads
from .audit_sums import SumReads
from .database import Readings
from .scope import scope
from .store import Cursor, SqlStore

__all__ = ["Reader"]

_NOTEBOOK, _SESSION, _ENVELOPE = (len(columns[kind]) for kind in (NotebookRow, SessionRow, EnvelopeRow))


class Reader:
    """Answers queries, each in one consistent view."""

    def __init__(self, database: Readings, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._audit = AuditReads(database.statements.dialect)
        self._readers: Final[dict[type[Query[Any]], Callable[[Cursor, Any], Any]]] = {
            ReadState: self._read_state,
            ListStates: self._list_states,
            AuditQuery: self._audit.page,
            CountAudit: self._audit.count,
            AuditSums: SumReads(database.statements.dialect).sums,
        }

    def answer(self, query: Query[Any]) -> Any:
        """Raises InvalidRequestError for a query that is not known."""
        shared = READERS.get(type(query))
        if shared is not None:
            with self._database.reading() as cursor:
                work = Work(SqlStore(cursor, self._database.statements))
                work.now = self._clock()
                return shared(work, query)
        read = self._readers.get(type(query))
        if read is None:
            raise InvalidRequestError(f"The ledger does not know the query {type(query).__name__}.")
        with self._database.reading() as cursor:
            return read(cursor, query)

    def verify(
        self, session_id: str | None, known_head: str | None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        """Walk one session's chain, or all chains, those of one owner and root or everyone's."""
        statements = self._database.statements
        walk = Walk(known_head)
        with self._database.reading() as cursor:
            cursor.execute(statements.chain_ends)
            ends = {name: ChainEnd(count, head) for name, count, head in cursor.fetchall()}
            own = None if under is None else scope(*under)
            if own is not None:
                ends = self._narrow(cursor, walk, ends, own)
            if session_id is None:
                ledger = _stream(cursor, statements.one_chain, (LEDGER_CHAIN,))
                if own is not None:
                    return walk_all(walk, ledger, _stream(cursor, statements.chains_of_server, own), ends)
                sessions = _stream(cursor, statements.other_chains, (LEDGER_CHAIN,))
                as_written = statements.as_written and _stream(cursor, statements.as_written, (LEDGER_CHAIN,))
                return walk_all(walk, ledger, sessions, ends, as_written or None)
            if session_id not in ends:
                raise NotFoundError(f"There is no session {session_id!r}.")
            walk.chain(session_id, _stream(cursor, statements.one_chain, (session_id,)), ends[session_id])
            return walk.result(walked_all=False)

    def _narrow(
        self, cursor: Cursor, walk: Walk, ends: dict[str, ChainEnd], under: tuple[str, ...]
    ) -> dict[str, ChainEnd]:
        cursor.execute(self._database.statements.notebooks_of_server, under)
        walk.notebooks = {id for (id,) in cursor.fetchall()}
        cursor.execute(self._database.statements.sessions_of_server, under)
        own = {LEDGER_CHAIN, *(id for (id,) in cursor.fetchall())}
        return {name: end for name, end in ends.items() if name in own}

    def _read_state(self, cursor: Cursor, query: ReadState) -> SessionState:
        key = query.notebook
        check_text(key.owner, key.root, key.path)
        place = (key.owner, file_of(key.root, key.path))
        cursor.execute(self._database.statements.state_at, place)
        values = cursor.fetchone()
        if values is not None:
            state = _state(values)
            return state if state.notebook == key else replace(state, notebook=key)
        cursor.execute(self._database.statements.last_seq, place)
        return SessionState(NotebookKey(key.owner, key.root, key.path), int(cursor.fetchone()[0]))

    def _list_states(self, cursor: Cursor, query: ListStates) -> tuple[SessionState, ...]:
        check_limit(query.limit)
        check_text(query.owner, query.root, query.after)
        after = sort_key(query.root, query.after)
        values = (*scope(query.owner, query.root), after, query.limit)
        cursor.execute(self._database.statements.list_states, values)
        return tuple(seen_from(query.root, _state(found)) for found in cursor.fetchall())


def _stream(cursor: Cursor, text: str, values: tuple[Any, ...]) -> Iterator[AuditRow]:
    # Lazy, since all records of a ledger may be more than fit into memory.
    cursor.execute(text, values)
    # Not "yield from", which would close the cursor when a walk is left early, maybe after its connection.
    for row in cursor:  # noqa: UP028
        yield row


def _state(values: tuple[Any, ...]) -> SessionState:
    notebook = NotebookRow(*values[:_NOTEBOOK])
    if notebook.session_id is None:
        return build_state(notebook, None, None, 0, 0)
    rest = values[_NOTEBOOK:]
    session = SessionRow(*rest[:_SESSION])
    envelope = EnvelopeRow(*rest[_SESSION : _SESSION + _ENVELOPE])
    spent, held = rest[_SESSION + _ENVELOPE :]
    return build_state(notebook, session, envelope, spent or 0, held or 0)
