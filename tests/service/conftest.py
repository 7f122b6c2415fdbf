"""A kernel with a ledger in memory and a clock that only the test advances."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.conftest import (  # noqa: F401 - fixtures
    backend,
    database,
    memory,
    postgres_database,
    postgres_server,
    postgresql,
    sqlite,
)
from tests.service.acts import Clock, Kernel, served


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Iterator[Ledger]:
    ledger = open_ledger("memory://", clock=clock.micros)
    yield ledger
    ledger.close()


@pytest.fixture
def kernel(ledger: Ledger, clock: Clock) -> Iterator[Kernel]:
    service = served(ledger, clock)
    yield Kernel(service, clock)
    service.stop_waiting()


@pytest.fixture
def l3(kernel: Kernel) -> Kernel:
    kernel.request("open", trust_level=3, budget="5")
    return kernel
