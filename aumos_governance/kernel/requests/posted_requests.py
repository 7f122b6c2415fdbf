"""What a client tells the server, and needs no answer to go on."""

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
    """An ask that was sent, and whose answer whoever sent it does not wait for.

    It is over when it was answered with a yes or a no. Where it may have been lost, `result` sends it again.
    """

    def __init__(self, request: WireRequest, until: float, see_to: Callable[[PostedRequest], None]) -> None:
        """``until`` on the monotonic clock nobody need wait for it any longer."""
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
        """Nobody waits for it: it is over, or has had its time, or was the parent's before this process was forked."""
        return self.over or monotonic() >= self.until or self.pid != os.getpid()

    def end(self, response: dict[str, Any], error: AumOSGovernanceError | None = None) -> None:
        """It is answered, or given up; only the first time counts."""
        if not self.over:
            self._response, self._error = response, error
            self.over = True
            for function in tuple(self._after):
                function()

    def then(self, function: Callable[[], object]) -> None:
        """Call this when it is over, in whatever thread, perhaps twice; it must neither block nor raise."""
        self._after.append(function)
        if self.over:
            function()

    def result(self) -> dict[str, Any]:
        """Block this thread until it is over, and give the answer's body; raises as `Client.request`."""
        # Looked at without the lock first: whoever sees to it may be the one that is told that it is over.
        if not self.over:
            with self._lock:
                if not self.over:
                    self._see_to(self)
        if self._error is not None:
            raise self._error
        return self._response


class PostedRequests:
    """What a client told and has no answer to yet. Whatever it asks later waits for these."""

    def __init__(self) -> None:
        self.open: dict[str, PostedRequest] = {}
        """By their ids."""

    def add(self, posted: PostedRequest) -> None:
        self.open[posted.request.id] = posted

    def discard(self, posted: PostedRequest) -> None:
        self.open.pop(posted.request.id, None)

    def pending(self) -> tuple[PostedRequest, ...]:
        """What was told by now and need be waited for."""
        return tuple(posted for posted in tuple(self.open.values()) if not posted.is_past)

    def passed(self, wake: Callable[[], None]) -> Generator[float, None, None]:
        """Yields for how many seconds to wait at most, until what was told by now is answered or has had its time."""
        for posted in self.pending():
            posted.then(wake)
            while not posted.is_past:
                yield max(0.0, posted.until - monotonic())
