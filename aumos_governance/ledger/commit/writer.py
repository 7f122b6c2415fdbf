"""Group commit: the requests that wait go into one transaction, the callers in turn, and each gets its response.

A thread does them. But while no other thread makes requests, to wake that thread and to be woken by it takes longer
than the request, so the calling thread may do its own request itself.

The threads that wait for responses are woken each by the one before it. Woken all at once, they would wake only to wait
for the interpreter's lock, and be woken again when it is their turn: two wake-ups for each decision, which a hundred
callers feel. Woken one by one, most of them need a single one.
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

__all__ = ["PATIENCE_SECONDS", "Slot", "Wakings", "Writer"]

PATIENCE_SECONDS: Final = 0.005
"""How long the threads whose responses came together wait for one another, before they are all woken.

A wake-up comes late where the thread before is interrupted, or where another thread keeps the interpreter's lock.
"""
Batch = Callable[[Sequence[Request[Any]]], Sequence[Any]]
"""Does requests in one transaction; returns for each its response or the exception to raise."""
After = Callable[[], None]


class _Waiting(Protocol):
    """What receives the outcome of a request: a future, or the slot of a thread."""

    def set_running_or_notify_cancel(self) -> bool: ...

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: BaseException, /) -> None: ...


class Slot:
    """Where one thread waits for one response; cheaper than a future."""

    __slots__ = ("_done", "_error", "_outcome", "follower", "woken")

    def __init__(self) -> None:
        self._done = threading.Lock()
        self._done.acquire()
        self._outcome: Any = None
        self._error: BaseException | None = None
        self.follower: Slot | None = None
        """Whom the thread that waits here wakes as soon as it is woken itself."""
        self.woken = False

    def set_running_or_notify_cancel(self) -> bool:
        return True

    def set_result(self, result: Any, /) -> None:
        self._outcome = result

    def set_exception(self, exception: BaseException, /) -> None:
        self._error = exception

    def result(self) -> Any:
        """The response, once this slot is woken. An interrupt comes through; the request may be done all the same."""
        self._done.acquire()
        follower = self.follower
        if follower is not None:
            follower.wake()
        if self._error is not None:
            raise self._error
        return self._outcome

    def wake(self) -> None:
        """The outcome is there. Calling it twice does no harm, since a thread waits here only once."""
        try:  # noqa: SIM105 - the other way takes twice as long
            self._done.release()
        except RuntimeError:
            # Two did it at the same moment.
            pass
        # Only now: an interrupt before this line leaves it to `Wakings` to do it again.
        self.woken = True


class Wakings:
    """The slots that have their responses and wait for one another. Used by the writer's thread alone."""

    def __init__(self) -> None:
        self._begun: deque[tuple[float, Sequence[Slot]]] = deque()

    def begin(self, slots: Sequence[Slot]) -> None:
        """Wake the first of these, which have their responses; each of them wakes the next."""
        for slot, follower in pairwise(slots):
            slot.follower = follower
        if len(slots) > 1:
            self._begun.append((time.monotonic() + PATIENCE_SECONDS, slots))
        if slots:
            slots[0].wake()

    def wait(self) -> float | None:
        """Wake the threads that have waited too long. Returns the seconds until the next is due, or None."""
        while self._begun:
            until, slots = self._begun[0]
            left = until - time.monotonic()
            if left > 0 and not slots[-1].woken:
                return left
            self._wake(slots)
            self._begun.popleft()
        return None

    def end(self) -> None:
        """Wake all."""
        while self._begun:
            self._wake(self._begun.popleft()[1])

    @staticmethod
    def _wake(slots: Sequence[Slot]) -> None:
        for slot in slots:
            if not slot.woken:
                slot.wake()


class _Turn:
    """Whose turn it is to write: the writer's thread's, or that of the only thread that makes requests."""

    __slots__ = ("alone", "counting", "done", "holder", "lock", "queued")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holder = 0
        """The thread that writes, while one does."""
        self.alone = True
        """Whether one request at a time was made of late, so that no other is expected to share its transaction."""
        # May be taken twice: a finalizer that makes a request may run anywhere, also where its thread holds this.
        self.counting = threading.RLock()
        """Held while a request is counted and queued, and while those that are done are counted."""
        self.queued = 0
        """How many requests were queued so far, and of them `done`."""
        self.done = 0

    def free(self) -> bool:
        """Whether no request is written or waits, so that a thread that writes now overtakes none."""
        return self.queued == self.done and not self.lock.locked()

    def mine(self) -> bool:
        """Whether this very thread is writing: it was interrupted in that, by a signal or by a finalizer."""
        return self.lock.locked() and self.holder == threading.get_ident()


class Writer:
    """A queue of requests and the thread that does them.

    With ``at_once`` a thread that is the only one does its request itself; then ``batch`` and ``after`` are called from
    any thread, by one at a time, and may be left by what interrupts a thread, such as a KeyboardInterrupt.

    What was queued before `close`, or before the interpreter ends, is done. After a fork the child has no
    such thread, so there a LedgerError is raised instead of waiting for ever.
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
        # The thread must not keep the interpreter from ending, but what is queued is done first.
        self._finish = weakref.finalize(self, _finish, self._arrivals, self._thread, self._pid)

    def execute(self, request: Request[Any]) -> Any:
        """Do a request and give its response, or raise what it ended with.

        Raises LedgerError when this thread is in the middle of another request: a signal's handler or a listener made
        it.
        """
        turn = self._turn
        if self._at_once and turn.alone and turn.free():
            return self._do(request)
        if turn.mine():
            raise LedgerError(
                "The ledger is in the middle of another request of this thread; make it again when that is done."
            )
        slot = Slot()
        self._put(request, slot)
        return slot.result()

    def _do(self, request: Request[Any]) -> Any:
        self._check()
        turn = self._turn
        # By "with", which no interrupt can leave locked.
        with turn.lock:
            if self._closed:
                raise LedgerError("The ledger is closed.")
            turn.holder = threading.get_ident()
            try:
                (outcome,) = self._batch((request,))
            finally:
                self._after()
                turn.holder = 0
                # Requests that arrived meanwhile wait in the queue, and the next ones join them.
                turn.alone = turn.queued == turn.done
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def submit(self, request: Request[Any]) -> Future[Any]:
        """Queue a request; its future is done in the writer's thread."""
        future: Future[Any] = Future()
        self._put(request, future)
        return future

    def _put(self, request: Request[Any], waiting: _Waiting) -> None:
        self._check()
        # With the lock no request can slip in behind the end of the queue, where it would get no response.
        with self._turn.counting:
            if self._closed:
                raise LedgerError("The ledger is closed.")
            self._turn.queued += 1
            self._arrivals.add(request, waiting)

    def _check(self) -> None:
        if os.getpid() != self._pid:
            raise LedgerError(
                "This ledger was opened before the process forked and cannot be used in the child;"
                " open a ledger after the fork."
            )

    def close(self) -> None:
        """Do what is queued and end the thread. Idempotent; not to be called from the writer's own thread."""
        with self._turn.counting:
            self._closed = True
        self._finish()
        if not self._turn.mine():
            # A thread may be at its own request still; none begins one after this.
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
            # Some threads that have their responses are not awake yet.
            continue
        if not turn.alone:
            # Lets the threads that have just got their responses make their next requests, so that they share this
            # transaction.
            time.sleep(0)
        with turn.lock:
            turn.holder = threading.get_ident()
            waiting = arrivals.take()
            # A future that its caller cancelled meanwhile is left out: its caller is gone, and nothing was done.
            requests = [entry for entry in waiting if entry[1].set_running_or_notify_cancel()]
            turn.alone = len(requests) < 2
            if requests:
                wakings.begin(_respond(requests, batch))
                after()
            with turn.counting:
                # One that was interrupted may have counted a request that it did not queue.
                turn.done = turn.queued if arrivals.empty else turn.done + len(waiting)
            turn.holder = 0
    wakings.end()


def _respond(requests: list[tuple[Request[Any], _Waiting]], batch: Batch) -> list[Slot]:
    """Do the requests, and give the slots that have their responses now."""
    try:
        outcomes = batch([request for request, _ in requests])
    except BaseException as error:  # noqa: BLE001 - each of them waits for a response, whatever went wrong
        outcomes = [error] * len(requests)
    for (_, waiting), outcome in zip(requests, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)
    return [waiting for _, waiting in requests if isinstance(waiting, Slot)]
