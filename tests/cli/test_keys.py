"""Commands that issue, list and revoke keys of the gateway, and commands that run with a key."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from aumos_governance.wire.protocol import KERNEL_ENV, STRICT_ENV
from tests.bridge.live_server import GOVERNANCE, LiveServer, until
from tests.cli.conftest import Ended, Run, command, environment
from tests.integrations.endpoint.server import Endpoint

CALL = """
import json, os, sys, urllib.request
body = json.dumps({"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 9})
headers = {"Authorization": "Bearer " + os.environ["OPENAI_API_KEY"], "Content-Type": "application/json"}
url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
print(opener.open(urllib.request.Request(url, body.encode(), headers)).status, os.environ.get("SCHOOL_KEY"))
sys.exit(7)
"""
WAIT = "import os, time; print(os.environ['OPENAI_API_KEY'], flush=True); time.sleep(60)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with a gateway to a fake provider, and a notebook with an open session."""
    home = tmp_path_factory.mktemp("keys")
    with Endpoint() as endpoint:
        configured = {"providers": {"openai": {"key_env": "SCHOOL_KEY", "base_url": endpoint.openai_url}}}
        (home / "config").mkdir()
        (home / "config" / "jupyter_server_config.json").write_text(json.dumps({"GovernanceExtension": configured}))
        live = LiveServer(home, environment={"SCHOOL_KEY": "sk-of-the-school"})
        try:
            live.start()
            (live.root / "work").mkdir()
            live.write_notebook("work/a.ipynb")
            live.json("PATCH", GOVERNANCE + "state", params={"path": "work/a.ipynb"}, json={"budget": "1"})
            yield live
        finally:
            live.close()


def keys(server: LiveServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.json("GET", GOVERNANCE + "keys")["keys"]
    return found


def variables(ended: Ended) -> dict[str, str]:
    """Return the variables that a shell would set from the output."""
    words = [shlex.split(line) for line in ended.lines]
    assert {word[0] for word in words} == {"export"}
    return dict(word[1].split("=", 1) for word in words)


def status(found: dict[str, str]) -> int:
    with httpx.Client(trust_env=False, timeout=30) as client:
        body = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": "Hi"}], "max_completion_tokens": 9}
        headers = {"Authorization": f"Bearer {found['OPENAI_API_KEY']}"}
        return client.post(f"{found['OPENAI_BASE_URL']}/chat/completions", headers=headers, json=body).status_code


def test_a_key_for_a_program_of_the_users_own(server: LiveServer, run: Run) -> None:
    ended = run("key", "create", "my script", "--budget", "0.5", home=server.home)
    assert ended.code == 0
    assert "trust level L1, budget $0.50" in ended.err
    found = variables(ended)
    assert found["OPENAI_API_KEY"].startswith("sk-aumos-")
    assert found["OPENAI_API_KEY"] not in ended.err
    assert status(found) == 200
    listed = run("key", "list", home=server.home)
    assert listed.lines[0].split() == ["KEY", "KIND", "NOTEBOOK", "ISSUED", "BY", "ID"]
    assert any(line.startswith("my script  user") for line in listed.lines)
    assert found["OPENAI_API_KEY"] not in listed.out
    assert run("key", "list", "--json", home=server.home).json["keys"] == keys(server)
    again = run("key", "create", "my script", home=server.home)
    assert (again.code, again.out) == (2, "")
    revoked = run("key", "revoke", "my script", home=server.home)
    assert (revoked.code, revoked.err) == (0, "The key 'my script' is revoked.\n")
    assert status(found) == 401
    assert run("key", "revoke", "my script", home=server.home).code == 2


def test_a_level_and_json(server: LiveServer, run: Run) -> None:
    ended = run("key", "create", "agent", "--level", "3", "--json", home=server.home)
    created = json.loads(ended.out)
    assert server.state("key:agent")["trust_level"] == 3
    ended = run("key", "revoke", created["key"]["id"], "--json", home=server.home)
    assert json.loads(ended.out)["key"]["name"] == "agent"
    assert keys(server) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("key", "create", "a/b"),
        ("key", "create", "a", "--level", "6"),
        ("key", "create", "a", "--budget", "much"),
        ("key", "revoke", "none"),
        ("key", "create", "a", "--server", "http://127.0.0.1:1/"),
        ("run", "--notebook", "work/a.ipynb"),
        ("run", "--notebook", "never.ipynb", "--", "true"),
        ("run", "true"),
    ],
)
def test_what_cannot_be_is_one_sentence(server: LiveServer, run: Run, arguments: tuple[str, ...]) -> None:
    ended = run(*arguments, home=server.home)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert keys(server) == []


@pytest.mark.parametrize("variable", [KERNEL_ENV, STRICT_ENV])
def test_a_cell_and_an_agent_in_a_strict_server_issue_no_key(server: LiveServer, run: Run, variable: str) -> None:
    for arguments in (("key", "create", "a"), ("key", "revoke", "a"), ("run", "--notebook", "work/a.ipynb", "true")):
        ended = run(*arguments, home=server.home, **{variable: "1"})
        assert (ended.code, variable in ended.err) == (2, True)
    assert keys(server) == []


def test_a_command_has_a_key_until_it_ends_and_its_exit_code_is_passed_on(server: LiveServer) -> None:
    before = float(server.state("work/a.ipynb")["spent"])
    arguments = ("run", "--notebook", "work/a.ipynb", "--", sys.executable, "-c", CALL)
    ended = command(server.home, *arguments, SCHOOL_KEY="sk-of-the-school", OPENAI_API_KEY="sk-of-the-user")
    assert (ended.code, ended.out, ended.err) == (7, "200 None\n", "")
    assert keys(server) == []
    until(lambda: float(server.state("work/a.ipynb")["spent"]) > before, "the call is settled")
    query = {"event": "key_issued", "path": "work/a.ipynb", "limit": "1"}
    (record,) = server.json("GET", GOVERNANCE + "audit", params=query)["records"]
    assert record["detail"]["kind"] == "run"
    assert record["detail"]["name"].startswith(sys.executable)


def test_a_notebook_may_be_named_as_a_file_of_this_folder(server: LiveServer) -> None:
    arguments = [sys.executable, "-m", "aumos_governance.cli", "run", "--notebook", "a.ipynb", "sh", "-c", "exit 3"]
    done = subprocess.run(arguments, env=environment(server.home), cwd=server.root / "work", timeout=60, check=False)
    assert done.returncode == 3


@pytest.mark.parametrize(
    ("words", "code"), [(("no-such-command",), 127), ((os.devnull,), 126), (("sh", "-c", "kill -9 $$"), 137)]
)
def test_a_command_that_does_not_run_leaves_no_key(server: LiveServer, words: tuple[str, ...], code: int) -> None:
    ended = command(server.home, "run", "--notebook", "work/a.ipynb", "--", *words)
    assert ended.code == code
    assert keys(server) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_command_and_its_key(server: LiveServer, number: signal.Signals) -> None:
    words = [sys.executable, "-m", "aumos_governance.cli", "run", "--notebook", "work/a.ipynb", "--"]
    with subprocess.Popen(
        [*words, sys.executable, "-c", WAIT],
        env=environment(server.home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("sk-aumos-")
        assert [key["kind"] for key in keys(server)] == ["run"]
        process.send_signal(number)
        assert process.wait(30) == 128 + number
    assert keys(server) == []


def test_without_a_server_there_is_no_key(run: Run) -> None:
    for arguments in (("key", "list"), ("run", "--notebook", "a.ipynb", "true")):
        ended = run(*arguments)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("No governed server of this user runs here")
