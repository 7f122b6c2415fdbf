"""A new last column, added as docs/developing.md describes, is no fault to a verification."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.transaction import schema
from tests.ledger.kit import state
from tests.ledger.postgres_server import PostgresServer
from tests.ledger.proof import wider
from tests.ledger.rich import rich_in_memory

TABLES = [name for name in schema.tables if name != "audit"]


@pytest.mark.parametrize(
    ("backend", "kind"),
    [("memory", "BIGINT"), ("memory", "TEXT"), ("sqlite", "BIGINT"), ("postgresql", "BIGINT")],
)
def test_tables_that_got_one_more_column_verify(
    backend: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = "memory://"
    statements = wider.widening(TABLES, kind)
    if backend == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        open_ledger(url).close()
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
            connection.executescript(statements)
    if backend == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        name = server.create()
        url = server.url(name)
        open_ledger(url).close()
        server.execute(statements, name)
    # In a process of its own, since each process declares the tables once.
    command = [sys.executable, wider.__file__, url, kind]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    with rich_in_memory() as ledger:
        expected = wider.found(ledger, state(ledger).session_id)
    assert [problems for problems, _ in expected] == [[], [], [], []]
    assert json.loads(ran.stdout) == expected
