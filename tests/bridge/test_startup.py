"""Kernels of a real server that load the magics by themselves, and the code that a page sends to load them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.live_server import GOVERNANCE, LiveKernel, LiveServer, until

LOAD = (
    "__import__('aumos_governance.jupyter_extension').jupyter_extension.load_ipython_extension("
    "__import__('IPython').get_ipython())"
)
"""The code as `labextension/src/state/kernelLoader.ts` sends it."""
CLIENT = """
from aumos_governance import govern
from aumos_governance.integrations.fake_provider import fake_openai
client = govern(fake_openai())
said = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hi"}], max_tokens=20)
print("answered" if said.choices else "")
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("own") / "startup.py"
    file.write_text("MINE = 1\n")
    return file


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, own: Path) -> Iterator[LiveServer]:
    live = LiveServer(tmp_path_factory.mktemp("startup"), environment={"PYTHONSTARTUP": str(own)})
    try:
        yield live.start()
    finally:
        live.close()


def silently(kernel: LiveKernel, expression: str) -> dict[str, Any]:
    """Return the reply to code that a page sends silently: nothing is stored, shown or counted."""
    message_id = uuid.uuid4().hex
    header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "t", "version": "5.3"}
    content = {
        "code": "",
        "silent": True,
        "store_history": False,
        "user_expressions": {"loaded": expression},
        "allow_stdin": False,
    }
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    kernel.socket.send(json.dumps(message))
    cell = kernel.collect(message_id)
    assert {stated["msg_type"] for stated in cell.messages} <= {"status", "execute_reply"}
    (reply,) = [stated["content"] for stated in cell.messages if stated["msg_type"] == "execute_reply"]
    return reply


def test_a_notebook_that_is_started_in_the_panel_needs_no_further_code(server: LiveServer) -> None:
    kernel = server.open_notebook("press.ipynb")
    try:
        change = {"trust_level": 2, "budget": "1"}
        state = server.json("PATCH", GOVERNANCE + "state", params={"path": "press.ipynb"}, json=change)
        assert state["active"] is True
        assert kernel.run(CLIENT).text.strip() == "answered"
        spent = server.state("press.ipynb")["spent"]
        assert spent != "0"
        kernel.restart()
        assert kernel.run("%governance_status").messages
        kernel.restart()
        assert kernel.run(CLIENT).text.strip() == "answered"
        assert server.state("press.ipynb")["spent"] != spent
        assert kernel.run("import os; print(MINE, os.environ['PYTHONSTARTUP'])").text.startswith("1 ")
        child = "import subprocess, sys; print(subprocess.run([sys.executable, '-iq'], input='MINE\\n', text=True,"
        child += " capture_output=True).stdout)"
        assert kernel.run(child).text.strip() == "1", "a child Python runs the user's own file, and only that"
    finally:
        kernel.close()
        server.request("DELETE", f"api/kernels/{kernel.kernel_id}")


def test_a_page_loads_the_magics_without_a_trace(server: LiveServer) -> None:
    kernel = server.open_notebook("silent.ipynb")
    try:
        before = kernel.run("print(sorted(n for n in globals() if n[:2] != '_i'), len(In))").text
        for _ in range(2):
            reply = silently(kernel, LOAD)
            assert reply["user_expressions"]["loaded"]["status"] == "ok"
        after = kernel.run("print(sorted(n for n in globals() if n[:2] != '_i'), len(In) - 1)").text
        assert before == after
        assert kernel.run("print(get_ipython().find_line_magic('governance') is not None)").text == "True\n"
    finally:
        kernel.close()
        server.request("DELETE", f"api/kernels/{kernel.kernel_id}")


def test_a_kernel_without_the_package_says_so(server: LiveServer) -> None:
    kernel = server.open_notebook("without.ipynb")
    try:
        kernel.run("import sys; sys.modules['aumos_governance'] = None")
        failed = silently(kernel, LOAD)["user_expressions"]["loaded"]
        assert (failed["status"], failed["ename"]) == ("error", "ModuleNotFoundError")
        assert "aumos_governance" in failed["evalue"]
        assert "UsageError" in "".join(
            stated["content"].get("text", "") for stated in kernel.run("%governance").messages
        )
    finally:
        kernel.close()
        server.request("DELETE", f"api/kernels/{kernel.kernel_id}")


def test_the_setting_leaves_kernels_as_they_were(launch: Callable[..., LiveServer]) -> None:
    server = launch("--GovernanceExtension.load_in_kernels=False").start()
    kernel = server.open_notebook("off.ipynb")
    try:
        assert kernel.run("import os; print([n for n in os.environ if 'STARTUP' in n])").text == "[]\n"
        assert kernel.run("import sys; print('_aumos_governance_loader' in sys.modules)").text == "False\n"
    finally:
        kernel.close()
        until(lambda: server.request("DELETE", f"api/kernels/{kernel.kernel_id}").status_code, "it is gone")


def test_a_class_is_governed_with_no_press(launch: Callable[..., LiveServer]) -> None:
    """Also on a strict server, since the session is opened by the server and not by a kernel."""
    autostart = {"trust_level": 3, "budget": "4"}
    server = launch("--GovernanceExtension.strict=True", f"--GovernanceExtension.autostart={autostart}").start()
    for path, change in (("new.ipynb", None), ("set.ipynb", {"trust_level": 1, "budget": "0.5"})):
        server.write_notebook(path)
        if change is not None:
            server.json("PATCH", GOVERNANCE + "state", params={"path": path}, json=change)
        kernel = server.open_notebook(path)
        assert kernel.run(CLIENT).text.strip() == "answered"
        state = server.state(path)
        wanted = {"trust_level": 3, "budget": "4"} if change is None else change
        assert {name: state[name] for name in wanted} == wanted
        assert state["spent"] != "0"
        assert (state["set_by"] == "server") is (change is None)
        kernel.close()
