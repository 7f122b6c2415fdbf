from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.house import House
from tests.integrations.endpoint.server import Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A provider on the loopback interface."""
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def house(endpoint: Endpoint) -> Iterator[House]:
    """A gateway with a budget of 5 USD; nothing may be left held in it when the test is over."""
    with House(endpoint) as house:
        yield house
        assert house.spent >= 0
