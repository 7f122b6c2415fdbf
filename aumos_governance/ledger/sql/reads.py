"""The execution of queries and verifications on a database, for `SqlLedger` and `SqlReader`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from ...errors import InvalidRequestError
from ..commit.dispatch import Clock, reader_of
from ..contract.audit_facts import VerifyResult
from ..contract.facts import NotebookKey, SessionState
from ..contract.queries import AuditQuery, AuditSums, CountAudit, ListStates, Query, ReadState
from ..operations.balances import build_state, seen_from
from ..rules.chain import check_text
from ..rules.cursors import check_limit
from ..rules.files import file_of, sort_key
from ..transaction.rows import EnvelopeRow, NotebookRow, SessionRow
from ..transaction.tables import columns
from ..transaction.work import Work
from .audit_reads import AuditReads
from .audit_sums import SumReads
from .database import ReadableDatabase
from .selections import scope
from .store import Cursor, SqlStore

_NOTEBOOK, _SESSION, _ENVELOPE = (len(columns[kind]) for kind in (NotebookRow, SessionRow, EnvelopeRow))


class Reader:
    """An executor of queries and verifications on one database. Each reads the committed state of one moment."""

    def __init__(self, database: ReadableDatabase, clock: Clock) -> None:
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

    def read(self, query: Query[Any]) -> Any:
        """Execute a query and return its result. Raises InvalidRequestError for an unknown class of queries."""
        shared = reader_of(query)
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
        """Verify the chains and tables, as `Ledger.verify` describes, and return the result."""
        from ..proof.evidence import Scope
        from ..proof.verification import verify
        from .proof_reads import SqlEvidence

        scope = Scope(session_id, under)
        with self._database.snapshot() as snapshot:
            return verify(SqlEvidence(snapshot, self._database.statements, scope), scope, known_head)

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


def _state(values: tuple[Any, ...]) -> SessionState:
    notebook = NotebookRow(*values[:_NOTEBOOK])
    if notebook.session_id is None:
        return build_state(notebook, None, None, 0, 0)
    rest = values[_NOTEBOOK:]
    session = SessionRow(*rest[:_SESSION])
    envelope = EnvelopeRow(*rest[_SESSION : _SESSION + _ENVELOPE])
    spent, held = rest[_SESSION + _ENVELOPE :]
    return build_state(notebook, session, envelope, spent or 0, held or 0)
