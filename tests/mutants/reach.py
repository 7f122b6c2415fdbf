"""Which tests execute which lines of the listed modules, and which start processes, which may execute any."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

__all__ = ["Reached", "Tracer"]

_STARTS = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"})


@dataclass
class Reached:
    """What one test did: the lines by the module's file, its seconds, and whether it passed and started processes."""

    lines: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    seconds: float = 0.0
    passed: bool = True
    starts: bool = False


class Tracer:
    """Follows all threads that begin while a test runs; only one can be made in a process."""

    def __init__(self, files: frozenset[str]) -> None:
        self._files = files
        self._now = Reached()
        sys.addaudithook(self._on_event)

    @contextmanager
    def following(self, reached: Reached) -> Iterator[None]:
        self._now = reached
        threading.settrace(self._on_call)
        sys.settrace(self._on_call)
        try:
            yield
        finally:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type]

    def _on_event(self, event: str, _: tuple[Any, ...]) -> None:
        if event in _STARTS:
            self._now.starts = True

    def _on_call(self, frame: FrameType, _: str, __: object) -> Any:
        file = frame.f_code.co_filename
        if file not in self._files:
            return None
        self._now.lines[file].add(frame.f_lineno)
        return self._on_line

    def _on_line(self, frame: FrameType, _: str, __: object) -> Any:
        self._now.lines[frame.f_code.co_filename].add(frame.f_lineno)
        return self._on_line
