"""A real Jupyter application in a process of its own, with folders of its own, on loopback."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

Kind = Literal["lab", "notebook"]

START_SECONDS = 60.0
STOP_SECONDS = 20.0

_NO_TERMINALS = "--ServerApp.terminals_enabled=False"

# JupyterLab's question whether to fetch announcements would cover a part of the page.
_QUIET_PAGE = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}

_ARGUMENTS: dict[Kind, list[str]] = {
    "lab": ["-m", "jupyterlab", "--LabApp.extension_manager=readonly", "--LabApp.expose_app_in_browser=True"],
    "notebook": ["-m", "notebook", "--JupyterNotebookApp.expose_app_in_browser=True"],
}


class Application:
    """JupyterLab or Notebook 7; ``url``, ``token`` and ``root`` stay the same when it is started again."""

    def __init__(self, kind: Kind, folder: Path, *options: str, configuration: str = "") -> None:
        """``configuration`` is the text of the server's Python configuration file."""
        self.kind = kind
        self.token = secrets.token_hex(16)
        self.root = folder / "root"
        self.log = folder / "server.log"
        self._options = options
        self._port = _reserved_port()
        self._process: subprocess.Popen[bytes] | None = None
        # The server can load extensions that are modules of these tests, such as `harness.asking`.
        modules = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._environment = {**os.environ, **_folders(folder), "PYTHONPATH": os.pathsep.join(modules)}
        self.root.mkdir(parents=True)
        (folder / "config" / "jupyter_server_config.py").write_text(configuration)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start, and return once it responds.

        Raises RuntimeError with the log when it ends instead, or does not respond in time.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *_ARGUMENTS[self.kind], *self._server_options(), *self._options],
                cwd=self.root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._responds():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"The application did not start.\n{self.read_log()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the application and the kernels that it started."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kernels(self) -> list[dict[str, Any]]:
        """The kernels that the server lists."""
        # Jupyter Server responds with 500 while a kernel in its list starts: `last_activity` is None until then.
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                kernels: list[dict[str, Any]] = json.loads(self._request("/api/kernels"))
                return kernels
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.INTERNAL_SERVER_ERROR or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def end_kernels(self) -> None:
        for kernel in self.kernels():
            self._request(f"/api/kernels/{kernel['id']}", method="DELETE")

    def governance(self, notebook: str) -> dict[str, Any]:
        """The governance state of a notebook."""
        state: dict[str, Any] = json.loads(self._request(_state_of(notebook)))
        return state

    def govern(self, notebook: str, **changes: Any) -> None:
        """Change the governance of a notebook, as a user may."""
        self._request(_state_of(notebook), method="PATCH", body=changes)

    def request(self, what: str, **fields: Any) -> str:
        """Post an approval request or a report to the user, by the extension `asking`; returns its id."""
        reply: dict[str, str] = json.loads(self._request(f"/harness/{what}", method="POST", body=fields))
        return reply["id"]

    def create_key(self, name: str) -> None:
        """Issue a key of the gateway, as a user may."""
        self._request("/aumos-governance/v1/keys", method="POST", body={"name": name})

    def open_terminal(self) -> str:
        """Open a terminal, if the server has them; returns its name."""
        terminal: dict[str, str] = json.loads(self._request("/api/terminals", method="POST", body={}))
        return terminal["name"]

    def waiting(self, notebook: str) -> list[str]:
        """The ids of the waiting approval requests of a notebook."""
        query = urllib.parse.urlencode({"path": notebook})
        reply = json.loads(self._request(f"/aumos-governance/v1/approvals?{query}"))
        return [approval["id"] for approval in reply["approvals"]]

    def read_log(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _server_options(self) -> list[str]:
        root_user = hasattr(os, "geteuid") and os.geteuid() == 0
        return [
            "--no-browser",
            *(["--allow-root"] if root_user else []),
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self._port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            *(() if any("terminals_enabled" in option for option in self._options) else [_NO_TERMINALS]),
            f"--IdentityProvider.token={self.token}",
        ]

    def _responds(self) -> bool:
        try:
            self._request("/api")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _request(self, path: str, *, method: str = "GET", body: object = None) -> bytes:
        request = urllib.request.Request(
            f"{self.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            reply: bytes = response.read()
        return reply


def _state_of(notebook: str) -> str:
    return f"/aumos-governance/v1/state?{urllib.parse.urlencode({'path': notebook})}"


def _folders(folder: Path) -> dict[str, str]:
    """Return environment variables that separate an application from the user's own settings and data."""
    names = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
    }
    for name in names.values():
        (folder / name).mkdir(parents=True)
    page_config = folder / "config" / "labconfig" / "page_config.json"
    page_config.parent.mkdir()
    page_config.write_text(json.dumps(_QUIET_PAGE))
    return {variable: str(folder / name) for variable, name in names.items()}


def _reserved_port() -> int:
    """Return a port that no other program gets until this process ends."""
    # A port that is merely free may be taken by another program before the server binds it: tests run in parallel.
    # Bound without listening, it is not given to others, and the server can still bind it by SO_REUSEADDR.
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port: int = holder.getsockname()[1]
    holder.detach()
    return port
