"""What governance costs a server whose kernels do something else: print a great deal, or nothing at all."""

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
    """A server's own figures at one moment; seconds and bytes."""

    threads: float
    loop: float
    process: float
    resident: int
    thread_count: int

    @property
    def own(self) -> float:
        return self.threads + self.loop


def printing(results: Results, folder: Path, lines: int, pairs: int) -> None:
    """What a server pays for a kernel that prints: governance by itself, and the whole with it and without."""
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
        # In pairs, one after the other, so that whatever else goes on here weighs on both.
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
    """Memory and idle CPU that each kernel costs, with governance and without, and what more notebooks cost."""
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
    own: float
    process: float
    resident: int


def _idle_costs(home: Path, kernels: int, seconds: float, governed: bool) -> tuple[_Cost, _Cost]:
    """With no kernel, and with all of them, each having made a request over its local socket."""
    with _server(home, governed=governed) as server, ExitStack() as stack:
        none = _rest(server, seconds)
        for number in range(kernels):
            opened = server.open_notebook(f"{number}.ipynb")
            stack.callback(server.request, "DELETE", f"api/kernels/{opened.kernel_id}")
            # No page is connected, as of most of many kernels; the channels would only cost both servers the same.
            opened.close()
            if governed:
                with connected(server, opened.kernel_id) as kernel:
                    assert kernel.run(f"%governance\n{_CONNECT}").status == "ok"
            else:
                until(lambda id=opened.kernel_id: server.kernel_state(id) == "idle", "the kernel is ready", 60)
        return none, _rest(server, seconds)


def _rest(server: LiveServer, seconds: float) -> _Cost:
    """What a while of nothing costs."""
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
    # Loaded in the order of their names, and before what it measures.
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
