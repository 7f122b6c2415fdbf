"""Asks that go out before their answers are waited for: one that is asked early, and one that only tells."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any

from ...clock import monotonic
from ...errors import AumOSGovernanceError
from ...wire.protocol import Ask
from ..transports.transport import Transport
from ..transports.waiter import Waiter
from .take_backs import InFlight, TakeBacks

__all__ = ["Dropped", "Started", "Tellings", "Told"]

Steps = Generator[float, None, dict[str, Any]]
"""One ask on its way: yields for how many seconds to wait at most before it is looked at again, gives the answer."""


class Dropped(BaseException):
    """Thrown into an ask's steps, which end with the answer where it is here already, and else take the ask back."""


class Started:
    """A request that was sent by this thread, which does something else before it waits for the response.

    Until `keep` says that the response is handed over, `take_back` undoes what was requested.
    """

    def __init__(
        self,
        transport: Transport,
        waiter: Waiter,
        steps: Steps,
        read: Callable[[Any], dict[str, Any]],
        flight: InFlight,
        take_backs: TakeBacks,
    ) -> None:
        self._transport = transport
        self._waiter = waiter
        self._steps = steps
        self._read = read
        self._flight = flight
        self._take_backs = take_backs
        self._seconds = 0.0
        self._answer: Mapping[str, Any] | None = None
        try:
            self._go_on()
        except BaseException:
            self.take_back()
            raise

    def answer(self) -> dict[str, Any]:
        """Block this thread until the response is here; raises as `Client.ask`, and has taken the request back then."""
        try:
            while self._answer is None:
                self._transport.wait(self._waiter, self._seconds)
                self._waiter.rest()
                self._go_on()
            return self._read(self._answer)
        except BaseException:
            self.take_back()
            raise

    def keep(self) -> None:
        """The response is handed over: from now on what was requested stands."""
        self._flight.kept = True

    def take_back(self) -> bool:
        """The response is not handed over, and what was requested is undone; False after `keep`."""
        try:
            self._steps.close()
        finally:
            self._take_backs.take(self._flight)
        return self._flight.taken

    def drop(self) -> dict[str, Any] | None:
        """Take the request back, without waiting; where its response is here already, give that, if it is a yes."""
        if self._answer is None:
            try:
                self._steps.throw(Dropped())
            except StopIteration as done:
                self._answer = done.value
            except Dropped:
                self._take_backs.take(self._flight)
                return None
        self.keep()
        return dict(self._answer) if self._answer is not None and self._answer.get("ok") is True else None

    def _go_on(self) -> None:
        try:
            self._seconds = next(self._steps)
        except StopIteration as done:
            self._answer = done.value


class Told:
    """An ask that was sent, and whose answer whoever sent it does not wait for.

    It is over when it was answered with a yes or a no. Where it may have been lost, `result` sends it again.
    """

    def __init__(self, ask: Ask, until: float, see_to: Callable[[Told], None]) -> None:
        """``until`` on the monotonic clock nobody need wait for it any longer."""
        self.ask = ask
        self.until = until
        self.pid = os.getpid()
        self.over = False
        self._see_to = see_to
        self._lock = threading.Lock()
        self._answer: dict[str, Any] = {}
        self._error: AumOSGovernanceError | None = None
        self._after: list[Callable[[], object]] = []

    @property
    def is_past(self) -> bool:
        """Nobody waits for it: it is over, or has had its time, or was the parent's before this process was forked."""
        return self.over or monotonic() >= self.until or self.pid != os.getpid()

    def end(self, answer: dict[str, Any], error: AumOSGovernanceError | None = None) -> None:
        """It is answered, or given up; only the first time counts."""
        if not self.over:
            self._answer, self._error = answer, error
            self.over = True
            for function in tuple(self._after):
                function()

    def then(self, function: Callable[[], object]) -> None:
        """Call this when it is over, in whatever thread, perhaps twice; it must neither block nor raise."""
        self._after.append(function)
        if self.over:
            function()

    def result(self) -> dict[str, Any]:
        """Block this thread until it is over, and give the answer's body; raises as `Client.ask`."""
        # Looked at without the lock first: whoever sees to it may be the one that is told that it is over.
        if not self.over:
            with self._lock:
                if not self.over:
                    self._see_to(self)
        if self._error is not None:
            raise self._error
        return self._answer


class Tellings:
    """What a client told and has no answer to yet. Whatever it asks later waits for these."""

    def __init__(self) -> None:
        self._open: dict[str, Told] = {}

    def add(self, told: Told) -> None:
        self._open[told.ask.id] = told

    def discard(self, told: Told) -> None:
        self._open.pop(told.ask.id, None)

    def pending(self) -> tuple[Told, ...]:
        """What was told by now and need be waited for."""
        return tuple(told for told in tuple(self._open.values()) if not told.is_past)

    def passed(self, wake: Callable[[], None]) -> Generator[float, None, None]:
        """Yields for how many seconds to wait at most, until what was told by now is answered or has had its time."""
        for told in self.pending():
            told.then(wake)
            while not told.is_past:
                yield max(0.0, told.until - monotonic())
