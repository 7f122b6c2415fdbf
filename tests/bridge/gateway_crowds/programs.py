"""Programs of this folder as child processes, whose printed lines tests can await."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx

from tests.bridge.gateway_crowds.client import Call, Work
from tests.bridge.live_server import reserved_port, until

HERE = Path(__file__).parent
PATIENCE = 60.0


class Program:
    """A child process that is started at once; a thread reads all lines that it prints."""

    def __init__(self, name: str, *arguments: object) -> None:
        command = [sys.executable, str(HERE / f"{name}.py"), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lines: list[str] = []
        self._ended = False
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        try:
            self.wait(lambda: "ready" in self._lines, f"{name} is ready")
        except BaseException:
            self.kill()
            raise

    @property
    def lines(self) -> list[str]:
        with self._came:
            return list(self._lines)

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition is true after a line that the program printed."""
        with self._came:
            self._came.wait_for(lambda: condition() or self._ended, PATIENCE)
            assert condition(), f"still not so: {what}; the last lines are {self._lines[-5:]}"

    def kill(self) -> None:
        """Kill the process; ``lines`` then has everything that it had printed."""
        self.process.kill()
        self.process.wait()
        self._thread.join()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # An incomplete line, from a process that was killed, is ignored.
            if line.endswith("\n"):
                with self._came:
                    self._lines.append(line.strip())
                    self._came.notify_all()
        with self._came:
            self._ended = True
            self._came.notify_all()


class UpstreamProgram:
    """The process of a provider, which can be killed and started again on its port."""

    def __init__(self) -> None:
        self.port = reserved_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.program = Program("upstream", self.port)

    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"http://127.0.0.1:{self.port}/figures", trust_env=False).json()
        return found

    def wait_idle(self) -> float:
        """Wait until none of its calls is open; return the time when the last call without a response ended."""
        until(lambda: not self.figures()["open"], "no call is open at the provider")
        return max(self.figures()["ended"], default=0.0)

    def kill(self) -> None:
        self.program.kill()

    def start(self) -> None:
        self.program = Program("upstream", self.port)


class ClientProgram:
    """The process of a client, and the calls that it made."""

    def __init__(self) -> None:
        self.program = Program("client")
        self._taken = 1

    def work(self, work: Work) -> None:
        self.program.say(json.dumps(asdict(work)))

    def calls(self) -> list[Call]:
        """Return the calls of the current work that have ended."""
        return [Call(**json.loads(line)) for line in self.program.lines[self._taken :] if line != "stopped"]

    def wait(self, condition: Callable[[list[Call]], object], what: str) -> None:
        """Wait until the condition is true for the ended calls of the current work."""
        deadline, seen = time.monotonic() + PATIENCE, -1
        while True:
            calls = self.calls()
            if condition(calls):
                return
            assert time.monotonic() < deadline, f"still not so: {what}; the last calls are {calls[-5:]}"
            seen = len(self.program.lines)
            self.program.wait(lambda seen=seen: len(self.program._lines) > seen, what)

    def stop(self) -> list[Call]:
        """Stop the work, and return all of its calls."""
        stops = self.program.lines.count("stopped")
        self.program.say("stop")
        self.program.wait(lambda: self.program._lines.count("stopped") > stops, "the client has stopped")
        return self._take()

    def kill(self) -> list[Call]:
        """Kill the process, and return the calls that had ended before."""
        self.program.kill()
        return self._take()

    def _take(self) -> list[Call]:
        calls = self.calls()
        self._taken = len(self.program.lines)
        return calls
