"""One request's way to its response: sent, and sent again where messages get lost or a busy server refuses it."""

from __future__ import annotations

import itertools
import os
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from random import uniform
from typing import Any, Final

from ...clock import monotonic
from ...errors import AumOSGovernanceError
from ...wire.operations import ENDING
from ...wire.protocol import WireRequest
from ..transports.transport import Transport
from ..transports.waiter import Waiter

__all__ = [
    "FIRST_RESEND",
    "GRACE_SECONDS",
    "LONGEST_PAUSE",
    "Dropped",
    "InFlight",
    "InFlightRequests",
    "OnWaiting",
    "Patience",
    "Started",
    "Steps",
    "Waiting",
    "is_own",
    "new_request_id",
    "pauses",
    "waited",
]

FIRST_RESEND: Final = 0.25
"""Seconds after which a request is sent again where it may have been lost."""
_LAST_RESEND: Final = 2.0
GRACE_SECONDS: Final = 1.0
"""How long the client waits past a request's expiry: the response to one that was decided just before still has to
arrive. That costs no safety."""
_RENEWED_EVERY: Final = 5.0
_RENEWED_FOR: Final = 30.0
# While a request waits for a user, the client renews it now and then. The server drops one that was not renewed for so
# long, and the client gives up once the server has been silent for so long.
_UNLOST_FOR: Final = 47 * 3_600.0
# Where no message can get lost nothing has to be repeated, and the user may be typing in the thread that waits. An
# expiry may be at most 48 hours ahead.

OnWaiting = Callable[[Mapping[str, Any]], None]
"""Called in the thread or the loop that makes the request, with what the server says when the response begins to wait
for a user, and again when it waits for something else: at a limit after an approval, or for another amount."""


Steps = Generator[float, None, dict[str, Any]]
"""One request in flight: yields how many seconds to wait at most before the next step; returns the response."""


class Dropped(BaseException):
    """Thrown into a request's steps: they return a response that is here already, and else take the request back."""


@dataclass(eq=False, slots=True)
class InFlight:
    """A request, until its response is handed over or it is taken back."""

    request: WireRequest | None = None
    """Its latest copy; None before the first."""
    sent: int = 0
    """How many copies may have left this process."""
    response: Mapping[str, Any] | None = None
    kept: bool = False
    """Its response was handed over, so that it stands whatever comes."""
    taken: bool = False
    """It is taken back."""


@dataclass(slots=True)
class Waiting:
    """A request without a response yet."""

    wake: Callable[[], None]
    response: Mapping[str, Any] | None = None
    pending: Mapping[str, Any] | None = None
    """The latest message of the server that the request waits for a user."""


@dataclass(slots=True)
class Patience:
    """How long a request stays valid; it is extended for as long as the request waits for a user."""

    until: float
    """On the monotonic clock."""
    on_waiting: OnWaiting | None
    has_waited: bool = False
    announced: object = None
    """By how much what ``on_waiting`` was called with last exceeds a limit; None for an approval."""


class InFlightRequests:
    """The in-flight requests of one client, from any number of threads and tasks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: dict[str, Waiting] = {}

    def expect(self, request_id: str, wake: Callable[[], None]) -> Waiting:
        """Take in messages for this request until `forget`; ``wake`` is called after each one."""
        waiting = self._waiting[request_id] = Waiting(wake)
        return waiting

    def listen(self, request_id: str, function: Callable[[Mapping[str, Any]], None]) -> None:
        """Have ``function`` called with each response to this request, until `forget`."""

        def wake() -> None:
            if waiting.response is not None:
                function(waiting.response)

        waiting = self.expect(request_id, wake)

    def forget(self, request_id: str) -> None:
        self._waiting.pop(request_id, None)

    def receive(self, response: Mapping[str, Any]) -> None:
        """Take in a response; any thread may call this."""
        # A response to no request in flight came late, or came twice.
        waiting = self._waiting.get(str(response.get("id")))
        if waiting is not None:
            if response.get("ok") is True and "waiting" in response:
                waiting.pending = response["waiting"]
            else:
                waiting.response = response
            waiting.wake()

    def response(
        self,
        request: WireRequest,
        give_up: float,
        wake: Callable[[], None],
        patience: Patience | None = None,
        flight: InFlight | None = None,
    ) -> Steps:
        """The steps to the response; UnavailableError once ``give_up`` on the monotonic clock has come.

        With ``patience`` that is put off, and the request's expiry with it, for as long as a user is waited for.
        ``flight`` notes what became of it, for a caller that takes it back. A response that comes after ``give_up`` is
        none, unless it denies, or ends a charge: that is done, and stays so.
        """
        flight = InFlight() if flight is None else flight
        flight.request, flight.response = request, None
        # As `expect` and `forget` do, without the price of two calls in each request.
        waiting = self._waiting[request.id] = Waiting(wake)
        began = resend_at = monotonic()
        interval = FIRST_RESEND
        try:
            while waiting.response is None:
                now = monotonic()
                pending, waiting.pending = waiting.pending, None
                notifies = False
                if pending is not None and patience is not None:
                    request, begins_to_wait = self._renewed(request, patience)
                    flight.request = request
                    notifies = begins_to_wait or pending.get("needs") != patience.announced
                    patience.announced = pending.get("needs")
                    began, give_up, interval = now, patience.until + GRACE_SECONDS, _RENEWED_EVERY
                    resend_at = now if begins_to_wait else min(resend_at, now + interval)
                if now >= give_up:
                    raise self._transport.silence(now - began)
                if now >= resend_at:
                    self._send(request, flight)
                    resend_at = now + interval if self._transport.lossy else give_up
                    interval = min(interval * 2, _LAST_RESEND) if interval < _RENEWED_EVERY else interval
                if notifies and pending is not None and patience is not None and patience.on_waiting is not None:
                    patience.on_waiting(pending)
                    continue
                yield max(0.0, min(resend_at, give_up) - monotonic())
            now = monotonic()
            if now >= give_up and request.op not in ENDING and _is_yes(waiting.response):
                raise self._transport.silence(now - began)
            return dict(waiting.response)
        except Dropped:
            if waiting.response is None:
                raise
            return dict(waiting.response)
        finally:
            flight.response = waiting.response
            self._waiting.pop(request.id, None)

    def _send(self, request: WireRequest, flight: InFlight) -> None:
        # Counted before, since an interrupt may come when it has left.
        flight.sent += 1
        try:
            self._transport.send(request)
        except AumOSGovernanceError:
            # It could not leave.
            flight.sent -= 1
            raise

    def _renewed(self, request: WireRequest, patience: Patience) -> tuple[WireRequest, bool]:
        """The request for as long as a user is waited for, and whether that has just begun."""
        clock_offset = request.exp - patience.until
        patience.until = monotonic() + (_RENEWED_FOR if self._transport.lossy else _UNLOST_FOR)
        begins, patience.has_waited = not patience.has_waited, True
        return replace(request, exp=patience.until + clock_offset), begins


def _is_yes(response: Mapping[str, Any]) -> bool:
    decision = response.get("decision")
    denied = isinstance(decision, Mapping) and decision.get("allowed") is not True
    return response.get("ok") is True and not denied


_FIRST: Final = 0.01
LONGEST_PAUSE: Final = 0.32
"""Seconds."""


def pauses() -> Iterator[float]:
    """The seconds before each next time, about twice as many at each; not all clients come back at the same moment."""
    seconds = _FIRST
    while True:
        yield uniform(seconds / 2, seconds)  # noqa: S311 - not a secret
        seconds = min(seconds * 2, LONGEST_PAUSE)


def waited(until: float) -> Generator[float, None, None]:
    """Yields for how many seconds to wait at most, until this time on the monotonic clock."""
    while (left := until - monotonic()) > 0:
        yield left


# ---- sent, and waited for later


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
        take_back: Callable[[InFlight], None],
    ) -> None:
        self._transport = transport
        self._waiter = waiter
        self._steps = steps
        self._read = read
        self._flight = flight
        self._take_back = take_back
        self._seconds = 0.0
        self._response: Mapping[str, Any] | None = None
        try:
            self._go_on()
        except BaseException:
            self.take_back()
            raise

    def response(self) -> dict[str, Any]:
        """Block this thread until the response is here. Raises as `Client.request`, with the request taken back."""
        try:
            while self._response is None:
                self._transport.wait(self._waiter, self._seconds)
                self._waiter.rest()
                self._go_on()
            return self._read(self._response)
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
            self._take_back(self._flight)
        return self._flight.taken

    def drop(self) -> dict[str, Any] | None:
        """Take the request back, without waiting; where its response is here already, give that, if it is a yes."""
        if self._response is None:
            try:
                self._steps.throw(Dropped())
            except StopIteration as done:
                self._response = done.value
            except Dropped:
                self._take_back(self._flight)
                return None
        self.keep()
        return dict(self._response) if self._response is not None and self._response.get("ok") is True else None

    def _go_on(self) -> None:
        try:
            self._seconds = next(self._steps)
        except StopIteration as done:
            self._response = done.value


# ---- ids

_process = ""
_numbers = itertools.count()


def new_request_id() -> str:
    """An id that nothing else ever has: what names this process, then a number that counts up.

    Counting, so that the ledger's index of them grows at its end: random ones touch a page of it each, and that took a
    third of a decision's own cost in a batch of 100.
    """
    return f"{_process}-{next(_numbers):08x}"


def is_own(request_id: str) -> bool:
    """Whether this process gave the id, and not the one that it was forked off."""
    return request_id.startswith(f"{_process}-")


def _name_process() -> None:
    global _process  # noqa: PLW0603  one for each process
    _process = uuid.uuid4().hex


_name_process()
if hasattr(os, "register_at_fork"):
    # A child goes on counting where its parent was, so it must not go by the same name.
    os.register_at_fork(after_in_child=_name_process)
