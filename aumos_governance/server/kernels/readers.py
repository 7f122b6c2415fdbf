"""The threads that read the ledger for kernels, so that their requests delay neither the loop nor users' requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from ...ledger.commit.arrivals import Lanes


class Readers:
    """A pool of threads with a separate queue of calls for each kernel.

    The threads take one call of each kernel in turn, so that no kernel delays the others with many calls. The calls of
    one kernel begin in the order in which they were submitted.
    """

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aumos-governance-reading")
        self._lock = threading.Lock()
        self._lanes: Lanes[Callable[[], object]] = Lanes()

    def of(self, kernel: str) -> Executor:
        """Return an executor that runs the calls of the kernel with this id in the pool's threads."""
        return _Lane(partial(self._submit, kernel))

    def shutdown(self) -> None:
        """Accept no further calls, and wait until all submitted ones are done; a later `submit` raises RuntimeError."""
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
        """Have a function called in a thread of the pool when it is this kernel's turn.

        The returned future has neither the function's result nor its errors; the function must handle these itself.
        """
        return self._submit(partial(fn, *args, **kwargs))
