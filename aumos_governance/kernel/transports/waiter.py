"""Lets threads wait for responses that arrive at one source, such as a socket: one thread reads for all, others sleep.

It also has two contexts for interrupts: `interruptible` and `Deferred`.
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


class Waiter:
    """Lets one thread sleep until another thread calls `wake`.

    The thread that makes the waiter is the one that sleeps.
    """

    __slots__ = ("_gate", "_thread", "rouse", "woken")

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        # A lock is cheaper than `threading.Event`, whose condition makes a new lock for each wait.
        self._gate = threading.Lock()
        self._gate.acquire()
        self.woken = False
        self.rouse: Callable[[], None] | None = None
        """Ends the thread's wait in another place than `sleep`, such as reading a socket; None while it does not wait
        there."""

    def wake(self) -> None:
        """End the thread's `sleep`. If the thread does not sleep now, its next `sleep` returns at once."""
        self.woken = True
        if threading.get_ident() == self._thread:
            # The thread itself calls this, so it is awake, and checks `woken` before it waits.
            return
        rouse = self.rouse
        if rouse is not None:
            rouse()
            return
        try:
            self._gate.release()
        except RuntimeError:
            # The thread was woken before and has not noticed it yet.
            return

    def sleep(self, seconds: float | None = None) -> None:
        """Block until `wake` is called, ``seconds`` at most; return at once if it was called since the last `rest`."""
        if not self.woken:
            self._gate.acquire(timeout=-1 if seconds is None else seconds)

    def rest(self) -> None:
        """Forget the earlier calls of `wake`.

        Then the thread must check once more what it waits for before it sleeps.
        """
        self.woken = False


_AWAKE_SECONDS: Final = 0.0006 if (os.cpu_count() or 1) > 1 else 0.0
"""How long, in seconds, a thread that waits alone polls before it sleeps, since a response often arrives within this
time. On a machine with one processor it is 0, since polling would only delay the server."""


class Source(Protocol):
    """A place where responses arrive, such as a socket. One thread at a time reads it."""

    def read(self, seconds: float | None = None, *, awake: float = 0.0) -> bool:
        """Wait at most ``seconds`` for data, and pass on the responses in it; return False if no more can arrive.

        For the first ``awake`` seconds, this thread polls instead of sleeping.
        """
        ...

    def wake(self) -> None:
        """Make a `read` in another thread return soon."""
        ...


class Turns:
    """Lets one of several waiting threads read a source, for itself and for the others, which sleep.

    So a thread that reads its own response needs no switch to another thread. An asyncio task cannot read, since it
    would block its event loop, so a separate thread, in `read_for_tasks`, reads for all tasks. ``tasks`` is a function
    that returns whether a task waits now.
    """

    def __init__(self, source: Source, tasks: Callable[[], bool]) -> None:
        self._source = source
        self._tasks = tasks
        self._lock = threading.Lock()
        self._reader: Waiter | None = None
        self._others: dict[Waiter, None] = {}
        """The waiters of the threads that sleep while another thread reads. The thread that has waited longest is
        first."""
        self._task_reader: Waiter | None = None
        self._ended = False

    def wait(self, waiter: Waiter, seconds: float) -> bool:
        """Block this thread until ``waiter`` is woken or ``seconds`` are over; it may return earlier.

        Returns False if the source has ended.
        """
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
                # An interrupt came within `_leave`. A turn that is not returned would block all other threads.
                self._leave(waiter)
                raise
        return not self._ended

    def read_for_tasks(self) -> None:
        """Read the source in this thread whenever asyncio tasks wait; return when the source has ended."""
        self._task_reader = task_reader = Waiter()
        while not self._ended:
            task_reader.rest()
            with self._lock:
                mine = self._reader is None and self._tasks()
                if mine:
                    self._reader = task_reader
            if mine:
                self._ended = not self._read_on(task_reader) or self._ended
                self._leave(task_reader)
            elif not self._ended:
                task_reader.sleep()

    def wake_task_reader(self) -> None:
        """Make the thread in `read_for_tasks` read, because an asyncio task has begun to wait."""
        if self._reader is None and self._task_reader is not None:
            self._task_reader.wake()

    def end(self) -> None:
        """Note that the source has ended, so that `wait` returns False and `read_for_tasks` returns."""
        self._ended = True
        task_reader = self._task_reader
        if task_reader is not None:
            task_reader.wake()

    def _take_turn(self, waiter: Waiter) -> bool:
        with self._lock:
            if self._reader is None:
                self._reader = waiter
                return True
            self._others[waiter] = None
            task_reader = self._task_reader if self._reader is self._task_reader else None
        if task_reader is not None and not self._tasks():
            # The thread in `read_for_tasks` still reads although no task waits any more, so it must give up its turn.
            task_reader.wake()
        return False

    def _read(self, waiter: Waiter, seconds: float) -> bool:
        until = monotonic() + seconds
        # It is set before `woken` is checked, so that a wake-up at this moment is not missed.
        waiter.rouse = self._source.wake
        try:
            while not waiter.woken:
                left = until - monotonic()
                if left <= 0:
                    break
                # A thread that waits alone polls for a moment, since waking up may take longer than the response.
                awake = 0.0 if self._others else min(_AWAKE_SECONDS, left)
                if not self._source.read(left, awake=awake):
                    return False
        finally:
            waiter.rouse = None
        return True

    def _read_on(self, task_reader: Waiter) -> bool:
        task_reader.rouse = self._source.wake
        try:
            while self._tasks() or not self._others:
                if not self._source.read():
                    return False
        finally:
            task_reader.rouse = None
        return True

    def _leave(self, waiter: Waiter) -> None:
        with self._lock:
            self._others.pop(waiter, None)
            if self._reader is waiter:
                self._reader = None
            if self._reader is not None:
                return
            after = self._task_reader if self._tasks() else next(iter(self._others), None)
        if after is not None:
            # The woken thread takes the turn when it waits again, unless another thread took it meanwhile.
            after.wake()


# ---- interrupts


@contextmanager
def interruptible() -> Iterator[None]:
    """Return a context in which an interrupt of the kernel raises KeyboardInterrupt at once, in any cell.

    Without it, an interrupt of a cell with top-level ``await`` would only wake the event loop, which cannot run while a
    statement blocks its thread. KeyboardInterrupt would be raised only after that statement.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    if before is None or before is signal.default_int_handler:
        # A handler that was not set from Python cannot be restored, and the default handler raises KeyboardInterrupt.
        yield
        return
    # The handler is set within the `try`, since an interrupt may come as soon as it is set.
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Deferred:
    """A context that defers an interrupt of the kernel to the end of its block, so that the block runs completely.

    Use it only for blocks that do not wait. In other threads than the main thread it has no effect, since they get no
    interrupts.
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
