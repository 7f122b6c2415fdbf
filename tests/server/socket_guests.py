"""Clients of the local socket in tests: a kernel that the bridge knows, and its end of a connection."""

from __future__ import annotations

import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.server.kernels.conversation import Conversation, InlineExecutor
from aumos_governance.server.kernels.presence import Departures, Presence
from aumos_governance.server.kernels.socket_peer import check_peer
from aumos_governance.service.service import Caller, NotebookService

__all__ = ["LOG", "Guest", "Kernels", "known_kernels", "message"]

LOG = logging.getLogger("local socket")


class Kernels:
    """A replacement for the bridge, with one kernel whose process has sent a hello with the nonce ``one``."""

    def __init__(self, service: NotebookService) -> None:
        self.service = service
        self.presence = Presence("k", Departures(service.ledger, LOG), lambda: None)
        self.presence.meet("one")
        self.process_id: int | None = os.getpid()

    def admit(self, kernel_id: str, nonce: str, connection: socket.socket) -> Conversation:
        self.presence.check(nonce)
        check_peer(connection, self.process_id)

        def identify(incarnation: str) -> Caller:
            return Caller(NotebookKey("ada", "/root", "a.ipynb"), f"kernel:{kernel_id}", incarnation)

        return Conversation(
            self.service, identify, self.presence, nonce=nonce, readers=InlineExecutor(), settle=lambda: None, log=LOG
        )


class Guest:
    """A kernel's end of a connection, on which tests send lines themselves."""

    def __init__(self, offer: dict[str, Any] | None) -> None:
        assert offer is not None
        self.offer = offer
        address = offer["address"]
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(20)
        try:
            self.socket.connect(address if isinstance(address, str) else tuple(address))
        except OSError:
            self.socket.close()
            raise
        self.lines = self.socket.makefile("rb")

    def send(self, message: object) -> None:
        self.socket.sendall(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")

    def receive(self) -> Any:
        line = self.lines.readline()
        return json.loads(line) if line else None

    def enter(self) -> Guest:
        self.send({"v": 1, "token": self.offer["token"]})
        assert self.receive() == {"v": 1, "ok": True}
        return self

    def request(self, op: str, **body: Any) -> Any:
        self.send(message(op, **body))
        (response,) = self.receive()["answers"]
        return response

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


def message(op: str, request_id: str = "a", **body: Any) -> dict[str, Any]:
    return {"v": 1, "asks": [{"id": request_id, "op": op, "exp": time.time() + 60, **body}]}


@contextmanager
def known_kernels() -> Iterator[Kernels]:
    """Yield the known kernels, with a ledger in memory."""
    ledger = open_ledger("memory://")
    yield Kernels(NotebookService(ledger))
    ledger.close()
