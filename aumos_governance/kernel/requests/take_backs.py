"""Cancels requests that their callers have given up, so that nothing is charged without the caller's knowledge.

A request is given up when its time is over, when the caller is interrupted, cancelled or abandoned, and when its
response has arrived but was not used. Then a ``cancel`` is sent at once, and again until its response arrives.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from ...clock import monotonic
from ...errors import AumOSGovernanceError, BusyError
from ...wire.operations import CHARGING, STANDING
from ...wire.protocol import WireRequest
from ..transports.transport import Transport
from ..transports.waiter import Deferred
from .alarm import alarm
from .in_flight import InFlight, is_own, new_request_id

CANCEL_SECONDS: Final = 600.0
"""How long, in seconds, a ``cancel`` is repeated while the server does not respond."""
UNDECIDED: Final = frozenset({"BUSY", "INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "UNAVAILABLE"})
"""The response codes after which another copy of the same request may still be executed."""
_AGAIN_AFTER: Final = 0.25
"""The seconds after which a cancel without a response is repeated."""


@dataclass(eq=False, slots=True)
class Cancel:
    """A ``cancel`` for one request, until the server confirms it."""

    request: WireRequest
    """The request ``cancel`` itself."""
    op: str
    """The operation of the request to cancel."""
    until: float
    """The time, on the monotonic clock, after which the ``cancel`` is not repeated any more."""
    confirmed: bool = False


class TakeBacks:
    """Cancels requests of one client, and repeats each ``cancel`` until the server confirms it.

    ``listen(id, function)`` registers ``function``, which is called with each response to the request with this id,
    until ``forget(id)``. ``exp(seconds)`` returns the expiry that is ``seconds`` from now, on the server's clock.
    ``resend`` sends a ``cancel`` again and blocks its thread until the response; without one it raises
    AumOSGovernanceError.
    """

    def __init__(
        self,
        transport: Transport,
        listen: Callable[[str, Callable[[Mapping[str, Any]], None]], None],
        forget: Callable[[str], None],
        exp: Callable[[float], float],
        resend: Callable[[WireRequest], Mapping[str, Any]],
    ) -> None:
        self._transport = transport
        self._listen = listen
        self._forget = forget
        self._exp = exp
        self._resend = resend
        self.unconfirmed: dict[Cancel, None] = {}
        """The cancels that the server has not confirmed, as an ordered set."""
        self._repeating = False
        self._lock = threading.Lock()
        self.effective: list[tuple[str, Mapping[str, Any]]] = []
        """The result of the next `took_effect`."""

    def take(self, flight: InFlight) -> None:
        """Cancel a request if it may have been executed, or may still be executed. Does not wait and does not raise."""
        if flight.kept or flight.taken:
            return
        with Deferred():
            cancel = self._cancel_of(flight)
            if cancel is not None:
                self.unconfirmed[cancel] = None
            flight.taken = True
            if cancel is not None:
                self._send(cancel)

    def took_effect(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return, once, each ``open`` and ``close`` that was given up and still executed, with the state after it."""
        found, self.effective = self.effective, []
        return found

    @property
    def unsure(self) -> bool:
        """Whether the server has not yet stated if an ``open`` or ``close`` that was given up was executed."""
        return any(cancel.op in STANDING for cancel in tuple(self.unconfirmed))

    def forget_parent(self) -> None:
        """Forget all cancels, in a child that was just forked: its parent repeats them."""
        self.unconfirmed = {}
        self._repeating = False
        self._lock = threading.Lock()
        self.effective = []

    def _cancel_of(self, flight: InFlight) -> Cancel | None:
        request, response = flight.request, flight.response
        if request is None or request.op not in CHARGING | STANDING or not flight.sent or not is_own(request.id):
            return None
        if response is None:
            # If several copies were made, the latest may be withdrawn, but an earlier one may have been sent.
            if self._transport.withdraw(request.id) and flight.sent == 1:
                return None
        elif response.get("ok") is not True:
            if flight.sent == 1 or response.get("code") not in UNDECIDED:
                return None
        elif request.op in STANDING:
            self.effective.append((request.op, response.get("state") or {}))
            return None
        elif not has_charged(response):
            return None
        delivered = response is not None and response.get("ok") is True
        body = cancel_body(request, delivered=delivered)
        until = monotonic() + CANCEL_SECONDS
        return Cancel(
            WireRequest(new_request_id(), "cancel", self._exp(CANCEL_SECONDS), request.cell, body), request.op, until
        )

    def _send(self, cancel: Cancel) -> None:
        self._listen(cancel.request.id, lambda response: self._on_response(cancel, response))
        with suppress(AumOSGovernanceError):
            self._transport.send(cancel.request, urgent=True)
        if self._transport.lossy and not cancel.confirmed:
            # If no thread can be started, as when the interpreter ends, the cancel is not repeated.
            with suppress(RuntimeError):
                alarm().set(_AGAIN_AFTER, self._repeat)

    def _on_response(self, cancel: Cancel, response: Mapping[str, Any]) -> None:
        if response.get("ok") is not True and response.get("code") in UNDECIDED | {"EXPIRED", "HELLO_REQUIRED"}:
            # `_repeat_all` sends the cancel again. A response of BUSY may be the first, so the alarm starts that here.
            if response.get("code") == BusyError.default_code:
                with suppress(RuntimeError):
                    alarm().set(_AGAIN_AFTER, self._repeat)
            return
        # "unknown" means that the request may be older than 48 hours, which a request of this process never is here.
        executed = response.get("voided") is False and response.get("found") != "unknown"
        if not cancel.confirmed and cancel.op in STANDING and executed:
            self.effective.append((cancel.op, response.get("state") or {}))
        cancel.confirmed = True
        self.unconfirmed.pop(cancel, None)
        self._forget(cancel.request.id)

    # ---- cancels without a response

    def _repeat(self) -> None:
        # The alarm's thread calls this and must not be blocked, so another thread repeats the cancels.
        with self._lock:
            if self._repeating or not self.unconfirmed:
                return
            with suppress(RuntimeError):
                threading.Thread(target=self._repeat_all, name="aumos-governance-cancel", daemon=True).start()
                self._repeating = True

    def _repeat_all(self) -> None:
        while True:
            with self._lock:
                cancel = next(iter(self.unconfirmed), None)
                if cancel is None:
                    self._repeating = False
                    return
            try:
                self._on_response(cancel, self._resend(cancel.request))
            except AumOSGovernanceError as error:
                self._on_response(cancel, {"ok": False, "code": error.code})
            if cancel.confirmed:
                continue
            self.unconfirmed.pop(cancel, None)
            if monotonic() < cancel.until:
                # It is added again at the end, so that the other cancels are repeated first.
                self.unconfirmed[cancel] = None
            else:
                self._forget(cancel.request.id)


def has_charged(response: Mapping[str, Any]) -> bool:
    """Whether the response to a charging request states that an amount is charged or held."""
    decision = response.get("decision")
    return response.get("ok") is True and isinstance(decision, Mapping) and decision.get("allowed") is True


def cancel_body(request: WireRequest, *, delivered: bool = False) -> dict[str, Any]:
    """Return the body of a ``cancel`` of this request; ``delivered`` states whether its response had arrived."""
    body: dict[str, Any] = {"of": request.id}
    if request.op == "authorize":
        body["act"] = True
    if delivered:
        body["delivered"] = True
    return body
