"""Requests that a client posts: sent now, acknowledged later."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from typing import Any

from ...clock import monotonic
from ...errors import AumOSGovernanceError
from ...wire.protocol import WireRequest

__all__ = ["PostedRequest", "PostedRequests"]


class PostedRequest:
    """A request that was sent, and whose response its sender does not wait for now.

    It is over when the response states success or an error. Where it may have been lost, `result` sends it again.
    """

    def __init__(self, request: WireRequest, until: float, see_to: Callable[[PostedRequest], None]) -> None:
        """``until``, on the monotonic clock, later requests wait for it."""
        self.request = request
        self.until = until
        self.pid = os.getpid()
        self.over = False
        self._see_to = see_to
        self._lock = threading.Lock()
        self._response: dict[str, Any] = {}
        self._error: AumOSGovernanceError | None = None
        self._after: list[Callable[[], object]] = []

    @property
    def is_past(self) -> bool:
        """Whether no request waits for it: it is over, or expired, or belongs to the process that forked this one."""
        return self.over or monotonic() >= self.until or self.pid != os.getpid()

    def end(self, response: dict[str, Any], error: AumOSGovernanceError | None = None) -> None:
        """Note its response, or that it was given up; only the first call counts."""
        if not self.over:
            self._response, self._error = response, error
            self.over = True
            for function in tuple(self._after):
                function()

    def then(self, function: Callable[[], object]) -> None:
        """Call ``function`` when it is over, in any thread, perhaps twice; it must neither block nor raise."""
        self._after.append(function)
        if self.over:
            function()

    def result(self) -> dict[str, Any]:
        """Block this thread until it is over, and return the body of the response; raises as `Client.request`."""
        # Checked without the lock first: the thread that holds the lock may be the one that learns that it is over.
        if not self.over:
            with self._lock:
                if not self.over:
                    self._see_to(self)
        if self._error is not None:
            raise self._error
        return self._response


class PostedRequests:
    """The posted requests of a client without a response yet. Its later requests wait for these."""

    def __init__(self) -> None:
        self.open: dict[str, PostedRequest] = {}
        """By their ids."""

    def add(self, posted: PostedRequest) -> None:
        self.open[posted.request.id] = posted

    def discard(self, posted: PostedRequest) -> None:
        self.open.pop(posted.request.id, None)

    def pending(self) -> tuple[PostedRequest, ...]:
        """Those that later requests must wait for."""
        return tuple(posted for posted in tuple(self.open.values()) if not posted.is_past)

    def passed(self, wake: Callable[[], None]) -> Generator[float, None, None]:
        """Yields how many seconds to wait at most, until each one posted so far is acknowledged or has expired."""
        for posted in self.pending():
            posted.then(wake)
            while not posted.is_past:
                yield max(0.0, posted.until - monotonic())
