"""A real Jupyter server in a process of its own, with real kernels, for tests of the whole system."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import websocket

RAW_KERNEL = (Path(__file__).parent / "raw_kernel.py").read_text("utf-8")
# Other installed extensions are disabled, since they only make the start slower.
OTHERS = ("jupyter_lsp", "jupyter_server_terminals", "jupyterlab", "notebook", "notebook_shim")
EXTENSIONS = {"aumos_governance": True, **dict.fromkeys(OTHERS, False)}
GOVERNANCE = "aumos-governance/v1/"


def until(condition: Callable[[], Any], what: str, timeout: float = 20.0) -> Any:
    """Poll until the condition is true, and return its value; fails after ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"still not so after {timeout} s: {what}"
        time.sleep(0.02)


def reserved_port() -> int:
    """Return a port that is reserved for a server of this process until this process ends."""
    # A port that is only free at the moment might be taken by another test's program before a server uses it. This
    # socket is bound but does not listen, so the system gives the port to no other program, while a server can still
    # bind it, since it sets SO_REUSEADDR.
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    port = int(holder.getsockname()[1])
    holder.detach()
    return port


class LiveServer:
    """A server that `start` starts and `stop` or `kill` ends; its data folder stays, and it can be started again."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        environment: dict[str, str] | None = None,
        extensions: dict[str, bool] | None = None,
    ) -> None:
        self.home = home
        self.environment = environment or {}
        self.extensions = {**EXTENSIONS, **(extensions or {})}
        self.root = home / "root"
        self.arguments = arguments
        self.token = secrets.token_hex(8)
        self.log = home / "server.log"
        self._judged = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(trust_env=False, timeout=30)
        for folder in ("root", "config", "data", "runtime", "ipython"):
            (home / folder).mkdir(parents=True, exist_ok=True)

    def launch(self) -> subprocess.Popen[bytes]:
        """Start the process without waiting until it responds."""
        self.port = reserved_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "JPY_"))}
        environment |= {
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "IPYTHONDIR": str(self.home / "ipython"),
            **self.environment,
        }
        command = [
            *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"),
            *(f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={self.root}"),
            *(f"--IdentityProvider.token={self.token}", f"--ServerApp.jpserver_extensions={self.extensions}"),
            *self.arguments,
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.root)
        return self.process

    def start(self) -> LiveServer:
        process = self.launch()

        def responses() -> bool:
            assert process.poll() is None, self.log.read_text()
            with contextlib.suppress(httpx.TransportError):
                return self.client.get(self.url + "api").status_code == 200
            return False

        until(responses, "the server answers", 60)
        return self

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def close(self) -> None:
        self.stop()
        self.client.close()

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self._wait(how)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise

    def _wait(self, how: signal.Signals) -> None:
        """Wait for the end of the process, which was sent the signal ``how``. Raises subprocess.TimeoutExpired."""
        assert self.process is not None
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            # Jupyter's handler of the signal first writes a log line. If the signal came while another line was
            # written, this fails, and the signal has no effect.
            if b"reentrant call inside" in self.log.read_bytes():
                self.process.send_signal(how)
            self.process.wait(10)

    # ---- HTTP

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"token {self.token}", **options.pop("headers", {})}
        return self.client.request(method, self.url + path, headers=headers, **options)

    def json(self, method: str, path: str, **options: Any) -> Any:
        response = self.request(method, path, **options)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def state(self, path: str) -> dict[str, Any]:
        return self.json("GET", GOVERNANCE + "state", params={"path": path})

    # ---- notebooks and kernels

    def write_notebook(self, path: str) -> None:
        notebook = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        self.json("PUT", f"api/contents/{path}", json={"type": "notebook", "content": notebook})

    def open_notebook(self, path: str, kernel_id: str | None = None) -> LiveKernel:
        """Create a notebook and a session for it, as a page does."""
        if not (self.root / path).exists():
            self.write_notebook(path)
        kernel = {"name": "python3"} if kernel_id is None else {"id": kernel_id}
        body = {"path": path, "name": Path(path).name, "type": "notebook", "kernel": kernel}
        logged = self.log.stat().st_size
        session = self.json("POST", "api/sessions", json=body)
        try:
            opened = LiveKernel(self, session["kernel"]["id"], session["id"])
        except (websocket.WebSocketException, OSError):
            if not self._lost_a_port(logged):
                raise
        else:
            if not self._lost_a_port(logged):
                return opened
            opened.close()
        # The server would restart such a kernel with other ports, and still listen on the old ones.
        self.json("DELETE", f"api/sessions/{session['id']}")
        session = self.json("POST", "api/sessions", json=body)
        opened = LiveKernel(self, session["kernel"]["id"], session["id"])
        self._judged = self.log.stat().st_size
        return opened

    def raised(self) -> bool:
        """Whether the log has a traceback, other than of a kernel that could not bind its port."""
        return b"Traceback" in self.log.read_bytes()[self._judged :]

    def _lost_a_port(self, logged: int) -> bool:
        """Whether a kernel could not bind its port, since another program has taken it after it was chosen."""
        return b"Address already in use" in self.log.read_bytes()[logged:]

    @contextlib.contextmanager
    def notebook(self, path: str) -> Iterator[LiveKernel]:
        """Yield a notebook with a kernel that has sent its hello; the kernel is shut down at the end."""
        kernel = self.open_notebook(path)
        try:
            kernel.greet()
            yield kernel
        finally:
            kernel.close()
            self.request("DELETE", f"api/kernels/{kernel.kernel_id}")

    def restarted(self, kernel_id: str) -> bool:
        """Whether a kernel with a connected page died and was restarted by the server.

        Its state does not show it: if the new process keeps the ports, its first messages do not reach the server.
        """
        return f"kernel {kernel_id} restarted" in self.log.read_text()

    def kernel_state(self, kernel_id: str) -> str:
        return str(self.json("GET", f"api/kernels/{kernel_id}")["execution_state"])

    @contextlib.contextmanager
    def events(self) -> Iterator[websocket.WebSocket]:
        stream = self._connect("api/events/subscribe")
        try:
            yield stream
        finally:
            stream.close()

    def _connect(self, path: str) -> websocket.WebSocket:
        url = self.url.replace("http://", "ws://") + path
        return websocket.create_connection(url, header=[f"Authorization: token {self.token}"], timeout=60)


class CellError(Exception):
    """The code of a cell raised an exception."""


class Cell:
    """The output of a cell, and the value that it passed to `result(...)`."""

    def __init__(self) -> None:
        self.text = ""
        self.messages: list[dict[str, Any]] = []

    @property
    def result(self) -> Any:
        return json.loads(self.text.split("<<", 1)[1].split(">>", 1)[0])


class LiveKernel:
    """A kernel as a page uses it, over the server's websocket."""

    def __init__(self, server: LiveServer, kernel_id: str, session_id: str) -> None:
        self.server = server
        self.kernel_id = kernel_id
        self.session_id = session_id
        self.connect()

    def connect(self) -> None:
        """Open the channels, which the server does once the kernel responds on each."""
        session = uuid.uuid4().hex
        self.socket = self.server._connect(f"api/kernels/{self.kernel_id}/channels?session_id={session}")

    def reconnect(self) -> None:
        """Connect to the process that has replaced the previous one."""
        self.close()
        self.connect()
        # The server does not wait for a kernel that it takes as busy, so its first messages may be lost.
        until(self._is_heard, "the kernel is heard", 60)

    def _is_heard(self) -> bool:
        with contextlib.suppress(websocket.WebSocketTimeoutException):
            self.collect(self.submit(""), 2)
            return True
        return False

    def restart(self) -> None:
        self.server.json("POST", f"api/kernels/{self.kernel_id}/restart")
        self.reconnect()

    def close(self) -> None:
        self.socket.close()

    def greet(self) -> dict[str, Any]:
        """Load the raw client, send a hello, and return the server's response."""
        self.run("import json\ndef result(value): print('<<' + json.dumps(value) + '>>')")
        self.run(RAW_KERNEL)
        return self.run("result(wire.hello())").result

    def do(self, op: str, **body: Any) -> dict[str, Any]:
        return self.run(f"result(wire.do({op!r}, **{body!r}))").result

    def submit(self, code: str) -> str:
        message_id = uuid.uuid4().hex
        header = {"msg_id": message_id, "msg_type": "execute_request", "username": "", "session": "t", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.socket.send(json.dumps(message))
        return message_id

    def collect(self, message_id: str, timeout: float = 60.0) -> Cell:
        """Return all output of a cell, once the kernel is idle again and has sent its reply."""
        cell, waiting = Cell(), {"idle", "reply"}
        self.socket.settimeout(timeout)
        while waiting:
            message = json.loads(self.socket.recv())
            if message["parent_header"].get("msg_id") != message_id:
                continue
            cell.messages.append(message)
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                cell.text += content["text"]
            elif kind == "execute_reply":
                waiting.discard("reply")
            elif kind == "status" and content["execution_state"] == "idle":
                waiting.discard("idle")
            elif kind == "error":
                raise CellError("\n".join(content["traceback"]))
        return cell

    def run(self, code: str, timeout: float = 60.0) -> Cell:
        return self.collect(self.submit(code), timeout)
