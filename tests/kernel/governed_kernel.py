"""Real kernels of a governed server, and a context in which that server is stopped."""

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

CONNECT = "from aumos_governance.kernel.requests.connection import connect\nclient = connect(get_ipython()).client"


SOCKET = """
import time
while not (client._transport._socket._connection and client._transport._socket._connection.ready):
    time.sleep(0.01)
"""


@contextmanager
def connected(server: LiveServer, kernel_id: str, *, load: bool = True) -> Iterator[Kernel]:
    # The server has received the kernel's first status.
    until(lambda: server.kernel_state(kernel_id) == "idle", "the kernel is ready", 60)
    client = BlockingKernelClient(connection_file=str(server.home / "runtime" / f"kernel-{kernel_id}.json"))
    client.load_connection_file()
    # Without a limit, since ZeroMQ drops messages beyond 1,000 by default, and a flood of messages between two cells
    # could displace the one that ends a cell.
    client.context.setsockopt(zmq.RCVHWM, 0)
    # Without heartbeats, since on a busy machine one may be a second late, and then a starting kernel counts as dead.
    client.start_channels(hb=False)
    try:
        client.wait_for_ready(timeout=60)
        kernel = Kernel(client)
        assert not load or kernel.run(LOAD).status == "ok"
        yield kernel
    finally:
        client.stop_channels()
        # jupyter_client 8.6 leaves this to the garbage collector, and then ZeroMQ warns in some later test.
        client.context.destroy(linger=0)


@contextmanager
def notebook(server: LiveServer, path: str, *, load: bool = True) -> Iterator[tuple[Kernel, str]]:
    """Open a notebook; the value is its kernel, with the magics loaded except without ``load``, and the kernel's id."""
    opened = server.open_notebook(path)
    try:
        with connected(server, opened.kernel_id, load=load) as kernel:
            yield kernel, opened.kernel_id
    finally:
        opened.close()
        # An error because the server has ended would hide the test's own error.
        with suppress(httpx.TransportError):
            server.request("DELETE", f"api/kernels/{opened.kernel_id}")


def _stands(task: Path) -> bool:
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):
        # The thread has ended.
        return True


@contextmanager
def stopped(server: LiveServer) -> Iterator[None]:
    """A context in which the server's process is stopped, so that it receives nothing and notices no time passing."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    # On a busy machine the other threads run until the thread that handles the signal is scheduled.
    tasks = Path(f"/proc/{server.process.pid}/task")
    until(lambda: all(_stands(task) for task in tasks.iterdir()), "every thread stands still")
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)
