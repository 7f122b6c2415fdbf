"""The ledger on SQLite or PostgreSQL, with statements compiled by SQLAlchemy Core."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigurationError
from ..commit.dispatch import Clock, system_clock
from .ledger import OnCommit, SqlLedger
from .sqlite.database import SqliteDatabase

if TYPE_CHECKING:
    from .postgres.database import PostgresDatabase
    from .reading import SqlReader


def open_sqlite(
    location: str, *, clock: Clock = system_clock, on_commit: OnCommit | None = None, server: str | None = None
) -> SqlLedger:
    """Open the ledger in a SQLite file, for `open_ledger`; ``location`` is the URL's part after ``sqlite://``."""
    return _open(SqliteDatabase(_path(location), server), clock, on_commit)


def open_postgres(
    url: str, *, clock: Clock = system_clock, on_commit: OnCommit | None = None, server: str | None = None
) -> SqlLedger:
    """Open the ledger in a PostgreSQL database, for `open_ledger`; ``url`` is a connection URI of libpq."""
    with _psycopg_named():
        from .postgres.database import PostgresDatabase
    return _open(PostgresDatabase(url, server), clock, on_commit)


def read_sqlite(location: str) -> SqlReader:
    """Open a ledger in a SQLite file for reading, for `open_reader`; ``location`` is the URL's part after ``sqlite://``."""
    from .reading import SqlReader
    from .sqlite.file import SqliteFile

    return SqlReader(SqliteFile(_path(location)))


def read_postgres(url: str) -> SqlReader:
    """Open a ledger in a PostgreSQL database for reading, for `open_reader`; ``url`` is a connection URI of libpq."""
    from .reading import SqlReader

    with _psycopg_named():
        from .postgres.reading import ReadOnlyPostgres
    return SqlReader(ReadOnlyPostgres(url))


@contextmanager
def _psycopg_named() -> Iterator[None]:
    """Return a context that raises ConfigurationError, with the package to install, if psycopg is missing."""
    try:
        yield
    except ImportError as error:
        if (error.name or "psycopg").partition(".")[0] != "psycopg":
            raise
        raise ConfigurationError(
            "A ledger in PostgreSQL needs psycopg; install it with: pip install 'aumos-governance[postgres]'"
        ) from error


def _open(database: PostgresDatabase | SqliteDatabase, clock: Clock, on_commit: OnCommit | None) -> SqlLedger:
    try:
        database.migrate()
    except BaseException:
        database.close()
        raise
    return SqlLedger(database, clock=clock, on_commit=on_commit)


def _path(location: str) -> Path:
    name = location[1:]
    if not location.startswith("/") or name in ("", ":memory:") or "?" in name:
        raise ConfigurationError(
            f"'sqlite://{location}' names no file; use sqlite:///relative/path, sqlite:////absolute/path, or memory://."
        )
    # Made absolute, since a notebook may change the working directory later.
    return Path(name).expanduser().absolute()
