"""Calls a function after a time, and lets an asyncio task wait for a response with a time limit.

Both use a thread that waits with a time-out of the operating system. They do not use asyncio's timers, because those
use `time.monotonic`: a library for tests that stops this clock in the kernel would make the timers never call.
"""

from __future__ import annotations

import asyncio
import math
import os
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, Final

from ...clock import monotonic


class Alarm:
    """Calls functions after a time, in a thread of its own that runs only while a call is due.

    Each process has one instance; `alarm` returns it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gate = threading.Lock()
        self._gate.acquire()
        self._due: dict[object, tuple[float, Callable[[], object]]] = {}
        self._next = math.inf
        self._running = False

    def set(self, seconds: float, function: Callable[[], object]) -> object:
        """Call ``function`` once, ``seconds`` from now, in the alarm's thread.

        ``function`` must neither block nor raise. Returns a handle for `cancel`. Raises RuntimeError if no thread can
        be started.
        """
        handle, due = object(), monotonic() + seconds
        with self._lock:
            self._due[handle] = (due, function)
            if not self._running:
                self._start(handle, due)
            elif due < self._next:
                self._next = due
                self._wake()
        return handle

    def cancel(self, handle: object) -> None:
        """Cancel a call; ``handle`` is the result of `set`. Do nothing if the function was called already."""
        self._due.pop(handle, None)

    def _start(self, handle: object, due: float) -> None:
        self._next = due
        try:
            threading.Thread(target=self._run, name="aumos-governance-alarm", daemon=True).start()
        except RuntimeError:
            self._due.pop(handle, None)
            raise
        self._running = True

    def _wake(self) -> None:
        # The lock is released already if the thread was woken before and has not noticed it yet.
        with suppress(RuntimeError):
            self._gate.release()

    def _run(self) -> None:
        while True:
            with self._lock:
                waiting = self._due.copy()
                if not waiting:
                    self._running = False
                    return
                now = monotonic()
                self._next = min(due for due, _ in waiting.values())
                left = self._next - now
            if left > 0:
                self._gate.acquire(timeout=min(left, threading.TIMEOUT_MAX))
                continue
            for handle, (due, function) in waiting.items():
                if due <= now and self._due.pop(handle, None) is not None:
                    function()


_ALARM: Final = [Alarm()]


def alarm() -> Alarm:
    """Return the alarm of this process, which is a new one in a forked child."""
    return _ALARM[0]


def _forget_parent() -> None:
    # The alarm's thread runs only in the parent, and another thread of the parent may have held the lock.
    _ALARM[0] = Alarm()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parent)


# ---- tasks


async def response_of(
    steps: Generator[float, None, dict[str, Any]], woken: asyncio.Event, wake: Callable[[], None]
) -> dict[str, Any]:
    """Wait in an asyncio task for the response to the request that ``steps`` makes, and return it.

    ``wake`` sets ``woken``, which ends a wait; the thread that receives the response calls it.
    """
    while True:
        try:
            seconds = next(steps)
        except StopIteration as done:
            found: dict[str, Any] = done.value
            return found
        await _wait(woken, wake, seconds)
        woken.clear()


async def _wait(woken: asyncio.Event, wake: Callable[[], None], seconds: float) -> None:
    # `asyncio.wait_for` may swallow a cancellation before Python 3.12, and a loop's timers use a clock that may be
    # stopped.
    try:
        timer = alarm().set(seconds, wake)
    except RuntimeError:
        # If no thread can be started any more, only the loop's own timer is left.
        asyncio.get_running_loop().call_later(seconds, wake)
        await woken.wait()
        return
    try:
        await woken.wait()
    finally:
        alarm().cancel(timer)
