"""Group commit: one thread that takes all waiting requests into one transaction and answers each."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from ..errors import LedgerError
from .base import Request

__all__ = ["MAX_BATCH", "Writer"]

MAX_BATCH: Final = 500
"""The most requests of one transaction, so that the first of them does not wait for ever."""

Batch = Callable[[Sequence[Request[Any]]], Sequence[Any]]
"""Does requests in one transaction; answers each with its answer or with the exception to raise."""
After = Callable[[], None]


class _Waiting(Protocol):
    """What is told how a request ended: a future, or a thread's slot."""

    def set_running_or_notify_cancel(self) -> bool: ...

    def set_result(self, result: Any, /) -> None: ...

    def set_exception(self, exception: BaseException, /) -> None: ...


class _Slot:
    """Where one thread waits for its answer; cheaper than a future, which a hundred callers feel."""

    __slots__ = ("_answer", "_done", "_error")

    def __init__(self) -> None:
        self._done = threading.Lock()
        self._done.acquire()
        self._answer: Any = None
        self._error: BaseException | None = None

    def set_running_or_notify_cancel(self) -> bool:
        return True

    def set_result(self, result: Any, /) -> None:
        self._answer = result
        self._done.release()

    def set_exception(self, exception: BaseException, /) -> None:
        self._error = exception
        self._done.release()

    def result(self) -> Any:
        # A KeyboardInterrupt comes through here; the request may be done all the same.
        self._done.acquire()
        if self._error is not None:
            raise self._error
        return self._answer


class Writer:
    """A queue of requests and the thread that does them.

    What was queued before `close`, or before the interpreter ends, is done. After a fork the child has no
    such thread, so there a LedgerError is raised instead of waiting for ever.
    """

    def __init__(self, batch: Batch, after: After, *, name: str) -> None:
        self._queue: SimpleQueue[tuple[Request[Any], _Waiting] | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._pid = os.getpid()
        self._thread = threading.Thread(target=_run, args=(self._queue, batch, after), name=name, daemon=True)
        self._thread.start()
        # The thread must not keep the interpreter from ending, but what is queued is done first.
        self._finish = weakref.finalize(self, _finish, self._queue, self._thread, self._pid)

    def execute(self, request: Request[Any]) -> Any:
        """Queue a request and wait for its answer; raises what it ended with."""
        slot = _Slot()
        self._put(request, slot)
        return slot.result()

    def submit(self, request: Request[Any]) -> Future[Any]:
        """Queue a request; its future is done in the writer's thread."""
        future: Future[Any] = Future()
        self._put(request, future)
        return future

    def _put(self, request: Request[Any], waiting: _Waiting) -> None:
        if os.getpid() != self._pid:
            raise LedgerError(
                "This ledger was opened before the process forked and cannot be used in the child;"
                " open a ledger after the fork."
            )
        # With the lock no request can slip in behind the end of the queue, where nobody would answer it.
        with self._lock:
            if self._closed:
                raise LedgerError("The ledger is closed.")
            self._queue.put((request, waiting))

    def close(self) -> None:
        """Do what is queued and end the thread. Idempotent; not to be called from the writer's own thread."""
        with self._lock:
            self._closed = True
        self._finish()


def _finish(queue: SimpleQueue[Any], thread: threading.Thread, pid: int) -> None:
    if os.getpid() == pid:
        queue.put(None)
        thread.join()


def _run(queue: SimpleQueue[tuple[Request[Any], _Waiting] | None], batch: Batch, after: After) -> None:
    ended = False
    while not ended:
        waiting = [queue.get()]
        while len(waiting) < MAX_BATCH:
            try:
                waiting.append(queue.get_nowait())
            except Empty:
                break
        ended = None in waiting
        # A future that its caller cancelled meanwhile is left out: nobody waits for it, nothing was done.
        asked = [entry for entry in waiting if entry is not None and entry[1].set_running_or_notify_cancel()]
        if asked:
            _answer(asked, batch)
            after()


def _answer(asked: list[tuple[Request[Any], _Waiting]], batch: Batch) -> None:
    try:
        outcomes = batch([request for request, _ in asked])
    except BaseException as error:  # noqa: BLE001 - each of them waits for an answer, whatever went wrong
        outcomes = [error] * len(asked)
    for (_, waiting), outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            waiting.set_exception(outcome)
        else:
            waiting.set_result(outcome)
