"""Posted requests: they are sent now, and acknowledged later."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from typing import Any

from ...clock import monotonic
from ...errors import AumOSGovernanceError
from ...wire.protocol import WireRequest


class PostedRequest:
    """A request that was sent without waiting for its response.

    ``over`` is true once the request has succeeded or failed. `result` resends the request if it may have been lost.
    """

    def __init__(self, request: WireRequest, until: float, ensure_result: Callable[[PostedRequest], None]) -> None:
        """Later requests of the client wait for this request at most until ``until``, a time on the monotonic clock.

        ``ensure_result`` blocks its thread until the request is over, and resends it meanwhile.
        """
        self.request = request
        self.until = until
        self.pid = os.getpid()
        self.over = False
        self._ensure_result = ensure_result
        self._lock = threading.Lock()
        self._response: dict[str, Any] = {}
        self._error: AumOSGovernanceError | None = None
        self._after: list[Callable[[], object]] = []

    @property
    def is_past(self) -> bool:
        """Whether later requests need not wait for this one: it is over or expired, or the parent process posted it."""
        return self.over or monotonic() >= self.until or self.pid != os.getpid()

    def end(self, response: dict[str, Any], error: AumOSGovernanceError | None = None) -> None:
        """Store the response, or the error that the request failed with. Only the first call has an effect."""
        if not self.over:
            self._response, self._error = response, error
            self.over = True
            for function in tuple(self._after):
                function()

    def then(self, function: Callable[[], object]) -> None:
        """Call ``function`` when the request is over, in any thread, perhaps twice; it must neither block nor raise."""
        self._after.append(function)
        if self.over:
            function()

    def result(self) -> dict[str, Any]:
        """Block this thread until the request is over, and return the body of the response.

        Raises the errors of `Client.request`.
        """
        # It is checked first without the lock, which the thread that receives the response may hold.
        if not self.over:
            with self._lock:
                if not self.over:
                    self._ensure_result(self)
        if self._error is not None:
            raise self._error
        return self._response


class PostedRequests:
    """The posted requests of a client that have no response yet; its later requests wait for these."""

    def __init__(self) -> None:
        self.open: dict[str, PostedRequest] = {}
        """The requests by their ids."""

    def add(self, posted: PostedRequest) -> None:
        self.open[posted.request.id] = posted

    def discard(self, posted: PostedRequest) -> None:
        self.open.pop(posted.request.id, None)

    def pending(self) -> tuple[PostedRequest, ...]:
        """Return the posted requests that later requests must wait for."""
        return tuple(posted for posted in tuple(self.open.values()) if not posted.is_past)

    def wait_all(self, wake: Callable[[], None]) -> Generator[float, None, None]:
        """Yield the most seconds to wait, again and again, until each posted request is acknowledged or has expired.

        ``wake`` is called when a posted request is acknowledged.
        """
        for posted in self.pending():
            posted.then(wake)
            while not posted.is_past:
                yield max(0.0, posted.until - monotonic())
