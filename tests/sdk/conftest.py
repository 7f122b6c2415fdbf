from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aumos_governance import GovernanceConfig, GovernanceEngine
from tests.ledger.kit import Backend

MakeEngine = Callable[..., GovernanceEngine]


@pytest.fixture(params=["memory", "sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    url = "memory://" if request.param == "memory" else f"sqlite:///{tmp_path / 'engine.db'}"
    made = Backend(request.param, url, durable=request.param != "memory")
    yield made
    made.close()


@pytest.fixture
def make_engine(backend: Backend) -> MakeEngine:
    """Makes engines on one ledger, whose clock is the backend's."""
    ledger = backend.open()

    def make(config: GovernanceConfig | None = None) -> GovernanceEngine:
        return GovernanceEngine(config, ledger=ledger)

    return make


@pytest.fixture
def engine(make_engine: MakeEngine) -> GovernanceEngine:
    return make_engine()
