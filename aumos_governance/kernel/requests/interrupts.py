"""When an interrupt may be raised in the main thread: while it is blocked, in any kind of cell; and not in between."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["Deferred", "interruptible"]


@contextmanager
def interruptible() -> Iterator[None]:
    """Have an interrupt raise KeyboardInterrupt here.

    In a cell with top-level ``await`` ipykernel's handler only wakes the event loop, which stands still while a
    statement blocks: the interrupt would come when there is nothing left to interrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before is None or before is signal.default_int_handler:
        # Set by another language than Python, and not to be put back by this one; or as it should be.
        yield
        return
    # Within, since from here on an interrupt may come as soon as it is set.
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Deferred:
    """``with Deferred():`` an interrupt that comes within the block is handled at its end.

    For a block that never waits: what it does is done as a whole. In another thread than the main one it changes
    nothing, since no signal is handled there.
    """

    __slots__ = ("_before", "_came", "_frame")

    def __enter__(self) -> None:
        self._came = False
        self._frame: FrameType | None = None
        self._before: Any = None
        if threading.get_ident() != threading.main_thread().ident:
            return
        before = signal.getsignal(signal.SIGINT)
        if callable(before):
            self._before = before
            signal.signal(signal.SIGINT, self._note)

    def __exit__(self, *_: object) -> None:
        before, self._before = self._before, None
        if before is None:
            return
        signal.signal(signal.SIGINT, before)
        if self._came:
            before(signal.SIGINT, self._frame)

    def _note(self, _number: int, frame: FrameType | None) -> None:
        self._came = True
        self._frame = frame
