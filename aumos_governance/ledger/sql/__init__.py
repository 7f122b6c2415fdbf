"""The ledger on SQLite or PostgreSQL: its statements are compiled by SQLAlchemy Core and executed by the driver itself.

The functions here open a ledger for `ledger.open_ledger` and `ledger.reading.open_reader`.
"""

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
    """Open the ledger in a SQLite file; create or upgrade the file if needed.

    ``location`` is the URL's part after ``sqlite://``, for example ``/relative/path``. The other arguments are those of
    `open_ledger`.
    """
    return _open(SqliteDatabase(_path(location), server), clock, on_commit)


def open_postgres(
    url: str, *, clock: Clock = system_clock, on_commit: OnCommit | None = None, server: str | None = None
) -> SqlLedger:
    """Open the ledger in a PostgreSQL database; create or upgrade its tables if needed.

    ``url`` is a connection URI of libpq: ``postgresql://user@host/database``. The other arguments are those of
    `open_ledger`.
    """
    with _psycopg_named():
        from .postgres.database import PostgresDatabase
    return _open(PostgresDatabase(url, server), clock, on_commit)


def read_sqlite(location: str) -> SqlReader:
    """Open a ledger in an existing SQLite file only for reading.

    ``location`` is the URL's part after ``sqlite://``, for example ``/relative/path``.
    """
    from .reading import SqlReader
    from .sqlite.file import SqliteFile

    return SqlReader(SqliteFile(_path(location)))


def read_postgres(url: str) -> SqlReader:
    """Open an existing ledger in a PostgreSQL database only for reading.

    ``url`` is a connection URI of libpq: ``postgresql://user@host/database``.
    """
    from .reading import SqlReader

    with _psycopg_named():
        from .postgres.reading import ReadOnlyPostgres
    return SqlReader(ReadOnlyPostgres(url))


@contextmanager
def _psycopg_named() -> Iterator[None]:
    """Return a context in which a failed import of psycopg raises ConfigurationError, with the package to install."""
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
