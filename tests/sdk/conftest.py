from __future__ import annotations

from collections.abc import Callable

import pytest

from aumos_governance import GovernanceConfig, GovernanceEngine
from tests.ledger.conftest import memory, postgres_database, postgres_server, postgresql, sqlite  # noqa: F401 - fixtures
from tests.ledger.kit import Backend

MakeEngine = Callable[..., GovernanceEngine]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend in turn: the SDK behaves the same on all."""
    made: Backend = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def make_engine(backend: Backend) -> MakeEngine:
    """Return a function that makes engines on one ledger with the backend's clock."""
    ledger = backend.open()

    def make(config: GovernanceConfig | None = None) -> GovernanceEngine:
        return GovernanceEngine(config, ledger=ledger)

    return make


@pytest.fixture
def engine(make_engine: MakeEngine) -> GovernanceEngine:
    return make_engine()
