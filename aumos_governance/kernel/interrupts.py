"""Being interrupted while this thread is blocked, whatever kind of cell it runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["interruptible"]


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
