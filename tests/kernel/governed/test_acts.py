"""Governed cells without a server: each trust level, the kernel's own prompt, and front ends without input."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bridge.live_server import until
from tests.kernel.notebook_files import call, with_papermill
from tests.kernel.real_kernel import (
    Kernel,
    environment,
    refused,
    spent,
    started,
)

DEPLOY = "%%governed --tool deploy --cost 0.05\nran.append('deploy')\nlen(ran)"
QUESTION = "Run it? Type yes to run it; anything else denies it: "


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("kernel")
    with started(environment(folder), folder) as running:
        yield running


@pytest.fixture
def kernel(shared: Kernel) -> Kernel:
    """The shared kernel with a new session, in which no governed cell has run yet."""
    assert shared.run("%governance --new --trust-level 3 --budget 1\nran = []").status == "ok"
    return shared


def at(kernel: Kernel, level: int) -> None:
    kernel.run(f"%governance --trust-level {level}")


def events(kernel: Kernel) -> list[str]:
    """Return the events of the audit records of this session after its opening."""
    table = kernel.run("%governance_audit --last 50").displays[0]["text/plain"].splitlines()
    found = [line.split()[2] for line in table[1:]]
    return found[max(n for n, event in enumerate(found) if event == "open") + 1 :]


def did_not_run(kernel: Kernel) -> bool:
    return kernel.value("ran") == "[]" and "$0.00 spent" in spent(kernel) and "Held" not in spent(kernel)


def test_at_l0_it_is_denied(kernel: Kernel) -> None:
    at(kernel, 0)
    refused(kernel.run(DEPLOY), "GovernanceDeniedError", "DENIED: A governed action needs trust level L3")
    assert did_not_run(kernel)


@pytest.mark.parametrize("level", [1, 2])
def test_at_l1_and_l2_it_is_a_suggestion(kernel: Kernel, level: int) -> None:
    at(kernel, level)
    outcome = kernel.run(DEPLOY)
    assert outcome.printed == ["Suggestion: deploy, $0.05. Not run:", "    ran.append('deploy')", "    len(ran)"]
    assert "ran.append(&#x27;deploy&#x27;)" in outcome.displays[0]["text/html"]
    assert outcome.evalue.startswith(f"DENIED: Not run: at L{level}")
    assert outcome.evalue.endswith("or raise the trust level with %governance --trust-level.")
    assert (outcome.status, outcome.ename) == ("error", "GovernanceDeniedError")
    assert did_not_run(kernel)


@pytest.mark.parametrize("level", [4, 5])
def test_at_l4_and_l5_it_runs(kernel: Kernel, level: int) -> None:
    at(kernel, level)
    outcome = kernel.run(DEPLOY)
    assert outcome.results[0]["text/plain"] == "1"
    reported = ["Reported: deploy ran"] if level == 4 else []
    assert outcome.lines == ["Recorded: $0.05 for deploy ($0.95 remaining)", *reported]
    assert ("report" in events(kernel)) == (level == 4)
    assert kernel.run("%%governed --requires L5\nran.append('five')").status == ("error" if level == 4 else "ok")


def test_what_does_not_fit_says_what_is_left(kernel: Kernel) -> None:
    at(kernel, 5)
    denied = kernel.run("%%governed --tool deploy --cost 2\nran.append(1)")
    refused(
        denied, "GovernanceDeniedError", "DENIED: Would exceed budget ($2.00 > $1.00); $2.00 for deploy was requested"
    )
    assert "$1.00 is left; raise the budget with %governance --budget" in denied.evalue
    assert did_not_run(kernel)


def test_at_l3_the_prompt_shows_what_would_run_and_yes_runs_it(kernel: Kernel) -> None:
    outcome = kernel.run(DEPLOY, response="yes")
    assert outcome.requested == QUESTION
    assert outcome.lines == [
        "An approval is needed to run: deploy, $0.05",
        "    ran.append('deploy')",
        "    len(ran)",
        "Recorded: $0.05 for deploy ($0.95 remaining)",
    ]
    assert outcome.results[0]["text/plain"] == "1"
    # Running the same cell again makes a new approval request.
    assert kernel.run(DEPLOY, response="YES ").requested == QUESTION
    assert kernel.value("len(ran)") == "2"


@pytest.mark.parametrize("response", ["", "no", "y", "yes please", "true"])
def test_anything_but_yes_is_a_no(kernel: Kernel, response: str) -> None:
    denied = kernel.run(DEPLOY, response=response)
    assert denied.ename == "GovernanceDeniedError"
    assert denied.evalue.startswith("DENIED: ")
    assert " denied it." in denied.evalue
    assert did_not_run(kernel)


@pytest.mark.parametrize("body", ["ran.append(1)", "import asyncio\nawait asyncio.sleep(0)\nran.append(1)"])
def test_an_interrupt_at_the_prompt_takes_the_question_back(kernel: Kernel, body: str) -> None:
    pid = int(kernel.value("__import__('os').getpid()"))
    cell = f"%%governed --tool deploy --cost 0.05\n{body}"
    outcome = kernel.run(cell, response=lambda: os.kill(pid, signal.SIGINT))
    assert (outcome.ename, outcome.traceback) == ("KeyboardInterrupt", ["KeyboardInterrupt"])
    assert did_not_run(kernel)
    # The interrupt does not wait for the withdrawal, which is recorded a moment later.
    until(lambda: events(kernel) == ["hold", "approval_requested", "withdraw"], "the question is taken back")


def test_where_the_front_end_takes_no_input_it_is_denied_at_once(kernel: Kernel) -> None:
    refused(kernel.run(DEPLOY), "GovernanceDeniedError", "no user can be reached here")
    assert did_not_run(kernel)
    assert "approval_requested" not in events(kernel)


def test_what_is_shown_hides_nothing(kernel: Kernel) -> None:
    outcome = kernel.run("%%governed --tool 'a\u202eb'\nx = '\x1b[2J\u202e'  # seen", response="no")
    assert all(line.isprintable() for line in outcome.lines)
    assert "\\u202e" in outcome.text


def test_a_cell_that_fails_gives_its_cost_back(kernel: Kernel) -> None:
    at(kernel, 4)
    failed = kernel.run("%%governed --tool deploy --cost 0.05\n1 / 0")
    assert failed.ename == "ZeroDivisionError"
    assert failed.lines == [
        "Released: $0.05 for deploy, since the cell failed ($1.00 remaining)",
        "Reported: deploy failed",
    ]
    assert did_not_run(kernel)


@pytest.mark.parametrize(
    "body",
    [
        "import time\ntime.sleep(60)",
        # ipykernel handles an interrupt of an awaiting cell when the event loop wakes up.
        "import asyncio\nfor _ in range(600):\n    await asyncio.sleep(0.1)",
    ],
    ids=["blocking", "awaiting"],
)
def test_a_cell_that_is_interrupted_is_charged(shared: Kernel, kernel: Kernel, body: str) -> None:
    at(kernel, 5)
    pid = int(kernel.value("__import__('os').getpid()"))
    cell = f"%%governed --tool deploy --cost 0.05\nfrom IPython.display import display\ndisplay('begun')\n{body}"
    outcome = kernel.run(cell, when_shown=lambda _: _interrupt(pid))
    assert outcome.ename in {"KeyboardInterrupt", "CancelledError"}
    assert outcome.lines[-1].startswith("Recorded: $0.05 for deploy ($0.95 remaining), in full: the cell was")
    assert "$0.05 spent" in spent(kernel)


def _interrupt(pid: int) -> None:
    # Interrupt only when the statement after the display has begun to wait.
    status = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 20
    while status.read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(pid, signal.SIGINT)


def test_a_functions_budget_goes_with_the_session(kernel: Kernel) -> None:
    function = "def paid():\n    paid.record_spend(0.3)\n    return 'ran'"
    kernel.run(f"from aumos_governance import governed\n@governed(budget=0.5)\n{function}")
    assert kernel.run("paid()").results[0]["text/plain"] == "'ran'"
    assert "Would exceed budget '__main__.paid' ($0.60 > $0.50)" in kernel.run("paid()").evalue
    kernel.run("%governance --new --trust-level 3 --budget 1")
    assert kernel.value("paid.governance_state.spent") == "0.0"
    assert kernel.run("paid()").results[0]["text/plain"] == "'ran'"
    kernel.run("%governance_disable")
    refused(kernel.run("paid()"), "GovernanceDeniedError", "DENIED: Governance is not active")
    assert "spent=0.3" in kernel.run("paid.governance_state").results[0]["text/plain"]


def governed_notebook(folder: Path) -> Path:
    cells = [
        "%load_ext aumos_governance.jupyter_extension\n%governance --trust-level 3",
        "%%governed --tool deploy --cost 0.05\nopen('ran', 'w').close()",
        "open('after', 'w').close()",
    ]
    code = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    notebook = {
        "cells": [{**code, "id": f"c{number}", "source": source} for number, source in enumerate(cells)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path = folder / "act.ipynb"
    path.write_text(json.dumps(notebook), "utf-8")
    return path


@pytest.mark.parametrize("runner", ["execute", "papermill"])
def test_where_no_user_is_there_it_is_denied_at_once_and_the_run_ends(runner: str, tmp_path: Path) -> None:
    notebook = governed_notebook(tmp_path)
    if runner == "papermill":
        code, outputs = with_papermill(notebook, tmp_path)
        assert any("no user can be reached here" in output.get("evalue", "") for output in outputs)
    else:
        result = call(tmp_path, "jupyter", "execute", notebook.name)
        code = result.returncode
        assert "no user can be reached here" in result.stderr
    assert code != 0
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "after").exists()


def test_a_terminal_prompts_its_user(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "IPython",
        "--colors=NoColor",
        "--no-banner",
        "--simple-prompt",
        "--no-confirm-exit",
    ]
    process = subprocess.Popen(
        command,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=tmp_path,
        env=environment(tmp_path),
        close_fds=True,
    )
    os.close(follower)
    screen = ""

    def read_to(word: str) -> None:
        nonlocal screen
        deadline = time.monotonic() + 60
        while word not in screen:
            assert time.monotonic() < deadline, screen
            if select.select([leader], [], [], 0.5)[0]:
                screen += os.read(leader, 4096).decode(errors="replace").replace("\r\n", "\n")
        screen = screen.partition(word)[2]

    def type_in(text: str) -> None:
        os.write(leader, text.encode())

    try:
        read_to("In [1]: ")
        type_in("%load_ext aumos_governance.jupyter_extension\n")
        read_to("In [2]: ")
        type_in("%governance --trust-level 3\n")
        read_to("In [3]: ")
        type_in("%%governed --tool deploy --cost 0.05\nprint(6 * 7)\n\n\n")
        read_to("An approval is needed to run: deploy, $0.05\n    print(6 * 7)\n")
        read_to(QUESTION)
        type_in("yes\n")
        read_to("42\n")
        read_to("Recorded: $0.05 for deploy ($9.95 remaining)\n")
        read_to("In [4]: ")
        type_in("exit\n")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)
