"""Interrupts for tests: at each line in turn, as a user's Ctrl-C may come at any moment, or as a signal."""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable
from linecache import getline
from pathlib import Path
from types import FrameType
from typing import Any

import aumos_governance

__all__ = ["PACKAGE", "interrupted", "press_ctrl_c"]

PACKAGE = Path(aumos_governance.__file__).parent


def interrupted(call: Callable[[], object], at: int, *under: Path) -> str:
    """Call a function, with a KeyboardInterrupt at the ``at``-th line that it runs under these folders and files.

    Returns that line, or an empty text if there were fewer.
    """
    interrupting, former = _Interrupting(at, tuple(map(str, under))), sys.gettrace()
    # The garbage collector might run a finalizer that takes the interrupt, which Python would only print.
    gc.disable()
    sys.settrace(interrupting)
    try:
        call()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(former)
        gc.enable()
    return interrupting.where


class _Interrupting:
    """A trace function that raises KeyboardInterrupt at one of the lines that its thread runs."""

    def __init__(self, at: int, under: tuple[str, ...]) -> None:
        self._left = at
        self._under = under
        self.where = ""

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(self._under):
            return None
        # At these lines Python checks for no signal, so that no interrupt comes between them and what they guard.
        line = getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if event == "line" and not line.startswith(("try:", "with ")):
            self._left -= 1
            if self._left == 0:
                self.where = f"{Path(frame.f_code.co_filename).name}: {line}"
                raise KeyboardInterrupt
        return self


def press_ctrl_c() -> None:
    """Send SIGINT to the main thread, which it wakes; a signal to another thread would be handled only later."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
