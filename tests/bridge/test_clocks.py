"""A server whose clock is set while kernels ask: each ask is decided once, and the record stays whole."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest

from aumos_governance.errors import UnavailableError
from aumos_governance.kernel.requests.client import Client
from aumos_governance.kernel.transports.transport import Receiver
from aumos_governance.kernel.transports.waiter import Waiter
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.server.kernels.conversation import AtOnce, Conversation
from aumos_governance.server.kernels.presence import Departures, Presence
from aumos_governance.service.service import Caller, NotebookService
from aumos_governance.wire.protocol import Ask, asks_message

LOG = logging.getLogger("clocks")
NOTEBOOK = NotebookKey("ada", "/root", "a.ipynb")
HOUR = 3_600.0


class Server:
    """A server without a process: what it says and does, by a clock that tests set. Also the transport to it."""

    lossy = True

    def __init__(self) -> None:
        self.ahead = 0.0
        self.ledger = open_ledger("memory://", clock=lambda: int(self.now() * 1e6))
        service = NotebookService(self.ledger, clock=self.now)
        presence = Presence("k", Departures(self.ledger, LOG), lambda: None)
        self.conversation = Conversation(
            service,
            lambda incarnation: Caller(NOTEBOOK, "kernel:k", incarnation),
            presence,
            readers=AtOnce(),
            settle=lambda: None,
            log=LOG,
            clock=self.now,
        )
        self.asked: list[str] = []

    def now(self) -> float:
        return time.time() + self.ahead

    def connect(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send(self, ask: Ask, *, urgent: bool = False) -> None:
        self.asked.append(ask.op)
        self.conversation.receive(asks_message([ask]), self.receiver)

    def wait(self, waiter: Waiter, seconds: float) -> None:
        waiter.sleep(seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return nullcontext()

    def withdraw(self, ask_id: str) -> bool:
        return False

    def silence(self, seconds: float) -> UnavailableError:
        return UnavailableError("silent")


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.ledger.close()


@pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["back", "forward"])
def test_a_clock_that_is_set_changes_no_decision(server: Server, step: float) -> None:
    client = Client(server, incarnation="one")
    client.ask("open", {"budget": "5"})
    held = client.ask("hold", {"amount": "1"})["hold_id"]
    server.ahead = step
    assert client.ask("spend", {"amount": "1"})["state"]["spent"] == "1"
    assert client.ask("settle", {"hold_id": held, "amount": "0.5"})["state"]["spent"] == "1.5"
    assert client.ask("status")["state"]["held"] == "0"
    server.ahead = 0.0
    assert client.ask("spend", {"amount": "1"})["state"]["spent"] == "2.5"
    # Lists go by time; the chain goes by what came after what.
    records = sorted(client.ask("audit")["records"], key=lambda record: record["seq"])
    assert [record["event"] for record in records] == ["open", "hold", "spend", "settle", "spend"]
    assert server.ledger.verify().ok
    # After a step forward every ask looks too late, until a hello tells how far the clocks are apart.
    assert server.asked.count("hello") == (2 if step > 0 else 1)
