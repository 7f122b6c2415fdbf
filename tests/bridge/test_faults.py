"""Failures between a kernel and its server, such as killed processes and full disks: nothing is charged twice or lost.

``make soak`` runs this file 20 times in a row.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveServer, until
from tests.bridge.ways import WAYS, arguments
from tests.kernel.governed_kernel import CONNECT, SOCKET, notebook, stopped
from tests.kernel.real_kernel import refused


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp(request.param), arguments(request.param))
    try:
        yield live.start()
    finally:
        live.close()


def records(server: LiveServer, path: str, event: str) -> list[dict[str, Any]]:
    """Return all records of one event, newest first."""
    found: list[dict[str, Any]] = []
    parameters: dict[str, Any] = {"path": path, "event": event, "limit": 1000}
    while True:
        page = server.json("GET", GOVERNANCE + "audit", params=parameters)
        found += page["records"]
        if not page["cursor"]:
            return found
        parameters["cursor"] = page["cursor"]


def charged(server: LiveServer, path: str) -> list[str]:
    """Return the ids of the allowed charges; assert that each counts once, and that the chain of records verifies."""
    ids = [record["charge_id"] for record in records(server, path, "spend") if record["outcome"] == "allow"]
    assert len(ids) == len(set(ids))
    assert server.json("GET", GOVERNANCE + "audit/verify")["ok"] is True
    return ids


BURST = (
    "import os, threading\n"
    "held = client.request('hold', {'amount': '1'})['hold_id']\n"
    "acknowledged = os.open('acknowledged', os.O_CREAT | os.O_WRONLY | os.O_APPEND)\n"
    "def spend():\n"
    "    while True:\n"
    "        charge = client.request('spend', {'amount': '0.01'})['decision']['charge_id']\n"
    "        os.write(acknowledged, f'{charge}\\n'.encode())\n"
    "for _ in range(8): threading.Thread(target=spend, daemon=True).start()"
)


@pytest.mark.parametrize("way", WAYS)
def test_a_server_that_is_killed_in_a_burst(launch: Callable[..., LiveServer], way: str) -> None:
    server = launch(arguments(way)).start()
    seen = server.root / "acknowledged"
    with notebook(server, "burst.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 1000\n{CONNECT}\n{BURST}")
        until(lambda: seen.exists() and seen.read_bytes().count(b"\n") > 30, "the burst is under way")
        server.kill()
        server.start()
        state = server.state("burst.ipynb")
        ids = charged(server, "burst.ipynb")
        assert round(float(state["spent"]) * 100) == len(ids)
        assert set(seen.read_text().split()) <= set(ids), "what was acknowledged is there"
        assert state["held"] == "1"
        assert len(records(server, "burst.ipynb", "unresolved")) == 1
    server.stop()


def test_what_timed_out_while_the_server_stood_still_is_not_charged(server: LiveServer) -> None:
    with notebook(server, "still.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 1000\n{CONNECT}\nfrom concurrent.futures import ThreadPoolExecutor")
        for number in range(2):
            with stopped(server):
                requested = kernel.run(
                    "def spend(_):\n"
                    "    try: client.request('spend', {'amount': '1'}, timeout=1)\n"
                    "    except Exception as error: return type(error).__name__\n"
                    "with ThreadPoolExecutor(8) as pool: print(set(pool.map(spend, range(8))))"
                )
            assert requested.lines == ["{'ServerUnreachableError'}"]
            # The ledger executes requests in order, so all requests that waited for the server were executed before
            # this one.
            assert kernel.run("%governance_spend 0.5").status == "ok"
            assert float(server.state("still.ipynb")["spent"]) == 0.5 * (number + 1)
        assert len(charged(server, "still.ipynb")) == 2


def test_a_kernel_that_is_killed_between_hold_and_settlement(server: LiveServer) -> None:
    with notebook(server, "between.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 5\n{CONNECT}")
        pid = int(kernel.value("__import__('os').getpid()"))
        kernel.run("held = client.request('hold', {'amount': '1'})['hold_id']")
        os.kill(pid, signal.SIGKILL)
        until(lambda: records(server, "between.ipynb", "unresolved"), "the hold is unresolved")
        assert server.state("between.ipynb")["held"] == "1"


def test_a_kernel_that_does_not_read_keeps_no_other_waiting(server: LiveServer) -> None:
    with notebook(server, "deaf.ipynb") as (deaf, _), notebook(server, "other.ipynb") as (other, _):
        deaf.run(
            f"%governance\n{CONNECT}\nfrom aumos_governance.wire.protocol import WireRequest\nimport os, signal, time"
        )
        pid = int(deaf.value("os.getpid()"))
        other.run(f"%governance\n{CONNECT}\nimport time")
        deaf.client.execute(
            "for number in range(3_000):\n"
            "    asked = WireRequest(f'deaf-{number}', 'audit', time.time() + 1e6, body={'limit': 1000})\n"
            "    client._transport.send(asked)\n"
            "os.kill(os.getpid(), signal.SIGSTOP)"
        )
        until(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", "it stands still")
        try:
            longest = other.value(
                "(lambda times: max(b - a for a, b in zip(times, times[1:])))"
                "([client.request('spend', {'amount': '0.01'}) and time.monotonic() for _ in range(50)])"
            )
            assert float(longest) < 5
        finally:
            os.kill(pid, signal.SIGCONT)
        # The requests before it are executed first.
        assert deaf.run("client.request('status', timeout=50)\n%governance_spend 1").status == "ok", (
            "and it can ask again"
        )
        assert server.state("deaf.ipynb")["spent"] == "1"


@contextmanager
def disk_takes_no_more(server: LiveServer) -> Iterator[None]:
    """Make all the server's writes to files fail, at any offset."""
    assert server.process is not None
    pid = server.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def another_program_writes(server: LiveServer) -> Iterator[None]:
    ledger = server.home / "data" / "aumos_governance" / "ledger.sqlite"
    connection = sqlite3.connect(ledger, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


@pytest.mark.parametrize(
    ("fault", "word"),
    [(disk_takes_no_more, "disk"), (another_program_writes, "locked")],
    ids=["full", "locked"],
)
def test_a_ledger_that_cannot_be_written_acknowledges_nothing(
    server: LiveServer, fault: Callable[[LiveServer], Any], word: str, request: pytest.FixtureRequest
) -> None:
    path = f"{request.node.callspec.id}.ipynb"
    with notebook(server, path) as (kernel, _):
        kernel.run(f"%governance --budget 5\n{CONNECT}\n%governance_spend 0.5")
        with fault(server):
            outcome = kernel.run("%governance_spend 1")
        refused(outcome, "LedgerError", word)
        assert kernel.run("%governance_spend 0.25").lines == ["Recorded: $0.25 for unknown ($4.25 remaining)"]
        assert server.state(path)["spent"] == "0.75"
        assert len(charged(server, path)) == 2


def test_a_busy_server_delays_no_request(tmp_path: Path) -> None:
    """With the local socket only, since on comm every request needs the server's loop."""
    extension = tmp_path / "blocking.py"
    extension.write_text(
        "import time\n"
        "from tornado.ioloop import PeriodicCallback\n"
        "def _jupyter_server_extension_points(): return [{'module': 'blocking'}]\n"
        "def _load_jupyter_server_extension(app):\n"
        "    def block():\n"
        "        open('blocked', 'a').close()\n"
        "        time.sleep(2)\n"
        "        __import__('os').unlink('blocked')\n"
        "    app.loop_blocker = PeriodicCallback(lambda: __import__('os').path.exists('block') and block(), 50)\n"
        "    app.loop_blocker.start()\n"
    )
    server = LiveServer(
        tmp_path, arguments("socket"), environment={"PYTHONPATH": str(tmp_path)}, extensions={"blocking": True}
    )
    try:
        server.start()
        with notebook(server, "blocked.ipynb") as (kernel, _):
            kernel.run(f"%governance --budget 1000\n{CONNECT}\n{SOCKET}\nimport pathlib\n%governance_spend 1")
            outcome = kernel.run(
                "until = time.monotonic() + 20\n"
                "pathlib.Path('block').touch()\n"
                "while not pathlib.Path('blocked').exists() and time.monotonic() < until: time.sleep(0.005)\n"
                "times = []\n"
                "while pathlib.Path('blocked').exists() and time.monotonic() < until:\n"
                "    began = time.perf_counter(); client.request('spend', {'amount': '0.01'})\n"
                "    times.append(time.perf_counter() - began)\n"
                "    pathlib.Path('block').unlink(missing_ok=True)\n"
                "import json; print(json.dumps(times))"
            )
        times = json.loads(outcome.text)
        assert sum(times) > 1
        # A request that waits for the loop would take as long as the loop is blocked; the disk may also be slow.
        assert len(times) > 5
        assert sorted(times)[len(times) // 2] < 0.5
    finally:
        server.close()


@pytest.fixture
def short() -> Iterator[Path]:
    # Not pytest's folder, whose path may be too long for a socket.
    with tempfile.TemporaryDirectory(prefix="gov") as folder:
        yield Path(folder)


def test_a_server_that_stops_leaves_no_folder(short: Path) -> None:
    server = LiveServer(short)
    try:
        server.start()
        folder = until(lambda: list((short / "runtime").glob("aumos-gov-*")), "the socket is there")[0]
        server.kill()
        assert folder.exists()
        os.utime(folder, (time.time() - 1_000,) * 2)
        server.start()
        until(lambda: not folder.exists(), "what the dead one left is taken away")
        with notebook(server, "after.ipynb") as (kernel, _):
            assert kernel.run("%governance").status == "ok"
        server.stop()
        assert list((short / "runtime").glob("aumos-gov-*")) == []
    finally:
        server.close()
