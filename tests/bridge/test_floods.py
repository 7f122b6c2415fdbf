"""One kernel that floods a real server, and another kernel whose requests must stay fast."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Spend
from aumos_governance.ledger.contract.facts import NotebookKey, Origin
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.ledger.contract.terms import SessionTerms
from tests.bridge.live_server import GOVERNANCE, LiveServer
from tests.bridge.ways import arguments
from tests.kernel.governed_kernel import CONNECT, SOCKET, notebook
from tests.kernel.real_kernel import Kernel
from tests.ledger.postgres_server import running_server

PAIRS = [("socket", "sqlite"), ("comm", "postgresql"), ("socket", "postgresql"), ("comm", "sqlite")]
ALWAYS = PAIRS[:2]
"""The pairs of every run; the others are for the soak."""
BESIDE_SECONDS = 0.05
"""The most seconds that a spend may take, beyond the time of the disk, beside a crowd of threads."""
TORRENT_SECONDS = 0.5
"""The same beside a flood that the package's client never sends: the server's loop, which handles the channels of all
kernels, also parses each message of 500 requests before it refuses them."""

# The program of the kernel that floods.
CROWD = """
import json, threading, time
from collections import Counter
ends, had = threading.Event(), Counter()
def go_on():
    while not ends.is_set():
        try:
            had[client.request("spend", {"amount": "0.000001"})["decision"]["allowed"]] += 1
        except Exception as error:
            had[repr(error)] += 1
crowd = [threading.Thread(target=go_on) for _ in range(CROWDED)]
for thread in crowd: thread.start()
"""
# It does not wait for responses, which the package's client always does.
TORRENT = """
import json, threading, time, uuid
from collections import Counter
from aumos_governance.wire.protocol import WireRequest, requests_message
name, had, transport = uuid.uuid4().hex, Counter(), client._transport
take, reading, sent = transport._receiver, transport.awaited(), 0
heard = threading.Condition()
def receive(answer):
    if not str(answer.get("id")).startswith(name):
        return take(answer)
    with heard:
        had[answer.get("code", "ok")] += 1
        heard.notify_all()
transport._receiver = receive
reading.__enter__()
def pour():
    global sent
    while sent < TORRENTIAL:
        ids, exp = [f"{name}-{sent + n}" for n in range(500)], time.time() + 600
        asks = [WireRequest(id, "spend", exp, body={"amount": "0.000001"}) for id in ids]
        sent += len(asks)
        if by_socket:
            for ask in asks: transport._socket.send(ask)
        else:
            transport._comm._comm.send(requests_message(asks))
        with heard:
            # No more than the connection keeps for a reader.
            heard.wait_for(lambda: had.total() > sent - 6000, 120)
pouring = threading.Thread(target=pour)
pouring.start()
"""
POURED = """
pouring.join()
with heard:
    heard.wait_for(lambda: had.total() >= sent, 120)
reading.__exit__(None, None, None)
transport._receiver = take
print(json.dumps(had))
"""
# The program of the other kernel.
SPENDS = """
import json, time
times = []
for _ in range(COUNT):
    began = time.perf_counter()
    assert client.request("spend", {"amount": "0.000001"})["decision"]["allowed"]
    times.append(time.perf_counter() - began)
    time.sleep(0.005)
print(json.dumps(times))
"""


@dataclass
class Floods:
    """A server with a kernel that floods it, and a quiet one."""

    server: LiveServer
    by_socket: bool
    flooding: Kernel
    quiet: Kernel

    def do(self, kernel: Kernel, code: str, **names: object) -> Any:
        """Run a cell with these variables set; return the last line that it printed."""
        outcome = kernel.run("\n".join([*(f"{name} = {value!r}" for name, value in names.items()), code]), timeout=300)
        assert outcome.status == "ok", outcome
        return json.loads(outcome.lines[-1]) if outcome.lines else None

    def spent(self, path: str) -> Decimal:
        """Return the amount spent, in millionths of a dollar."""
        return Decimal(self.server.state(path)["spent"]) * 1_000_000


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "floods" in metafunc.fixturenames:
        pairs = PAIRS if metafunc.config.getoption("--soak") else ALWAYS
        metafunc.parametrize("floods", pairs, indirect=True, scope="module", ids="-".join)


@pytest.fixture(scope="module")
def floods(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floods]:
    way, database = request.param
    with ExitStack() as stack:
        settings = [arguments(way)]
        if database == "postgresql":
            postgres = stack.enter_context(running_server())
            settings.append(f"--GovernanceExtension.database_url={postgres.url(postgres.create())}")
        server = LiveServer(tmp_path_factory.mktemp("floods"), *settings)
        stack.callback(server.close)
        server.start()
        kernels = [stack.enter_context(notebook(server, f"{name}.ipynb"))[0] for name in ("flooding", "quiet")]
        wait = SOCKET if way == "socket" else ""
        for kernel in kernels:
            begun = kernel.run(
                f"%governance --budget 1000\n{CONNECT}\nclient.request('status')\n{wait}\nby_socket = {wait!r} != ''"
            )
            assert begun.status == "ok", begun
        yield Floods(server, way == "socket", *kernels)
        assert not server.raised()


def p99(times: list[float]) -> float:
    return sorted(times)[(len(times) - 1) * 99 // 100]


class Disk:
    """A measurement of the time of a write and its sync, in parallel with the test."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "beside"
        self._ends = threading.Event()
        self.times: list[float] = []
        self._thread = threading.Thread(target=self._run)

    @contextmanager
    def timed(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            self._ends.set()
            self._thread.join()

    def _run(self) -> None:
        with self._file.open("ab", buffering=0) as file:
            while not self._ends.wait(0.01):
                began = time.perf_counter()
                file.write(b"x" * 4096)
                os.fdatasync(file.fileno())
                self.times.append(time.perf_counter() - began)


@pytest.mark.soak
def test_a_crowd_of_threads_delays_no_other_kernel(floods: Floods, soak: bool, tmp_path: Path) -> None:
    threads, count = (64, 1000) if soak else (16, 20)
    before, quiet_before = floods.spent("flooding.ipynb"), floods.spent("quiet.ipynb")
    idle = floods.do(floods.quiet, SPENDS, COUNT=count)
    disk = Disk(tmp_path)
    with disk.timed():
        floods.do(floods.flooding, CROWD, CROWDED=threads)
        beside = floods.do(floods.quiet, SPENDS, COUNT=count)
    had = floods.do(floods.flooding, "ends.set()\nfor thread in crowd: thread.join()\nprint(json.dumps(had))")
    # All threads of the crowd continued in turn.
    assert set(had) == {"true"}
    assert had["true"] >= threads
    assert floods.spent("flooding.ipynb") - before == had["true"]
    assert floods.spent("quiet.ipynb") - quiet_before == 2 * count
    if soak:
        commit = max(p99(idle), p99(disk.times))
        assert p99(beside) < BESIDE_SECONDS + commit, (p99(beside), p99(idle), p99(disk.times), had)


@pytest.mark.soak
def test_a_torrent_is_refused_at_once_and_delays_no_other_kernel(floods: Floods, soak: bool, tmp_path: Path) -> None:
    torrent, count = (48_000, 500) if soak else (6_000, 10)
    before, quiet_before = floods.spent("flooding.ipynb"), floods.spent("quiet.ipynb")
    idle = floods.do(floods.quiet, SPENDS, COUNT=count)
    disk = Disk(tmp_path)
    with disk.timed():
        floods.do(floods.flooding, TORRENT, TORRENTIAL=torrent)
        # Each request has the usual time of the client.
        beside = floods.do(floods.quiet, SPENDS, COUNT=count)
    had = floods.do(floods.flooding, POURED)
    assert set(had) <= {"ok", "BUSY"}
    assert sum(had.values()) == torrent, "each request has one response"
    assert floods.spent("flooding.ipynb") - before == had["ok"], "what was refused was not done"
    assert floods.spent("quiet.ipynb") - quiet_before == 2 * count
    if soak:
        assert had["BUSY"] > 0
        commit = max(p99(idle), p99(disk.times))
        assert p99(beside) < TORRENT_SECONDS + commit, (p99(beside), p99(idle), p99(disk.times), had)


RECORDS = 100_000


@pytest.mark.soak
def test_verifications_side_by_side_leave_the_state_at_hand(
    launch: Callable[..., LiveServer], soak: bool, tmp_path: Path
) -> None:
    count, verifications = (RECORDS, 8) if soak else (2_000, 8)
    url = f"sqlite:///{tmp_path / 'record.sqlite'}"
    ledger, origin, key = open_ledger(url), Origin("kernel", scope="k", incarnation="k"), NotebookKey("ann", "/", "k")
    ledger.execute(OpenSession(key="", origin=origin, notebook=key, terms=SessionTerms(), budget=10**15))
    for _ in range(count // 1000):
        spends = [ledger.submit(Spend(key="", origin=origin, notebook=key, amount=1)) for _ in range(1000)]
        assert all(spend.result().allowed for spend in spends)
    ledger.close()
    server = launch(f"--GovernanceExtension.database_url={url}").start()

    def verify() -> bool:
        # The first client belongs to the thread that reads the state.
        with httpx.Client(trust_env=False, timeout=300) as client:
            headers = {"Authorization": f"token {server.token}"}
            return bool(client.get(server.url + GOVERNANCE + "audit/verify", headers=headers).json()["ok"])

    server.state("a.ipynb")
    times = []
    with ThreadPoolExecutor(verifications) as pool:
        results = [pool.submit(verify) for _ in range(verifications)]
        while not all(result.done() for result in results):
            began = time.perf_counter()
            server.state("a.ipynb")
            times.append(time.perf_counter() - began)
    assert all(result.result() for result in results)
    assert times
    if soak:
        assert p99(times) < 0.2, sorted(times)[-10:]
