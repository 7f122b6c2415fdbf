"""A ledger's database in SQLite: one file, which each commit syncs to the disk."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from ....errors import LedgerError, NotConfirmedError
from ...contract.requests import Request
from ...transaction.work import Work
from ..migrate import migrate
from ..statements import Statements
from ..store import Cursor, PrefetchingStore
from .attendance import Attendance
from .filesystem import network_filesystem
from .snapshot import ReadableSqlite

_T = TypeVar("_T")

BUSY_SECONDS: Final = 10
"""How many seconds a transaction waits for another process that writes to the same file.

This must be at least the lifetime of a request. Otherwise a copy of a request that is still queued could be executed
after its client got the error that nothing was done.
"""
_PAGE_BYTES: Final = 2048
"""The page size of a new file. A decision changes a few rows in each of a dozen pages, and writes all these pages. Half
of SQLite's default size makes a decision 8 to 13 % faster, and a sum over all records 10 % slower."""
_PAUSE: Final = (0.0005, 0.002)
"""The shortest and the longest of the random pauses between two attempts to begin a write transaction, in seconds."""
_IDLE_READERS: Final = 4


class SqliteDatabase(ReadableSqlite):
    """A `Database` in a SQLite file. Before a request gets its response, its changes are on the disk.

    For this the file is in WAL mode with ``synchronous=FULL``. ``server`` is the name under which `attending` lists
    this server, if any.
    """

    at_once = True

    def __init__(self, path: Path, server: str | None = None) -> None:
        self.path = path
        self.statements = Statements(SQLiteDialect_pysqlite(paramstyle="qmark"))
        self._prepare_file()
        self._idle: deque[sqlite3.Connection] = deque()
        self._busy = LedgerError(
            f"The ledger {path} was locked by another process for more than {BUSY_SECONDS} s; nothing was recorded."
        )
        self._closed = False
        self._attendance = Attendance(path)
        self._writer = self.connect(patient=False)
        if server is not None:
            try:
                self._attendance.begin(server)
            except LedgerError:
                self._writer.close()
                raise

    def connect(self, *, patient: bool = True) -> sqlite3.Connection:
        """Return a new connection with the ledger's settings.

        A ``patient`` connection waits for the locks of other processes with SQLite's own means. The writer's connection
        is not patient, since `begin_immediate` waits for it.
        """
        with self._translated():
            # A connection is used by one thread at a time, and may be closed by another thread.
            connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
            try:
                # This affects only a new file; an existing file keeps its page size.
                connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")
                (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
                if mode != "wal":
                    raise LedgerError(
                        f"The ledger {self.path} lies on a file system that SQLite cannot use safely; choose a local"
                        " folder, or PostgreSQL."
                    )
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA foreign_keys=ON")
                if not patient:
                    connection.execute("PRAGMA busy_timeout=0")
            except BaseException:
                connection.close()
                raise
        return connection

    def migrate(self) -> None:
        """Create the tables, or upgrade them, if needed. Another process that does the same at this moment waits."""
        engine = create_engine("sqlite://", creator=self.connect, poolclass=NullPool)
        with self._translated():
            try:
                with engine.connect() as connection:
                    begin_immediate(_driver(connection))
                    migrate(connection, str(self.path), self.statements)
                    _driver(connection).execute("COMMIT")
            except DBAPIError as error:
                if isinstance(error.orig, sqlite3.Error):
                    raise error.orig from error
                raise

    def perform(self, requests: Sequence[Request[Any]], do: Callable[[Work], _T]) -> _T:
        with self.writing() as cursor:
            return do(Work(PrefetchingStore(cursor, self.statements)))

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        connection = self._writer
        with self._translated():
            if connection.in_transaction:
                # A thread was interrupted, and interrupted again while it rolled its transaction back.
                connection.execute("ROLLBACK")
            try:
                begin_immediate(connection)
                # The cursor must be closed, since a closed connection stays open as long as one of its cursors.
                with closing(connection.cursor()) as cursor:
                    yield cursor
                self._commit(connection)
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _commit(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            # The disk reported no success, but the commit may be in the write-ahead log all the same.
            if "disk I/O" in str(error) and getattr(error, "sqlite_errorname", "SQLITE_IOERR") in _MAYBE_WRITTEN:
                raise NotConfirmedError(
                    f"The disk of the ledger {self.path} reported an error during a commit, so it is not confirmed that"
                    " the request was recorded; a spend or hold is reversed when the ledger can be written again."
                ) from error
            raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._translated():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self.connect()
                connection.execute("PRAGMA query_only=ON")
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if self._closed or len(self._idle) >= _IDLE_READERS:
                    connection.close()
                else:
                    self._idle.append(connection)

    def would_fail_again(self, error: LedgerError) -> bool:
        return error.args == self._busy.args

    def attending(self) -> frozenset[str]:
        return self._attendance.names()

    def close(self) -> None:
        self._closed = True
        self._attendance.end()
        while self._idle:
            with suppress(IndexError, sqlite3.Error):
                self._idle.pop().close()
        with suppress(sqlite3.Error):
            self._writer.close()

    def _prepare_file(self) -> None:
        kind = network_filesystem(self.path)
        if kind is not None:
            raise LedgerError(
                f"The ledger {self.path} would lie on a network file system ({kind}), where SQLite can lose data;"
                " choose a local folder, or PostgreSQL."
            )
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Created here, and not by SQLite, so that no other user can read it at any moment.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise LedgerError(f"The ledger {self.path} cannot be opened: {error.strerror}.") from error

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _error(self, error: sqlite3.Error) -> LedgerError:
        text = str(error)
        if "locked" in text or "busy" in text:
            return LedgerError(self._busy.message)
        for sign, problem in _PROBLEMS.items():
            if sign in text:
                return LedgerError(f"The ledger {self.path} {problem}; nothing was recorded.")
        return LedgerError(f"The ledger {self.path} failed: {text}; nothing was recorded.")


_MAYBE_WRITTEN: Final = ("SQLITE_IOERR", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC")
"""The names of SQLite's errors of a failed write or sync, after which the write-ahead log may contain the commit."""
_PROBLEMS: Final = {
    "disk is full": "cannot be written, since the disk is full",
    "disk I/O error": "cannot be read or written: the disk reports an error",
    "readonly": "cannot be written, since the file or its folder is read-only",
    "unable to open": "cannot be opened",
    "malformed": "is damaged; restore it from a backup",
    "not a database": "is not a database file",
}


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def begin_immediate(connection: sqlite3.Connection) -> None:
    """Begin a write transaction; wait up to `BUSY_SECONDS` while other processes write.

    Raises sqlite3.OperationalError after that time. SQLite's own pauses between attempts grow to 100 ms, so a process
    that has just begun to wait overtakes a process that has waited long. Here all processes make the same short pauses.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= deadline:
                raise
            time.sleep(random.uniform(*_PAUSE))  # noqa: S311 - not a secret
        else:
            return
