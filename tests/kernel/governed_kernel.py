"""Kernels of a real governed server, each in a process of its own, and that server standing still."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import zmq
from jupyter_client.blocking.client import BlockingKernelClient

from tests.bridge.live_server import LiveServer, until
from tests.kernel.real_kernel import LOAD, Kernel

LINK = "from aumos_governance.kernel.requests.connection import connect\nclient = connect(get_ipython()).client"


SOCKET = """
import time
while not (client._transport._socket._line and client._transport._socket._line.ready):
    time.sleep(0.01)
"""


@contextmanager
def connected(server: LiveServer, kernel_id: str, *, load: bool = True) -> Iterator[Kernel]:
    # The server has heard of it.
    until(lambda: server.kernel_state(kernel_id) == "idle", "the kernel is ready", 60)
    client = BlockingKernelClient(connection_file=str(server.home / "runtime" / f"kernel-{kernel_id}.json"))
    client.load_connection_file()
    # What a flood publishes between two cells is kept for the next one: past a mark of 1,000, ZeroMQ drops messages,
    # and the one that ends a cell may be among them.
    client.context.setsockopt(zmq.RCVHWM, 0)
    # No heartbeat: one that is late by a second, as on a busy machine, would make a kernel that starts a dead one.
    client.start_channels(hb=False)
    try:
        client.wait_for_ready(timeout=60)
        kernel = Kernel(client)
        assert not load or kernel.run(LOAD).status == "ok"
        yield kernel
    finally:
        client.stop_channels()
        # jupyter_client 8.6 leaves that to the garbage collector, and ZeroMQ warns of it in whatever test runs then.
        client.context.destroy(linger=0)


@contextmanager
def notebook(server: LiveServer, path: str, *, load: bool = True) -> Iterator[tuple[Kernel, str]]:
    """A notebook's kernel, with the magics loaded unless told otherwise, and its id."""
    opened = server.open_notebook(path)
    try:
        with connected(server, opened.kernel_id, load=load) as kernel:
            yield kernel, opened.kernel_id
    finally:
        opened.close()
        # Where the server is gone, why it is gone is what matters.
        with suppress(httpx.TransportError):
            server.request("DELETE", f"api/kernels/{opened.kernel_id}")


def _stands(task: Path) -> bool:
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        # It has ended.
        return True


@contextmanager
def stopped(server: LiveServer) -> Iterator[None]:
    """The server takes nothing in, and does not know it."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    # On a busy machine its other threads run on until the one that takes the signal gets its turn.
    tasks = Path(f"/proc/{server.process.pid}/task")
    until(lambda: all(_stands(task) for task in tasks.iterdir()), "every thread stands still")
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)
