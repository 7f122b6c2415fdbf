from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.transaction import schema
from tests.ledger.kit import Backend
from tests.ledger.postgres_server import PostgresServer, running_server

EMPTY = "".join(f"DELETE FROM {table.name};" for table in reversed(schema.metadata.sorted_tables))
EMPTY += "INSERT INTO chains (chain, count, head) VALUES ('ledger', 0, '');"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn, since all must fulfil the same contract."""
    made: Backend = request.getfixturevalue(request.param)
    return made


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Backend:
    """Each backend whose ledger outlives its process."""
    made: Backend = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def memory() -> Iterator[Backend]:
    with closing(Backend("memory", "memory://", durable=False)) as made:
        yield made


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Backend]:
    path = tmp_path / "ledger.db"

    def run_sql(text: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(text)

    with closing(Backend("sqlite", f"sqlite:///{path}", run_sql=run_sql)) as made:
        yield made


@pytest.fixture
def postgresql(postgres_server: PostgresServer, postgres_database: str) -> Iterator[Backend]:
    def run_sql(text: str) -> None:
        postgres_server.execute(text, postgres_database)

    with closing(Backend("postgresql", postgres_server.url(postgres_database), run_sql=run_sql)) as made:
        yield made
    run_sql(EMPTY)


@pytest.fixture
def ledger(backend: Backend) -> Ledger:
    return backend.open()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_database(postgres_server: PostgresServer) -> str:
    """One database for all tests, emptied after each: a hundred times faster than a new database for each test."""
    name = postgres_server.create()
    open_ledger(postgres_server.url(name)).close()
    return name
