"""The CPU time and memory that governance takes in a server whose kernels make no requests.

The kernels either print much, which the server must forward, or do nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bridge.live_server import LiveServer, until
from tests.kernel.governed_kernel import connected, notebook

from .results import Results

OWN_CPU = (Path(__file__).parent / "own_cpu.py").read_text("utf-8")
_CONNECT = """
from aumos_governance.kernel.requests.connection import connect
client = connect(get_ipython()).client
client.request("status")
"""


@dataclass(frozen=True)
class Sample:
    """The resources that a server has used from its start until now, as the extension `own_cpu` returns them."""

    threads: float
    """The CPU seconds of governance's threads."""
    loop: float
    """The CPU seconds of governance's callbacks on the server's loop."""
    process: float
    """The CPU seconds of the whole process."""
    resident: int
    """The bytes of resident memory."""
    thread_count: int

    @property
    def own(self) -> float:
        """The CPU seconds of governance, in its threads and on the server's loop."""
        return self.threads + self.loop


def printing(results: Results, folder: Path, lines: int, pairs: int) -> None:
    """Measure the server's CPU time while a kernel prints ``lines`` lines, ``pairs`` times with governance and without.

    The time of governance is measured in two ways: that of its own threads and callbacks, and the difference between
    the two servers.
    """
    own: list[float] = []
    whole: dict[bool, list[float]] = {True: [], False: []}
    code = f"for number in range({lines}): print('a line of some length', number)"
    with (
        _server(folder / "governed") as with_it,
        _server(folder / "bare", governed=False) as without,
        notebook(with_it, "a.ipynb") as (governed, _),
        notebook(without, "a.ipynb", load=False) as (bare, _),
    ):
        assert governed.run(f"%governance --budget 10\n{_CONNECT}").status == "ok"
        # In turn, so that other load on the machine affects both.
        for _ in range(pairs):
            for server, kernel in ((with_it, governed), (without, bare)):
                before = _sample(server)
                assert kernel.run(code, timeout=300).status == "ok"
                after = _sample(server)
                whole[server is with_it].append(after.process - before.process)
                if server is with_it:
                    own.append(after.own - before.own)
    name = f"server CPU of governance for {lines:,} printed lines"
    results.add(f"{name}, most", max(own) * 1e3, "ms", 100, f"its own threads and callbacks, {pairs} times")
    extra = [governed - bare for governed, bare in zip(whole[True], whole[False], strict=True)]
    spread = statistics.stdev(extra) / len(extra) ** 0.5 if len(extra) > 1 else float("nan")
    note = f"+- {spread * 1e3:.1f}, of {statistics.mean(whole[False]) * 1e3:.0f} without"
    results.add("  and by difference to a server without it, mean", statistics.mean(extra) * 1e3, "ms", None, note)


def idle(results: Results, folder: Path, kernels: int, seconds: float) -> None:
    """Measure the memory and the CPU time that governance takes for each of ``kernels`` idle kernels.

    The CPU time is measured for ``seconds``.
    """
    costs = {
        governed: _idle_costs(folder / f"idle-{governed}", kernels, seconds, governed) for governed in (True, False)
    }
    (few, many), (bare_few, bare_many) = costs[True], costs[False]
    memory = (many.resident - few.resident) - (bare_many.resident - bare_few.resident)
    of_all = f"{kernels} kernels; {(bare_many.resident - bare_few.resident) / kernels / 1024:.0f} KiB without it"
    results.add("server memory of governance for each kernel", memory / kernels / 1024, "KiB", None, of_all)
    results.add("idle CPU of governance with no kernel", few.own / seconds * 1e3, "ms/s")
    each = (many.own - few.own) / seconds / kernels * 1e6
    share = f"{each / 1e4:.4f} % of a core"
    results.add("idle CPU of governance for each kernel", each, "us/s", None, share)
    whole = (many.process - few.process - (bare_many.process - bare_few.process)) / seconds / kernels * 1e6
    results.add("  and by difference to a server without it", whole, "us/s", None, "noise of both servers included")


@dataclass(frozen=True)
class _Cost:
    """The CPU seconds of governance and of the process in a period, and the resident bytes at its end."""

    own: float
    process: float
    resident: int


def _idle_costs(home: Path, kernels: int, seconds: float, governed: bool) -> tuple[_Cost, _Cost]:
    """Return the costs of a server without kernels, and then with this number of idle kernels.

    If the server is governed, each kernel has made a request before, and so has a connection to the local socket.
    """
    with _server(home, governed=governed) as server, ExitStack() as stack:
        none = _rest(server, seconds)
        for number in range(kernels):
            opened = server.open_notebook(f"{number}.ipynb")
            stack.callback(server.request, "DELETE", f"api/kernels/{opened.kernel_id}")
            # No page is connected, as for most kernels of a large server; the channels cost both servers the same.
            opened.close()
            if governed:
                with connected(server, opened.kernel_id) as kernel:
                    assert kernel.run(f"%governance\n{_CONNECT}").status == "ok"
            else:
                until(lambda id=opened.kernel_id: server.kernel_state(id) == "idle", "the kernel is ready", 60)
        return none, _rest(server, seconds)


def _rest(server: LiveServer, seconds: float) -> _Cost:
    """Return the costs of a server in which nothing happens for this number of seconds."""
    time.sleep(3)
    before = _sample(server)
    time.sleep(seconds)
    after = _sample(server)
    return _Cost(after.own - before.own, after.process - before.process, after.resident)


def _sample(server: LiveServer) -> Sample:
    body: dict[str, Any] = server.json("GET", "own-cpu")
    return Sample(**body)


@contextmanager
def _server(home: Path, *, governed: bool = True) -> Iterator[LiveServer]:
    home.mkdir(parents=True)
    # Extensions are loaded in the order of their names, and this one must be loaded before governance.
    (home / "a_own_cpu.py").write_text(OWN_CPU)
    server = LiveServer(
        home,
        environment={"PYTHONPATH": str(home)},
        extensions={"a_own_cpu": True, "aumos_governance": governed},
    )
    try:
        yield server.start()
    finally:
        server.close()
