"""The client that makes a kernel's requests. If there is no response, nothing is authorised."""

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
    StartedRequest,
    Steps,
    new_request_id,
    pauses,
    wait_until,
)
from .posted_requests import PostedRequest, PostedRequests
from .take_backs import UNDECIDED, TakeBacks, cancel_body

REQUEST_SECONDS: Final = 10.0
"""How long, in seconds, the server may execute a request after it was made, by default."""
HELLO_SECONDS: Final = 5.0
"""How long, in seconds, the client waits for the response to a hello. After that it treats the server as
unreachable."""
_HELLO_VALID_SECONDS: Final = 86_400.0
"""How long, in seconds, the server may respond to a hello. It is long, since the client does not know the server's
clock yet, and since a hello changes nothing."""
_HELLO_AGAIN: Final = frozenset({ExpiredError.default_code, HELLO_REQUIRED})
"""The codes of responses after which the client must send another hello. Either the difference between the two clocks
has changed, because a machine slept or a clock was set, or the server was replaced by another one."""
_MOST_HELLOS: Final = 3
"""The most hellos that the client sends for one request."""
_CANCEL_TRY_SECONDS: Final = 60.0
_TOOK_EFFECT_SECONDS: Final = 1.0


class Client:
    """Makes requests over one transport, from any number of threads and asyncio tasks at once.

    `request` blocks its thread; `request_async` does not block the event loop. Both return the body of the response, or
    raise the error that the response states. They raise UnavailableError if no response arrives within ``timeout``
    seconds and `GRACE_SECONDS`; the first request may take longer, since the client sends a hello before it.

    If a call ends without its response (time-out, KeyboardInterrupt, cancelled or abandoned task), the client cancels
    the request, so that nothing is charged or held for it, and ignores a late response. If the server refuses a request
    as busy, the client resends it until ``timeout`` is over.
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
        """The body of the server's response to the latest hello; empty before the first response."""
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
        """Make a request for the operation ``op``, block this thread until the response arrives, and return its body.

        The server may execute the request within ``timeout`` seconds. ``on_waiting`` is called if the request waits for
        a user or for its turn; then it may take longer. ``cell`` is the cell to record as the caller.
        """
        request = self.start(op, body or {}, cell=cell, timeout=timeout, on_waiting=on_waiting)
        try:
            return request.response()
        except BaseException:
            # An interrupt may come between the two calls, when neither of them cancels the request.
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
    ) -> StartedRequest:
        """Send a request like `request`, and return before its response; `StartedRequest.response` waits for that.

        A caller that does not use the response must call `StartedRequest.take_back` or `StartedRequest.drop`.
        """
        waiter, flight = Waiter(), InFlight()
        steps = self._steps(op, body, cell or Cell(), timeout or self._timeout, waiter.wake, on_waiting, flight)
        try:
            return StartedRequest(self._transport, waiter, steps, _body, flight, self._take_backs.take)
        except BaseException:
            # An interrupt may come before the `StartedRequest` exists, which would cancel the request itself.
            self._take_backs.take(flight)
            raise

    def take_back(self, flight: InFlight) -> None:
        """Cancel the request that `request_async` made with this ``flight``, since its response is not used."""
        self._take_backs.take(flight)

    def took_effect(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return each ``open`` and ``close`` that was cancelled too late, with the session's state after it.

        Each is returned only once. If the server has not yet stated whether a cancelled one was executed, this method
        blocks its thread, for at most a second.
        """
        found = self._take_backs
        if not found.unconfirmed and not found.effective:
            return []
        until = monotonic() + _TOOK_EFFECT_SECONDS
        while found.unsure and (left := until - monotonic()) > 0:
            self._transport.wait(Waiter(), min(left, 0.02))
        return found.took_effect()

    def post(self, op: str, body: Mapping[str, Any], *, cell: Cell | None = None) -> PostedRequest:
        """Send a request without waiting for its response.

        Later requests of this client wait until the posted request is acknowledged or has expired. The caller must call
        `PostedRequest.result`, which resends a lost message. Raises UnavailableError if the request cannot be sent, or
        if no server has responded to a hello yet.
        """
        if self._clock_offset is None:
            raise UnavailableError(
                "The kernel is not connected to the governance server yet, so nothing was sent; connect it with"
                " %governance_status and run the cell again."
            )
        until = monotonic() + self._timeout
        posted = PostedRequest(
            self._wire_request(new_request_id(), op, until, cell or Cell(), body), until, self._ensure_result
        )
        waiting = self._in_flight.expect(posted.request.id, lambda: self._on_response(posted, waiting.response))
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
        """Whether a server has responded to this client's hello, so that requests can be sent at once."""
        return self._clock_offset is not None

    def notify(self, op: str, *, cell: Cell, seconds: float) -> bool:
        """Send a request once, and return whether the server acknowledged it within ``seconds``.

        If the request gets lost, it is not sent again. If no server has responded to a hello yet, it is not sent at
        all. Raises no AumOSGovernanceError.
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
        """Block this thread until each posted request is acknowledged or has expired."""
        waiter = Waiter()
        for seconds in self._posted.wait_all(waiter.wake):
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
        """Make a request like `request`, without blocking the event loop of this task.

        A caller that does not use the response must call `take_back` with the ``flight`` that it passed to this method.
        """
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            # The loop may have been closed meanwhile; then no task waits.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)

        flight = InFlight() if flight is None else flight
        steps = self._steps(op, body or {}, cell or Cell(), timeout or self._timeout, wake, on_waiting, flight)
        try:
            with self._transport.awaited():
                return _body(await response_of(steps, woken, wake))
        except BaseException:
            # This includes GeneratorExit of an abandoned task, so nothing may be awaited here.
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
            # The decision may depend on posted requests, so it must not be made before they are recorded. A hold is
            # sent at once, and repeated below if it overtook one of them.
            if op == "hold":
                posted = self._posted.pending()
            elif self._posted.open:
                yield from self._posted.wait_all(wake)
            request_id = new_request_id()
        if self._clock_offset is None:
            yield from self._hello(wake)
        patience = Patience(monotonic() + timeout, on_waiting)
        hellos, pause = 1, pauses()
        while True:
            request, copies = self._wire_request(request_id, op, patience.until, cell, body), flight.sent
            response = yield from self._in_flight.response(
                request, patience.until + GRACE_SECONDS, wake, patience, flight
            )
            if posted and not all(one.is_past for one in posted):
                # The hold overtook a posted request and was decided without it: cancel the hold and repeat it.
                posted = ()
                cancel = self._wire_request(new_request_id(), "cancel", patience.until, cell, cancel_body(request))
                yield from self._in_flight.response(cancel, patience.until + GRACE_SECONDS, wake)
                flight.request, flight.sent = None, 0
                yield from self._posted.wait_all(wake)
                request_id = new_request_id()
                continue
            if response.get("code") == BusyError.default_code and monotonic() < patience.until:
                if flight.sent == copies + 1:
                    # Only one copy was sent in this round, and the server did nothing with it.
                    flight.sent = copies
                yield from wait_until(min(monotonic() + next(pause), patience.until))
                continue
            if response.get("code") not in _HELLO_AGAIN or hellos == _MOST_HELLOS or monotonic() >= patience.until:
                if flight.sent > 1 and response.get("code") in UNDECIDED:
                    # One copy failed, which the caller gets as an error, and another copy may still be carried out.
                    self._take_backs.take(flight)
                return response
            # The server did nothing, or the request still waits, so the same request may be sent again, now with an
            # expiry that is right by the server's clock.
            hellos += 1
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
        # While the response travelled the server's clock went on, so expiries computed with this offset are a little
        # early, and never late. The monotonic clock is not affected by changes of this machine's time.
        self._clock_offset = server_time - monotonic()
        self.greeting = greeting

    def _on_response(self, posted: PostedRequest, response: Mapping[str, Any] | None) -> None:
        if response is None or response.get("code") in _HELLO_AGAIN | UNDECIDED:
            # `_ensure_result` sends it again; after BUSY it is also sent again after a pause.
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

    def _ensure_result(self, posted: PostedRequest) -> None:
        """Block until the posted request has succeeded or failed, and resend it meanwhile if no response arrives."""
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
            posted.end(self._resend(request, self._timeout, waiter))
        except AumOSGovernanceError as error:
            posted.end({}, error)

    def _resend(self, request: WireRequest, timeout: float, waiter: Waiter) -> dict[str, Any]:
        """Send a request again with the same id and a later expiry, and return the body of its response.

        ``timeout`` is in seconds; ``waiter`` lets this thread wait for the response.
        """
        flight = InFlight()
        steps = self._steps(request.op, request.body, request.cell, timeout, waiter.wake, None, flight, request.id)
        return StartedRequest(self._transport, waiter, steps, _body, flight, self._take_backs.take).response()

    def _cancel_again(self, cancel: WireRequest) -> dict[str, Any]:
        return self._resend(cancel, _CANCEL_TRY_SECONDS, Waiter())

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
