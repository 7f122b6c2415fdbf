"""A gateway between a client and a fake provider, with a ledger of the test's choice."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any

from aumos_governance.gateway.contract import Holder, Upstream
from aumos_governance.gateway.listener import Gateway
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.service.callers import Caller
from aumos_governance.service.service import NotebookService
from aumos_governance.wire.protocol import WireRequest
from tests.integrations.endpoint.server import Endpoint

NOTEBOOK = NotebookKey("ada", "/srv", "work/agents.ipynb")
CALLER = Caller(NOTEBOOK, "kernel:k1", "k1:n1")
SECRET = "sk-aumos-the-key-of-the-kernel"
PROVIDER_KEY = "sk-provider-the-real-key"
PATIENCE = 20.0


class FakeKeys:
    """`Keys` that a test adds to and revokes."""

    def __init__(self) -> None:
        self.holders = {SECRET: Holder("key1", "kernel of agents.ipynb", "kernel", CALLER)}
        self._heard: list[Callable[[str], None]] = []

    def find(self, secret: str) -> Holder | None:
        return self.holders.get(secret)

    def on_revoked(self, call: Callable[[str], None]) -> Callable[[], None]:
        self._heard.append(call)
        return lambda: self._heard.remove(call)

    def revoke(self, secret: str = SECRET) -> None:
        holder = self.holders.pop(secret)
        for call in self._heard:
            call(holder.key_id)


def upstreams(endpoint: Endpoint, **fields: Any) -> dict[str, Upstream]:
    """Return upstreams for OpenAI, Anthropic and Google, all at the fake provider."""
    common: dict[str, Any] = {"key": lambda: PROVIDER_KEY, "prices": Prices()} | fields
    of_openai = {"base_url": endpoint.openai_url} | common
    return {
        "openai": Upstream(name="openai", dialect="openai", **of_openai),
        "anthropic": Upstream(name="anthropic", dialect="anthropic", **{"base_url": endpoint.anthropic_url} | common),
        "google": Upstream(name="google", dialect="google", **{"base_url": endpoint.google_url} | common),
    }


class GatewayServer:
    """A ledger, its service, and a gateway to a fake provider, which runs within the ``with`` block."""

    def __init__(
        self, endpoint: Endpoint, url: str = "memory://", *, budget: str | None = "5", port: int = 0, **fields: Any
    ) -> None:
        """``fields`` are arguments of `Gateway`, or ``given`` upstreams, or else fields of the default upstreams."""
        options = {
            name: fields.pop(name) for name in ("max_body_bytes", "max_total_bytes", "ending_seconds") if name in fields
        }
        self.ledger = open_ledger(url)
        self.service = NotebookService(self.ledger)
        self.keys = FakeKeys()
        given = fields.pop("given", None) or upstreams(endpoint, **fields)
        self.gateway = Gateway(given, self.keys, self.service, **options)
        self.endpoint = endpoint
        self.port = port
        if budget is not None:
            self.request("open", trust_level=2, budget=budget)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        return f"{self.url}/llm/openai/v1"

    @property
    def anthropic_url(self) -> str:
        return f"{self.url}/llm/anthropic"

    @property
    def google_url(self) -> str:
        return f"{self.url}/llm/google"

    def request(self, op: str, **body: Any) -> dict[str, Any]:
        """Make a request as the notebook's kernel, and return the response."""
        heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.service.submit(CALLER, WireRequest(f"t{time.monotonic_ns()}", op, time.time() + 20, body=body), heard.put)
        return heard.get(timeout=PATIENCE)

    def budget(self) -> dict[str, Any]:
        return dict(self.request("status")["state"])

    @property
    def spent(self) -> Decimal:
        """What is spent, after all holds have ended."""
        return Decimal(self._ended()["spent"])

    def records(self, *events: str) -> list[dict[str, Any]]:
        """Return the audit records of charges, oldest first, after all holds have ended."""
        self._ended()
        wanted = events or ("hold", "settle", "release", "void")
        return [entry for entry in self.request("audit", limit=1000)["records"] if entry["event"] in wanted]

    def events(self) -> list[str]:
        """Return the events of the charges' records, with ``estimated`` for a settlement that is an estimate."""
        return ["estimated" if entry["detail"].get("estimated") else entry["event"] for entry in self.records()]

    def _ended(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while Decimal((budget := self.budget())["held"] or 0):
            assert time.monotonic() < until, f"{budget['held']} is still held"
            time.sleep(0.002)
        return budget

    def __enter__(self) -> GatewayServer:  # noqa: PYI034 - Self needs Python 3.11
        self.port = self.gateway.start(self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gateway.stop()
        self.service.stop_waiting()
        self.ledger.close()


def sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'ledger.db'}"
