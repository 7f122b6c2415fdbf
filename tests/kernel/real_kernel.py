"""A real ipykernel without a server, and the messages that a front end receives from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

LOAD = "%load_ext aumos_governance.jupyter_extension"


@dataclass
class Outcome:
    """The messages of one cell."""

    status: str
    ename: str = ""
    evalue: str = ""
    traceback: list[str] = field(default_factory=list)
    text: str = ""
    """The text that was written to standard output."""
    results: list[dict[str, Any]] = field(default_factory=list)
    displays: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    """The data that replaced earlier display data."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    """The lines of standard output and of display data, in order."""
    requested: str = ""
    """The prompt for input that was shown."""

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


class Kernel:
    """Runs cells as a front end does, with cell ids."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self.client = client

    def run(
        self,
        code: str,
        *,
        cell_id: str | None = None,
        timeout: float = 60,
        response: str | Callable[[], object] | None = None,
        when_shown: Callable[[str], object] = lambda line: None,
        interrupted: bool = False,
    ) -> Outcome:
        """Run a cell to its end, and return its messages.

        ``interrupted``: interrupts may come before and after the cell's own code, where ipykernel catches them and
        sends no reply (``dispatch_shell`` in ``kernelbase``); the status is then ``"lost"``. With ``response`` the
        front end allows input, and sends this text, or calls this function instead. ``when_shown`` is called with the
        text of all display data.
        """
        allow_stdin = response is not None
        message = self.client.session.msg(
            "execute_request",
            {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": allow_stdin},
            metadata={} if cell_id is None else {"cellId": cell_id},
        )
        self.client.shell_channel.send(message)
        outcome = Outcome("")
        if response is not None:
            # This waits until the cell prompts; other messages are read below.
            outcome.requested = self._respond(response, timeout)
        while True:
            heard = self.client.get_iopub_msg(timeout=timeout)
            if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            kind, content = heard["msg_type"], heard["content"]
            if kind == "stream" and content["name"] == "stdout":
                outcome.text += content["text"]
                outcome.printed.extend(content["text"].splitlines())
            elif kind == "execute_result":
                outcome.results.append(content["data"])
            elif kind == "display_data":
                outcome.displays.append(content["data"])
                outcome.printed.extend(content["data"]["text/plain"].splitlines())
                when_shown(content["data"]["text/plain"])
            elif kind == "update_display_data":
                outcome.updates.append(content["data"])
            elif kind == "error":
                outcome.errors.append(content)
            elif kind == "status" and content["execution_state"] == "idle":
                break
        reply = self._reply(message, timeout, may_be_lost=interrupted)
        outcome.status = reply["content"]["status"]
        outcome.ename = reply["content"].get("ename", "")
        outcome.evalue = reply["content"].get("evalue", "")
        outcome.traceback = reply["content"].get("traceback", [])
        return outcome

    def _reply(self, message: dict[str, Any], timeout: float, *, may_be_lost: bool) -> dict[str, Any]:
        while True:
            try:
                # The kernel sends the reply before the idle status, which was received, so a reply arrives at once.
                reply: dict[str, Any] = self.client.get_shell_msg(timeout=1 if may_be_lost else timeout)
            except Empty:
                if not may_be_lost:
                    raise
                return {"content": {"status": "lost"}}
            if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                return reply

    def _respond(self, response: str | Callable[[], object], timeout: float) -> str:
        requested = self.client.get_stdin_msg(timeout=timeout)
        if isinstance(response, str):
            self.client.input(response)
        else:
            response()
        return str(requested["content"]["prompt"])

    def value(self, expression: str) -> str:
        """Return the repr of an expression in the kernel."""
        outcome = self.run(f"print(repr(({expression})))")
        assert outcome.status == "ok", outcome
        return outcome.text.rstrip("\n")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return this process's environment with its state in ``folder``, and without variables of a Jupyter around it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("JPY_", "KERNEL_"))}
    return {
        **inherited,
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        **more,
    }


@contextmanager
def started(environ: Mapping[str, str], folder: Path, *, load: bool = True) -> Iterator[Kernel]:
    """Start a kernel, with the magics loaded except without ``load``."""
    with ExitStack() as ends:
        kernel = Kernel(_client(environ, folder, ends))
        if load:
            assert kernel.run(LOAD).status == "ok"
        yield kernel


def _client(environ: Mapping[str, str], folder: Path, ends: ExitStack) -> BlockingKernelClient:
    for again in (True, False):
        manager = KernelManager(kernel_name="python3")
        with ExitStack() as here:
            here.callback(manager.cleanup_resources)
            manager.start_kernel(env=dict(environ), cwd=str(folder))
            here.callback(manager.shutdown_kernel, now=True)
            client = manager.blocking_client()
            # See `connected` in `governed_kernel`.
            here.callback(client.context.destroy, linger=0)
            client.start_channels()
            here.callback(client.stop_channels)
            try:
                client.wait_for_ready(timeout=60)
            except RuntimeError:
                # The ports were chosen before the kernel started, and another program may use one when it binds them.
                if again and not manager.is_alive():
                    continue
                raise
            ends.push(here.pop_all())
            return client
    raise AssertionError("unreachable")


def spent(kernel: Kernel) -> str:
    """Return the text of ``%governance_status``."""
    (shown,) = kernel.run("%governance_status").displays
    return str(shown["text/plain"])


def refused(outcome: Outcome, ename: str, sentence: str) -> None:
    """Assert that a cell failed with this error, which is one sentence and the same for users and programs."""
    assert outcome.status == "error"
    assert outcome.ename == ename
    assert sentence in outcome.evalue
    assert "\n" not in outcome.evalue
    assert outcome.traceback == [outcome.evalue]
    (shown,) = outcome.errors
    assert shown["traceback"] == [outcome.evalue]
    assert shown["ename"] == ename


@contextmanager
def meanwhile(do: Callable[[], object]) -> Iterator[None]:
    """Call ``do`` in another thread during the block, in which this thread waits for a cell."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(do)
        yield
        done.result(60)
