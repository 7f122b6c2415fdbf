"""The ledger on a database, by SQLAlchemy Core."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ConfigurationError
from ..clock import Clock, system_clock
from .ledger import SqlLedger
from .sqlite import SqliteDatabase

if TYPE_CHECKING:
    from .postgres import PostgresDatabase

__all__ = ["open_postgres", "open_sqlite"]


def open_sqlite(location: str, *, clock: Clock = system_clock) -> SqlLedger:
    """The ledger in the file that the URL names after ``sqlite://``; see `open_ledger`."""
    return _open(SqliteDatabase(_path(location)), clock)


def open_postgres(url: str, *, clock: Clock = system_clock) -> SqlLedger:
    """The ledger in the database that ``url`` names, as libpq reads it; see `open_ledger`."""
    try:
        from .postgres import PostgresDatabase
    except ImportError as error:
        if (error.name or "psycopg").partition(".")[0] != "psycopg":
            raise
        raise ConfigurationError(
            "A ledger in PostgreSQL needs psycopg; install it with: pip install 'aumos-governance[postgres]'"
        ) from error
    return _open(PostgresDatabase(url), clock)


def _open(database: PostgresDatabase | SqliteDatabase, clock: Clock) -> SqlLedger:
    try:
        database.migrate()
    except BaseException:
        database.close()
        raise
    return SqlLedger(database, clock=clock)


def _path(location: str) -> Path:
    name = location[1:]
    if not location.startswith("/") or name in ("", ":memory:") or "?" in name:
        raise ConfigurationError(
            f"'sqlite://{location}' names no file; use sqlite:///relative/path, sqlite:////absolute/path, or memory://."
        )
    # Absolute from here on: a notebook may change the working directory.
    return Path(name).expanduser().absolute()
