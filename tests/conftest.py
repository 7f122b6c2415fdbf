"""How long the tests that look for rare accidents go on: seconds in every run, minutes with ``--soak``."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

# How long examples take to draw depends on what else the machine does, and says nothing of the code.
settings.register_profile("tests", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# The programs and kernels that tests start pass as well when the locked prices have become old.
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
    """Whether to go on for long."""
    return bool(pytestconfig.getoption("--soak"))
