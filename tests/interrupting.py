"""Interrupts: at one line after the other, as a user's Ctrl-C may fall anywhere, or as a signal."""

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
    """Call, with a KeyboardInterrupt at the line of this number of those that lie under these folders and files.

    Tells which line that was, and nothing where there were not that many.
    """
    interrupting, former = _Interrupting(at, tuple(map(str, under))), sys.gettrace()
    # A finalizer that the collector ran meanwhile could take the interrupt, and Python would only tell of it.
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
    """Raises KeyboardInterrupt at one of the lines that this thread comes to."""

    def __init__(self, at: int, under: tuple[str, ...]) -> None:
        self._left = at
        self._under = under
        self.where = ""

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(self._under):
            return None
        # At these Python looks for no signal, so that nothing comes between them and what they guard.
        line = getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if event == "line" and not line.startswith(("try:", "with ")):
            self._left -= 1
            if self._left == 0:
                self.where = f"{Path(frame.f_code.co_filename).name}: {line}"
                raise KeyboardInterrupt
        return self


def press_ctrl_c() -> None:
    """In the main thread, which it wakes; one that another thread takes is noticed when the main thread wakes next."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
