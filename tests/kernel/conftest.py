from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.live_server import LiveServer
from tests.kernel.real_kernel import Kernel, environment, started


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    """A kernel without a server, whose state no other test uses, with the magics loaded."""
    with started(environment(tmp_path), tmp_path) as running:
        yield running


@pytest.fixture(scope="module", params=["socket", "comm"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A governed server whose kernels send requests over the socket, and one with comm; users see the same."""
    home = tmp_path_factory.mktemp(request.param)
    live = LiveServer(home, f"--GovernanceExtension.local_socket={request.param == 'socket'}")
    try:
        yield live.start()
    finally:
        live.close()


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Handle SIGINT as in a kernel; pytest may have set another handler."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
