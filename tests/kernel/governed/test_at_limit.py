"""Calls that wait at a limit, in a kernel of a real governed server; a user raises the limit over REST."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveServer
from tests.kernel.governed_kernel import connected
from tests.kernel.real_kernel import Kernel, Outcome

OPEN = "%governance --new --trust-level 5 --budget 1 --at-limit ask"
SPEND = "%governance_spend 1.4 --tool gpt-4o"
HOLD = """
from aumos_governance.engine import GovernanceAction
from aumos_governance.kernel.engine.notebook_engine import notebook_engine
with notebook_engine().authorize(GovernanceAction(agent_id="", tool="gpt-4o", budget_amount="1.4")) as grant:
    grant.settle("1.2")
"""
HOLD_AWAITED = HOLD.replace("with ", "async with ").replace("grant.settle", "await grant.settle")
CELL = "%%governed --tool gpt-4o --cost 1.4\npass"
WAITING = "Waiting at the limit: gpt-4o, $1.40 needs $0.40 more than the budget has left."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("server"))
    try:
        yield live.start()
    finally:
        live.close()


@pytest.fixture(scope="module")
def kernel(server: LiveServer) -> Iterator[Kernel]:
    opened = server.open_notebook("limit.ipynb")
    with connected(server, opened.kernel_id) as kernel:
        yield kernel
    opened.close()


@pytest.fixture(autouse=True)
def fresh(kernel: Kernel) -> None:
    assert kernel.run(OPEN).status == "ok"


def when_it_waits(kernel: Kernel, cell: str, then: Callable[[], object]) -> Outcome:
    return kernel.run(cell, when_shown=lambda line: line.startswith("Waiting") and then())


def set_budget(server: LiveServer, budget: str) -> dict[str, Any]:
    state: dict[str, Any] = server.json(
        "PATCH", f"{GOVERNANCE}state", params={"path": "limit.ipynb"}, json={"budget": budget}
    )
    return state


@pytest.mark.parametrize(("cell", "spent"), [(SPEND, "1.4"), (HOLD, "1.2"), (HOLD_AWAITED, "1.2"), (CELL, "1.4")])
def test_it_goes_on_when_a_user_raises_the_budget(kernel: Kernel, server: LiveServer, cell: str, spent: str) -> None:
    outcome = when_it_waits(kernel, cell, lambda: set_budget(server, "2"))
    assert outcome.status == "ok", outcome
    assert outcome.printed[0].startswith(WAITING)
    assert "Raise the budget or deny the call under the cell or in the governance panel" in outcome.printed[0]
    assert outcome.updates[-1]["text/plain"].startswith(("Allowed after waiting", "Approved"))
    state = server.state("limit.ipynb")
    assert (state["spent"], state["held"], state["budget"]) == (spent, "0", "2")


@pytest.mark.parametrize("cell", [SPEND, HOLD, CELL])
def test_an_interrupt_withdraws_it(kernel: Kernel, server: LiveServer, cell: str) -> None:
    pid = int(kernel.value("__import__('os').getpid()"))
    outcome = when_it_waits(kernel, cell, lambda: os.kill(pid, signal.SIGINT))
    assert outcome.ename == "KeyboardInterrupt"
    assert outcome.updates[-1]["text/plain"].startswith("Withdrawn")
    set_budget(server, "5")
    state = server.state("limit.ipynb")
    assert (state["spent"], state["held"]) == ("0", "0")
    assert kernel.run("%governance_spend 0.5").status == "ok"


def test_threads_wait_and_go_on_together(kernel: Kernel, server: LiveServer) -> None:
    cell = """
from concurrent.futures import ThreadPoolExecutor
from aumos_governance.kernel.requests.connection import connect
from aumos_governance.kernel.requests.connection import at_limit_field
client = connect(get_ipython()).client
def call(_):
    return client.request("spend", {"amount": "0.5", **at_limit_field()})["decision"]["allowed"]
with ThreadPoolExecutor(8) as threads:
    calls = threads.map(call, range(8))
    %governance_spend 1.4 --tool gpt-4o
    print(sum(calls))
"""
    outcome = when_it_waits(kernel, cell, lambda: set_budget(server, "5.4"))
    assert outcome.status == "ok", outcome
    assert outcome.lines[-1] == "8"
    assert server.state("limit.ipynb")["spent"] == "5.4"


def test_a_notebook_may_say_deny(kernel: Kernel) -> None:
    assert kernel.run("%governance --at-limit deny").status == "ok"
    assert kernel.run(SPEND).ename == "GovernanceDeniedError"
    assert kernel.run("%governance --at-limit never").evalue == "--at-limit takes ask or deny, not 'never'."
