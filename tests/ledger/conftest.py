from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.ledger.base import Ledger
from tests.ledger.kit import Backend


@pytest.fixture(params=["memory", "sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Every backend in turn: they all keep the same contract."""
    made = Backend("memory", "memory://", durable=False) if request.param == "memory" else sqlite_backend(tmp_path)
    yield made
    made.close()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Backend]:
    made = sqlite_backend(tmp_path)
    yield made
    made.close()


@pytest.fixture(params=["sqlite"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Every backend that outlives its process."""
    made = sqlite_backend(tmp_path)
    yield made
    made.close()


@pytest.fixture
def ledger(backend: Backend) -> Ledger:
    return backend.open()


def sqlite_backend(folder: Path) -> Backend:
    path = folder / "ledger.db"

    def run_sql(text: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(text)

    return Backend("sqlite", f"sqlite:///{path}", run_sql=run_sql)
