"""Which tests execute which lines of the listed modules, and which start processes, which may execute any."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import coverage

__all__ = ["Reached", "Tracer"]

_STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"})


@dataclass
class Reached:
    """What one test did: the lines by the module's file, its seconds, and whether it passed and started processes."""

    lines: dict[str, set[int]] = field(default_factory=dict)
    seconds: float = 0.0
    passed: bool = True
    starts: bool = False


class Tracer:
    """Follows all threads that begin while a test runs; only one can be made in a process."""

    def __init__(self, files: Collection[str]) -> None:
        self._files = files
        self._now = Reached()
        sys.addaudithook(self._on_event)
        # A tracer in C: one in Python makes the tests take several times as long.
        self._coverage = coverage.Coverage(data_file=None, config_file=False, include=list(files))
        self._coverage.start()

    @contextmanager
    def following(self, test: str, reached: Reached) -> Iterator[None]:
        self._now = reached
        self._coverage.switch_context(test)
        try:
            yield
        finally:
            self._coverage.switch_context("")

    def end(self, reached: dict[str, Reached]) -> None:
        """Give each test the lines that were executed while it was followed."""
        self._coverage.stop()
        data = self._coverage.get_data()
        for file in self._files:
            for line, tests in data.contexts_by_lineno(file).items():
                for test in tests:
                    if test:
                        reached[test].lines.setdefault(file, set()).add(line)

    def _on_event(self, event: str, _: tuple[Any, ...]) -> None:
        if event in _STARTS:
            self._now.starts = True
