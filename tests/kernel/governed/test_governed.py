"""The magics in kernels of a real governed server, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.bridge.live_server import LiveServer, until
from tests.kernel.governed_kernel import CONNECT, SOCKET, connected, notebook, stopped
from tests.kernel.notebook_files import ACCEPTANCE, ACCEPTANCE_LINES, sources
from tests.kernel.real_kernel import Kernel, refused, spent


def test_the_acceptance_notebook_and_the_server_agree(server: LiveServer) -> None:
    with notebook(server, "acceptance.ipynb", load=False) as (kernel, _):
        *cells, last = sources(ACCEPTANCE)
        outcomes = [kernel.run(source, cell_id=f"seed-{number}") for number, source in enumerate(cells)]
        state = server.state("acceptance.ipynb")
        assert (state["active"], state["spent"], state["budget"], state["remaining"]) == (True, "0.2", "10", "9.8")
        outcomes.append(kernel.run(last))
        state = server.state("acceptance.ipynb")
        assert (state["active"], state["spent"], state["budget"]) == (False, "0.2", "10")
    assert [line for outcome in outcomes for line in outcome.printed] == ACCEPTANCE_LINES
    records = server.json("GET", "aumos-governance/v1/audit", params={"path": "acceptance.ipynb"})["records"]
    assert [(record["event"], record["cell"]["id"]) for record in reversed(records)] == [
        ("open", "seed-2"),
        ("spend", "seed-4"),
        ("spend", "seed-5"),
        ("spend", "seed-5"),
        ("close", None),
    ]


def test_a_denied_spend_is_one_sentence_here_too(server: LiveServer) -> None:
    with notebook(server, "denied.ipynb") as (kernel, _):
        kernel.run("%governance --budget 1")
        refused(
            kernel.run("%governance_spend 2"), "GovernanceDeniedError", "DENIED: Would exceed budget ($2.00 > $1.00)"
        )
        refused(kernel.run("%governance_spend nan"), "InvalidAmountError", "finite number")


def test_a_restarted_kernel_resumes(server: LiveServer) -> None:
    with notebook(server, "restarted.ipynb") as (kernel, kernel_id):
        kernel.run("%governance\n%governance_spend 0.2")
        server.json("POST", f"api/kernels/{kernel_id}/restart")
        with connected(server, kernel_id) as again:
            assert again.run("%governance").lines == [
                "Governance enabled: trust_level=L2, budget=$10.00 (resumed, $0.20 spent; --new starts fresh)"
            ]


def test_a_users_limit_stands_and_the_magic_says_who_set_it(server: LiveServer) -> None:
    with notebook(server, "taught.ipynb") as (kernel, _):
        kernel.run("%governance")
        server.json("PATCH", "aumos-governance/v1/state", params={"path": "taught.ipynb"}, json={"budget": "5"})
        outcome = kernel.run("%governance --budget 10")
        assert outcome.lines[0].startswith("Governance enabled: trust_level=L2, budget=$5.00")
        assert outcome.lines[1].startswith("The budget stays at $5.00, set by ")
        assert "Set by: " in spent(kernel)


@pytest.mark.parametrize("threads", [2, 8])
def test_threads_never_spend_more_than_there_is(server: LiveServer, threads: int) -> None:
    with notebook(server, f"threads-{threads}.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 5\n{CONNECT}\nfrom concurrent.futures import ThreadPoolExecutor")
        outcome = kernel.run(
            "def spend(_):\n"
            "    return client.request('spend', {'amount': '0.01'})['decision']['allowed']\n"
            f"with ThreadPoolExecutor({threads}) as pool:\n"
            "    print(sum(pool.map(spend, range(1000))))"
        )
        assert outcome.lines == ["500"]
        assert server.state(f"threads-{threads}.ipynb")["spent"] == "5"


def test_tasks_request_while_their_loop_runs_on(server: LiveServer) -> None:
    with notebook(server, "tasks.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 5\n{CONNECT}\nimport asyncio, threading\nticks = 0")
        outcome = kernel.run(
            "async def tick():\n"
            "    global ticks\n"
            "    while True:\n"
            "        ticks += 1\n"
            "        await asyncio.sleep(0)\n"
            "ticker = asyncio.create_task(tick())\n"
            "answers = await asyncio.gather(*[client.request_async('spend', {'amount': '0.2'}) for _ in range(50)])\n"
            "ticker.cancel()\n"
            "print(sum(answer['decision']['allowed'] for answer in answers), ticks > 1)"
        )
        assert outcome.lines == ["25 True"]
        assert server.state("tasks.ipynb")["spent"] == "5"


def test_requests_that_come_together_travel_together(server: LiveServer) -> None:
    with notebook(server, "together.ipynb") as (kernel, _):
        kernel.run(f"%governance\n{CONNECT}\nimport asyncio")
        counted = kernel.run(
            "transport = client._transport._comm\nclient._transport._socket.send = lambda ask: False\n"
            "sends = []\nsend = transport._comm.send\n"
            "transport._comm.send = lambda data: (sends.append(len(data['asks'])), send(data))\n"
            "_ = await asyncio.gather(*[client.request_async('status') for _ in range(50)])\n"
            "print(sum(sends) >= 50, len(sends) < 25)"
        )
        assert counted.lines == ["True True"]


def interrupt(kernel: Kernel, when: threading.Event) -> threading.Thread:
    """Interrupt the kernel, as the button in JupyterLab does, when the event ``when`` is set."""
    pid = int(kernel.value("__import__('os').getpid()"))

    def press() -> None:
        if when.wait(30):
            os.kill(pid, signal.SIGINT)

    thread = threading.Thread(target=press, daemon=True)
    thread.start()
    return thread


def test_an_interrupted_request_is_taken_back(server: LiveServer, tmp_path: Path) -> None:
    with notebook(server, "interrupted.ipynb") as (kernel, _):
        # With the socket connected, both requests are sent over it, and arrive in order.
        allowed = "--GovernanceExtension.local_socket=True"
        kernel.run(f"%governance\n{CONNECT}\n{SOCKET if allowed in server.arguments else ''}")
        begun = tmp_path / "begun"
        kernel.run(
            "send = client._transport.send\n"
            f"def noted(ask, **how):\n    send(ask, **how)\n    open({str(begun)!r}, 'w').close()\n"
            "client._transport.send = noted"
        )
        pressed = threading.Event()
        thread = interrupt(kernel, pressed)
        with stopped(server):
            watcher = threading.Thread(
                target=lambda: (until(begun.exists, "the spend is asked"), pressed.set()), daemon=True
            )
            watcher.start()
            outcome = kernel.run("%governance_spend 1")
            watcher.join()
        thread.join()
        assert (outcome.status, outcome.ename) == ("error", "KeyboardInterrupt")
        # The ledger handles requests in order, so the interrupted request and its cancel are done before this one.
        assert kernel.run("%governance_spend 2").lines == ["Recorded: $2.00 for unknown ($8.00 remaining)"]
        assert server.state("interrupted.ipynb")["spent"] == "2"


def test_a_server_that_stands_still_is_unreachable_and_charges_nothing_later(server: LiveServer) -> None:
    with notebook(server, "still.ipynb") as (kernel, _):
        kernel.run("%governance\n%governance_spend 0.5\npaid = []")
        with stopped(server):
            began = time.monotonic()
            outcome = kernel.run("%governance_spend 1\npaid.append(1)")
            assert time.monotonic() - began < 20
        refused(outcome, "ServerUnreachableError", "did not respond within")
        assert "nothing is authorised" in outcome.evalue
        assert kernel.value("paid") == "[]"
        # The ledger handles requests in order, so those that waited for the server are done before this one.
        assert kernel.run("%governance_spend 0.25").lines == ["Recorded: $0.25 for unknown ($9.25 remaining)"]
        assert server.state("still.ipynb")["spent"] == "0.75"


def test_a_kernel_that_never_met_its_server_fails_closed_too(server: LiveServer) -> None:
    with notebook(server, "unmet.ipynb") as (kernel, _):
        with stopped(server):
            began = time.monotonic()
            refused(kernel.run("%governance"), "ServerUnreachableError", "did not respond within")
            assert time.monotonic() - began < 10
        assert kernel.run("%governance").lines == ["Governance enabled: trust_level=L2, budget=$10.00"]
        # The kernel has not opened an embedded engine instead of the server.
        assert not (server.home / "data" / "aumos_governance" / "embedded.sqlite").exists()


FORK = (
    "import os\n"
    "read, write = os.pipe()\n"
    "child = os.fork()\n"
    "if child == 0:\n"
    "    try:\n"
    "        written = client.request('spend', {'amount': '1'})['state']['spent']\n"
    "    except BaseException as error:\n"
    "        written = f'{type(error).__name__}: {error}'\n"
    "    os.write(write, written.encode())\n"
    "    os._exit(0)\n"
    "_ = os.waitpid(child, 0)\n"
    "written = os.read(read, 1000).decode()"
)


def test_a_forked_child_requests_over_a_connection_of_its_own(
    server: LiveServer, request: pytest.FixtureRequest
) -> None:
    with notebook(server, "forked.ipynb") as (kernel, _):
        kernel.run(f"%governance\n{CONNECT}\n%governance_spend 1")
        if "comm" in request.node.name:
            kernel.run(FORK)
            assert "only over its local socket, which it does not offer" in kernel.value("written")
            assert server.state("forked.ipynb")["spent"] == "1"
            return
        for written in ("2", "3"):
            kernel.run(FORK)
            assert kernel.value("written") == repr(written)
        assert kernel.run("%governance_spend 1").lines == ["Recorded: $1.00 for unknown ($6.00 remaining)"]


def test_processes_of_a_pool_share_the_notebooks_budget(server: LiveServer, request: pytest.FixtureRequest) -> None:
    if "comm" in request.node.name:
        return
    with notebook(server, "pool.ipynb") as (kernel, _):
        kernel.run(f"%governance --budget 1\n{CONNECT}\nimport multiprocessing")
        outcome = kernel.run(
            "def spend(_):\n"
            "    return client.request('spend', {'amount': '0.01'})['decision']['allowed']\n"
            "with multiprocessing.get_context('fork').Pool(4) as pool:\n"
            "    print(sum(pool.map(spend, range(200))))"
        )
        assert outcome.lines == ["100"]
        assert server.state("pool.ipynb")["spent"] == "1"


def test_a_request_at_exit_is_heard(server: LiveServer) -> None:
    with notebook(server, "exit.ipynb") as (kernel, kernel_id):
        kernel.run(f"%governance\n{CONNECT}\n%governance_spend 1")
        kernel.run(
            "import atexit\n"
            "held = client.request('hold', {'amount': '2'})['hold_id']\n"
            "_ = atexit.register(lambda: client.request('settle', {'hold_id': held, 'amount': '0.5'}))"
        )
        assert server.state("exit.ipynb")["held"] == "2"
        server.request("DELETE", f"api/kernels/{kernel_id}")
        state = server.state("exit.ipynb")
        assert (state["spent"], state["held"]) == ("1.5", "0")


INNER = (
    "import subprocess, sys\n"
    'cells = \'get_ipython().run_line_magic("load_ext", "aumos_governance.jupyter_extension");\'\n'
    'cells += \'get_ipython().run_line_magic("governance", "")\'\n'
    "inner = subprocess.run([sys.executable, '-m', 'IPython', '--colors=NoColor', '-c', cells],"
    " capture_output=True, text=True)\n"
    "print(inner.stdout)"
)


def test_what_is_started_inside_a_kernel_is_not_that_kernel(server: LiveServer) -> None:
    with notebook(server, "outer.ipynb") as (kernel, _):
        printed = kernel.run(INNER).text
        assert "No governed Jupyter server here" in printed
        assert "Governance enabled: trust_level=L2, budget=$10.00" in printed
        assert server.state("outer.ipynb")["active"] is False
    (server.home / "data" / "aumos_governance" / "embedded.sqlite").unlink()


def test_a_strict_server_is_obeyed_and_binds_what_is_started_inside(tmp_path: Path) -> None:
    server = LiveServer(tmp_path, "--GovernanceExtension.strict=True", "--GovernanceExtension.default_budget=3")
    try:
        server.start()
        with notebook(server, "strict.ipynb") as (kernel, _):
            refused(kernel.run("%governance --budget 100"), "NotAllowedError", "strict")
            assert kernel.run("%governance").lines == ["Governance enabled: trust_level=L2, budget=$3.00"]
            refused(kernel.run("%governance_disable"), "NotAllowedError", "strict")
            assert "strict governance server (GovernanceExtension.strict)" in kernel.run(INNER).text
    finally:
        server.close()


def test_the_greeting_states_the_notebook_and_the_versions(server: LiveServer) -> None:
    with notebook(server, "greeted.ipynb") as (kernel, _):
        kernel.run(f"%governance\n{CONNECT}")
        greeting = json.loads(kernel.run("import json; print(json.dumps(dict(client.greeting)))").text)
        assert greeting["notebook"] == "greeted.ipynb"
        assert greeting["version"] == kernel.value("__import__('aumos_governance').__version__").strip("'")
