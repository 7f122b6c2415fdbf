"""PostgreSQL beneath the ledger: many servers may share one database."""

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
from ..locking import LockingStore, Name, TrailedWork, Trails
from ..migrate import REVISIONS, VERSION_TABLE, migrate
from ..statements import Statements
from ..store import Cursor
from .connections import Connection, PostgresServer, roll_back
from .errors import conflicts, contended, is_lost, not_confirmed, spares_others, translated
from .readers import PostgresReaders
from .snapshot import PostgresSnapshot

__all__ = ["PostgresDatabase"]

_T = TypeVar("_T")

_ATTEMPTS: Final = 20
"""How often a transaction is tried that others get in the way of."""
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
    """Rows were met that had not been locked: their names."""

    def __init__(self, names: set[Name]) -> None:
        super().__init__(f"{len(names)} rows were not locked")
        self.names = names


class _LostError(Exception):
    """The connection was lost, and with it a transaction that was not committed."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__("the connection was lost")
        self.error = error


class PostgresDatabase:
    """A database whose commits are on its disk when they are acknowledged."""

    at_once = False

    def __init__(self, url: str, server: str | None = None) -> None:
        self._server = PostgresServer(url)
        self._name = None if server is None else int(server, 16)
        self.statements = Statements(PGDialect_psycopg(paramstyle="format"))  # type: ignore[no-untyped-call]
        self._trails = Trails()
        self._readers = PostgresReaders(self._server)
        self._closed = False
        self._writer: Connection | None = None

    def migrate(self) -> None:
        """Create or upgrade the tables; another program that does the same at this moment waits."""
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
        names = self._trails.names(requests)
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
                # A connection that was idle may have been cut long ago; so a fresh one is tried, once.
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

    def hopeless(self, error: LedgerError) -> bool:
        return error.__cause__ is not None and not spares_others(error.__cause__)

    def close(self) -> None:
        self._closed = True
        self._readers.close()
        self._drop()

    # ---- the writer

    def _attempt(self, names: set[Name], do: Callable[[Work], _T]) -> _T:
        connection = self._connected()
        ended: tuple[TrailedWork, LockingStore, _T] | None = None
        try:
            # In a pipeline what is written goes out together with the commit, and comes back in one response.
            with connection.pipeline() as pipeline, _swept(pipeline), connection.cursor() as cursor:
                cursor.execute(_BEGIN)
                store = LockingStore(connection.cursor, self.statements)
                store.lock(names)
                work = TrailedWork(store)
                ended = (work, store, _complete(store, work, do))
                cursor.execute(_COMMIT)
        except BaseException as error:
            roll_back(connection)
            if not (isinstance(error, psycopg.Error) and is_lost(error, connection)):
                raise
            self._drop()
            if ended is None or ended[1].proof is None or not self._is_there(ended[1].proof, error):
                raise _LostError(error) from error
        self._trails.learn(ended[0])
        return ended[2]

    def _is_there(self, record: AuditRow, error: psycopg.Error) -> bool:
        """Like `_has`; raises NotConfirmedError where that cannot be found out."""
        try:
            return self._has(record)
        except (LedgerError, _LostError):
            raise not_confirmed(self._server.name, error) from error

    def _has(self, record: AuditRow) -> bool:
        """Whether an audit record was committed by a transaction whose connection is lost."""
        try:
            with _transaction(self._connected()) as cursor:
                # That transaction has this lock, and may be about to commit.
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
            if self._name is not None:
                # Kept for as long as the connection is, and so by no server that was killed.
                writer.execute("SELECT pg_advisory_lock_shared(%s::int, %s::int)", (_ATTENDING, self._name))
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
    try:
        done = do(work)
    except psycopg.Error:
        raise
    except Exception as error:
        # What was written after the first missing row was not stored, so anything may have gone wrong.
        if store.missed:
            raise _IncompleteError(store.missed) from error
        raise
    if store.missed:
        raise _IncompleteError(store.missed)
    return done


@contextmanager
def _swept(pipeline: psycopg.Pipeline) -> Iterator[None]:
    try:
        yield
    except psycopg.Error:
        # Takes in what the server skipped after the error; the end of the pipeline would complain of it in the log.
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
