"""The time from a kernel's request to the response of a real server, by each transport.

In the same run, the time of a message over bare ZeroMQ, a Unix socket and HTTP, and of a write to the disk, is
measured for comparison.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import websocket

from tests.bridge.live_server import LiveServer
from tests.kernel.governed_kernel import CONNECT, connected
from tests.kernel.real_kernel import Kernel

from .durable import disk, timed
from .results import Results

# Runs in the kernel: the client's side of all measurements.
PROGRAM = f"""
{CONNECT}
import asyncio, http.client, json, os, socket, subprocess, sys, threading, time
import zmq

def figures(action, rounds, threads=1):
    times = []
    def go():
        for _ in range(rounds // threads):
            began = time.perf_counter()
            action()
            times.append(time.perf_counter() - began)
    action()
    began = time.perf_counter()
    workers = [threading.Thread(target=go) for _ in range(threads)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    took = time.perf_counter() - began
    times.sort()
    last = len(times) - 1
    return {{"p50": times[last // 2] * 1e3, "p99": times[last * 99 // 100] * 1e3, "max": times[-1] * 1e3,
             "rate": len(times) / took}}

def status(): client.request("status")
def spend(): client.request("spend", {{"amount": "0.001"}})

ECHO = "import zmq; s = zmq.Context().socket(zmq.REP); print(s.bind_to_random_port('tcp://127.0.0.1'), flush=True)\\n"
ECHO += "while True: s.send(s.recv())"

def zeromq(rounds):
    echo = subprocess.Popen([sys.executable, "-c", ECHO], stdout=subprocess.PIPE, text=True)
    plain = zmq.Context().socket(zmq.REQ)
    plain.connect(f"tcp://127.0.0.1:{{echo.stdout.readline().strip()}}")
    def ping(): plain.send(b"x" * 200); plain.recv()
    try: return figures(ping, rounds)
    finally: plain.close(0); echo.kill(); echo.wait(); echo.stdout.close()

UNIX_ECHO = "import socket, sys; s = socket.socket(fileno=int(sys.argv[1]))\\n"
UNIX_ECHO += "while data := s.recv(1000): s.send(data)"

def unix(rounds):
    near, far = socket.socketpair()
    echo = subprocess.Popen([sys.executable, "-c", UNIX_ECHO, str(far.fileno())], pass_fds=[far.fileno()])
    far.close()
    def ping(): near.send(b"x" * 200); near.recv(1000)
    try: return figures(ping, rounds)
    finally: near.close(); echo.wait()

async def tasks(rounds, many):
    times = []
    async def go():
        for _ in range(rounds // many):
            began = time.perf_counter()
            await client.request_async("status")
            times.append(time.perf_counter() - began)
    began = time.perf_counter()
    await asyncio.gather(*[go() for _ in range(many)])
    took = time.perf_counter() - began
    times.sort()
    return {{"p50": times[len(times) // 2] * 1e3, "rate": len(times) / took}}

def keep_alive(port, rounds):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    def get(): connection.request("GET", "/api"); connection.getresponse().read()
    try: return figures(get, rounds)
    finally: connection.close()

def wait_for_socket():
    client.request("status")
    until = time.monotonic() + 5
    while not (client._transport._socket._connection and client._transport._socket._connection.ready):
        assert time.monotonic() < until, "no local socket"
        time.sleep(0.01)
"""
BLOCKING = """
import os, time
from tornado.ioloop import PeriodicCallback

def _jupyter_server_extension_points():
    return [{"module": "blocking"}]

def _load_jupyter_server_extension(app):
    def block():
        if os.path.exists("block"):
            os.rename("block", "blocked")
            time.sleep(2)
            os.unlink("blocked")
    app.loop_blocker = PeriodicCallback(block, 50)
    app.loop_blocker.start()
"""
BLOCKED = """
open("block", "w").close()
while not os.path.exists("blocked"): time.sleep(0.001)
times = []
while os.path.exists("blocked"):
    began = time.perf_counter(); status(); times.append(time.perf_counter() - began)
print(json.dumps(max(times) * 1e3))
"""
# Display messages, since unlike printed lines ipykernel does not combine them.
FLOOD = """
kernel = get_ipython().kernel
for number in range({outputs}):
    content = {{"data": {{"text/plain": str(number)}}, "metadata": {{}}}}
    kernel.session.send(kernel.iopub_socket, "display_data", content, ident=b"kernel.display_data")
began = time.perf_counter(); spend(); took = time.perf_counter() - began
with open("flood.new", "w") as out: json.dump(took * 1e3, out)
os.rename("flood.new", "flood.json")
"""


def requests(results: Results, folder: Path, rounds: int) -> None:
    """Measure ``rounds`` requests one after the other, and requests under load.

    The load is eight threads that make requests at once, 50 tasks that do, a blocked event loop of the server, and much
    output of the kernel that the server must forward first.
    """
    raw = disk(folder)
    sync = statistics.median(timed(raw) for _ in range(rounds)) / 1e3
    results.add("raw 4 KiB fdatasync, p50", sync, "ms")
    for way in ("socket", "comm"):
        with _kernel(folder / way, way) as (server, kernel):
            if way == "socket":
                zeromq = _measured(kernel, f"zeromq({rounds})")
                results.add("bare ZeroMQ ping-pong, p50", zeromq["p50"], "ms", note=f"p99 {zeromq['p99']:.2f}")
                bare = _measured(kernel, f"unix({rounds})")
                results.add("bare Unix socket ping-pong, p50", bare["p50"], "ms", note=f"p99 {bare['p99']:.2f}")
                web = _measured(kernel, f"keep_alive({server.port}, {rounds})")
                results.add("HTTP keep-alive, p50", web["p50"], "ms", note=f"p99 {web['p99']:.2f}")
                kernel.run("wait_for_socket()")
            _one_client(results, kernel, way, rounds, sync)
            if way == "socket":
                many = _measured(kernel, f"figures(status, {rounds * 4}, threads=8)")
                results.add("socket, status, 8 threads", -many["rate"], "/s", -5_000, "the more the better")
                awaited = _measured(kernel, f"await tasks({rounds * 2}, 50)")
                results.add("socket, status, 50 tasks of one loop", -awaited["rate"], "/s", note="the more the better")
                longest = float(kernel.run(BLOCKED).text)
                results.add("socket, status while the loop is blocked 2 s, longest", longest, "ms", 50)
            else:
                kernel.client.execute(FLOOD.format(outputs=20_000))
                results.add("comm, spend after 20,000 outputs", float(_written(server.root / "flood.json")), "ms", 100)


def _one_client(results: Results, kernel: Kernel, way: str, rounds: int, sync: float) -> None:
    limit = {"socket": (0.2, 3 * sync), "comm": (2.0, 2.0)}[way]
    for op, most in zip(("status", "spend"), limit, strict=True):
        one = _measured(kernel, f"figures({op}, {rounds})")
        results.add(f"{way}, {op}, p50", one["p50"], "ms", most, f"p99 {one['p99']:.2f}")


@contextmanager
def _kernel(home: Path, way: str) -> Any:
    home.mkdir()
    (home / "blocking.py").write_text(BLOCKING)
    server = LiveServer(
        home,
        f"--GovernanceExtension.local_socket={way == 'socket'}",
        environment={"PYTHONPATH": str(home)},
        extensions={"blocking": True},
    )
    try:
        server.start()
        opened = server.open_notebook("bench.ipynb")
        # The tests' page uses the older protocol, with which the server takes longer for each message. `_page` replaces
        # it.
        opened.close()
        with connected(server, opened.kernel_id) as kernel, _page(server, opened.kernel_id):
            assert kernel.run(f"%governance --budget 1000000\n{PROGRAM}").status == "ok"
            yield server, kernel
    finally:
        server.close()


@contextmanager
def _page(server: LiveServer, kernel_id: str) -> Iterator[None]:
    """Within the context, have a client receive and ignore all messages of the kernel, as an open page does.

    It uses the same protocol as JupyterLab's pages.
    """
    page = websocket.create_connection(
        server.url.replace("http://", "ws://") + f"api/kernels/{kernel_id}/channels?session_id=page",
        header=[f"Authorization: token {server.token}"],
        subprotocols=["v1.kernel.websocket.jupyter.org"],
    )

    def read() -> None:
        with suppress(OSError):
            while page.sock.recv(1 << 16):
                pass

    threading.Thread(target=read, daemon=True).start()
    try:
        yield
    finally:
        page.close()


def _measured(kernel: Kernel, expression: str) -> dict[str, float]:
    # The result comes through a file, since a client that waits for the cell's end would receive every message.
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "figures.json"
        kernel.client.execute(
            f"figured = {expression}\n"
            f"with open({f'{out}.new'!r}, 'w') as file: json.dump(figured, file)\n"
            f"os.rename({f'{out}.new'!r}, {str(out)!r})"
        )
        return json.loads(_written(out))  # type: ignore[no-any-return]


def _written(path: Path) -> str:
    until = time.monotonic() + 300
    while not path.exists():
        assert time.monotonic() < until, f"{path} was not written"
        time.sleep(0.05)
    return path.read_text()
