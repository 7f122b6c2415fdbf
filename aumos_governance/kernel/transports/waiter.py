"""How a thread waits for its answer: asleep, or as the one that reads the answers of all."""

from __future__ import annotations

import threading
from collections.abc import Callable

__all__ = ["Waiter"]


class Waiter:
    """Belongs to the thread that makes it; any thread may wake it, any number of times."""

    __slots__ = ("_gate", "_thread", "rouse", "woken")

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        # A bare lock: an event takes a condition, with a new lock for each time that it is waited for.
        self._gate = threading.Lock()
        self._gate.acquire()
        self.woken = False
        self.rouse: Callable[[], None] | None = None
        """What gets the thread back that waits somewhere else than in `sleep`; None while it does not."""

    def wake(self) -> None:
        self.woken = True
        if threading.get_ident() == self._thread:
            # It is awake, and looks before it waits.
            return
        rouse = self.rouse
        if rouse is not None:
            rouse()
            return
        try:
            self._gate.release()
        except RuntimeError:
            # It was woken before and has not noticed yet.
            return

    def sleep(self, seconds: float | None = None) -> None:
        """Block until woken, or for so long; returns at once when woken since the last `rest`."""
        if not self.woken:
            self._gate.acquire(timeout=-1 if seconds is None else seconds)

    def rest(self) -> None:
        """Forget that it was woken: whoever waits looks for what it waits for after this, and before it waits again."""
        self.woken = False
