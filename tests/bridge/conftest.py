"""Real servers, for a module of tests or for a single test; each test has notebooks and kernels of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.live_server import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a governed server with its ledger in a file, as by default."""
    live = LiveServer(tmp_path_factory.mktemp("server"))
    try:
        yield live.start()
    finally:
        live.close()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., LiveServer]]:
    """Return a function that makes a server, not yet started: ``launch("--GovernanceExtension.strict=True")``."""
    servers: list[LiveServer] = []

    def make(*arguments: str, home: Path = tmp_path) -> Any:
        servers.append(LiveServer(home, *arguments))
        return servers[-1]

    yield make
    for live in servers:
        live.close()
