"""A kernel that requests governed actions, and the user who decides on them."""

from __future__ import annotations

import json
import queue
from typing import Any

from aumos_governance.ledger.contract.agreements import Approval, DecideApproval
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListApprovals
from aumos_governance.ledger.contract.requests import ChangeSession
from aumos_governance.ledger.contract.terms import SessionTerms
from aumos_governance.service.callers import Caller
from aumos_governance.service.service import NotebookService
from aumos_governance.wire.protocol import Cell, WireRequest

NOTEBOOK = NotebookKey("ada", "/srv", "work/agents.ipynb")
CALLER = Caller(NOTEBOOK, "kernel:k1", "k1:n1")
ADA = Origin("ada", person=True, scope="user:ada")
SHOWN = {"tool": "shell", "cost": "0.5", "code": "rm -r build"}


class Clock:
    """A clock that only the test advances."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def micros(self) -> int:
        return int(self.now * 1_000_000)


class Kernel:
    """A kernel's side of the conversation with the service, and the responses that it received."""

    def __init__(self, service: NotebookService, clock: Clock, caller: Caller = CALLER) -> None:
        self.service, self.clock, self.caller = service, clock, caller
        self.notices: queue.Queue[dict[str, Any]] = queue.Queue()
        self.sent = 0

    def send(self, op: str, request_id: str | None = None, *, lasts: float = 30, **body: Any) -> None:
        self.sent += 1
        request = WireRequest(request_id or f"a{self.sent}", op, self.clock.now + lasts, Cell("c1", 3), body)
        self.service.submit(self.caller, request, lambda response: self.notices.put(json.loads(json.dumps(response))))

    def receive(self) -> dict[str, Any]:
        return self.notices.get(timeout=20)

    def request(self, op: str, request_id: str | None = None, **body: Any) -> dict[str, Any]:
        self.send(op, request_id, **body)
        return self.receive()

    def act(self, request_id: str | None = None, *, lasts: float = 30, **body: Any) -> None:
        self.send("authorize", request_id, lasts=lasts, **{"amount": "0.5", "tool": "shell", "shown": SHOWN} | body)

    def waits(self) -> dict[str, Any]:
        """Receive the message that the action waits for a user, and return its content."""
        notices = self.receive()
        assert notices["ok"], notices
        waiting: dict[str, Any] = notices["waiting"]
        return waiting

    def silent(self) -> None:
        """Check everything that waits once more, and assert that no message comes."""
        self.service.governed_actions.watch.check()
        assert self.notices.empty(), self.notices.get()


def served(ledger: Ledger, clock: Clock) -> NotebookService:
    return NotebookService(ledger, clock=clock, monotonic=clock)


def pending(ledger: Ledger) -> tuple[Approval, ...]:
    return ledger.read(ListApprovals(owner="ada", root="/srv"))


def decide(ledger: Ledger, waiting: dict[str, Any], *, approve: bool = True) -> None:
    request = DecideApproval(
        key="", origin=ADA, approval_id=waiting["approval_id"], digest=waiting["digest"], approve=approve
    )
    ledger.execute(request)


def change(ledger: Ledger, **values: Any) -> None:
    ledger.execute(ChangeSession(key="", origin=ADA, notebook=NOTEBOOK, terms=SessionTerms(), **values))
