"""A ledger's database in PostgreSQL, opened only for reading."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from ..statements import Statements
from .connections import PostgresServer
from .readers import PostgresReaders


class ReadOnlyPostgres(PostgresReaders):
    """A `ReadOnlyDatabase` in PostgreSQL: all its transactions are read-only. ``url`` is a connection URI of libpq."""

    def __init__(self, url: str) -> None:
        server = PostgresServer(url)
        super().__init__(server)
        self.name = server.name
        self.statements = Statements(PGDialect_psycopg(paramstyle="format"))  # type: ignore[no-untyped-call]

    def has(self, table: str) -> bool:
        with self.reading() as cursor:
            cursor.execute("SELECT to_regclass(%s)", (table,))
            return cursor.fetchone()[0] is not None
