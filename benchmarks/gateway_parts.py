"""The two processes that the benchmark `gateway` starts: a provider's endpoint, and the gateway in front of it.

Usage: python -m benchmarks.gateway_parts endpoint, or gateway PORT FOLDER, with the endpoint's port and the folder for
the ledger. Each prints the port on which it listens.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aumos_governance.gateway.contract import Holder, Upstream
from aumos_governance.gateway.listener import Gateway
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.service.callers import Caller
from aumos_governance.service.service import NotebookService
from aumos_governance.wire.protocol import WireRequest

from .gateway import EVENTS, PAUSE, SECRET

_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
_RESPONSE = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "42."}}],
    "usage": _USAGE,
}


class _Endpoint(asyncio.Protocol):
    """One connection to the provider's endpoint, which responds to each request at once with the same content."""

    def __init__(self) -> None:
        self._pending = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._pending += data
        while b"\r\n\r\n" in self._pending:
            head, _, rest = self._pending.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(rest) < length:
                return
            self._pending = rest[length:]
            if head.startswith(b"POST"):
                self._respond(json.loads(rest[:length]))
            else:
                # LiteLLM's proxy requests the list of models now and then.
                self._transport.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")

    def _respond(self, body: dict[str, Any]) -> None:
        if not body.get("stream"):
            content = json.dumps(_RESPONSE).encode()
            head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
            self._transport.write(head.encode() + content)
            return
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + _event("The")
        )
        if body.get("user") != "silent":
            task = asyncio.ensure_future(self._stream())
            task.add_done_callback(lambda done: done.result())

    async def _stream(self) -> None:
        for _ in range(EVENTS - 1):
            # So that each event is sent in a packet of its own, as providers do.
            await asyncio.sleep(0)
            self._transport.write(_event(" word"))
        usage = {"id": "c1", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [], "usage": _USAGE}
        self._transport.write(_chunk(json.dumps(usage)) + _chunk("[DONE]") + b"0\r\n\r\n")


def _event(text: str) -> bytes:
    delta = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    return _chunk(json.dumps({"id": "c1", "object": "chat.completion.chunk", "model": "gpt-4o", "choices": [delta]}))


def _chunk(data: str) -> bytes:
    event = f"data: {data}\n\n".encode()
    return f"{len(event):x}\r\n".encode() + event + b"\r\n"


def endpoint() -> None:
    """Run a provider's endpoint: print its port, and serve until stdin ends."""

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(_Endpoint, "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())


class _Keys:
    def __init__(self, holder: Holder) -> None:
        self._holder = holder

    def find(self, secret: str) -> Holder | None:
        return self._holder if secret == SECRET else None

    def holder(self, key_id: str) -> Holder | None:
        return self._holder

    def on_revoked(self, call: Callable[[str], None]) -> Callable[[], None]:
        return lambda: None


def gateway(port: str, folder: str) -> None:
    """Run the gateway in front of the endpoint at ``port``: print its port, and serve until stdin ends.

    For each line of stdin, measure how long a durable hold takes and print the milliseconds. ``folder`` is for the
    ledger.
    """
    ledger = open_ledger(f"sqlite:///{Path(folder) / 'gateway.db'}")
    service = NotebookService(ledger)
    caller = Caller(NotebookKey("ada", "/srv", "work/a.ipynb"), "kernel:k1", "k1:n1")
    _send(service, caller, "open", trust_level=2, budget="1000000")

    def hold() -> float:
        times = []
        for _ in range(50):
            time.sleep(PAUSE)
            began = time.perf_counter()
            held = _send(service, caller, "hold", amount="0.01", tool="gpt-4o")
            times.append((time.perf_counter() - began) * 1e3)
            _send(service, caller, "release", hold_id=held["hold_id"])
        return statistics.median(times)

    base_url = f"http://127.0.0.1:{port}/v1"
    upstream = Upstream(name="openai", dialect="openai", base_url=base_url, key=lambda: "sk-real", prices=Prices())
    running = Gateway({"openai": upstream}, _Keys(Holder("k", "kernel of a.ipynb", "kernel", caller)), service)
    print(running.start(), flush=True)
    for _ in sys.stdin:
        print(hold(), flush=True)
    running.stop()
    ledger.close()


def _send(service: NotebookService, caller: Caller, op: str, **body: Any) -> dict[str, Any]:
    received: list[dict[str, Any]] = []
    done = threading.Event()

    def reply(message: dict[str, Any]) -> None:
        received.append(message)
        done.set()

    service.submit(caller, WireRequest(f"b{time.monotonic_ns()}", op, time.time() + 20, body=body), reply)
    done.wait(20)
    return received[0]


if __name__ == "__main__":
    {"endpoint": endpoint, "gateway": gateway}[sys.argv[1]](*sys.argv[2:])
