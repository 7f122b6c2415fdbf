"""Kernels and notebooks that are restarted, killed, renamed, shared, copied and deleted."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from aumos_governance.wire.protocol import KERNEL_ENV
from tests.bridge.live_server import GOVERNANCE, LiveKernel, LiveServer, until


def test_a_restart_keeps_the_state(server: LiveServer) -> None:
    with server.notebook("restart.ipynb") as kernel:
        kernel.do("open", budget="5")
        kernel.do("spend", amount="1")
        kernel.restart()
        assert kernel.greet()["notebook"] == "restart.ipynb"
        assert kernel.do("status")["state"]["spent"] == "1"
        assert kernel.do("spend", amount="1")["state"]["spent"] == "2"


def test_a_killed_kernel_comes_back_to_its_state(server: LiveServer) -> None:
    with server.notebook("killed.ipynb") as kernel:
        kernel.do("open", budget="5")
        kernel.do("spend", amount="1")
        pid = kernel.run("import os; result(os.getpid())").result
        kernel.submit(f"os.kill({pid}, {int(signal.SIGKILL)})")
        until(lambda: server.restarted(kernel.kernel_id), "the kernel is restarted")
        kernel.reconnect()
        assert kernel.greet()["ok"]
        assert kernel.do("spend", amount="1")["state"]["spent"] == "2"


def test_a_kernel_gets_its_identity_and_terminals_are_not(server: LiveServer) -> None:
    with server.notebook("environment.ipynb") as kernel:
        stated = kernel.run(f"import os; result(json.loads(os.environ[{KERNEL_ENV!r}]))").result
        assert stated == {"v": 1, "kernel_id": kernel.kernel_id, "strict": False}
        # Renaming a session makes the server build the environment for the next start anew.
        server.json("PATCH", f"api/sessions/{kernel.session_id}", json={"path": "environment.ipynb", "name": "x"})
        kernel.restart()
        kernel.greet()
        assert kernel.run(f"import os; result(json.loads(os.environ[{KERNEL_ENV!r}]))").result == stated


def test_a_kernel_that_was_there_before_governance_says_that_it_is_not_governed(server: LiveServer) -> None:
    """Such as a kernel that another extension started, or that runs elsewhere."""
    spec = server.home / "data" / "kernels" / "before" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "before", "language": "python", "env": {KERNEL_ENV: ""}}))
    server.write_notebook("before.ipynb")
    body = {"path": "before.ipynb", "name": "before.ipynb", "type": "notebook", "kernel": {"name": "before"}}
    session = server.json("POST", "api/sessions", json=body)
    kernel = LiveKernel(server, session["kernel"]["id"], session["id"])
    try:
        reported = kernel.run("%load_ext aumos_governance.jupyter_extension\n%governance").text
        assert "No governed Jupyter server here" in reported
        assert server.state("before.ipynb")["active"] is False, "and the page does not show what the kernel decides"
    finally:
        kernel.close()
        server.request("DELETE", f"api/kernels/{kernel.kernel_id}")


def test_a_kernel_without_a_notebook_is_governed_by_its_id(server: LiveServer) -> None:
    kernel = LiveKernel(server, server.json("POST", "api/kernels", json={"name": "python3"})["id"], "")
    try:
        assert kernel.greet()["notebook"] == f"kernel:{kernel.kernel_id}"
        kernel.do("open", budget="5")
        assert server.state(f"kernel:{kernel.kernel_id}")["budget"] == "5"
    finally:
        kernel.close()
        server.request("DELETE", f"api/kernels/{kernel.kernel_id}")


def test_two_notebooks_on_one_kernel_share_the_older_ones_session(server: LiveServer) -> None:
    with server.notebook("older.ipynb") as kernel:
        kernel.do("open", budget="5")
        with server.events() as stream:
            second = server.open_notebook("younger.ipynb", kernel.kernel_id)
            shared = server.state("younger.ipynb")
            assert shared == {**server.state("older.ipynb"), "path": "younger.ipynb", "shared_with": "older.ipynb"}
            kernel.do("spend", amount="1")
            reported = set()
            while {("older.ipynb", "1"), ("younger.ipynb", "1")} - reported:
                event = json.loads(stream.recv())
                reported.add((event.get("path"), event.get("spent")))
            assert ("younger.ipynb", "0") in reported, "that it shares from now on is reported at once"
        server.json("PATCH", GOVERNANCE + "state", params={"path": "younger.ipynb"}, json={"budget": "3"})
        assert server.state("older.ipynb")["budget"] == "3"
        second.close()


def test_a_console_shares_its_notebooks_kernel_and_session(server: LiveServer) -> None:
    with server.notebook("beside.ipynb") as kernel:
        kernel.do("open", budget="5")
        body = {"path": "console-1", "name": "c", "type": "console", "kernel": {"id": kernel.kernel_id}}
        server.json("POST", "api/sessions", json=body)
        assert kernel.run("result(wire.hello())").result["notebook"] == "beside.ipynb"
        assert kernel.do("status")["state"]["budget"] == "5"


def test_a_rename_takes_the_governance_along(server: LiveServer) -> None:
    with server.notebook("before.ipynb") as kernel:
        kernel.do("open", budget="5")
        kernel.do("spend", amount="1")
        server.json("PATCH", "api/contents/before.ipynb", json={"path": "after.ipynb"})
        # The page renames the server's session row only later.
        until(lambda: server.state("after.ipynb")["spent"] == "1", "the state moved")
        assert server.state("before.ipynb")["seq"] == 0
        spent = kernel.do("spend", amount="1")
        assert (spent["state"]["path"], spent["state"]["spent"]) == ("after.ipynb", "2")
        server.json("PATCH", f"api/sessions/{kernel.session_id}", json={"path": "after.ipynb", "name": "after.ipynb"})
        assert kernel.do("spend", amount="1")["state"]["spent"] == "3"


def test_a_renamed_folder_takes_its_notebooks_along(server: LiveServer) -> None:
    (server.root / "old folder" / "deep").mkdir(parents=True)
    with server.notebook("old folder/deep/n.ipynb") as kernel:
        kernel.do("open", budget="5")
        kernel.do("spend", amount="1")
        server.json("PATCH", "api/contents/old folder", json={"path": "new folder"})
        until(lambda: server.state("new folder/deep/n.ipynb")["spent"] == "1", "the state moved")
        assert kernel.do("spend", amount="1")["state"]["path"] == "new folder/deep/n.ipynb"


def test_a_rename_that_never_happened_is_not_believed(server: LiveServer) -> None:
    with server.notebook("stays.ipynb") as kernel:
        kernel.do("open", budget="5")
        schema = "https://events.jupyter.org/jupyter_server/contents_service/v1"
        for data in (
            {"action": "rename", "source_path": "stays.ipynb", "path": "elsewhere.ipynb"},
            {"action": "rename", "source_path": "stays.ipynb", "path": "older.ipynb"},
            {"action": "delete", "path": "stays.ipynb"},
        ):
            forged = {"schema_id": schema, "version": "1", "data": data}
            assert server.request("POST", "api/events", json=forged).status_code == 204
        assert kernel.do("spend", amount="1")["state"]["path"] == "stays.ipynb"
        assert server.state("stays.ipynb")["active"] is True


def test_a_copy_is_a_new_notebook(server: LiveServer) -> None:
    with server.notebook("original.ipynb") as kernel:
        kernel.do("open", budget="5")
        copy = server.json("POST", "api/contents/", json={"copy_from": "original.ipynb"})["path"]
        assert server.state(copy)["seq"] == 0


def test_a_deleted_notebooks_session_ends_and_its_record_stays(server: LiveServer) -> None:
    with server.notebook("deleted.ipynb") as kernel:
        kernel.do("open", budget="5")
        session_id = kernel.do("spend", amount="1")["state"]["session_id"]
        server.request("DELETE", "api/contents/deleted.ipynb")
        until(lambda: not kernel.do("spend", amount="1")["decision"]["allowed"], "the session is closed")
        records = server.json("GET", GOVERNANCE + "audit", params={"session_id": session_id})["records"]
        assert {"open", "spend", "close"} <= {record["event"] for record in records}
        server.write_notebook("deleted.ipynb")
        assert server.state("deleted.ipynb")["active"] is False


def test_a_forged_kernel_event_changes_nothing(server: LiveServer) -> None:
    with server.notebook("hint.ipynb") as kernel:
        kernel.do("open")
        schema = "https://events.jupyter.org/jupyter_server/kernel_actions/v1"
        data = {"action": "shutdown", "kernel_id": kernel.kernel_id, "status": "success", "msg": "x"}
        forged = {"schema_id": schema, "version": "1", "data": data}
        assert server.request("POST", "api/events", json=forged).status_code == 204
        assert kernel.do("spend", amount="1")["decision"]["allowed"]


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a strict server that opens a session for every new notebook."""
    settings = {"strict": True, "autostart": True, "default_budget": 3, "max_budget": 20}
    arguments = [f"--GovernanceExtension.{name}={value}" for name, value in settings.items()]
    live = LiveServer(tmp_path_factory.mktemp("classroom"), *arguments)
    try:
        yield live.start()
    finally:
        live.close()


def test_autostart_governs_every_new_notebook_once(classroom: LiveServer) -> None:
    with classroom.notebook("auto.ipynb") as kernel:
        state = until(lambda: (found := classroom.state("auto.ipynb"))["active"] and found, "the session is open")
        assert (state["budget"], state["set_by"]) == ("3", "server")
        assert kernel.do("spend", amount="1")["decision"]["allowed"]
        classroom.json("POST", GOVERNANCE + "close", params={"path": "auto.ipynb"})
        kernel.restart()
        kernel.greet()
        assert kernel.do("status")["state"]["active"] is False, "what was closed is not opened again"
    with classroom.notebook("auto.ipynb") as kernel:
        assert kernel.do("status")["state"]["active"] is False, "nor by another kernel"


def test_strict_binds_the_kernel_and_not_the_user(classroom: LiveServer) -> None:
    with classroom.notebook("strict.ipynb") as kernel:
        stated = kernel.run(f"import os; result(json.loads(os.environ[{KERNEL_ENV!r}]))").result
        assert stated["strict"] is True
        assert kernel.run("result(wire.hello())").result["strict"] is True
        until(lambda: classroom.state("strict.ipynb")["active"], "the session is open")
        for op, body in (("open", {"budget": "15"}), ("open", {"new": True}), ("close", {})):
            refused = kernel.do(op, **body)
            assert (refused["ok"], refused["code"]) == (False, "NOT_ALLOWED")
        changed = classroom.json("PATCH", GOVERNANCE + "state", params={"path": "strict.ipynb"}, json={"budget": "15"})
        assert (changed["budget"], changed["set_by"] in ("kernel", "server")) == ("15", False)


def test_what_was_acknowledged_survives_whatever_ends_the_server(launch: Callable[..., LiveServer]) -> None:
    server = launch().start()
    kernel = server.open_notebook("survivor.ipynb")
    kernel.greet()
    kernel.do("open", budget="1000")
    assert kernel.do("spend", request_id="the-one", amount="1")["decision"]["allowed"]
    server.kill()
    kernel.close()

    server.start()
    state = server.state("survivor.ipynb")
    assert (state["active"], state["spent"], state["remaining"]) == (True, "1", "999")
    kernel = server.open_notebook("survivor.ipynb")
    kernel.greet()
    assert kernel.do("spend", amount="1")["state"]["spent"] == "2"
    spends = server.json("GET", GOVERNANCE + "audit", params={"path": "survivor.ipynb", "event": "spend"})["records"]
    assert len(spends) == 2

    kernel.run("wire.responses.clear(); wire.send(*[wire.request('spend', amount='1') for _ in range(300)])")
    acknowledged = until(lambda: kernel.run("result(len(wire.responses))").result, "some are answered")
    server.stop()
    kernel.close()
    assert not server.raised()
    server.start()
    assert int(server.state("survivor.ipynb")["spent"]) >= acknowledged
