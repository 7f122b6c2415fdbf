"""Child processes that a notebook starts are served like the notebook, but not other processes with their tokens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.bridge.live_server import LiveServer
from tests.kernel.governed_kernel import CONNECT, notebook

# Spawned processes import their functions from a file, since they cannot import a notebook's cells.
WORK = """
import os
from aumos_governance import GovernanceAction
from aumos_governance.kernel.engine.notebook_engine import notebook_engine

def spend(_):
    try:
        with notebook_engine().authorize(GovernanceAction(agent_id="", budget_amount=0.01)) as call:
            call.settle(0.01)
        return os.getpid()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

def spend_further(_):
    import multiprocessing
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.map(spend, range(2))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("server"))
    (live.root / "work.py").write_text(WORK)
    try:
        yield live.start()
    finally:
        live.close()


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_pool_shares_the_notebooks_budget(server: LiveServer, method: str) -> None:
    path = f"{method}.ipynb"
    with notebook(server, path) as (kernel, _):
        kernel.run(f"%governance --budget 0.1\n{CONNECT}\nimport multiprocessing, work")
        outcome = kernel.run(
            f"with multiprocessing.get_context({method!r}).Pool(2) as pool: told = pool.map(work.spend, range(20))\n"
            "print(len([pid for pid in told if isinstance(pid, int)]), len(set(told)))\n"
            "print(next((text for text in told if isinstance(text, str)), ''))"
        )
        assert outcome.status == "ok", outcome
        counts, reported = outcome.lines
        assert counts.split()[0] == "10", outcome
        assert reported.startswith("GovernanceDeniedError")
        assert server.state(path)["spent"] == "0.1"
        assert kernel.run("%governance_status").status == "ok"


def test_what_a_worker_starts_is_served_too(server: LiveServer) -> None:
    with notebook(server, "further.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 1\n{CONNECT}\nimport concurrent.futures, multiprocessing, work")
        outcome = kernel.run(
            "context = multiprocessing.get_context('spawn')\n"
            "with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:\n"
            "    told = list(pool.map(work.spend_further, range(1)))[0]\n"
            "print(told)\nassert all(isinstance(pid, int) for pid in told)"
        )
        assert outcome.status == "ok", outcome
        assert server.state("further.ipynb")["spent"] == "0.02"


def test_another_process_with_the_offer_is_not_let_in(server: LiveServer) -> None:
    with notebook(server, "stolen.ipynb") as (kernel, _), notebook(server, "thief.ipynb") as (thief, _):
        kernel.run(f"%governance\n{CONNECT}")
        offer = kernel.value("__import__('os').environ['AUMOS_GOVERNANCE_OFFER']")
        thief.run("import os, multiprocessing, work")
        outcome = thief.run(
            f"os.environ['AUMOS_GOVERNANCE_OFFER'] = {offer}\n"
            "with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(work.spend, [1])[0])"
        )
        assert "neither the kernel that the token was issued for nor started by it" in outcome.text
        assert server.state("stolen.ipynb")["spent"] == "0"


def test_without_an_offer_a_worker_says_so_at_once(server: LiveServer) -> None:
    with notebook(server, "unasked.ipynb") as (kernel, _):
        outcome = kernel.run(
            "import multiprocessing, work\n"
            "with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(work.spend, [1])[0])"
        )
        assert outcome.text.startswith("UnavailableError: This process was started by a notebook's kernel and has no")
