"""Sends a request and waits for its response, and resends the request if a message may have been lost.

A request that waits for a user or for its turn is sent again at intervals, with a later expiry. Sending and waiting are
written as a generator of *steps*, so that threads and asyncio tasks share the code.
"""

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

FIRST_RESEND: Final = 0.25
"""The seconds without a response after which a request is sent for the second time, if the transport may lose
messages."""
_LAST_RESEND: Final = 2.0
"""The longest pause, in seconds, between two copies of a request that does not wait for a user or its turn."""
GRACE_SECONDS: Final = 1.0
"""How long, in seconds, the client still waits after a request has expired. The service may have decided it just
before."""
_RENEWED_EVERY: Final = 5.0
"""The seconds after which a request that waits for a user or its turn is sent again with a later expiry (*renewed*)."""
_RENEWED_FOR: Final = 30.0
"""How long, in seconds, a renewed request stays valid. If it is not renewed within this time, the server drops it. If
the server sends no message within this time, the client gives it up."""
_UNLOST_FOR: Final = 47 * 3_600.0
"""How long, in seconds, a waiting request stays valid if the transport loses no messages. It is not renewed, since the
user may be typing a decision in the thread that waits. The service accepts at most 48 hours."""

OnWaiting = Callable[[Mapping[str, Any]], None]
"""Called when a request begins to wait, with the server's message, in the thread or event loop that made the request.
It is called again when the request waits for something else: at a limit after an approval, or for another amount."""


Steps = Generator[float, None, dict[str, Any]]
"""The generator that makes one request. It yields how many seconds to wait at most before it is continued, and returns
the response."""


class Dropped(BaseException):
    """Thrown into a request's `Steps` to end them at once.

    The steps return the response if it has arrived; otherwise they raise this exception.
    """


@dataclass(eq=False, slots=True)
class InFlight:
    """The progress of one request: what was sent, what arrived, and whether the caller uses the response.

    `TakeBacks` determines from this whether a request that was given up must be cancelled.
    """

    request: WireRequest | None = None
    """The request as it was last sent, or None before it is made. Later copies have the same id and a later expiry."""
    sent: int = 0
    """How many copies of the request may have left this process."""
    response: Mapping[str, Any] | None = None
    kept: bool = False
    """Whether the caller uses the response; then the request must not be cancelled any more."""
    taken: bool = False
    """Whether the request was given up, and cancelled if it might be executed."""


@dataclass(slots=True)
class Waiting:
    """A request that has no response yet: a place for the server's messages about it, and how to wake its caller."""

    wake: Callable[[], None]
    response: Mapping[str, Any] | None = None
    pending: Mapping[str, Any] | None = None
    """The server's latest message that the request must wait for a user or for its turn. None after the caller has read
    it."""


@dataclass(slots=True)
class Patience:
    """Until when one request stays valid. This is extended while the request waits for a user or for its turn."""

    until: float
    """The request's expiry, as a time of the monotonic clock in seconds."""
    on_waiting: OnWaiting | None
    has_waited: bool = False
    announced: object = None
    """What ``on_waiting`` was last called for: the amount by which the call exceeded a limit, or None for an
    approval."""


class InFlightRequests:
    """The requests of one client that have no response yet. They may be made in any number of threads and tasks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: dict[str, Waiting] = {}

    def expect(self, request_id: str, wake: Callable[[], None]) -> Waiting:
        """Store the messages about the request with this id in the returned object, and call ``wake`` after each one.

        `forget` ends this.
        """
        waiting = self._waiting[request_id] = Waiting(wake)
        return waiting

    def listen(self, request_id: str, function: Callable[[Mapping[str, Any]], None]) -> None:
        """Call ``function`` with each response to the request with this id, until `forget`."""

        def wake() -> None:
            if waiting.response is not None:
                function(waiting.response)

        waiting = self.expect(request_id, wake)

    def forget(self, request_id: str) -> None:
        """Ignore messages about the request with this id from now on."""
        self._waiting.pop(request_id, None)

    def receive(self, response: Mapping[str, Any]) -> None:
        """Store a message of the server for the request that it names, and wake that request's caller.

        Any thread may call this.
        """
        # A message about no request in flight was late, or was sent twice.
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
        """Return the steps that send a request and wait for its response.

        A successful response after ``give_up`` is returned only if it is a denial, or if the request ended a charge,
        which cannot be undone. Otherwise the steps raise UnavailableError, so that the caller cancels the request.

        Args:
            request: The request.
            give_up: The time of the monotonic clock at which the steps raise UnavailableError.
            wake: Continues the steps; it is called when a message arrives.
            patience: The request's expiry, which is extended with ``give_up`` while it waits for a user or its turn.
            flight: Records what happens to the request, for `TakeBacks`.

        """
        flight = InFlight() if flight is None else flight
        flight.request, flight.response = request, None
        # This is `expect`, and the end is `forget`, without the cost of two calls in each request.
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
        # It is counted before it is sent, since an interrupt may come right after that.
        flight.sent += 1
        try:
            self._transport.send(request)
        except AumOSGovernanceError:
            # The transport raises this only if nothing was sent.
            flight.sent -= 1
            raise

    def _renewed(self, request: WireRequest, patience: Patience) -> tuple[WireRequest, bool]:
        """Return a copy of the waiting request with a later expiry, and whether the request has just begun to wait."""
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
"""The longest pause, in seconds, before a request is sent again that the server refused because it was busy."""


def pauses() -> Iterator[float]:
    """Yield the seconds to pause before each new attempt after the server was busy, about twice as long each time.

    The pauses are random, so that the clients of a busy server do not all send their requests at the same moment.
    """
    seconds = _FIRST
    while True:
        yield uniform(seconds / 2, seconds)  # noqa: S311 - not a secret
        seconds = min(seconds * 2, LONGEST_PAUSE)


def wait_until(until: float) -> Generator[float, None, None]:
    """Yield the seconds that are left until the time ``until`` of the monotonic clock, again and again."""
    while (left := until - monotonic()) > 0:
        yield left


# ---- requests whose caller waits later


class StartedRequest:
    """A request that was sent, and whose response its caller reads later with `response`.

    A caller that uses the response calls `keep`. Otherwise it calls `take_back` or `drop`, which cancel the request.
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
        """Block this thread until the response arrives, and return its body.

        Raises the errors of `Client.request`; then the request is cancelled.
        """
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
        """Note that the caller uses the response, so that `take_back` does not cancel the request any more."""
        self._flight.kept = True

    def take_back(self) -> bool:
        """Cancel the request and return True, unless `keep` was called; then do nothing and return False."""
        try:
            self._steps.close()
        finally:
            self._take_back(self._flight)
        return self._flight.taken

    def drop(self) -> dict[str, Any] | None:
        """Cancel the request if its response has not arrived; otherwise `keep` it. Does not wait.

        Returns the body of the response if a successful one has arrived, else None.
        """
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
    """Return a new unique id for a request: an id of this process, and a number that counts up.

    With rising numbers, the ledger's index of ids grows only at its end. With random ids, each request would change
    another page of the index: measured with 100 requests in a transaction, that was a third of the time of a decision.
    """
    return f"{_process}-{next(_numbers):08x}"


def is_own(request_id: str) -> bool:
    """Whether this process made the request's id, and not the process that forked it."""
    return request_id.startswith(f"{_process}-")


def _name_process() -> None:
    global _process  # noqa: PLW0603  one for each process
    _process = uuid.uuid4().hex


_name_process()
if hasattr(os, "register_at_fork"):
    # A child continues with its parent's numbers, so it needs another name.
    os.register_at_fork(after_in_child=_name_process)
