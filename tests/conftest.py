"""The option ``--soak``: tests that search for rare failures run for minutes with it, and for seconds without."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes depends on the load of the machine, so hypothesis must not fail for it.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# So that programs and kernels that tests start still pass when the locked prices have become old.
os.environ.setdefault("PYTHONWARNINGS", "ignore:The models' prices are:UserWarning")

SOAK_TIMEOUT = 1_800


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="let the tests marked soak go on for minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--soak"):
        for item in items:
            if item.get_closest_marker("soak") is not None:
                item.add_marker(pytest.mark.timeout(SOAK_TIMEOUT))


@pytest.fixture(scope="session")
def soak(pytestconfig: pytest.Config) -> bool:
    """Whether the option ``--soak`` was given, so that a test may run long."""
    return bool(pytestconfig.getoption("--soak"))
