"""A ledger in PostgreSQL that is only read."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from ..statements import Statements
from ..store import Cursor
from .connections import PostgresServer
from .readers import PostgresReaders
from .snapshot import PostgresSnapshot

__all__ = ["PostgresReading"]


class PostgresReading:
    """Readings of a database: none of its connections can write."""

    def __init__(self, url: str) -> None:
        server = PostgresServer(url)
        self.name = server.name
        self.statements = Statements(PGDialect_psycopg(paramstyle="format"))  # type: ignore[no-untyped-call]
        self._readers = PostgresReaders(server)

    def reading(self) -> AbstractContextManager[Cursor]:
        return self._readers.reading()

    def snapshot(self) -> AbstractContextManager[PostgresSnapshot]:
        return self._readers.snapshot()

    def has(self, table: str) -> bool:
        with self.reading() as cursor:
            cursor.execute("SELECT to_regclass(%s)", (table,))
            return cursor.fetchone()[0] is not None

    def close(self) -> None:
        self._readers.close()
