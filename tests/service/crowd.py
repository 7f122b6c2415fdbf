"""Many callers of a service whose bounded holds run together, and the checks of the ledger during that."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aumos_governance.ledger.contract.facts import NotebookKey, SessionState
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.service.callers import Caller
from aumos_governance.service.service import NotebookService
from aumos_governance.wire.protocol import WireRequest

NOTEBOOK = NotebookKey("ada", "/srv", "work/agents.ipynb")
BOUNDED = {"amount": "3", "least": "0.01", "waits_turn": 60, "tool": "claude"}
"""An agent's call with a worst case of $3, since it may produce 128,000 tokens."""


@dataclass
class Crowd:
    """The requests of many callers, and their responses in the order in which they come."""

    service: NotebookService
    notebook: NotebookKey = NOTEBOOK
    responses: queue.Queue[dict[str, Any]] = field(default_factory=queue.Queue)
    waits: set[str] = field(default_factory=set)
    """The ids of the requests for which a message stated that they wait."""
    sent: int = 0
    ending: set[str] = field(default_factory=set)
    """The ids of the requests, except holds, that have no response yet."""

    def send(self, op: str, id: str | None = None, *, caller: str = "agent", **body: Any) -> str:
        self.sent += 1
        id = id or f"r{self.sent}"
        if op != "hold":
            self.ending.add(id)
        request = WireRequest(id, op, time.time() + 120, body=body)
        self.service.submit(Caller(self.notebook, f"key:{caller}", f"{caller}:1"), request, self.responses.put)
        return id

    def receive(self) -> dict[str, Any]:
        """Return the next response."""
        while True:
            response = self.responses.get(timeout=60)
            if self._is_last(response):
                return response

    def arrived(self) -> dict[str, Any] | None:
        """Return the next response if it is there already."""
        while not self.responses.empty():
            response = self.responses.get()
            if self._is_last(response):
                return response
        return None

    def _is_last(self, response: dict[str, Any]) -> bool:
        if "waiting" not in response:
            self.ending.discard(response["id"])
            return True
        assert "needs" not in response["waiting"]
        self.waits.add(response["id"])
        return False

    def settled(self) -> None:
        """Receive all responses, except those of holds that were given up, which have none."""
        while self.ending:
            self.receive()

    def request(self, op: str, **body: Any) -> dict[str, Any]:
        id = self.send(op, **body)
        response = self.receive()
        assert response["id"] == id
        return response


class Watched:
    """A listener of a ledger that asserts after each commit that no budget is exceeded."""

    def __init__(self, ledger: Ledger) -> None:
        self.above: list[SessionState] = []
        self.end = ledger.subscribe(self._hear)

    def _hear(self, states: Iterable[SessionState]) -> None:
        self.above += [state for state in states if state.balance is not None and state.balance.over]
