"""Requests of the kernel and their responses; without a response nothing is authorised."""

from __future__ import annotations

import asyncio
import os
import platform
import weakref
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from ..._version import __version__
from ...clock import monotonic, since_epoch
from ...errors import AumOSGovernanceError, BusyError, ExpiredError, UnavailableError, from_code
from ...wire.operations import OPERATIONS
from ...wire.protocol import HELLO_REQUIRED, Cell, WireRequest
from ..transports.transport import Transport
from ..transports.waiter import Waiter
from .alarm import alarm, response_of
from .in_flight import (
    FIRST_RESEND,
    GRACE_SECONDS,
    LONGEST_PAUSE,
    InFlight,
    InFlightRequests,
    OnWaiting,
    Patience,
    Started,
    Steps,
    new_request_id,
    pauses,
    waited,
)
from .posted_requests import PostedRequest, PostedRequests
from .take_backs import UNDECIDED, TakeBacks, cancel_body

__all__ = ["HELLO_SECONDS", "REQUEST_SECONDS", "Client"]

REQUEST_SECONDS: Final = 10.0
"""How long a request stays valid, unless its caller gives another time."""
HELLO_SECONDS: Final = 5.0
"""How long the first contact may take before the server counts as unreachable."""
_HELLO_VALID_SECONDS: Final = 86_400.0
# A hello changes nothing, and its purpose is to find out by how much the clocks differ.
_NOT_MET: Final = frozenset({ExpiredError.default_code, HELLO_REQUIRED})
# The server's clock is not where it was, since the machine slept or a clock was set; or the server is not the one that
# was met.
_MEETINGS: Final = 3
_CANCEL_TRY_SECONDS: Final = 60.0
_STANDING_SECONDS: Final = 1.0


class Client:
    """Makes requests over one transport, from any number of threads and tasks at once.

    `request` blocks its thread, `request_async` lets the loop go on; both give the body of the response, or raise the
    error that the response stands for, or UnavailableError within ``timeout`` and the time of a first contact. When
    they end in any other way than with the response (time-out, KeyboardInterrupt, a cancelled or abandoned task), the
    request is taken back: nothing is charged or held for it. No response is given after its time. A request that the
    server refuses since too many are in flight goes out again until its time is over.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        incarnation: str,
        timeout: float = REQUEST_SECONDS,
        hello_timeout: float = HELLO_SECONDS,
    ) -> None:
        self._transport = transport
        self._incarnation = incarnation
        self._timeout = timeout
        self._hello_timeout = hello_timeout
        self._in_flight = InFlightRequests(transport)
        self._posted = PostedRequests()
        self._take_backs = TakeBacks(
            transport, self._in_flight.listen, self._in_flight.forget, self._exp, self._cancel_again
        )
        _clients.add(self)
        self._clock_offset: float | None = None
        self.greeting: Mapping[str, Any] = {}
        """The server's response to the last hello; empty before the first."""
        transport.connect(self._in_flight.receive)

    def request(
        self,
        op: str,
        body: Mapping[str, Any] | None = None,
        *,
        cell: Cell | None = None,
        timeout: float | None = None,
        on_waiting: OnWaiting | None = None,
    ) -> dict[str, Any]:
        """Make a request, and block this thread until the response is here.

        The response to an `authorize` may wait for a user for longer than ``timeout``: then ``on_waiting`` is called.
        """
        request = self.start(op, body or {}, cell=cell, timeout=timeout, on_waiting=on_waiting)
        try:
            return request.response()
        except BaseException:
            # Interrupted on the way from the one to the other.
            request.take_back()
            raise

    def start(
        self,
        op: str,
        body: Mapping[str, Any],
        *,
        cell: Cell | None = None,
        timeout: float | None = None,
        on_waiting: OnWaiting | None = None,
    ) -> Started:
        """As `request`, but return once it is sent, to do something else before the response is waited for.

        A caller that does not make use of the response must call `Started.take_back` or `Started.drop`.
        """
        waiter, flight = Waiter(), InFlight()
        steps = self._steps(op, body, cell or Cell(), timeout or self._timeout, waiter.wake, on_waiting, flight)
        try:
            return Started(self._transport, waiter, steps, _body, flight, self._take_backs.take)
        except BaseException:
            # Interrupted on the way from the one to the other.
            self._take_backs.take(flight)
            raise

    def take_back(self, flight: InFlight) -> None:
        """Undo what was requested by `request_async` with this ``flight``, whose response is not made use of."""
        self._take_backs.take(flight)

    def standing(self) -> list[tuple[str, Mapping[str, Any]]]:
        """What was given up by its client and was executed all the same: ``open`` and ``close``, with the state then.

        Each is returned once. Blocks this thread for a moment where that is not known yet.
        """
        found = self._take_backs
        if not found.unconfirmed and not found.stood:
            return []
        until = monotonic() + _STANDING_SECONDS
        while found.unsure and (left := until - monotonic()) > 0:
            self._transport.wait(Waiter(), min(left, 0.02))
        return found.standing()

    def post(self, op: str, body: Mapping[str, Any], *, cell: Cell | None = None) -> PostedRequest:
        """Send a request whose response the caller does not wait for now. Later requests of this client wait for that
        response, at most as long as for any other. The caller must call `PostedRequest.result`, which resends a lost
        one.

        Raises UnavailableError where it cannot be sent, or no server was met.
        """
        if self._clock_offset is None:
            raise UnavailableError("The kernel is not connected to the governance server yet, so nothing was sent.")
        until = monotonic() + self._timeout
        posted = PostedRequest(
            self._wire_request(new_request_id(), op, until, cell or Cell(), body), until, self._see_to
        )
        waiting = self._in_flight.expect(posted.request.id, lambda: self._hear(posted, waiting.response))
        self._posted.add(posted)
        posted.then(lambda: self._forget(posted))
        try:
            self._transport.send(posted.request)
        except BaseException:
            self._forget(posted)
            raise
        return posted

    @property
    def met(self) -> bool:
        """Whether the server has responded to a greeting."""
        return self._clock_offset is not None

    def mention(self, op: str, *, cell: Cell, seconds: float) -> bool:
        """Send what may be lost, and wait at most so long until the server has taken it in; returns whether it has.

        Before the server was met nothing is sent. Nothing is raised.
        """
        if not self.met:
            return False
        waiter, until = Waiter(), monotonic() + seconds
        request = self._wire_request(new_request_id(), op, monotonic() + self._timeout, cell, {})
        waiting = self._in_flight.expect(request.id, waiter.wake)
        try:
            with suppress(AumOSGovernanceError):
                self._transport.send(request)
                while waiting.response is None and (left := until - monotonic()) > 0:
                    self._transport.wait(waiter, left)
                    waiter.rest()
        finally:
            self._in_flight.forget(request.id)
        return waiting.response is not None

    def catch_up(self) -> None:
        """Block this thread until each posted request is acknowledged, or has expired."""
        waiter = Waiter()
        for seconds in self._posted.passed(waiter.wake):
            self._transport.wait(waiter, seconds)
            waiter.rest()

    async def request_async(
        self,
        op: str,
        body: Mapping[str, Any] | None = None,
        *,
        cell: Cell | None = None,
        timeout: float | None = None,
        on_waiting: OnWaiting | None = None,
        flight: InFlight | None = None,
    ) -> dict[str, Any]:
        """As `request`; this task's loop runs on until the response is here.

        A caller that does not make use of the response passes the ``flight`` that it gave to `take_back`.
        """
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            # The loop may have been closed since; then no task waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)

        flight = InFlight() if flight is None else flight
        steps = self._steps(op, body or {}, cell or Cell(), timeout or self._timeout, wake, on_waiting, flight)
        try:
            with self._transport.awaited():
                return _body(await response_of(steps, woken, wake))
        except BaseException:
            # Also GeneratorExit, of a task that was abandoned. Nothing is awaited here.
            try:
                steps.close()
            finally:
                self._take_backs.take(flight)
            raise

    # ---- one request

    def _steps(
        self,
        op: str,
        body: Mapping[str, Any],
        cell: Cell,
        timeout: float,
        wake: Callable[[], None],
        on_waiting: OnWaiting | None,
        flight: InFlight,
        request_id: str = "",
    ) -> Steps:
        posted: Sequence[PostedRequest] = ()
        if not request_id:
            # It may depend on what was posted before.
            if op == "hold":
                posted = self._posted.pending()
            elif self._posted.open:
                yield from self._posted.passed(wake)
            request_id = new_request_id()
        if self._clock_offset is None:
            yield from self._hello(wake)
        patience = Patience(monotonic() + timeout, on_waiting)
        meetings, pause = 1, pauses()
        while True:
            request, copies = self._wire_request(request_id, op, patience.until, cell, body), flight.sent
            response = yield from self._in_flight.response(
                request, patience.until + GRACE_SECONDS, wake, patience, flight
            )
            if posted and not all(one.is_past for one in posted):
                # It overtook a request that was posted before it, and so was decided without that one.
                posted = ()
                cancel = self._wire_request(new_request_id(), "cancel", patience.until, cell, cancel_body(request))
                yield from self._in_flight.response(cancel, patience.until + GRACE_SECONDS, wake)
                flight.request, flight.sent = None, 0
                yield from self._posted.passed(wake)
                request_id = new_request_id()
                continue
            if response.get("code") == BusyError.default_code and monotonic() < patience.until:
                if flight.sent == copies + 1:
                    # The only copy of this round, and nothing was done.
                    flight.sent = copies
                yield from waited(min(monotonic() + next(pause), patience.until))
                continue
            if response.get("code") not in _NOT_MET or meetings == _MEETINGS or monotonic() >= patience.until:
                if flight.sent > 1 and response.get("code") in UNDECIDED:
                    # One copy of it failed; another may still be done, and its client gets the error that nothing was.
                    self._take_backs.take(flight)
                return response
            # Nothing was done, or it still waits, so the same request may go out again, with an expiry that the server
            # reads as meant.
            meetings += 1
            yield from self._hello(wake)

    def _hello(self, wake: Callable[[], None]) -> Generator[float, None, None]:
        body = OPERATIONS["hello"].request.body(
            version=__version__, python=platform.python_version(), incarnation=self._incarnation
        )
        hello = WireRequest(new_request_id(), "hello", since_epoch() + _HELLO_VALID_SECONDS, Cell(), body)
        response = yield from self._in_flight.response(hello, monotonic() + self._hello_timeout, wake)
        greeting = _body(response)
        try:
            server_time = float(greeting["server_time"])
        except (KeyError, TypeError, ValueError):
            raise UnavailableError(
                "The governance server's greeting cannot be read, so nothing is authorised; install the same version of"
                " aumos-governance for the kernel and the server."
            ) from None
        # The response took a while to arrive, so the server's clock is past what it states: an expiry reckoned from
        # here comes a little early, never late. The monotonic clock ignores changes of this machine's time.
        self._clock_offset = server_time - monotonic()
        self.greeting = greeting

    def _hear(self, posted: PostedRequest, response: Mapping[str, Any] | None) -> None:
        if response is None or response.get("code") in _NOT_MET | UNDECIDED:
            # `_see_to` sends it again; a busy server needs only a moment.
            if response is not None and response.get("code") == BusyError.default_code:
                with suppress(RuntimeError):
                    alarm().set(LONGEST_PAUSE, lambda: self._send_again(posted))
            return
        try:
            posted.end(_body(response))
        except AumOSGovernanceError as error:
            posted.end({}, error)

    def _send_again(self, posted: PostedRequest) -> None:
        if not posted.is_past:
            with suppress(AumOSGovernanceError):
                self._transport.send(posted.request)

    def _see_to(self, posted: PostedRequest) -> None:
        """Wait for the response to a posted request, and send it again where there is none, or it is no decision."""
        waiter = Waiter()
        posted.then(waiter.wake)
        until = monotonic() + FIRST_RESEND
        while not posted.over and (left := until - monotonic()) > 0:
            self._transport.wait(waiter, left)
            waiter.rest()
        if posted.over:
            return
        request = posted.request
        try:
            posted.end(self._again(request, self._timeout, waiter))
        except AumOSGovernanceError as error:
            posted.end({}, error)

    def _again(self, request: WireRequest, timeout: float, waiter: Waiter) -> dict[str, Any]:
        """Send the same request with a later expiry until its response is here."""
        flight = InFlight()
        steps = self._steps(request.op, request.body, request.cell, timeout, waiter.wake, None, flight, request.id)
        return Started(self._transport, waiter, steps, _body, flight, self._take_backs.take).response()

    def _cancel_again(self, cancel: WireRequest) -> dict[str, Any]:
        return self._again(cancel, _CANCEL_TRY_SECONDS, Waiter())

    def _exp(self, seconds: float) -> float:
        assert self._clock_offset is not None
        return monotonic() + seconds + self._clock_offset

    def _forget(self, posted: PostedRequest) -> None:
        self._posted.discard(posted)
        self._in_flight.forget(posted.request.id)

    def _wire_request(self, request_id: str, op: str, until: float, cell: Cell, body: Mapping[str, Any]) -> WireRequest:
        assert self._clock_offset is not None
        return WireRequest(request_id, op, until + self._clock_offset, cell, body)


def _body(response: Mapping[str, Any]) -> dict[str, Any]:
    if response.get("ok") is True:
        return dict(response)
    raise from_code(str(response.get("code", "UNAVAILABLE")), str(response.get("message", "There was no decision.")))


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _forget_parents() -> None:
    for client in tuple(_clients):
        client._take_backs.forget_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_parents)
