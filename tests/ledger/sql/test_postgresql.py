from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing as closed
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from aumos_governance.errors import ConfigurationError, LedgerError, LedgerVersionError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.sql import migrate
from aumos_governance.ledger.sql.postgres import connections
from aumos_governance.ledger.sql.postgres.connections import PostgresServer as Connector
from aumos_governance.ledger.transaction import schema
from tests.ledger.kit import Backend, opening
from tests.ledger.postgres_server import PostgresServer

# ---- URLs and connections


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_forms_of_a_url(postgresql: Backend, scheme: str) -> None:
    url = postgresql.url.replace("postgresql:", f"{scheme}:")
    with closed(open_ledger(url)) as ledger:
        assert ledger.execute(opening()).opened


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:secret@host:port/db", "postgresql://u:secret@host/db?colour=blue", "postgresql://u:secret%@"],
)
def test_a_url_that_cannot_be_read_is_refused_without_showing_the_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"write postgresql://user:password@host:port/database") as raised:
        open_ledger(url)
    assert "secret" not in "".join(map(repr, chain_of(raised.value)))


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_wrong_password_is_in_no_message(
    postgresql: Backend, postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    postgres_server.execute("CREATE ROLE guest LOGIN SUPERUSER PASSWORD 'right'")
    try:
        url = postgresql.url.replace("postgres@", "guest:wrong-secret@")
        with pytest.raises(
            LedgerError, match=r"cannot be reached \(.*guest.*\); nothing was acknowledged\.$"
        ) as raised:
            open_ledger(url)
        reported = "".join(map(repr, chain_of(raised.value))) + caplog.text
        assert "wrong-secret" not in reported
        with closed(open_ledger(url.replace("wrong-secret", "right"))) as ledger:
            assert ledger.execute(opening()).opened
    finally:
        postgres_server.execute("DROP ROLE guest")


def test_without_psycopg_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [name for name in sys.modules if name.startswith("aumos_governance.ledger.sql.postgres.database")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ConfigurationError, match=r"needs psycopg; install it with: pip install 'aumos-governance\[pos"):
        open_ledger("postgresql://host/db")


def test_what_each_connection_promises(postgresql: Backend, postgres_server: PostgresServer) -> None:
    name = postgresql.url.partition("?")[0].rpartition("/")[2]
    postgres_server.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    try:
        with closed(Connector(postgresql.url).connect()) as connection:
            shown = {
                name: connection.execute(f"SHOW {name}").fetchone()  # type: ignore[arg-type]
                for name in ("synchronous_commit", "lock_timeout", "statement_timeout", "client_encoding")
            }
        assert shown == {
            "synchronous_commit": ("on",),
            "lock_timeout": ("10s",),
            "statement_timeout": ("30s",),
            "client_encoding": ("UTF8",),
        }
    finally:
        postgres_server.execute(f"ALTER DATABASE {name} RESET synchronous_commit")


def test_an_old_server_is_refused(postgresql: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "OLDEST", 99)
    with pytest.raises(LedgerError, match=r"needs PostgreSQL 99 or newer, but postgresql:///\S+ is PostgreSQL \d\d\.$"):
        postgresql.open()


def test_a_database_that_cannot_hold_all_text_is_refused(postgres_server: PostgresServer) -> None:
    postgres_server.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(LedgerError, match=r"needs a database in UTF8, but postgresql:///latin\S+ is in LATIN1\.$"):
        open_ledger(postgres_server.url("latin"))


# ---- tables


@pytest.fixture
def fresh(postgres_server: PostgresServer) -> Iterator[Backend]:
    """A database without tables."""
    with closed(Backend("postgresql", postgres_server.url(postgres_server.create()))) as made:
        yield made


OPENER = """
import sys
from aumos_governance.ledger import open_ledger
print("ready", flush=True)
sys.stdin.readline()
open_ledger(sys.argv[1]).close()
"""


def test_programs_may_open_a_fresh_database_at_once(fresh: Backend) -> None:
    command = [sys.executable, "-c", OPENER, fresh.url]
    programs = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
        )
        for _ in range(3)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
    for program in programs:
        program.communicate("\n")
        assert program.returncode == 0
    assert fresh.open().verify().ok


def test_a_database_has_exactly_what_the_program_would_create(fresh: Backend, postgres_server: PostgresServer) -> None:
    fresh.open().close()
    other = postgres_server.url(postgres_server.create())
    direct = create_engine(other.replace("postgresql:", "postgresql+psycopg:"))
    schema.metadata.create_all(direct)
    direct.dispose()
    assert objects(fresh.url) == objects(other)
    migrated = create_engine(fresh.url.replace("postgresql:", "postgresql+psycopg:"))
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrate.VERSION_TABLE})
        assert compare_metadata(context, schema.metadata) == []
    migrated.dispose()


def objects(url: str) -> set[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, collation_name"
            " FROM information_schema.columns WHERE table_schema = 'public'"
        ).fetchall()
        indexes = connection.execute(
            "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        ).fetchall()
        keys = connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace"
        ).fetchall()
    return {found for found in (*columns, *indexes, *keys) if found[0] != migrate.VERSION_TABLE}


def test_a_database_of_a_newer_version_is_refused(fresh: Backend) -> None:
    fresh.open().close()
    with psycopg.connect(fresh.url) as connection:
        connection.execute(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'")  # type: ignore[arg-type]
    with pytest.raises(LedgerVersionError, match=r"written by a newer version .*; upgrade aumos-governance"):
        fresh.open()


def test_opening_a_current_database_does_not_import_alembic(postgresql: Backend) -> None:
    code = (
        "import sys, aumos_governance.ledger as ledger; ledger.open_ledger(sys.argv[1]).close();"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, postgresql.url], check=True)
