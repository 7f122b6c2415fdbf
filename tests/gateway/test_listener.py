"""The gateway's server: the port that it listens on, and its start and stop."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator

import pytest

from tests.gateway.gateway_server import GatewayServer
from tests.gateway.raw import requested
from tests.integrations.endpoint.server import Endpoint


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def free_port() -> int:
    """Return a free port that no program gets that leaves the choice to the operating system."""
    for port in range(20_000, 30_000):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise AssertionError("There is no free port.")


def test_a_gateway_listens_on_the_port_that_is_wanted(endpoint: Endpoint) -> None:
    wanted = free_port()
    with GatewayServer(endpoint, port=wanted) as server:
        assert server.port == wanted
        assert requested(server).status == 200


def test_a_gateway_whose_port_is_taken_listens_on_another_one(endpoint: Endpoint, taken: int) -> None:
    with GatewayServer(endpoint, port=taken) as server:
        assert server.port not in (0, taken)
        assert requested(server).status == 200


@pytest.mark.skipif(sys.platform != "linux", reason="Only Linux has all addresses of the loopback network.")
def test_a_gateway_listens_on_the_loopback_interface_alone(server: GatewayServer) -> None:
    # Another address of the machine's loopback network shows that the gateway does not listen on all interfaces.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=5)


def test_a_gateway_starts_once(server: GatewayServer) -> None:
    with pytest.raises(RuntimeError):
        server.gateway.start()
    assert requested(server).status == 200


def test_a_gateway_that_never_started_or_has_stopped_can_be_stopped(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint) as server:
        server.gateway.stop()
        server.gateway.stop()
        server.gateway.end_streams("key1")
        with pytest.raises(ConnectionRefusedError):
            requested(server)
    never = GatewayServer(endpoint)
    never.gateway.end_streams("key1")
    never.gateway.stop()
    never.service.stop_waiting()
    never.ledger.close()
