"""A server whose clock is set while kernels make requests: each request is decided once, and the records stay valid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aumos_governance.kernel.requests.client import Client
from tests.bridge.processless_server import Server

HOUR = 3_600.0


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.ledger.close()


@pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["back", "forward"])
def test_a_clock_that_is_set_changes_no_decision(server: Server, step: float) -> None:
    client = Client(server, incarnation="one")
    client.request("open", {"budget": "5"})
    held = client.request("hold", {"amount": "1"})["hold_id"]
    server.ahead = step
    assert client.request("spend", {"amount": "1"})["state"]["spent"] == "1"
    assert client.request("settle", {"hold_id": held, "amount": "0.5"})["state"]["spent"] == "1.5"
    assert client.request("status")["state"]["held"] == "0"
    server.ahead = 0.0
    assert client.request("spend", {"amount": "1"})["state"]["spent"] == "2.5"
    # Lists are ordered by time, but a chain by the order in which records were made.
    records = sorted(client.request("audit")["records"], key=lambda record: record["seq"])
    assert [record["event"] for record in records] == ["open", "hold", "spend", "settle", "spend"]
    assert server.ledger.verify().ok
    # After a step forward every request seems too late, until a hello states the difference of the clocks.
    assert server.requested.count("hello") == (2 if step > 0 else 1)
