"""The migrated tables are those that the program declares, and a newer file is refused."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing as closed
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from aumos_governance.errors import LedgerVersionError
from aumos_governance.ledger.rules.chain import AUDIT_COLUMNS
from aumos_governance.ledger.sql import migrate
from aumos_governance.ledger.transaction import schema
from aumos_governance.ledger.transaction.tables import ROWS, columns
from tests.ledger.kit import Backend


def test_the_migrations_make_the_tables_that_the_program_knows(sqlite: Backend) -> None:
    sqlite.open().close()
    engine = create_engine(sqlite.url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrate.VERSION_TABLE})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_a_file_has_exactly_what_the_program_would_create(sqlite: Backend, tmp_path: Path) -> None:
    sqlite.open().close()
    direct = tmp_path / "direct.db"
    engine = create_engine(f"sqlite:///{direct}")
    schema.metadata.create_all(engine)
    engine.dispose()
    assert objects(Path(sqlite.url.removeprefix("sqlite:///"))) == objects(direct)


def objects(path: Path) -> dict[str, str]:
    # Alembic's comparison leaves out the conditions of partial indexes; SQLite's own text has them.
    with closed(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"\s+", " ", sql) for name, sql in found if name != migrate.VERSION_TABLE}


def test_the_revisions_are_all_known() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [migrate.REVISIONS[-1]]
    assert tuple(found.revision for found in script.walk_revisions())[::-1] == migrate.REVISIONS


def test_rows_and_tables_have_the_same_columns() -> None:
    for kind in ROWS:
        assert tuple(schema.tables[kind.TABLE].c.keys()) == columns[kind]
        assert tuple(column.name for column in schema.tables[kind.TABLE].primary_key) == kind.KEY
    assert tuple(schema.audit.c.keys()) == AUDIT_COLUMNS


def test_a_ledger_of_a_newer_version_is_refused(sqlite: Backend) -> None:
    sqlite.open().close()
    assert sqlite.run_sql is not None
    sqlite.run_sql(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(LedgerVersionError, match=r"written by a newer version .*; upgrade aumos-governance"):
        sqlite.open()
