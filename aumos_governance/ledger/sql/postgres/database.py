"""A ledger's database in PostgreSQL, which several servers may share: its write transactions, and their repetition.

A transaction locks all its rows at its start (see `locking`), and is repeated if it turns out to need others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final, TypeVar

import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ....errors import LedgerError
from ...contract.requests import Request
from ...rules.chain import AUDIT_COLUMNS, AuditRow
from ...transaction.rows import ChainRow
from ...transaction.work import Work
from ..locking import LockingStore, Name, NotingWork, UsedRows
from ..migrate import REVISIONS, VERSION_TABLE, migrate
from ..statements import Statements
from ..store import Cursor
from .connections import Connection, PostgresServer, roll_back
from .errors import conflicts, contended, is_lost, not_confirmed, spares_others, translated
from .readers import PostgresReaders
from .snapshot import PostgresSnapshot

_T = TypeVar("_T")

_ATTEMPTS: Final = 20
"""How many times a transaction is attempted at most, if it conflicts with other transactions or needs more locks."""
_MIGRATION_LOCK: Final = int.from_bytes(b"aumosgov", "big")
_ATTENDING: Final = int.from_bytes(b"aumo", "big")
_WHO_ATTENDS: Final = """
SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid::bigint = %s AND objsubid = 2
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_BEGIN: Final = b"BEGIN ISOLATION LEVEL READ COMMITTED"
_COMMIT: Final = b"COMMIT"
_SEQ, _HASH = AUDIT_COLUMNS.index("seq"), AUDIT_COLUMNS.index("hash")


class _IncompleteError(Exception):
    """Raised if a transaction loaded rows that it had not locked, and must be repeated; has the names of these rows."""

    def __init__(self, names: set[Name]) -> None:
        super().__init__(f"{len(names)} rows were not locked")
        self.names = names


class _LostError(Exception):
    """Raised if the connection was lost and the transaction on it was not committed; has the driver's error."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__("the connection was lost")
        self.error = error


class PostgresDatabase:
    """A `Database` in PostgreSQL. Before a request gets its response, its changes are on the database's disk.

    ``url`` is a connection URI of libpq; ``server`` is the name under which `attending` lists this server, if any.
    """

    at_once = False

    def __init__(self, url: str, server: str | None = None) -> None:
        self._server = PostgresServer(url)
        self._server_number = None if server is None else int(server, 16)
        self.statements = Statements(PGDialect_psycopg(paramstyle="format"))  # type: ignore[no-untyped-call]
        self._used_rows = UsedRows()
        self._readers = PostgresReaders(self._server)
        self._closed = False
        self._writer: Connection | None = None

    def migrate(self) -> None:
        """Create the tables, or upgrade them, if needed. Another program that does the same at this moment waits."""
        with self.reading() as cursor:
            if _is_current(cursor):
                return
        engine = create_engine("postgresql+psycopg://", creator=self._connect_for_migration, poolclass=NullPool)
        try:
            with engine.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _MIGRATION_LOCK})
                migrate(connection, self._server.name, self.statements)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.Error):
                raise translated(self._server.name, error.orig, lost=error.connection_invalidated) from error.orig
            raise
        finally:
            engine.dispose()

    def perform(self, requests: Sequence[Request[Any]], do: Callable[[Work], _T]) -> _T:
        names = self._used_rows.names(requests)
        attempts = losses = 0
        while True:
            attempts += 1
            try:
                return self._attempt(names, do)
            except _IncompleteError as incomplete:
                names |= incomplete.names
                if attempts == _ATTEMPTS:
                    raise contended(self._server.name) from None
            except _LostError as lost:
                # An idle connection may have been cut long ago, so a new one is tried, once.
                losses += 1
                if losses == 2:
                    raise translated(self._server.name, lost.error, lost=True) from lost.error
            except psycopg.Error as error:
                if attempts == _ATTEMPTS or not conflicts(error):
                    raise translated(self._server.name, error, lost=False) from error

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        try:
            with _transaction(self._connected()) as cursor:
                yield cursor
        except psycopg.Error as error:
            lost = is_lost(error, self._writer)
            if lost:
                self._drop()
            raise translated(self._server.name, error, lost=lost) from error

    def reading(self) -> AbstractContextManager[Cursor]:
        return self._readers.reading()

    def snapshot(self) -> AbstractContextManager[PostgresSnapshot]:
        return self._readers.snapshot()

    def attending(self) -> frozenset[str]:
        with self.reading() as cursor:
            cursor.execute(_WHO_ATTENDS, (_ATTENDING,))
            return frozenset(f"{number:08x}" for (number,) in cursor.fetchall())

    def would_fail_again(self, error: LedgerError) -> bool:
        return error.__cause__ is not None and not spares_others(error.__cause__)

    def close(self) -> None:
        self._closed = True
        self._readers.close()
        self._drop()

    # ---- the writer

    def _attempt(self, names: set[Name], do: Callable[[Work], _T]) -> _T:
        connection = self._connected()
        ended: tuple[NotingWork, LockingStore, _T] | None = None
        try:
            # A pipeline sends the writes together with the commit, and receives their results together.
            with connection.pipeline() as pipeline, _drained(pipeline), connection.cursor() as cursor:
                cursor.execute(_BEGIN)
                store = LockingStore(connection.cursor, self.statements)
                store.lock(names)
                work = NotingWork(store)
                ended = (work, store, _complete(store, work, do))
                cursor.execute(_COMMIT)
        except BaseException as error:
            roll_back(connection)
            if not (isinstance(error, psycopg.Error) and is_lost(error, connection)):
                raise
            self._drop()
            if ended is None or ended[1].last_record is None or not self._was_committed(ended[1].last_record, error):
                raise _LostError(error) from error
        self._used_rows.learn(ended[0])
        return ended[2]

    def _was_committed(self, record: AuditRow, error: psycopg.Error) -> bool:
        """Whether a transaction was committed although the connection was lost during its commit.

        It was committed if the database has ``record``, the transaction's last audit record. Raises NotConfirmedError
        if this cannot be queried; its message quotes ``error``, with which the connection was lost.
        """
        try:
            return self._is_stored(record)
        except (LedgerError, _LostError):
            raise not_confirmed(self._server.name, error) from error

    def _is_stored(self, record: AuditRow) -> bool:
        try:
            with _transaction(self._connected()) as cursor:
                # The lost transaction may be about to commit. It holds this lock, so the statement waits for its end.
                cursor.execute(self.statements.lock[ChainRow], ([record[0]],))
                cursor.execute("SELECT hash FROM audit WHERE chain = %s AND seq = %s", (record[0], record[_SEQ]))
                found = cursor.fetchone()
        except psycopg.Error as error:
            self._drop()
            raise _LostError(error) from error
        return found is not None and found[0] == record[_HASH]

    def _connected(self) -> Connection:
        if self._closed:
            raise LedgerError("The ledger is closed.")
        if self._writer is None:
            writer = self._server.connect()
            if self._server_number is not None:
                # This lock lasts as long as the connection, so that a server that was killed does not hold it.
                writer.execute("SELECT pg_advisory_lock_shared(%s::int, %s::int)", (_ATTENDING, self._server_number))
            self._writer = writer
        return self._writer

    def _drop(self) -> None:
        connection, self._writer = self._writer, None
        if connection is not None:
            connection.close()

    def _connect_for_migration(self) -> Connection:
        connection = self._server.connect()
        connection.autocommit = False
        return connection


def _complete(store: LockingStore, work: Work, do: Callable[[Work], _T]) -> _T:
    """Call ``do`` with ``work`` and return its result; raise _IncompleteError if it loaded rows without a lock."""
    try:
        done = do(work)
    except psycopg.Error:
        raise
    except Exception as error:
        # Nothing is written after the first row without a lock, so this error may only be a consequence of that.
        if store.missed:
            raise _IncompleteError(store.missed) from error
        raise
    if store.missed:
        raise _IncompleteError(store.missed)
    return done


@contextmanager
def _drained(pipeline: psycopg.Pipeline) -> Iterator[None]:
    try:
        yield
    except psycopg.Error:
        # Reads the results of the statements that the server skipped after the error; otherwise psycopg logs a warning
        # for them at the end of the pipeline.
        with suppress(psycopg.Error):
            pipeline.sync()
        raise


@contextmanager
def _transaction(connection: Connection) -> Iterator[Cursor]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_BEGIN)
            yield cursor
            cursor.execute(_COMMIT)
    except BaseException:
        roll_back(connection)
        raise


def _is_current(cursor: Cursor) -> bool:
    cursor.execute("SELECT to_regclass(%s)", (VERSION_TABLE,))
    if cursor.fetchone()[0] is None:
        return False
    cursor.execute(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant
    return bool(cursor.fetchall() == [(REVISIONS[-1],)])
