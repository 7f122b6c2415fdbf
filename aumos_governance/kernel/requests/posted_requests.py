"""Requests that a client has posted: sent without waiting for the response, which the server sends later.

For example, a governed call posts its settlement, so that its code continues at once.
"""

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

    ``over`` is true when the request has succeeded or failed. `result` waits for that, and resends the request if it
    may have been lost.
    """

    def __init__(self, request: WireRequest, until: float, ensure_result: Callable[[PostedRequest], None]) -> None:
        """Store the ``request`` that the client is about to send.

        Later requests of the client wait for it until ``until`` at most, a time of the monotonic clock.
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
        """Whether later requests need not wait for this one: it is over, has expired, or a parent process sent it."""
        return self.over or monotonic() >= self.until or self.pid != os.getpid()

    def end(self, response: dict[str, Any], error: AumOSGovernanceError | None = None) -> None:
        """Set the result: the body of the response, or the error with which the request failed.

        Only the first call has an effect.
        """
        if not self.over:
            self._response, self._error = response, error
            self.over = True
            for function in tuple(self._after):
                function()

    def then(self, function: Callable[[], object]) -> None:
        """Call ``function`` when the request is over; the function must neither block nor raise.

        It is called in any thread, and may be called twice.
        """
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
    """The posted requests of one client that are not over. The client's later requests wait for them."""

    def __init__(self) -> None:
        self.open: dict[str, PostedRequest] = {}
        """The posted requests that are not over, by their ids."""

    def add(self, posted: PostedRequest) -> None:
        self.open[posted.request.id] = posted

    def discard(self, posted: PostedRequest) -> None:
        self.open.pop(posted.request.id, None)

    def pending(self) -> tuple[PostedRequest, ...]:
        """Return the posted requests that the client's next request must wait for."""
        return tuple(posted for posted in tuple(self.open.values()) if not posted.is_past)

    def wait_all(self, wake: Callable[[], None]) -> Generator[float, None, None]:
        """Yield how many seconds to wait at most, again and again, until each posted request is over or has expired.

        ``wake`` is called when one of them is over, so that the wait can end earlier.
        """
        for posted in self.pending():
            posted.then(wake)
            while not posted.is_past:
                yield max(0.0, posted.until - monotonic())
