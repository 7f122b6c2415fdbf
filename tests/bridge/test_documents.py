"""A notebook is identified by its file, whatever path a kernel or document has; a strict server's child processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, CellError, LiveKernel, LiveServer, until

CONTENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"
EACH = '--GovernanceExtension.envelopes=[{"name": "each", "kind": "notebook", "ceiling": "8"}]'
STRICT = "--GovernanceExtension.strict=True"
MAGICS = "%load_ext aumos_governance.jupyter_extension\n%governance"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Run a strict server with a ceiling of $8 for each notebook, whose root is reached through a link."""
    live = LiveServer(tmp_path_factory.mktemp("strict"), STRICT, EACH)
    (live.home / "link").symlink_to(live.root)
    live.root = live.home / "link"
    try:
        yield live.start()
    finally:
        live.close()


@contextmanager
def kernel_for(server: LiveServer, **body: Any) -> Iterator[LiveKernel]:
    """Yield a kernel without a session row."""
    kernel = LiveKernel(server, server.json("POST", "api/kernels", json={"name": "python3", **body})["id"], "")
    try:
        kernel.greet()
        yield kernel
    finally:
        kernel.close()
        server.request("DELETE", f"api/kernels/{kernel.kernel_id}")


def spend_six(kernel: LiveKernel) -> bool:
    kernel.do("open", budget="10")
    return bool(kernel.do("spend", amount="6")["decision"]["allowed"])


def test_links_and_named_documents_share_the_ceiling_of_their_file(strict: LiveServer) -> None:
    with strict.notebook("n.ipynb") as kernel:
        assert spend_six(kernel)
    (strict.root / "l.ipynb").symlink_to("n.ipynb")
    (strict.root / "folder").mkdir()
    (strict.root / "link to folder").symlink_to("..", target_is_directory=True)
    for path in ("l.ipynb", "link to folder/link/n.ipynb"):
        with strict.notebook(path) as kernel:
            assert not spend_six(kernel), path
            assert strict.state(path)["spent"] == "6"
    with kernel_for(strict, path="l.ipynb") as kernel:
        assert not spend_six(kernel)
    # The names that VS Code gives to the documents of its kernels on a remote server.
    for path in ("n-jvsc-1b0c9f2a.ipynb", "n-jvsc-8c64-41de.ipynb"):
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
        session = strict.json("POST", "api/sessions", json=body)
        kernel = LiveKernel(strict, session["kernel"]["id"], session["id"])
        try:
            assert kernel.greet()["notebook"] == "n.ipynb"
            assert not spend_six(kernel)
        finally:
            kernel.close()
            strict.request("DELETE", f"api/sessions/{session['id']}")
    # Documents that VS Code creates and deletes for itself are not the notebook, and deleting a link does not delete a
    # file.
    strict.write_notebook("n-jvsc-1b0c9f2a.ipynb")
    strict.request("DELETE", "api/contents/n-jvsc-1b0c9f2a.ipynb")
    strict.request("DELETE", "api/contents/l.ipynb")
    assert strict.state("n.ipynb")["active"] is True
    notebooks = strict.json("GET", GOVERNANCE + "notebooks")["notebooks"]
    assert [found["path"] for found in notebooks] == ["n.ipynb"]


def test_a_kernel_that_is_no_notebooks_is_refused_by_a_strict_server(strict: LiveServer) -> None:
    for body in ({}, {"path": "folder"}, {"path": "no such.ipynb"}):
        with kernel_for(strict, **body) as kernel:
            refused = kernel.do("open", budget="1")
            assert (refused["ok"], refused["code"]) == (False, "NOT_ALLOWED")
            assert "GovernanceExtension.strict" in refused["message"]


def test_another_root_above_reaches_the_same_notebook(launch: Callable[..., LiveServer], tmp_path: Path) -> None:
    project = tmp_path / "root" / "project"
    project.mkdir(parents=True)
    below = launch(STRICT, EACH)
    below.root = project
    below.start()
    with below.notebook("n.ipynb") as kernel:
        assert spend_six(kernel)
    below.stop()
    above = launch(STRICT, EACH).start()
    with above.notebook("project/n.ipynb") as kernel:
        assert kernel.do("status")["state"]["path"] == "project/n.ipynb"
        assert not spend_six(kernel)


def test_a_file_that_is_moved_on_disk_keeps_its_governance(strict: LiveServer) -> None:
    with strict.notebook("first.ipynb") as kernel:
        assert spend_six(kernel)
        (strict.root / "deep").mkdir()
        (strict.root / "first.ipynb").rename(strict.root / "deep" / "second.ipynb")
        until(lambda: strict.state("deep/second.ipynb")["spent"] == "6", "the file is found")
        assert kernel.do("status")["state"]["path"] == "deep/second.ipynb"
        # Opened under its new name at once, before the regular check could find it.
        (strict.root / "deep" / "second.ipynb").rename(strict.root / "third.ipynb")
        with strict.notebook("third.ipynb") as other:
            assert not spend_six(other)
    strict.write_notebook("first.ipynb")
    assert strict.state("first.ipynb")["session_id"] is None


def test_no_event_of_a_client_ends_or_moves_a_session(strict: LiveServer) -> None:
    """Events have no effect even if the files match them."""
    with strict.notebook("victim.ipynb") as kernel:
        kernel.do("open", budget="1")
        kernel.do("spend", amount="1")
        strict.write_notebook("other.ipynb")
        until(lambda: strict.state("victim.ipynb")["spent"] == "1", "the spend is shown")
        (strict.root / "victim.ipynb").unlink()
        for data in (
            {"action": "delete", "path": "victim.ipynb"},
            {"action": "rename", "source_path": "victim.ipynb", "path": "other.ipynb"},
        ):
            forged = {"schema_id": CONTENTS, "version": "1", "data": data}
            assert strict.request("POST", "api/events", json=forged).status_code == 204
        assert kernel.do("open", budget="1")["opened"] is False
        assert not kernel.do("spend", amount="1")["decision"]["allowed"]
        assert strict.state("other.ipynb")["seq"] == 0


@pytest.mark.parametrize(
    "manager",
    [
        "jupyter_server.services.contents.largefilemanager.LargeFileManager",
        "jupyter_server.services.contents.filemanager.FileContentsManager",
    ],
)
def test_every_contents_manager_is_followed(launch: Callable[..., LiveServer], manager: str) -> None:
    server = launch(f"--ServerApp.contents_manager_class={manager}").start()
    with server.notebook("before.ipynb") as kernel:
        kernel.do("open", budget="5")
        kernel.do("spend", amount="1")
        server.json("PATCH", "api/contents/before.ipynb", json={"path": "after.ipynb"})
        assert server.state("after.ipynb")["spent"] == "1"
        server.request("DELETE", "api/contents/after.ipynb")
        assert server.state("after.ipynb")["active"] is False


def test_the_session_of_a_kernel_that_is_no_notebooks_ends_with_it(launch: Callable[..., LiveServer]) -> None:
    server = launch().start()
    with kernel_for(server) as kernel:
        kernel.do("open", budget="5")
        path = f"kernel:{kernel.kernel_id}"
        assert server.state(path)["active"] is True
    until(lambda: server.state(path)["active"] is False, "the session is closed")
    with kernel_for(server) as kernel:
        kernel.do("open", budget="5")
        path = f"kernel:{kernel.kernel_id}"
        server.kill()
        server.start()
        assert server.state(path)["active"] is False


CHILD = """
import os, subprocess, sys
environ = {name: value for name, value in os.environ.items() if name not in LESS}
done = subprocess.run(
    [sys.executable, "-m", "IPython", "--simple-prompt", "-c", CODE], env=environ, capture_output=True, text=True
)
print(done.stdout + done.stderr)
"""


def child(kernel: LiveKernel, less: tuple[str, ...] = ()) -> str:
    """Return the output of a process that a cell starts, without the environment variables in ``less``."""
    return kernel.run(f"LESS, CODE = {less!r}, {MAGICS!r}" + CHILD).text


def test_what_a_strict_server_starts_is_refused_where_it_does_not_know_it(strict: LiveServer) -> None:
    with strict.notebook("parent.ipynb") as kernel:
        assert "Governance enabled" in kernel.run(MAGICS).text
        # Like a terminal, or a process of another extension: with the variables of the server's own environment.
        as_terminal = child(kernel, less=("KERNEL_AUMOS_GOVERNANCE", "AUMOS_GOVERNANCE_OFFER"))
        for reported in (child(kernel), as_terminal):
            assert "GovernanceExtension.strict" in reported
            assert "Governance enabled" not in reported


def test_a_process_of_another_extension_of_a_strict_server_is_refused(launch: Callable[..., LiveServer]) -> None:
    """Like a job of jupyter-scheduler, which runs nbclient in a process that the server starts."""
    server = launch(STRICT)
    (server.root / "job.py").write_text(JOB)
    (server.home / "config" / "scheduling.py").write_text(EXTENSION)
    server.extensions["scheduling"] = True
    server.environment["PYTHONPATH"] = os.pathsep.join([str(server.home / "config"), os.environ.get("PYTHONPATH", "")])
    server.start()
    reported = until(
        lambda: (server.root / "told.txt").exists() and (server.root / "told.txt").read_text(), "the job is done", 60
    )
    assert "GovernanceExtension.strict" in reported
    assert "Governance enabled" not in reported
    assert not (server.home / "data" / "aumos_governance" / "embedded.sqlite").exists()


EXTENSION = """
import subprocess, sys

def _jupyter_server_extension_points():
    return [{"module": "scheduling"}]

def _load_jupyter_server_extension(app):
    # When all extensions are loaded, as a job that is due is.
    app.io_loop.call_later(0.5, subprocess.Popen, [sys.executable, "job.py"])
"""
JOB = f"""
import os, nbformat
from nbclient import NotebookClient
notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell({MAGICS!r})])
try:
    NotebookClient(notebook, kernel_name="python3").execute()
    told = str(notebook.cells[0].outputs)
except Exception as error:
    told = str(error)
with open("told.part", "w") as file:
    file.write(told)
os.rename("told.part", "told.txt")
"""


def test_what_a_server_starts_that_is_not_strict_says_where_its_state_is(launch: Callable[..., LiveServer]) -> None:
    server = launch().start()
    with server.notebook("parent.ipynb") as kernel:
        reported = child(kernel)
    assert "Governance enabled" in reported
    assert "embedded.sqlite" in reported


def test_cells_fail_with_one_sentence_where_nothing_is_authorised(strict: LiveServer) -> None:
    with kernel_for(strict) as kernel, pytest.raises(CellError, match=r"GovernanceExtension\.strict"):
        kernel.run(MAGICS)
