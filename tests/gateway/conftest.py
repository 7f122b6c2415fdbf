from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.gateway_server import GatewayServer
from tests.integrations.endpoint.server import Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A fake provider on the loopback interface."""
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def server(endpoint: Endpoint) -> Iterator[GatewayServer]:
    """A gateway with a budget of 5 USD; at the end of the test all holds must have ended."""
    with GatewayServer(endpoint) as server:
        yield server
        assert server.spent >= 0
