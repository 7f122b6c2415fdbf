"""A ledger on a database that is only read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Protocol

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from ...errors import LedgerError, LedgerVersionError, NotFoundError
from ..base import AnswerT_co, Query, VerifyResult
from ..clock import system_clock
from .database import Readings
from .filesystem import network_filesystem
from .migrate import REVISIONS, VERSION_TABLE
from .reads import Reader
from .statements import Statements
from .store import Cursor

__all__ = ["ReadOnly", "SqlReader", "SqliteFile"]

_BUSY_SECONDS: Final = 10
_PLACES: Final = "SELECT DISTINCT owner, root FROM notebooks ORDER BY owner, root"
_VERSION: Final = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 - a constant


class ReadOnly(Readings, Protocol):
    """A database that nothing is written to."""

    name: str

    def has(self, table: str) -> bool: ...

    def close(self) -> None: ...


class SqliteFile:
    """A SQLite file that exists; each reading has a connection of its own. Raises NotFoundError for no such file."""

    def __init__(self, path: Path) -> None:
        kind = network_filesystem(path)
        if kind is not None:
            raise LedgerError(f"The ledger {path} lies on a network file system ({kind}), where SQLite is not safe.")
        if not path.is_file():
            raise NotFoundError(f"There is no ledger {path}.")
        self.name = str(path)
        self.statements = Statements(SQLiteDialect_pysqlite(paramstyle="qmark"))
        # Not mode=ro, which leaves SQLite's side files behind where nobody else has the file open. This mode makes
        # no database either, and reads where it may not write.
        self._uri = f"{path.as_uri()}?mode=rw"

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        try:
            with closing(
                sqlite3.connect(self._uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
            ) as connection:
                connection.execute("PRAGMA query_only=ON")
                connection.execute("BEGIN")
                with closing(connection.cursor()) as cursor:
                    yield cursor
        except sqlite3.Error as error:
            raise LedgerError(f"The ledger {self.name} cannot be read: {error}.") from error

    def has(self, table: str) -> bool:
        with self.reading() as cursor:
            cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
            return cursor.fetchone() is not None

    def close(self) -> None:
        """Nothing stays open."""


class SqlReader:
    """A `LedgerReader`; raises NotFoundError where there is no ledger, LedgerVersionError for another version's."""

    def __init__(self, database: ReadOnly) -> None:
        self.name = database.name
        self._database = database
        self._reader = Reader(database, system_clock)
        try:
            self._check()
        except BaseException:
            database.close()
            raise

    def read(self, query: Query[AnswerT_co]) -> AnswerT_co:
        found: AnswerT_co = self._reader.answer(query)
        return found

    def places(self) -> tuple[tuple[str, str], ...]:
        with self._database.reading() as cursor:
            cursor.execute(_PLACES, ())
            return tuple((owner, root) for owner, root in cursor.fetchall())

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        return self._reader.verify(session_id, known_head, under)

    def close(self) -> None:
        self._database.close()

    def _check(self) -> None:
        if not self._database.has(VERSION_TABLE):
            raise NotFoundError(f"There is no ledger in {self.name}.")
        with self._database.reading() as cursor:
            cursor.execute(_VERSION, ())
            (version,) = cursor.fetchone() or (None,)
        if version != REVISIONS[-1]:
            how = "a server that is started on it upgrades it" if version in REVISIONS else "upgrade aumos-governance"
            raise LedgerVersionError(
                f"The ledger {self.name} has schema {version}, and this version of aumos-governance reads"
                f" {REVISIONS[-1]}; {how}."
            )
