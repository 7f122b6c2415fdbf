"""A client of the service, for tests."""

from __future__ import annotations

import json
import time
from typing import Any

from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.service.service import Caller, NotebookService
from aumos_governance.wire.protocol import Cell, WireRequest

NOTEBOOK = NotebookKey("ada", "/srv", "work/agents.ipynb")
CALLER = Caller(NOTEBOOK, "kernel:k1", "n1")


class ServiceClient:
    """A kernel's side of the conversation with the service, whose requests wait for their response."""

    def __init__(self, service: NotebookService, caller: Caller = CALLER) -> None:
        self.service, self.caller, self.sent = service, caller, 0

    def __call__(self, op: str, **body: Any) -> dict[str, Any]:
        self.sent += 1
        return self.send(WireRequest(f"{self.caller.scope}-{self.sent}", op, time.time() + 10, Cell("c1", 3), body))

    def send(self, request: WireRequest) -> dict[str, Any]:
        responses: list[dict[str, Any]] = []
        self.service.submit(self.caller, request, responses.append)
        assert len(responses) == 1, "each ask gets exactly one answer"
        assert responses[0]["id"] == request.id
        return json.loads(json.dumps(responses[0]))
