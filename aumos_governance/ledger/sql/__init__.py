"""The ledger on a database, by SQLAlchemy Core."""

from __future__ import annotations

from pathlib import Path

from ...errors import ConfigurationError
from ..clock import Clock, system_clock
from .ledger import SqlLedger
from .sqlite import SqliteDatabase

__all__ = ["open_sqlite"]


def open_sqlite(location: str, *, clock: Clock = system_clock) -> SqlLedger:
    """The ledger in the file that the URL names after ``sqlite://``; see `open_ledger`."""
    path = _path(location)
    database = SqliteDatabase(path)
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
