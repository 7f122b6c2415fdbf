"""The gateway's keys on a real server, with real kernels and terminals."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from aumos_governance.server.rest.table import PREFIX, ROUTES
from tests.bridge.live_server import GOVERNANCE, LiveKernel, LiveServer, until
from tests.integrations.endpoint.server import Endpoint

OF_THE_SERVER = {
    "OPENAI_API_KEY": "sk-of-the-user",
    "SCHOOL_KEY": "sk-of-the-school",
    "ANTHROPIC_API_KEY": "not configured",
}
MODEL = "gpt-5-mini"
READ = """
import os, subprocess, sys
names = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "SCHOOL_KEY", "ANTHROPIC_API_KEY", "OF_THE_SPEC")
child = subprocess.run([sys.executable, "-c", "import os; print(os.environ['OPENAI_API_KEY'])"], capture_output=True)
result({**{name: os.environ.get(name) for name in names}, "child": child.stdout.decode().strip()})
"""


def served(home: Path, endpoint: Endpoint) -> LiveServer:
    """Return a server with a gateway to OpenAI, and a kernelspec that sets a provider's own key."""
    configured = {"providers": {"openai": {"key_env": "SCHOOL_KEY", "base_url": endpoint.openai_url}}}
    (home / "config").mkdir(exist_ok=True)
    (home / "config" / "jupyter_server_config.json").write_text(json.dumps({"GovernanceExtension": configured}))
    spec = home / "specs" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    argv = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    env = {"OPENAI_API_KEY": "sk-of-the-spec", "OF_THE_SPEC": "kept"}
    spec.write_text(json.dumps({"argv": argv, "display_name": "Python", "language": "python", "env": env}))
    environment = {**OF_THE_SERVER, "JUPYTER_PATH": str(home / "specs")}
    return LiveServer(home, environment=environment, extensions={"jupyter_server_terminals": True})


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, endpoint: Endpoint) -> Iterator[LiveServer]:
    live = served(tmp_path_factory.mktemp("server"), endpoint)
    try:
        yield live.start()
    finally:
        live.close()


def keys(server: LiveServer, **parameters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.json("GET", GOVERNANCE + "keys", params=parameters)["keys"]
    return found


def issued(server: LiveServer, secret: str) -> str:
    """Return the id of a key, from the audit record."""
    query = {"event": "key_issued", "limit": "1000"}
    records = server.json("GET", GOVERNANCE + "audit", params=query)["records"]
    (found,) = (
        record["detail"]["key"]
        for record in records
        if record["detail"]["sha256"] == sha256(secret.encode()).hexdigest()
    )
    return str(found)


def why(server: LiveServer, secret: str) -> str | None:
    """Return the reason for which a key was revoked, from the audit record."""
    records = server.json("GET", GOVERNANCE + "audit", params={"event": "key_revoked", "limit": "1000"})["records"]
    key_id = issued(server, secret)
    return next((record["detail"]["why"] for record in records if record["detail"]["key"] == key_id), None)


def is_valid(server: LiveServer, secret: str) -> bool:
    return issued(server, secret) in {key["id"] for key in keys(server)}


def secret_of(kernel: LiveKernel) -> str:
    return str(kernel.run(READ).result["OPENAI_API_KEY"])


def call(server: LiveServer, secret: str) -> httpx.Response:
    """Call a model with this key."""
    address = server.json("GET", GOVERNANCE + "config")["gateway"]["address"]
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_completion_tokens": 100}
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(trust_env=False, timeout=30) as client:
        return client.post(f"{address}/llm/openai/v1/chat/completions", headers=headers, json=body)


def open_session(server: LiveServer, path: str) -> None:
    server.json("PATCH", GOVERNANCE + "state", params={"path": path}, json={"trust_level": 2, "budget": "1"})


def test_a_kernel_finds_its_key_and_no_providers(server: LiveServer) -> None:
    with server.notebook("a.ipynb") as kernel, server.notebook("b.ipynb") as another:
        found = kernel.run(READ).result
        secret = found["OPENAI_API_KEY"]
        assert secret.startswith("sk-aumos-")
        assert found == {
            "OPENAI_API_KEY": secret,
            "OPENAI_BASE_URL": found["OPENAI_BASE_URL"],
            "SCHOOL_KEY": None,
            "ANTHROPIC_API_KEY": "not configured",
            "OF_THE_SPEC": "kept",
            "child": secret,
        }
        assert found["OPENAI_BASE_URL"].endswith("/llm/openai/v1")
        assert secret != secret_of(another)
        (key,) = keys(server, path="a.ipynb")
        assert (key["id"], key["kind"], key["kernel_id"]) == (issued(server, secret), "kernel", kernel.kernel_id)


def test_a_restarted_kernel_has_a_new_key_and_one_that_ends_has_none(server: LiveServer) -> None:
    with server.notebook("restarted.ipynb") as kernel:
        first = secret_of(kernel)
        kernel.restart()
        kernel.greet()
        second = secret_of(kernel)
        assert not is_valid(server, first)
        assert is_valid(server, second)
        assert len(keys(server, path="restarted.ipynb")) == 1
    until(lambda: not is_valid(server, second), "the key ends with the kernel")
    assert why(server, first) == "a new process has a new key"
    # It is refused before its revocation is on disk.
    assert until(lambda: why(server, second), "that it was revoked is on record") == "its kernel ended"


def test_a_kernel_that_died_and_was_started_again_has_a_new_key(server: LiveServer) -> None:
    with server.notebook("died.ipynb") as kernel:
        first = secret_of(kernel)
        kernel.submit("import os; os.kill(os.getpid(), 9)")
        until(lambda: server.restarted(kernel.kernel_id), "the kernel is started again")
        until(lambda: not is_valid(server, first), "the key ends with the process")
        kernel.reconnect()
        kernel.greet()
        second = secret_of(kernel)
        assert second != first
        assert is_valid(server, second)
        # In this time the kernels are checked several times, and the new process is found alive.
        time.sleep(3)
        assert is_valid(server, second)


def test_a_key_follows_its_notebook(server: LiveServer) -> None:
    with server.notebook("before.ipynb") as kernel:
        key_id = issued(server, secret_of(kernel))
        server.json("PATCH", "api/contents/before.ipynb", json={"path": "after.ipynb"})
        assert [key["id"] for key in keys(server, path="after.ipynb")] == [key_id]


def test_one_press_stops_a_notebook_and_a_restart_starts_it_again(server: LiveServer) -> None:
    with server.notebook("stopped.ipynb") as kernel, server.notebook("goes-on.ipynb") as another:
        secret, other = secret_of(kernel), secret_of(another)
        open_session(server, "stopped.ipynb")
        assert call(server, secret).status_code == 200
        until(lambda: server.state("stopped.ipynb")["held"] == "0", "the call is settled")
        assert float(server.state("stopped.ipynb")["spent"]) > 0
        # That notebook has no open session.
        assert call(server, other).status_code == 402
        stopped = server.json("POST", GOVERNANCE + "stop", params={"path": "stopped.ipynb"})["revoked"]
        assert [key["id"] for key in stopped] == [issued(server, secret)]
        assert not is_valid(server, secret)
        assert call(server, secret).status_code == 401
        assert is_valid(server, other)
        (record,) = server.json("GET", GOVERNANCE + "audit", params={"event": "key_revoked", "path": "stopped.ipynb"})[
            "records"
        ]
        assert record["detail"]["why"] == "a user stopped the notebook"
        assert server.json("POST", GOVERNANCE + "stop", params={"path": "stopped.ipynb"}) == {"revoked": []}
        kernel.restart()
        kernel.greet()
        assert call(server, secret_of(kernel)).status_code == 200


JUPYTERS = (
    *("api/kernels", "api/sessions", "api/contents", "api/contents/a.ipynb", "api/status", "api/terminals", "api/me"),
    *("api/config/notebook", "api/kernelspecs", "metrics", "files/a.ipynb", "nbconvert/html/a.ipynb", "api/spec.yaml"),
)


def test_a_kernels_key_opens_no_other_door(server: LiveServer) -> None:
    with server.notebook("a.ipynb") as kernel:
        secret = secret_of(kernel)
    created = server.json("POST", GOVERNANCE + "keys", json={"name": "door"})
    tried = [(route.method, PREFIX + route.path.replace("{id}", "x")) for route in ROUTES]
    tried += [("GET", path) for path in JUPYTERS] + [("POST", "api/kernels"), ("POST", "api/terminals")]
    # A client without the cookies of the login.
    client = httpx.Client(trust_env=False, timeout=30)
    opened = []
    for key in (secret, created["secret"]):
        for method, path in tried:
            for headers, parameters in (
                ({"Authorization": f"token {key}"}, {}),
                ({"Authorization": f"Bearer {key}"}, {}),
                ({}, {"token": key}),
                ({"X-Api-Key": key}, {}),
            ):
                response = client.request(
                    method, server.url + path, headers=headers, params=parameters, follow_redirects=False
                )
                # The server's own pages redirect a client that is not logged in to the login.
                to_login = response.status_code == 302 and "/login" in response.headers["location"]
                if not (response.status_code in (401, 403) or to_login):
                    opened.append((method, path, response.status_code))
    client.close()
    assert opened == []
    server.json("DELETE", GOVERNANCE + f"keys/{created['key']['id']}")


class Terminal:
    """A JupyterLab terminal, used as a page uses it."""

    def __init__(self, server: LiveServer) -> None:
        self.name = server.json("POST", "api/terminals")["name"]
        self._socket = server._connect(f"terminals/websocket/{self.name}")

    def run(self, command: str) -> str:
        """Return the output of a command, between two marks that the echo of the command does not contain."""
        self._socket.send(json.dumps(["stdin", f"echo '<''<'; {command}; echo '>''>'\n"]))
        text = ""
        while not (found := re.search(r"<<\s*(.*?)\s*>>", text, re.DOTALL)):
            kind, *rest = json.loads(self._socket.recv())
            text += rest[0] if kind == "stdout" else ""
        return found[1]

    def close(self) -> None:
        self._socket.close()


def test_a_terminal_has_a_key_of_the_notebook_that_was_active_last(server: LiveServer) -> None:
    for path in ("first.ipynb", "last.ipynb"):
        server.write_notebook(path)
        open_session(server, path)
    terminal = Terminal(server)
    secret, others = terminal.run("echo $OPENAI_API_KEY; echo [$SCHOOL_KEY]").split()
    assert secret.startswith("sk-aumos-")
    assert others == "[]"
    (key,) = (key for key in keys(server) if key["id"] == issued(server, secret))
    assert (key["kind"], key["terminal"], key["path"]) == ("terminal", terminal.name, "last.ipynb")
    bound = server.json("PATCH", GOVERNANCE + f"keys/{key['id']}", json={"path": "first.ipynb"})
    assert bound["path"] == "first.ipynb"
    assert key["id"] in {found["id"] for found in keys(server, path="first.ipynb")}
    response = server.request("PATCH", GOVERNANCE + f"keys/{key['id']}", json={"path": "never.ipynb"})
    assert response.json()["code"] == "NOT_FOUND"
    another = Terminal(server)
    terminal.run("true")
    server.json("DELETE", f"api/terminals/{terminal.name}")
    until(lambda: not is_valid(server, secret), "the key ends with the terminal")
    assert is_valid(server, another.run("echo $OPENAI_API_KEY"))
    for opened in (terminal, another):
        opened.close()


def test_a_shell_that_ends_takes_its_key_with_it(server: LiveServer) -> None:
    terminal = Terminal(server)
    secret = terminal.run("echo $OPENAI_API_KEY")
    assert is_valid(server, secret)
    terminal._socket.send(json.dumps(["stdin", "exit\n"]))
    until(lambda: not is_valid(server, secret), "the key ends with the shell")
    terminal.close()


def test_users_keys_outlive_the_server_and_its_kernels_do_not(tmp_path: Path, endpoint: Endpoint) -> None:
    live = served(tmp_path, endpoint).start()
    try:
        created = live.json("POST", GOVERNANCE + "keys", json={"name": "script", "budget": "0.5"})
        kernel = live.open_notebook("a.ipynb")
        kernel.greet()
        secret = secret_of(kernel)
        kernel.close()
        live.kill()
        live.start()
        assert call(live, created["secret"]).status_code == 200
        assert call(live, secret).status_code == 401
        assert is_valid(live, created["secret"])
        assert not is_valid(live, secret)
        verified = live.json("GET", GOVERNANCE + "audit/verify")
        assert verified["ok"], verified
        stored = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
        assert sha256(secret.encode()).hexdigest().encode() in stored
        assert secret.encode() not in stored
        assert created["secret"].encode() not in stored
    finally:
        live.close()


def test_a_terminal_without_a_notebook_is_refused_with_advice(tmp_path: Path, endpoint: Endpoint) -> None:
    live, terminal = served(tmp_path, endpoint).start(), None
    try:
        terminal = Terminal(live)
        secret = terminal.run("echo $OPENAI_API_KEY")
        requested = endpoint.count
        refused = call(live, secret)
        assert (refused.status_code, refused.headers["x-should-retry"]) == (402, "false")
        assert "choose one for the terminal in the governance panel" in refused.json()["error"]["message"]
        assert endpoint.count == requested
        live.write_notebook("a.ipynb")
        open_session(live, "a.ipynb")
        until(lambda: call(live, secret).status_code == 200, "the terminal's calls count in the notebook")
        (key,) = keys(live, path="a.ipynb")
        assert key["terminal"] == terminal.name
        settled = until(
            lambda: live.json("GET", GOVERNANCE + "audit", params={"event": "settle"})["records"], "the call is settled"
        )
        (record,) = settled
        assert (record["actor"], record["notebook"]) == (f"terminal:{terminal.name}", "a.ipynb")
    finally:
        if terminal is not None:
            terminal.close()
        live.close()
