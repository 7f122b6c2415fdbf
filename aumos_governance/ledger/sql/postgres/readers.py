"""A pool of connections to PostgreSQL that only read, for queries and verifications."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg

from ..store import Cursor
from .connections import Connection, PostgresServer, roll_back
from .errors import is_lost, translated
from .snapshot import PostgresSnapshot

_MOST_IDLE: Final = 4
_BEGIN: Final = b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_CHUNK: Final = 500 if psycopg.pq.version() >= 170_000 else 1
"""How many rows a streamed query fetches at once. Only libpq 17 and newer can fetch more than one."""


class PostgresReaders:
    """A pool of connections. It lends each connection to one reader at a time, in a read-only transaction.

    Any thread may be a reader. The pool keeps up to four idle connections.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._idle: deque[Connection] = deque()
        self._closed = False

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """Lend a cursor for queries. All its queries read the committed state of one moment."""
        with self._lent() as connection:
            yield _ReadingCursor(connection.cursor())

    @contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """Lend a snapshot of the committed state for a verification."""
        with self._lent() as connection:
            yield PostgresSnapshot(connection)

    @contextmanager
    def _lent(self) -> Iterator[Connection]:
        connection = self._reader()
        try:
            yield connection
        except psycopg.Error as error:
            raise translated(self._server.name, error, lost=is_lost(error, connection)) from error
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close the pool: idle connections now, and connections in use as soon as their readers return them."""
        self._closed = True
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()

    def _reader(self) -> Connection:
        while True:
            fresh = not self._idle
            try:
                connection = self._server.connect() if fresh else self._idle.pop()
            except IndexError:
                # Another thread took the last idle connection meanwhile.
                continue
            try:
                connection.execute(_BEGIN)
            except psycopg.Error as error:
                connection.close()
                # An idle connection may have been cut long ago, so the next one is tried.
                if fresh:
                    raise translated(self._server.name, error, lost=True) from error
            else:
                return connection

    def _give_back(self, connection: Connection) -> None:
        roll_back(connection)
        if not connection.closed and not self._closed and len(self._idle) < _MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()


class _ReadingCursor:
    """A cursor that executes a statement only when its rows are fetched.

    Then the result is either fetched as a whole, or streamed if the cursor is iterated, without loading all rows.
    """

    def __init__(self, cursor: psycopg.Cursor[tuple[Any, ...]]) -> None:
        self._cursor: Any = cursor
        self._sent: tuple[str, Sequence[Any]] | None = None

    def execute(self, text: str, values: Sequence[Any] = ()) -> Any:
        self._sent = (text, values)

    def executemany(self, text: str, rows: Any) -> Any:
        raise TypeError("a reading cursor does not write")

    def fetchone(self) -> Any:
        return self._run().fetchone()

    def fetchall(self) -> Any:
        return self._run().fetchall()

    def __iter__(self) -> Any:
        stored, self._sent = self._sent, None
        assert stored is not None
        return self._cursor.stream(*stored, size=_CHUNK)

    def _run(self) -> Any:
        if self._sent is not None:
            stored, self._sent = self._sent, None
            self._cursor.execute(*stored)
        return self._cursor
