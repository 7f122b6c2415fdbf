"""Interrupts at random moments in kernels of a real server: exactly the spends shown as recorded are charged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bridge.live_server import LiveServer, until
from tests.bridge.ways import WAYS, arguments
from tests.kernel.governed_kernel import CONNECT, notebook

STORM = """
import asyncio, ctypes, os, random, signal, threading, time
def press(times, longest):
    for _ in range(times):
        time.sleep(random.uniform(0.001, longest))
        os.kill(os.getpid(), signal.SIGINT)
class Storm:
    def __init__(self, times, longest=0.02):
        self.thread = threading.Thread(target=press, args=(times, longest), daemon=True)
    def __iter__(self):
        self.thread.start()
        while self.thread.is_alive():
            yield
ip = get_ipython()
had = []
"""


@pytest.fixture(scope="module", params=WAYS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp(request.param), arguments(request.param))
    try:
        yield live.start()
    finally:
        live.close()


def cents(server: LiveServer, path: str, field: str = "spent") -> int:
    return round(float(server.state(path)[field]) * 100)


def charged_exactly(server: LiveServer, path: str, count: int) -> None:
    # Cancels are sent when the cell ends, without waiting for their responses.
    until(lambda: cents(server, path) == count, f"{count} cents are charged")


@pytest.mark.soak
def test_a_storm_of_interrupts(server: LiveServer, soak: bool) -> None:
    """Interrupt a loop of spends in the main thread; another thread spends too, and receives the responses of both."""
    presses = 100
    with notebook(server, "storm.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 100000\n{CONNECT}\n{STORM}")
        shown = 0
        for storm in range(20):
            # Two storms, or more if the machine is slow; all of them in a soak.
            if not soak and storm >= 2 and shown > 5:
                break
            kernel.run(
                "ends = threading.Event()\n"
                "def beside():\n"
                "    while not ends.is_set():\n"
                "        had.append(client.request('spend', {'amount': '0.01'})['decision']['charge_id'])\n"
                "other = threading.Thread(target=beside)\n"
                "other.start()"
            )
            outcome = kernel.run(
                f"for _ in Storm({presses}):\n"
                "    try:\n"
                "        ip.run_line_magic('governance_spend', '0.01')\n"
                "    except KeyboardInterrupt:\n"
                "        pass\n",
                timeout=120,
                interrupted=True,
            )
            shown += outcome.text.count("Recorded: $0.01 for unknown")
            # The first may fall between two spends, and end the cell before the others are sent.
            for _ in range(10):
                if kernel.run("time.sleep(0.05)", interrupted=True).status == "ok":
                    break
            assert kernel.run("ends.set()\nother.join()").status == "ok"
            charged_exactly(server, "storm.ipynb", shown + int(kernel.value("len(had)")))
        assert shown > 5
        assert int(kernel.value("len(had)")) > 5
        assert server.json("GET", "aumos-governance/v1/audit/verify")["ok"] is True


@pytest.mark.soak
def test_a_storm_on_governed_blocks_leaves_hardly_anything_held(server: LiveServer, soak: bool) -> None:
    with notebook(server, "blocks.ipynb") as (kernel, _):
        kernel.run(
            f"%governance --budget 100000\n{CONNECT}\n{STORM}\n"
            "from decimal import Decimal\n"
            "from aumos_governance import GovernanceAction, notebook_engine\n"
            "engine = notebook_engine()\n"
            "action = GovernanceAction('', budget_amount=Decimal('0.02'), tool='m')\n"
            "for _ in range(2):\n"
            "    began = time.monotonic()\n"
            "    with engine.authorize(action): pass\n"
            # The time lets some spends end between two interrupts, and others not, however slow the machine is.
            "longest = max(0.02, 2 * (time.monotonic() - began))"
        )
        charged_exactly(server, "blocks.ipynb", 4)
        for done in range(1, 21 if soak else 3):
            kernel.run(
                "for _ in Storm(50, longest):\n"
                "    try:\n"
                "        with engine.authorize(action): pass\n"
                "    except KeyboardInterrupt:\n"
                "        pass\n",
                timeout=120,
                interrupted=True,
            )
            for _ in range(10):
                if kernel.run("time.sleep(0.05)", interrupted=True).status == "ok":
                    break
            # Python itself may be interrupted between `__enter__` and the block, or before `__exit__`: such a hold
            # counts until the kernel ends. This happened about once in 500 interrupts.
            most = 2 * (done + 1)
            until(lambda most=most: cents(server, "blocks.ipynb", "held") <= most, "hardly anything is held")
        assert cents(server, "blocks.ipynb") > 4


@pytest.mark.soak
def test_a_storm_of_cancelled_tasks(server: LiveServer, soak: bool) -> None:
    with notebook(server, "tasks.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 100000\n{CONNECT}\n{STORM}")
        # The time after which a task is cancelled follows the time of a spend on this machine, so that some spends end
        # first.
        outcome = kernel.run(
            "async def spend():\n"
            "    answer = await client.request_async('spend', {'amount': '0.01'})\n"
            "    had.append(answer['decision']['charge_id'])\n"
            "longest = 0.004\n"
            f"for _ in range({3000 if soak else 300}):\n"
            "    task = asyncio.create_task(spend())\n"
            "    await asyncio.sleep(random.uniform(0, longest))\n"
            "    task.cancel()\n"
            "    await asyncio.wait([task])\n"
            "    longest *= 1.1 if task.cancelled() else 0.9\n"
            "print(len(had))",
            timeout=300,
        )
        had = int(outcome.text)
        assert had > 5
        charged_exactly(server, "tasks.ipynb", had)
        voids = server.json("GET", "aumos-governance/v1/audit", params={"path": "tasks.ipynb", "event": "void"})
        assert voids["records"], "some were charged before they were cancelled"
