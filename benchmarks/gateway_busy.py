"""The time to a stream's first byte through the gateway of a Jupyter server, while the server's loop is idle or busy.

The loop is busy with requests that come one after the other without a pause: listings of a folder, or a handler that
computes for 10 ms in Python and so holds the interpreter's lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bridge.live_server import GOVERNANCE, LiveServer

from .durable import disk, timed
from .gateway import Client, part
from .results import Results

_NOTEBOOK: Final = "bench.ipynb"
_FILES: Final = 200
_MOST: Final = 15.0
"""The most milliseconds that the gateway may add to the time to the first byte while the loop is busy."""
_COMPUTING: Final = """
import time
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

def _jupyter_server_extension_points():
    return [{"module": "computing"}]

class Computing(JupyterHandler):
    def get(self):
        until = time.perf_counter() + 0.01
        while time.perf_counter() < until:
            sum(range(100))
        self.finish("computed")

def _load_jupyter_server_extension(app):
    app.web_app.add_handlers(".*$", [(url_path_join(app.base_url, "computing"), Computing)])
"""
# The client of these requests, a process of its own, which prints a line once it has the first response.
_PAGES: Final = """
import http.client, sys
port, token, path = sys.argv[1:]
connection = http.client.HTTPConnection("127.0.0.1", int(port))
began = False
while True:
    connection.request("GET", path, headers={"Authorization": "token " + token})
    response = connection.getresponse()
    assert response.status == 200, response.status
    response.read()
    if not began:
        began = True
        print("busy", flush=True)
"""


def first_bytes(results: Results, folder: Path, streams: int) -> None:
    """Measure how much later the first byte of a stream arrives through the gateway than directly from the provider.

    The time of one write to the disk is subtracted, since the gateway makes a durable hold first. ``streams`` is the
    number of streams for each kind of load.
    """
    with contextlib.ExitStack() as running:
        _, endpoint = running.enter_context(part("endpoint"))
        server = running.enter_context(_server(folder / "busy", int(endpoint)))
        made = server.json("POST", GOVERNANCE + "keys", json={"kind": "run", "name": "bench", "path": _NOTEBOOK})
        address = server.json("GET", GOVERNANCE + "config")["gateway"]["address"]
        port, raw = int(address.rpartition(":")[2]), disk(folder)

        async def times() -> tuple[float, float, float]:
            through, plain, syncs = [], [], []
            for _ in range(streams):
                # In turn, so that other load on the machine affects all.
                through.append(await Client(port, "/llm/openai/v1", made["secret"]).first_byte() * 1e3)
                plain.append(await Client(int(endpoint), "/v1").first_byte() * 1e3)
                syncs.append(timed(raw) / 1e3)
            return statistics.median(through), statistics.median(plain), statistics.median(syncs)

        asyncio.run(times())
        for name, path in (("idle", None), ("lists folders", "/api/contents"), ("computes", "/computing")):
            with _pages(server, path):
                through, plain, sync = asyncio.run(times())
            results.add(
                f"gateway: first byte over a plain one, loop {name}, p50",
                through - plain - sync,
                "ms",
                None if path is None else _MOST,
                f"plain {plain:.2f}, sync {sync:.2f}",
            )


@contextlib.contextmanager
def _server(home: Path, endpoint: int) -> Iterator[LiveServer]:
    home.mkdir()
    (home / "computing.py").write_text(_COMPUTING)
    environment = {"PYTHONPATH": str(home), "BENCHMARKS_KEY": "sk-real"}
    server = LiveServer(home, environment=environment, extensions={"computing": True})
    provider = {"key_env": "BENCHMARKS_KEY", "base_url": f"http://127.0.0.1:{endpoint}/v1", "provider": "openai"}
    (home / "config" / "jupyter_server_config.py").write_text(
        f"c.GovernanceExtension.providers = {{'openai': {provider!r}}}\n"
    )
    for number in range(_FILES):
        (home / "root" / f"{number}.txt").touch()
    try:
        server.start()
        server.write_notebook(_NOTEBOOK)
        body = {"trust_level": 2, "budget": "1000000"}
        server.json("PATCH", GOVERNANCE + "state", params={"path": _NOTEBOOK}, json=body)
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def _pages(server: LiveServer, path: str | None) -> Iterator[None]:
    if path is None:
        yield
        return
    command = [sys.executable, "-c", _PAGES, str(server.port), server.token, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as pages:
        try:
            assert pages.stdout is not None
            assert pages.stdout.readline()
            yield
        finally:
            pages.kill()
