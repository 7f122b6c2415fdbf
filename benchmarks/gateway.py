"""What a call through the gateway costs: rate, latency, the CPU of a stream's event, and the memory of a stream.

Endpoint, gateway and clients are processes of their own. Rates depend on what else the machine does, so the CPU that
the gateway takes for a call is measured as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final

from .results import Results

SECRET: Final = "sk-aumos-benchmark"
EVENTS: Final = 400
_CHAT: Final = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50}
PAUSE: Final = 0.02
"""Seconds between two calls, until the first one is recorded: the next hold would wait for that commit."""
_LIMIT: Final = 16 * 1024 * 1024
_TICK: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def gateway(results: Results, folder: Path, calls: int, streams: int) -> None:
    """Measure it before a provider on this machine, on a ledger in SQLite."""
    with _process("endpoint") as (_, (endpoint,)), _process("gateway", endpoint, str(folder)) as (pid, (port, hold)):
        asyncio.run(_measure(results, pid, int(endpoint), int(port), float(hold), calls, streams))


async def _measure(results: Results, pid: int, endpoint: int, port: int, held: float, calls: int, streams: int) -> None:
    direct, through = _Client(endpoint, "/v1"), _Client(port, "/llm/openai/v1")
    await direct.times(50), await through.times(50)
    plain, passed = await direct.times(calls // 8, PAUSE), await through.times(calls // 8, PAUSE)
    middle = statistics.median
    over = (middle(passed) - middle(plain)) * 1e3
    results.add("gateway: call over a plain one, p50", over, "ms", note=f"plain {middle(plain) * 1e3:.2f}")
    results.add("gateway: the same beside the durable hold, p50", over - held, "ms", 2.0, f"hold {held:.2f}")
    began, cpu = time.perf_counter(), _cpu(pid)
    await _together([_Client(port, "/llm/openai/v1") for _ in range(50)], lambda client: client.times(calls // 50))
    took, cpu = time.perf_counter() - began, _cpu(pid) - cpu
    rate = calls // 50 * 50 / took
    results.add("gateway: calls at 50 connections", rate, "/s", note="goal 250 on 2 idle cores")
    results.add("gateway: CPU of a call at 50 connections", cpu / calls * 1e3, "ms", 4.0)
    first = [await _Client(port, "/llm/openai/v1").first_byte() for _ in range(50)]
    before = [await _Client(endpoint, "/v1").first_byte() for _ in range(50)]
    over = (middle(first) - middle(before)) * 1e3
    results.add(
        "gateway: first byte of a stream beside the durable hold, p50", over - held, "ms", 2.0, f"hold {held:.2f}"
    )
    cpu = _cpu(pid)
    await _together([_Client(port, "/llm/openai/v1") for _ in range(10)], lambda client: client.stream(10))
    results.add("gateway: CPU of a stream's event", (_cpu(pid) - cpu) / (100 * EVENTS) * 1e6, "us", 20.0)
    memory = _memory(pid)
    waiting = [_Client(port, "/llm/openai/v1") for _ in range(streams)]
    await _together(waiting, lambda client: client.opened())
    each = (_memory(pid) - memory) / streams / 1024
    results.add("gateway: memory of an open stream", each, "KiB", 100.0)
    for client in waiting:
        client.close()


async def _together(clients: list[_Client], work: Callable[[_Client], Awaitable[Any]]) -> None:
    await asyncio.gather(*(work(client) for client in clients))


class _Client:
    """A client on one connection, which takes as little CPU as it can."""

    def __init__(self, port: int, prefix: str) -> None:
        self._port = port
        self._prefix = prefix
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def times(self, calls: int, pause: float = 0.0) -> list[float]:
        taken = []
        for _ in range(calls):
            if pause:
                await asyncio.sleep(pause)
            began = time.perf_counter()
            await self._send(_CHAT)
            await self._body(await self._head())
            taken.append(time.perf_counter() - began)
        return taken

    async def first_byte(self) -> float:
        await asyncio.sleep(PAUSE)
        self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_LIMIT)
        began = time.perf_counter()
        # No more events, which would take CPU from the first one.
        await self.opened()
        took = time.perf_counter() - began
        self.close()
        return took

    async def stream(self, times: int) -> None:
        for _ in range(times):
            await self._send({**_CHAT, "stream": True})
            await self._head()
            await self._rest()

    async def opened(self) -> None:
        """A stream whose provider stays silent after its first event."""
        await self._send({**_CHAT, "stream": True, "user": "silent"})
        await self._head()
        await self._line()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()

    async def _send(self, body: dict[str, Any]) -> None:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_LIMIT)
        content = json.dumps(body).encode()
        head = (
            f"POST {self._prefix}/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        self._streams[1].write(head.encode() + content)

    async def _head(self) -> int:
        assert self._streams is not None
        head = (await self._streams[0].readuntil(b"\r\n\r\n")).lower()
        return int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)

    async def _body(self, length: int) -> bytes:
        assert self._streams is not None
        return await self._streams[0].readexactly(length)

    async def _line(self) -> None:
        assert self._streams is not None
        await self._streams[0].readuntil(b"\n\n\r\n")

    async def _rest(self) -> None:
        assert self._streams is not None
        await self._streams[0].readuntil(b"\r\n0\r\n\r\n")


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


@contextlib.contextmanager
def _process(*arguments: str) -> Iterator[tuple[int, list[str]]]:
    """A process of `benchmarks.gateway_parts`: its id, and what it says when it listens, the port first."""
    command = [sys.executable, "-m", "benchmarks.gateway_parts", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield process.pid, process.stdout.readline().split()
    finally:
        # Its end is the end of its input.
        process.stdin.close()
        process.wait(30)
