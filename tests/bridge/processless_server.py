"""A governance server without a process, with a clock that tests set."""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager, nullcontext

from aumos_governance.errors import UnavailableError
from aumos_governance.kernel.transports.transport import Receiver
from aumos_governance.kernel.transports.waiter import Waiter
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.server.kernels.conversation import Conversation, InlineExecutor
from aumos_governance.server.kernels.presence import Departures, Presence
from aumos_governance.service.service import Caller, NotebookService
from aumos_governance.wire.protocol import WireRequest, requests_message

LOG = logging.getLogger("clocks")


NOTEBOOK = NotebookKey("ada", "/root", "a.ipynb")


class Server:
    """A governance server without a process, and the transport to it; its time is set by tests."""

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
            readers=InlineExecutor(),
            settle=lambda: None,
            log=LOG,
            clock=self.now,
        )
        self.requested: list[str] = []

    def now(self) -> float:
        return time.time() + self.ahead

    def connect(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send(self, request: WireRequest, *, urgent: bool = False) -> None:
        self.requested.append(request.op)
        self.conversation.receive(requests_message([request]), self.receiver)

    def wait(self, waiter: Waiter, seconds: float) -> None:
        waiter.sleep(seconds)

    def awaited(self) -> AbstractContextManager[None]:
        return nullcontext()

    def withdraw(self, request_id: str) -> bool:
        return False

    def silence(self, seconds: float) -> UnavailableError:
        return UnavailableError("silent")
