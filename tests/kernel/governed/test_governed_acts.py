"""Governed cells in kernels of a real governed server; a user decides over REST, as in the panel."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveServer, until
from tests.kernel.governed_kernel import connected
from tests.kernel.real_kernel import Kernel, Outcome, refused

CELL = "%%governed --tool deploy --cost 0.05\nran.append('deploy')\nlen(ran)"
WAITING = "Waiting for approval: deploy, $0.05. Approve or deny it under the cell or in the governance panel"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("server"))
    try:
        yield live.start()
    finally:
        live.close()


class Notebook:
    """A notebook with its kernel, and what a user does with it over REST."""

    def __init__(self, server: LiveServer, kernel: Kernel, kernel_id: str, path: str) -> None:
        self.server = server
        self.kernel = kernel
        self.kernel_id = kernel_id
        self.path = path

    def fresh(self, level: int) -> None:
        self.kernel.run(f"%governance --new --trust-level {level} --budget 1\nran = []")

    def requested(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.server.json("GET", f"{GOVERNANCE}approvals", params={"path": self.path})[
            "approvals"
        ]
        return found

    def decide(self, decision: str) -> dict[str, Any]:
        """Decide the only pending approval request, and return it."""
        (question,) = self.requested()
        body = {"decision": decision, "digest": question["digest"]}
        self.server.json("POST", f"{GOVERNANCE}approvals/{question['id']}", json=body)
        return question

    def events(self) -> list[str]:
        records = self.server.json("GET", f"{GOVERNANCE}audit", params={"path": self.path})["records"]
        found = [record["event"] for record in records]
        return list(reversed(found[: found.index("open")]))

    def run_and(self, cell: str, then: Any) -> Outcome:
        """Run a cell, and call ``then`` when the cell shows that it waits."""
        return self.kernel.run(cell, cell_id="the-cell", when_shown=lambda line: line.startswith("Waiting") and then())


@pytest.fixture(scope="module")
def shared(server: LiveServer) -> Iterator[Notebook]:
    opened = server.open_notebook("acts.ipynb")
    with connected(server, opened.kernel_id) as kernel:
        yield Notebook(server, kernel, opened.kernel_id, "acts.ipynb")
    opened.close()


@pytest.fixture
def notebook(shared: Notebook) -> Notebook:
    shared.fresh(3)
    return shared


def test_a_users_approval_runs_exactly_what_they_saw(notebook: Notebook) -> None:
    seen: list[dict[str, Any]] = []
    outcome = notebook.run_and(CELL, lambda: seen.append(notebook.decide("approve")))
    assert outcome.printed[0].startswith(WAITING)
    (update,) = outcome.updates
    assert update["text/plain"] == "Approved: deploy, $0.05."
    assert outcome.results[0]["text/plain"] == "1"
    assert outcome.lines == ["Recorded: $0.05 for deploy ($0.95 remaining)"]
    (question,) = seen
    assert question["shown"] == {
        "tool": "deploy",
        "cost": "0.05",
        "code": "ran.append('deploy')\nlen(ran)",
    }
    assert (question["tool"], question["amount"], question["cell"]["id"]) == ("deploy", "0.05", "the-cell")
    assert notebook.events() == ["hold", "approval_requested", "approve", "hold", "settle"]
    assert notebook.requested() == []


def test_a_users_denial_is_one_sentence_and_nothing_runs(notebook: Notebook) -> None:
    outcome = notebook.run_and(CELL, lambda: notebook.decide("deny"))
    assert outcome.ename == "GovernanceDeniedError"
    assert outcome.evalue.endswith(" denied it.")
    assert outcome.traceback == [outcome.evalue]
    assert outcome.updates[0]["text/plain"].endswith(" denied it: deploy, $0.05.")
    assert notebook.kernel.value("ran") == "[]"
    assert notebook.server.state(notebook.path)["held"] == "0"


def test_a_changed_cell_requests_anew(notebook: Notebook) -> None:
    first = notebook.run_and(CELL, lambda: notebook.decide("approve"))
    digests: list[str] = []
    for cell in (CELL, CELL.replace("len(ran)", "ran")):
        again = notebook.run_and(cell, lambda: digests.append(notebook.decide("deny")["digest"]))
        assert (first.status, again.status) == ("ok", "error")
    assert digests[0] != digests[1]
    assert notebook.kernel.value("ran") == "['deploy']"


def test_without_a_decision_in_time_it_is_denied(notebook: Notebook) -> None:
    outcome = notebook.kernel.run(CELL.replace("0.05", "0.05 --timeout 0.5"))
    assert outcome.evalue == "DENIED: No decision in time; run the cell again to request approval again."
    assert notebook.requested() == []
    assert notebook.kernel.value("ran") == "[]"


@pytest.mark.parametrize("body", ["ran.append(1)", "import asyncio\nawait asyncio.sleep(0)\nran.append(1)"])
def test_an_interrupt_takes_the_question_back(notebook: Notebook, body: str) -> None:
    pid = int(notebook.kernel.value("__import__('os').getpid()"))
    cell = f"%%governed --tool deploy --cost 0.05\n{body}"
    outcome = notebook.run_and(cell, lambda: os.kill(pid, signal.SIGINT))
    assert outcome.ename == "KeyboardInterrupt"
    assert outcome.traceback == ["KeyboardInterrupt"]
    assert outcome.updates[-1]["text/plain"].startswith("Withdrawn: deploy, $0.05.")
    until(lambda: notebook.requested() == [], "nothing waits any more")
    assert notebook.kernel.value("ran") == "[]"
    assert notebook.server.state(notebook.path)["held"] == "0"


def test_at_l4_a_report_waits_for_a_user(notebook: Notebook) -> None:
    notebook.fresh(4)
    notebook.kernel.run(CELL)
    notebook.kernel.run("%%governed --tool deploy --cost 0.05\n1 / 0")
    done, failed = notebook.server.json("GET", f"{GOVERNANCE}reports", params={"path": notebook.path})["reports"]
    assert (done["shown"]["result"], done["shown"]["spent"], done["shown"]["code"]) == (
        "done",
        "0.05",
        "ran.append('deploy')\nlen(ran)",
    )
    assert failed["shown"]["result"] == "failed: ZeroDivisionError"


def test_a_suggestion_requests_no_approval(notebook: Notebook) -> None:
    notebook.fresh(2)
    refused(notebook.kernel.run(CELL), "GovernanceDeniedError", "a governed action is only suggested")
    assert notebook.events() == ["hold"]


def test_a_settlement_that_fails_is_shown_like_an_error_of_the_cell(notebook: Notebook) -> None:
    notebook.fresh(5)
    outcome = notebook.kernel.run(
        "%%governed --tool deploy --cost 0.05\n"
        "from aumos_governance.errors import LedgerError\n"
        "from aumos_governance.kernel.engine.notebook_engine import NotebookEngine\n"
        "kept = NotebookEngine.resolve\n"
        "def fails(*args, **kwargs): raise LedgerError('The disk is full.')\n"
        "NotebookEngine.resolve = fails"
    )
    assert (outcome.status, outcome.ename, outcome.evalue) == ("error", "LedgerError", "The disk is full.")
    assert notebook.server.state(notebook.path)["held"] == "0.05"
    notebook.kernel.run("NotebookEngine.resolve = kept")


def test_the_sdk_says_no_as_the_magics_do(notebook: Notebook) -> None:
    notebook.fresh(2)
    notebook.kernel.run(
        "from aumos_governance import GovernanceAction, default_engine, governed\n"
        "@governed(trust_level=4)\n"
        "def above(): ran.append(1)\n"
        "@governed(act=True)\n"
        "def acts(): ran.append(1)"
    )
    refused(notebook.kernel.run("above()"), "GovernanceDeniedError", "needs trust level L4")
    refused(notebook.kernel.run("acts()"), "GovernanceDeniedError", "a governed action is only suggested")
    action = "GovernanceAction('', budget_amount=3, action_type='gpt-4o')"
    denied = notebook.kernel.run(f"with default_engine().authorize({action}):\n    ran.append(1)")
    refused(denied, "GovernanceDeniedError", "$3.00 for gpt-4o was requested and $1.00 is left; raise the budget")
    assert notebook.kernel.value("ran") == "[]"


def test_a_governed_function_waits_for_the_user_too(notebook: Notebook) -> None:
    notebook.kernel.run(
        "from aumos_governance import governed\n"
        "@governed(act=True, budget=0.5)\n"
        "def order(what, *, count=1):\n"
        "    order.record_spend('0.2')\n"
        "    ran.append(what)"
    )
    seen: list[dict[str, Any]] = []
    outcome = notebook.run_and("order('books', count=2)", lambda: seen.append(notebook.decide("approve")))
    assert (outcome.status, notebook.kernel.value("ran")) == ("ok", "['books']")
    assert seen[0]["shown"]["code"] == "order('books', count=2)"
    assert outcome.updates[0]["text/plain"].startswith("Approved: ")
    assert notebook.server.state(notebook.path)["spent"] == "0.2"
    assert notebook.kernel.value("order.governance_state.spent") == "0.2"
