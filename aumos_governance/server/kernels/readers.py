"""The threads that read the ledger for kernels, so that these delay neither the loop nor users' requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from ...ledger.commit.arrivals import Lanes


class Readers:
    """A pool of threads with a queue of calls for each kernel; kernels take turns, and their calls keep their order."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aumos-governance-reading")
        self._lock = threading.Lock()
        self._lanes: Lanes[Callable[[], object]] = Lanes()

    def of(self, kernel: str) -> Executor:
        """Return an executor that runs one kernel's calls in these threads."""
        return _Lane(partial(self._submit, kernel))

    def shutdown(self) -> None:
        """Wait until all submitted calls are done; a later `submit` raises RuntimeError."""
        self._pool.shutdown()

    def _submit(self, kernel: str, call: Callable[[], object]) -> Future[Any]:
        with self._lock:
            # Before the call is queued, since this raises after the shutdown.
            future = self._pool.submit(self._next)
            self._lanes.add(kernel, call)
        return future

    def _next(self) -> None:
        with self._lock:
            [call] = self._lanes.take(1, 1)
        call()


class _Lane(Executor):
    def __init__(self, submit: Callable[[Callable[[], object]], Future[Any]]) -> None:
        self._submit = submit

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have the function called at this kernel's turn; the returned future has neither its result nor its errors."""
        return self._submit(partial(fn, *args, **kwargs))
