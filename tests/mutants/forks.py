"""Tests that are collected once, and run on each change in a process that is forked from there.

Starting pytest and importing what it needs takes many times longer than the few tests that execute a changed line.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.mutants.copies import ROOT, Copy, path_of
from tests.mutants.operators import Mutant
from tests.mutants.reach import Reached, Tracer
from tests.mutants.swaps import swap

__all__ = ["Forks"]

_LOG = "tests.log"
_FORKS = get_context("spawn")


@dataclass(frozen=True)
class _Trace:
    """Run these tests and say what they reach."""

    tests: Sequence[str]
    files: frozenset[str]


@dataclass(frozen=True)
class _Try:
    """Run these tests on a change, each with its limit in seconds, until one fails."""

    mutant: Mutant
    tests: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class _Failed:
    """What went wrong with the trial itself."""

    text: str


class Forks:
    """A process that has collected tests on a copy of the package. Used by one thread at a time."""

    def __init__(self, copy: Copy, files: Sequence[str], modules: Sequence[str], chosen: str) -> None:
        self.copy = copy
        self._connection, other = _FORKS.Pipe()
        self._process = _FORKS.Process(target=_collect, args=(other, copy.folder, files, modules, chosen))
        self._process.start()
        other.close()
        try:
            self.tests: list[str] = self._connection.recv()
        except EOFError:
            raise SystemExit((copy.folder / _LOG).read_text("utf-8")) from None

    def trace(self, tests: Sequence[str], modules: Sequence[str]) -> dict[str, Reached]:
        files = {str(path_of(module, self.copy.folder)): module for module in modules}
        self._connection.send(_Trace(tests, frozenset(files)))
        found: dict[str, Reached] = self._connection.recv()
        for reached in found.values():
            reached.lines = {files[file]: lines for file, lines in reached.lines.items()}
        return found

    def notices(self, mutant: Mutant, tests: Sequence[tuple[str, float]]) -> str:
        """The test that fails, "timeout" or "died"; "" where all pass, "import" where only a new process shows it."""
        self.copy.write(mutant.module, mutant.text)
        try:
            self._connection.send(_Try(mutant, tests))
            found: str | _Failed = self._connection.recv()
        finally:
            self.copy.restore(mutant.module)
        if isinstance(found, _Failed):
            # The time of a test may be over while pytest formats its failure.
            if "from pytest-timeout" in found.text[-200:]:
                return "timeout"
            raise RuntimeError(f"{mutant.name} could not be tried.\n{found.text}")
        return found

    def close(self) -> None:
        self._connection.send(None)
        self._process.join()


def _collect(connection: Connection, folder: Path, files: Sequence[str], modules: Sequence[str], chosen: str) -> None:
    """The process's work, from its start to its end."""
    os.chdir(ROOT)
    log = os.open(folder / _LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for standard in (1, 2):
        os.dup2(log, standard)
    paths = (str(folder), str(ROOT), os.environ.get("PYTHONPATH", ""))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(folder / "examples")
    sys.path[:0] = paths[:2]
    arguments = ["-q", "--no-header", "--tb=line", "-p", "no:cacheprovider", "-o", f"pythonpath={folder} {ROOT}"]
    pytest.main([*arguments, "-k", chosen, *files], plugins=[_Plugin(connection, folder, modules)])


class _Plugin:
    def __init__(self, connection: Connection, folder: Path, modules: Sequence[str]) -> None:
        self._connection = connection
        self._folder = folder
        self._modules = modules
        self._forks = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for module in self._modules:
            # Its functions must live for a change to be put into them, though the package imports some modules late.
            import_module(module)
        self._connection.send(list(items))
        while (request := self._connection.recv()) is not None:
            self._connection.send(self._forked(session, items, request))
        return True

    def _forked(self, session: pytest.Session, items: dict[str, pytest.Item], request: _Trace | _Try) -> object:
        ours, theirs = _FORKS.Pipe(duplex=False)
        self._forks += 1
        child = os.fork()
        if child == 0:
            try:
                self._begin()
                if isinstance(request, _Trace):
                    theirs.send(_traced(session, [items[name] for name in request.tests], request.files))
                else:
                    self._try(session, items, request, theirs)
                session.config.hook.pytest_sessionfinish(session=session, exitstatus=0)
            except BaseException:  # noqa: BLE001 - the fork must end here, never go on as its parent
                theirs.send(_Failed(traceback.format_exc()))
            finally:
                os._exit(0)
        theirs.close()
        limit = None if isinstance(request, _Trace) else 20 + sum(seconds for _, seconds in request.tests)
        try:
            found = ours.recv() if ours.poll(limit) else "timeout"
        except EOFError:
            found = "died"
        # It leads a group of its own: what it started ends with it.
        until = time.monotonic() + (0 if found == "timeout" else 10)
        while time.monotonic() < until and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.005)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return found

    def _begin(self) -> None:
        os.setsid()
        temporary = self._folder / "tmp"
        temporary.mkdir(exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(temporary)

    def _try(self, session: pytest.Session, items: dict[str, pytest.Item], request: _Try, answer: Connection) -> None:
        mutant = request.mutant
        if not swap(str(path_of(mutant.module, self._folder)), mutant.source, mutant.tree):
            answer.send("import")
            return
        chosen = [items[name] for name, _ in request.tests]
        following = [*chosen[1:], None] if chosen else []
        for item, after, (name, limit) in zip(chosen, following, request.tests, strict=True):
            item.add_marker(pytest.mark.timeout(limit))
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
            if session.testsfailed:
                answer.send(name)
                return
        answer.send("")


def _traced(session: pytest.Session, items: Sequence[pytest.Item], files: frozenset[str]) -> dict[str, Reached]:
    tracer = Tracer(files)
    found: dict[str, Reached] = {}
    for item, after in zip(items, [*items[1:], None], strict=True):
        found[item.nodeid] = reached = Reached()
        failed, begun = session.testsfailed, time.monotonic()
        with tracer.following(item.nodeid, reached):
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        reached.seconds = time.monotonic() - begun
        reached.passed = session.testsfailed == failed
    tracer.end(found)
    return found
