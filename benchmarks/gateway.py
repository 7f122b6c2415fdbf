"""The costs of calls through the gateway: latency, rate, CPU time of a stream's event, and memory of a stream.

The provider's endpoint and the gateway are processes of their own; this process has the clients. Rates depend on other
load on the machine, so the CPU time of a call in the gateway is measured as well.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .litellm_proxy import proxy
from .results import Results

SECRET: Final = "sk-aumos-benchmark"
EVENTS: Final = 400
_CHAT: Final = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50}
PAUSE: Final = 0.02
"""The seconds between two calls. In this time the ledger commits the settlement of the first call, for which the hold
of the second would otherwise have to wait."""
_LIMIT: Final = 16 * 1024 * 1024
_TICK: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def gateway(results: Results, folder: Path, calls: int, streams: int, litellm: Path | None = None) -> None:
    """Measure the gateway in front of a provider on this machine, with a ledger in SQLite.

    ``calls`` and ``streams`` are the numbers of calls and of open streams to measure with. ``litellm`` is the path of
    LiteLLM's program: if it is set, LiteLLM's proxy is measured in turn with the gateway.
    """
    with contextlib.ExitStack() as running:
        _, endpoint = running.enter_context(part("endpoint"))
        process, port = running.enter_context(part("gateway", endpoint, str(folder)))
        ours = _Measured("gateway", process.pid, int(port), "/llm/openai/v1", int(endpoint))
        asyncio.run(_measure(results, ours, lambda: _hold(process), calls, streams))
        if litellm is not None:
            at = running.enter_context(proxy(litellm, folder, int(endpoint), SECRET))
            theirs = _Measured("LiteLLM's proxy", at.pid, at.port, "/v1", int(endpoint))
            asyncio.run(_compare(results, ours, theirs, calls))


@dataclass(frozen=True)
class _Measured:
    """A running proxy whose costs are measured: the gateway or LiteLLM's proxy, in front of the provider's endpoint.

    ``port`` is the proxy's port, and ``prefix`` the beginning of its API's paths. ``endpoint`` is the provider's port.
    """

    name: str
    pid: int
    port: int
    prefix: str
    endpoint: int

    def client(self) -> Client:
        return Client(self.port, self.prefix)

    async def overhead(self, calls: int) -> tuple[float, float]:
        """Return the milliseconds that the proxy adds to a call, and the milliseconds that a call takes without it."""
        direct, through = Client(self.endpoint, "/v1"), self.client()
        await direct.times(50), await through.times(50)
        plain, passed = await direct.times(calls, PAUSE), await through.times(calls, PAUSE)
        direct.close(), through.close()
        middle = statistics.median
        return (middle(passed) - middle(plain)) * 1e3, middle(plain) * 1e3

    async def rate(self, calls: int) -> tuple[float, float]:
        """Return the calls a second over 50 connections at once, and the proxy's CPU time for each, in milliseconds."""
        clients = [self.client() for _ in range(50)]
        # All connections are made before the measurement.
        await _together(clients, lambda client: client.times(1))
        began, cpu = time.perf_counter(), _cpu(self.pid)
        await _together(clients, lambda client: client.times(calls // 50))
        took, cpu = time.perf_counter() - began, _cpu(self.pid) - cpu
        for client in clients:
            client.close()
        made = calls // 50 * 50
        return made / took, cpu / made * 1e3


async def _measure(results: Results, ours: _Measured, hold: Callable[[], float], calls: int, streams: int) -> None:
    middle = statistics.median
    # Measured before and after, since the disk is slower while other programs use it.
    before = hold()
    over, plain = await ours.overhead(calls // 8)
    held = (before + hold()) / 2
    results.add("gateway: call over a plain one, p50", over, "ms", note=f"plain {plain:.2f}")
    results.add("gateway: the same beside the durable hold, p50", over - held, "ms", 2.0, f"hold {held:.2f}")
    rate, cpu = await ours.rate(calls)
    results.add("gateway: calls at 50 connections", rate, "/s", note="goal 250 on 2 idle cores")
    results.add("gateway: CPU of a call at 50 connections", cpu, "ms", 4.0)
    before = hold()
    first = [await ours.client().first_byte() for _ in range(50)]
    held = (before + hold()) / 2
    direct = [await Client(ours.endpoint, "/v1").first_byte() for _ in range(50)]
    over = (middle(first) - middle(direct)) * 1e3
    results.add(
        "gateway: first byte of a stream beside the durable hold, p50", over - held, "ms", 2.0, f"hold {held:.2f}"
    )
    spent = _cpu(ours.pid)
    await _together([ours.client() for _ in range(10)], lambda client: client.stream(10))
    results.add("gateway: CPU of a stream's event", (_cpu(ours.pid) - spent) / (100 * EVENTS) * 1e6, "us", 20.0)
    memory = _memory(ours.pid)
    waiting = [ours.client() for _ in range(streams)]
    await _together(waiting, lambda client: client.opened())
    each = (_memory(ours.pid) - memory) / streams / 1024
    results.add("gateway: memory of an open stream", each, "KiB", 100.0)
    for client in waiting:
        client.close()


async def _compare(results: Results, ours: _Measured, theirs: _Measured, calls: int) -> None:
    """Measure the gateway and LiteLLM's proxy in turn, so that other load on the machine affects both."""
    over, rates, cpu = [], [], []
    for _ in range(3):
        pair = [(await each.overhead(calls // 40), await each.rate(calls // 4)) for each in (ours, theirs)]
        over.append([overhead for (overhead, _), _ in pair])
        rates.append([rate for _, (rate, _) in pair])
        cpu.append([used for _, (_, used) in pair])
    for place, each in enumerate((ours, theirs)):
        for what, rounds, unit in (
            ("call over a plain one, p50", over, "ms"),
            ("calls at 50 connections", rates, "/s"),
            ("CPU of a call at 50 connections", cpu, "ms"),
        ):
            results.add(f"by turns: {each.name}: {what}", statistics.median(pair[place] for pair in rounds), unit)
    part = statistics.median(ours / theirs for ours, theirs in over)
    results.add("by turns: the gateway's part of the proxy's overhead", part, "", 1 / 3)
    part = statistics.median(theirs / ours for ours, theirs in rates)
    results.add("by turns: the proxy's part of the gateway's rate", part, "", 1 / 3)


async def _together(clients: list[Client], work: Callable[[Client], Awaitable[Any]]) -> None:
    await asyncio.gather(*(work(client) for client in clients))


class Client:
    """An HTTP client with one connection for chat completions, written to take little CPU time itself.

    ``prefix`` is the beginning of the API's paths on the server at ``port``, and ``secret`` the API key.
    """

    def __init__(self, port: int, prefix: str, secret: str = SECRET) -> None:
        self._secret = secret
        self._port = port
        self._prefix = prefix
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def times(self, calls: int, pause: float = 0.0) -> list[float]:
        """Make calls one after the other, and return how many seconds each took.

        ``pause`` is the number of seconds to wait before each call.
        """
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
        """Return the seconds from a request on a new connection to the first event of its streamed response."""
        await asyncio.sleep(PAUSE)
        self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_LIMIT)
        began = time.perf_counter()
        # A stream without further events, which would take CPU time from the first one.
        await self.opened()
        took = time.perf_counter() - began
        self.close()
        return took

    async def stream(self, times: int) -> None:
        """Make calls with streamed responses, one after the other, and receive each response to its end."""
        for _ in range(times):
            await self._send({**_CHAT, "stream": True})
            await self._head()
            await self._rest()

    async def opened(self) -> None:
        """Make a call with a streamed response of which the provider sends only the first event, and receive it."""
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
            f"POST {self._prefix}/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self._secret}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        )
        self._streams[1].write(head.encode() + content)

    async def _head(self) -> int:
        assert self._streams is not None
        head = (await self._streams[0].readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200 "):
            raise RuntimeError(head.decode())
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


def _hold(process: subprocess.Popen[str]) -> float:
    """Have the gateway's process measure how long a durable hold takes now, and return the milliseconds."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("hold\n")
    process.stdin.flush()
    return float(process.stdout.readline())


@contextlib.contextmanager
def part(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `benchmarks.gateway_parts` with these arguments as a process, and end it when the context is left.

    Yields the process and the port on which it listens.
    """
    command = [sys.executable, "-m", "benchmarks.gateway_parts", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        # The process ends at the end of its input.
        process.stdin.close()
        process.wait(30)
