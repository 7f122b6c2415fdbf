"""Group commit: all queued requests are executed in one transaction, so that they share one write to the disk.

A thread, the writer, executes these requests. While only one thread makes requests, waking the writer and being woken
by it would take longer than the request itself, so that thread may execute its own request.

Each thread that waits for a response wakes the next thread. If all threads were woken at once, most would only wait for
the interpreter's lock, and be woken a second time when they get the lock; with a hundred callers, these additional
wake-ups are a noticeable delay.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from itertools import pairwise
from typing import Any, Final, Protocol

from ...errors import LedgerError
from ..contract.requests import Request
from .arrivals import Arrivals

PATIENCE_SECONDS: Final = 0.005
"""After this many seconds, the writer itself wakes the waiting threads that no other thread has woken.

Each woken thread should wake the next one (see the module), but is late if it is interrupted, or if another thread
keeps the interpreter's lock.
"""
Batch = Callable[[Sequence[Request[Any]]], Sequence[Any]]
"""A function that executes requests in one transaction. It returns, for each request, its response or the exception to
raise to its caller."""
After = Callable[[], None]
"""A function that is called after each batch, in the thread that executed the batch."""


class _Waiting(Protocol):
    """The object that receives a request's response or error: a `Future`, or the `Slot` of a waiting thread."""

    def set_running_or_notify_cancel(self) -> bool: ...

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: BaseException, /) -> None: ...


class Slot:
    """The object through which a thread waits for the response to its one request; faster than a `Future`."""

    __slots__ = ("_done", "_error", "_outcome", "follower", "woken")

    def __init__(self) -> None:
        self._done = threading.Lock()
        self._done.acquire()
        self._outcome: Any = None
        self._error: BaseException | None = None
        self.follower: Slot | None = None
        """The slot of the next thread to wake: this slot's thread wakes that thread as soon as it is woken itself."""
        self.woken = False
        """Whether the thread that waits for this slot was woken."""

    def set_running_or_notify_cancel(self) -> bool:
        return True

    def set_result(self, result: Any, /) -> None:
        self._outcome = result

    def set_exception(self, exception: BaseException, /) -> None:
        self._error = exception

    def result(self) -> Any:
        """Wait for the response and return it, or raise the error of the request.

        A KeyboardInterrupt ends the wait, but the request may still be executed.
        """
        self._done.acquire()
        follower = self.follower
        if follower is not None:
            follower.wake()
        if self._error is not None:
            raise self._error
        return self._outcome

    def wake(self) -> None:
        """Wake the thread that waits in `result`, after the response or error was set. A second call does nothing."""
        try:  # noqa: SIM105 - contextlib.suppress takes twice as long
            self._done.release()
        except RuntimeError:
            # Two threads have woken this thread at the same moment.
            pass
        # Set last: after an interrupt before this line, `Wakings` wakes the thread again.
        self.woken = True


class Wakings:
    """The list of waiting threads whose requests were executed, and which must be woken.

    The writer wakes the first, and each woken thread wakes the next. The writer itself wakes those that are not woken
    in time. Each writer has one such object, which only its thread uses.
    """

    def __init__(self) -> None:
        self._begun: deque[tuple[float, Sequence[Slot]]] = deque()

    def begin(self, slots: Sequence[Slot]) -> None:
        """Begin to wake the threads of these slots, which all have a response or error, by waking the first thread."""
        for slot, follower in pairwise(slots):
            slot.follower = follower
        if len(slots) > 1:
            self._begun.append((time.monotonic() + PATIENCE_SECONDS, slots))
        if slots:
            slots[0].wake()

    def wait(self) -> float | None:
        """Wake the threads that are still not woken `PATIENCE_SECONDS` after `begin` was called for them.

        Return the seconds after which this method must be called again, or None if all threads were woken.
        """
        while self._begun:
            until, slots = self._begun[0]
            left = until - time.monotonic()
            if left > 0 and not slots[-1].woken:
                return left
            self._wake(slots)
            self._begun.popleft()
        return None

    def end(self) -> None:
        """Wake all threads that were not woken yet, without waiting."""
        while self._begun:
            self._wake(self._begun.popleft()[1])

    @staticmethod
    def _wake(slots: Sequence[Slot]) -> None:
        for slot in slots:
            if not slot.woken:
                slot.wake()


class _Turn:
    """The right to execute requests, which one thread has at a time: the thread that holds `lock`.

    It is the writer's thread, or the calling thread if only one thread makes requests.
    """

    __slots__ = ("alone", "counting", "done", "holder", "lock", "queued")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holder = 0
        """The id of the thread that executes requests now, or 0."""
        self.alone = True
        """Whether the last requests were made one after the other. Then the next one is probably alone as well, and its
        own thread may execute it."""
        # Reentrant, since a finalizer that makes a request may run in a thread that holds this lock.
        self.counting = threading.RLock()
        """The lock of the counters `queued` and `done`, also held while a request is put into the queue."""
        self.queued = 0
        """How many requests were queued so far."""
        self.done = 0
        """How many of the queued requests were executed."""

    def free(self) -> bool:
        """Whether no request is queued or being executed, so that the calling thread may execute its request itself."""
        return self.queued == self.done and not self.lock.locked()

    def mine(self) -> bool:
        """Whether the current thread is executing a request already.

        Then the caller is a signal handler, a finalizer or a listener that runs in the middle of that request.
        """
        return self.lock.locked() and self.holder == threading.get_ident()


class Writer:
    """The queue of a ledger's requests, and the thread that executes them with the functions ``batch`` and ``after``.

    With ``at_once``, if only one thread makes requests, that thread executes them itself; then ``batch`` and ``after``
    are called from any thread, one at a time, and may be interrupted, for example by a KeyboardInterrupt. ``name`` is
    the name of the writer's thread.

    All requests that were queued before `close`, or before the interpreter ends, are executed. A forked child does not
    have the thread, so `execute` and `submit` raise LedgerError there instead of waiting for ever.
    """

    def __init__(self, batch: Batch, after: After, *, name: str, at_once: bool = False) -> None:
        self._arrivals: Arrivals[_Waiting] = Arrivals()
        self._turn = _Turn()
        self._batch = batch
        self._after = after
        self._at_once = at_once
        self._closed = False
        self._pid = os.getpid()
        self._thread = threading.Thread(
            target=_run, args=(self._arrivals, self._turn, batch, after), name=name, daemon=True
        )
        self._thread.start()
        # The thread is a daemon, so that it does not keep the interpreter running; queued requests are executed first.
        self._finish = weakref.finalize(self, _finish, self._arrivals, self._thread, self._pid)

    def execute(self, request: Request[Any]) -> Any:
        """Execute a request, here or in the writer's thread, and return its response or raise its error.

        Raises LedgerError if the current thread is executing another request: then a signal handler, a finalizer or a
        listener has called this method.
        """
        turn = self._turn
        if self._at_once and turn.alone and turn.free():
            return self._do(request)
        if turn.mine():
            raise LedgerError(
                "The ledger is in the middle of another request of this thread;"
                " make this request again when the other one is done."
            )
        slot = Slot()
        self._put(request, slot)
        return slot.result()

    def _do(self, request: Request[Any]) -> Any:
        self.check_process()
        turn = self._turn
        # With a "with" statement, so that no interrupt leaves the lock held.
        with turn.lock:
            if self._closed:
                raise LedgerError("The ledger is closed.")
            turn.holder = threading.get_ident()
            try:
                (outcome,) = self._batch((request,))
            finally:
                self._after()
                turn.holder = 0
                # Requests that arrived meanwhile are in the queue, and the next requests must queue behind them.
                turn.alone = turn.queued == turn.done
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def submit(self, request: Request[Any]) -> Future[Any]:
        """Queue a request and return its future; the writer's thread sets the response or error of the future."""
        future: Future[Any] = Future()
        self._put(request, future)
        return future

    def _put(self, request: Request[Any], waiting: _Waiting) -> None:
        self.check_process()
        # Without the lock, a request could be added after the end of the queue, where it would get no response.
        with self._turn.counting:
            if self._closed:
                raise LedgerError("The ledger is closed.")
            self._turn.queued += 1
            self._arrivals.add(request, waiting)

    def check_process(self) -> None:
        """Raise LedgerError in a forked child, which does not have the writer's thread."""
        if os.getpid() != self._pid:
            raise LedgerError(
                "This ledger was opened before the process forked and cannot be used in the child;"
                " open a ledger after the fork."
            )

    def close(self) -> None:
        """Refuse new requests, execute the queued ones, and end the writer's thread. A second call does nothing.

        This must not be called from the writer's thread.
        """
        with self._turn.counting:
            self._closed = True
        self._finish()
        if not self._turn.mine():
            # Wait for a thread that still executes its own request; no thread starts another request now.
            with self._turn.lock:
                pass


def _finish(arrivals: Arrivals[Any], thread: threading.Thread, pid: int) -> None:
    if os.getpid() == pid:
        arrivals.end()
        thread.join()


def _run(arrivals: Arrivals[_Waiting], turn: _Turn, batch: Batch, after: After) -> None:
    wakings = Wakings()
    while not arrivals.over:
        if not arrivals.wait(wakings.wait()):
            # No request arrived in time, but some threads that have outcomes must be woken.
            continue
        if not turn.alone:
            # Yield to the threads that have just got their responses: their next requests then share this transaction.
            time.sleep(0)
        with turn.lock:
            turn.holder = threading.get_ident()
            waiting = arrivals.take()
            # A request whose future was cancelled meanwhile is not executed.
            requests = [entry for entry in waiting if entry[1].set_running_or_notify_cancel()]
            turn.alone = len(requests) < 2
            if requests:
                wakings.begin(_respond(requests, batch))
                after()
            with turn.counting:
                # An interrupted thread may have counted a request that it did not queue; an empty queue corrects that.
                turn.done = turn.queued if arrivals.empty else turn.done + len(waiting)
            turn.holder = 0
    wakings.end()


def _respond(requests: list[tuple[Request[Any], _Waiting]], batch: Batch) -> list[Slot]:
    """Execute requests with ``batch``, and set the response or error of each in its future or slot.

    Return the slots, whose threads must be woken.
    """
    try:
        outcomes = batch([request for request, _ in requests])
    except BaseException as error:  # noqa: BLE001 - each request must get an outcome, whatever went wrong
        outcomes = [error] * len(requests)
    for (_, waiting), outcome in zip(requests, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)
    return [waiting for _, waiting in requests if isinstance(waiting, Slot)]
