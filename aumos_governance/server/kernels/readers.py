"""Threads that read the ledger for kernels, so that what kernels read delays neither the loop nor a user."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from ...ledger.commit.arrivals import Lanes

__all__ = ["Readers"]


class Readers:
    """So many threads; kernels whose readings wait take turns, and each kernel's own keep their order."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="aumos-governance-reading")
        self._lock = threading.Lock()
        self._lanes: Lanes[Callable[[], object]] = Lanes()

    def of(self, kernel: str) -> Executor:
        """The threads as one kernel sees them."""
        return _Lane(partial(self._submit, kernel))

    def shutdown(self) -> None:
        """Wait for what was submitted; what comes later raises RuntimeError."""
        self._pool.shutdown()

    def _submit(self, kernel: str, call: Callable[[], object]) -> Future[Any]:
        with self._lock:
            # First, since it is refused where the threads end.
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
        """Call it when it is this kernel's turn; what it gives is dropped."""
        return self._submit(partial(fn, *args, **kwargs))
