"""The end of a cell waits for the responses to the requests that the cell has posted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.events import EventManager, available_events

from aumos_governance.engine import GovernanceAction
from aumos_governance.kernel.engine import notebook_engine
from aumos_governance.kernel.engine.notebook_engine import NotebookEngine
from aumos_governance.kernel.requests.client import Client
from aumos_governance.kernel.requests.connection import Connection
from aumos_governance.kernel.transports.waiter import Waiter
from aumos_governance.wire.protocol import WireRequest
from tests.kernel.fake_transport import FakeTransport

ALLOWED = {
    "outcome": "allow",
    "reasons": [],
    "record_id": "r",
    "amount": "1",
    "tool": "gpt-4o",
    "code": None,
    "charge_id": "h",
    "overrun": False,
    "level": 3,
}


class Reluctant(FakeTransport):
    """A fake server that responds to a settlement only when a thread waits for the response."""

    def __init__(self) -> None:
        super().__init__(self._decide)
        self.waited_for = threading.Event()

    def wait(self, waiter: Waiter, seconds: float) -> None:
        if self.of("settle"):
            self.waited_for.set()
        super().wait(waiter, seconds)

    def _decide(self, request: WireRequest) -> dict[str, Any]:
        if request.op == "settle":
            assert self.waited_for.wait(20)
            return {"ok": True}
        return {"ok": True, "hold_id": "h", "decision": ALLOWED}


@pytest.fixture
def transport() -> Iterator[Reluctant]:
    made = Reluctant()
    yield made
    made.waited_for.set()


@pytest.fixture
def shell(transport: Reluctant, monkeypatch: pytest.MonkeyPatch) -> Any:
    client = Client(transport, incarnation="n-1")
    monkeypatch.setattr(notebook_engine, "connect", lambda shell: Connection(client, 0))
    shell = SimpleNamespace()
    shell.events = EventManager(shell, available_events)
    return shell


def test_the_end_of_a_cell_waits_for_what_the_cell_posted(transport: Reluctant, shell: Any) -> None:
    engine = NotebookEngine(shell)
    grant = engine.begin(GovernanceAction("bot", budget_amount=1, tool="gpt-4o", kind="call"))
    ending = engine.resolve_soon(grant, 10**9, estimated=False)
    assert ending is not None
    responded: list[bool] = []
    ending.then(lambda: responded.append(True))
    assert responded == [], "the cell's own code goes on"
    shell.events.trigger("post_run_cell", None)
    assert responded == [True]
