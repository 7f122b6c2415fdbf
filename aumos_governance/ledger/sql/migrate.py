"""The creation and upgrade of a ledger's tables, which `open_ledger` does with Alembic when it opens a database."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from ...errors import LedgerVersionError
from .statements import Statements

_log = logging.getLogger(__name__)

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005")
"""The ids of all migrations, oldest first. They are listed here so that a ledger without need of an upgrade is opened
without importing Alembic, which takes longer than all the rest."""
_JOINED: Final = "0003"
"""The migration that made its file the identity of a notebook. Before it, one file could be several notebooks."""
VERSION_TABLE: Final = "ledger_version"
SCRIPTS: Final = Path(__file__).parent.parent / "migrations"


def migrate(connection: Connection, name: str, statements: Statements) -> None:
    """Create the tables, or upgrade them to this version; do nothing if they are up to date.

    ``connection`` must be in a transaction that excludes all other writers; the caller commits it. ``name`` is the
    ledger's name in messages. Raises LedgerVersionError if a newer version of this package made the tables.
    """
    version = _version(connection)
    if version == REVISIONS[-1]:
        return
    if version is not None and version not in REVISIONS:
        raise LedgerVersionError(
            f"The ledger {name} was written by a newer version of aumos-governance (schema {version}; this"
            f" version supports {REVISIONS[-1]}); upgrade aumos-governance."
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    # Alembic reads options with ConfigParser, which interpolates percent signs.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    if version is not None and version < _JOINED:
        from .joining import join_marked

        driver = connection.connection.driver_connection
        assert driver is not None
        with closing(driver.cursor()) as cursor:
            join_marked(cursor, statements)
    _log.info("The ledger %s has schema %s now (before: %s).", name, REVISIONS[-1], version or "none")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant
    return None if found is None else str(found)
