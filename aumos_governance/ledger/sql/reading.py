"""`SqlReader`, which reads a ledger on a database without writing, for programs other than its server."""

from __future__ import annotations

from typing import Final, Protocol

from ...errors import LedgerVersionError, NotFoundError
from ..commit.dispatch import system_clock
from ..contract.audit_facts import VerifyResult
from ..contract.queries import Query
from ..contract.requests import ResponseT_co
from .database import ReadableDatabase
from .migrate import REVISIONS, VERSION_TABLE
from .reads import Reader

_PLACES: Final = "SELECT DISTINCT owner, root FROM notebooks ORDER BY owner, root"
_VERSION: Final = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608 - a constant


class ReadOnlyDatabase(ReadableDatabase, Protocol):
    """A database that is opened only for reading."""

    name: str
    """The database's name in messages: its file's path, or its URL without user and password."""

    def has(self, table: str) -> bool:
        """Whether the database has a table of this name."""
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class SqlReader:
    """A `LedgerReader` on SQLite or PostgreSQL.

    The constructor raises NotFoundError if the database has no ledger, and LedgerVersionError if the tables are of
    another version; then it closes the database.
    """

    def __init__(self, database: ReadOnlyDatabase) -> None:
        self.name = database.name
        self._database = database
        self._reader = Reader(database, system_clock)
        try:
            self._check()
        except BaseException:
            database.close()
            raise

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        found: ResponseT_co = self._reader.read(query)
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
            how = "start a server on it to upgrade it" if version in REVISIONS else "upgrade aumos-governance"
            raise LedgerVersionError(
                f"The ledger {self.name} has schema {version}, and this version of aumos-governance reads"
                f" {REVISIONS[-1]}; {how}."
            )
