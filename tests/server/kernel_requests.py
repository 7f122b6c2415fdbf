"""Wire requests as a kernel sends them, and the caller of them."""

from __future__ import annotations

import logging
import time
from typing import Any

from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.service.service import Caller

LOG = logging.getLogger("conversation")


NOTEBOOK = NotebookKey("ada", "/root", "a.ipynb")


def request(op: str, request_id: str = "a1", ttl: float = 60, **body: Any) -> dict[str, Any]:
    return {"id": request_id, "op": op, "exp": time.time() + ttl, **body}


HELLO = request("hello", "h", version="1", python="3", incarnation="i-1")


def identify(incarnation: str) -> Caller:
    return Caller(NOTEBOOK, scope="kernel:k", incarnation=incarnation)
