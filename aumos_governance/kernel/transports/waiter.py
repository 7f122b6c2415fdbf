"""How a thread waits for its response: asleep, or as the one that reads the responses of all.

And when an interrupt may be raised in it: while the main thread is blocked, and not in between.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final, Protocol

from ...clock import monotonic

__all__ = ["Deferred", "Source", "Turns", "Waiter", "interruptible"]


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
        """Reset the wake-up: a waiting thread checks its condition after this, and before it waits again."""
        self.woken = False


_AWAKE_SECONDS: Final = 0.0006 if (os.cpu_count() or 1) > 1 else 0.0
# On a single processor it would only keep the server from it.


class Source(Protocol):
    """What is read by one thread at a time."""

    def read(self, seconds: float | None = None, *, awake: float = 0.0) -> bool:
        """Wait for what comes, at most so long, and hand it on; False at the end. It sleeps only after ``awake``."""
        ...

    def wake(self) -> None:
        """Have `read` return soon, in whatever thread it is."""
        ...


class Turns:
    """One of the threads that wait reads, for itself and for the others; a response costs it no change of threads.

    Tasks cannot read, so while ``tasks()`` a thread that does nothing else reads for them: the one in `stand`.
    """

    def __init__(self, source: Source, tasks: Callable[[], bool]) -> None:
        self._source = source
        self._tasks = tasks
        self._lock = threading.Lock()
        self._reader: Waiter | None = None
        self._others: dict[Waiter, None] = {}
        """Threads that sleep while one reads, the longest first."""
        self._standing: Waiter | None = None
        self._ended = False

    def wait(self, waiter: Waiter, seconds: float) -> bool:
        """Block this thread until its waiter is woken, or for so long, or a little; False when the source has ended."""
        try:
            if self._take_turn(waiter):
                if not self._read(waiter, seconds):
                    self.end()
            else:
                waiter.sleep(seconds)
        finally:
            try:
                self._leave(waiter)
            except BaseException:
                # Interrupted just here: a turn that is not returned would block all other threads.
                self._leave(waiter)
                raise
        return not self._ended

    def stand(self) -> None:
        """Read in this thread whenever tasks wait, until the source has ended."""
        self._standing = standing = Waiter()
        while not self._ended:
            standing.rest()
            with self._lock:
                mine = self._reader is None and self._tasks()
                if mine:
                    self._reader = standing
            if mine:
                self._ended = not self._read_on(standing) or self._ended
                self._leave(standing)
            elif not self._ended:
                standing.sleep()

    def attend(self) -> None:
        """A task has begun to wait."""
        if self._reader is None and self._standing is not None:
            self._standing.wake()

    def end(self) -> None:
        """The source has ended; called by the thread whose write failed."""
        self._ended = True
        standing = self._standing
        if standing is not None:
            standing.wake()

    def _take_turn(self, waiter: Waiter) -> bool:
        with self._lock:
            if self._reader is None:
                self._reader = waiter
                return True
            self._others[waiter] = None
            standing = self._standing if self._reader is self._standing else None
        if standing is not None and not self._tasks():
            # It stayed after the last task had its response.
            standing.wake()
        return False

    def _read(self, waiter: Waiter, seconds: float) -> bool:
        until = monotonic() + seconds
        # Before checking whether it was woken, so that a wake-up at this moment is not missed.
        waiter.rouse = self._source.wake
        try:
            while not waiter.woken:
                left = until - monotonic()
                if left <= 0:
                    break
                # Who waits alone keeps awake for a moment: to be woken takes longer than many a response.
                awake = 0.0 if self._others else min(_AWAKE_SECONDS, left)
                if not self._source.read(left, awake=awake):
                    return False
        finally:
            waiter.rouse = None
        return True

    def _read_on(self, standing: Waiter) -> bool:
        standing.rouse = self._source.wake
        try:
            while self._tasks() or not self._others:
                if not self._source.read():
                    return False
        finally:
            standing.rouse = None
        return True

    def _leave(self, waiter: Waiter) -> None:
        with self._lock:
            self._others.pop(waiter, None)
            if self._reader is waiter:
                self._reader = None
            if self._reader is not None:
                return
            after = self._standing if self._tasks() else next(iter(self._others), None)
        if after is not None:
            # It takes its turn when it waits again, unless a thread that came meanwhile did.
            after.wake()


# ---- interrupts


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
