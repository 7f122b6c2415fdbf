"""Cancels requests that their callers have given up, so that nothing is charged or held without a caller's knowledge.

A request is given up when its time is over, when its caller is interrupted, cancelled or abandoned, and when its
response has arrived but is not used. To *take a request back* is to send a ``cancel`` for it at once, and again until
the server confirms it.
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
"""How long, in seconds, a ``cancel`` is sent again and again while the server does not confirm it."""
UNDECIDED: Final = frozenset({"BUSY", "INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "UNAVAILABLE"})
"""The codes of error responses after which another copy of the same request may still be executed."""
_AGAIN_AFTER: Final = 0.25
"""The seconds after which a ``cancel`` without a response is sent again for the first time."""


@dataclass(eq=False, slots=True)
class Cancel:
    """A ``cancel`` that was sent for one request, until the server confirms it."""

    request: WireRequest
    """The ``cancel``, which is a request itself."""
    op: str
    """The operation of the request that is cancelled, for example ``hold``."""
    until: float
    """The time of the monotonic clock after which the ``cancel`` is not sent again."""
    confirmed: bool = False


class TakeBacks:
    """Cancels given-up requests of one client, and sends each ``cancel`` again until the server confirms it.

    Args:
        listen: Registers a function that is called with each response to the request with an id.
        forget: Removes what ``listen`` registered for the id.
        exp: Returns the time that is a number of seconds from now, by the server's clock.
        resend: Sends a ``cancel`` again, blocks its thread and returns the response. Without one, it raises
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
        """Each ``cancel`` that the server has not confirmed, in the order in which to send them again."""
        self._repeating = False
        self._lock = threading.Lock()
        self.effective: list[tuple[str, Mapping[str, Any]]] = []
        """What the next call of `took_effect` returns."""

    def take(self, flight: InFlight) -> None:
        """Cancel a given-up request if it may have charged, opened or closed something, or may still do so.

        Does not wait and does not raise.
        """
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
        """Return each ``open`` and ``close`` that was given up but executed, with the session's state after it.

        Each is returned only once.
        """
        found, self.effective = self.effective, []
        return found

    @property
    def unsure(self) -> bool:
        """Whether the server has not yet confirmed the ``cancel`` of an ``open`` or ``close``.

        Until then it is not known whether that ``open`` or ``close`` was executed.
        """
        return any(cancel.op in STANDING for cancel in tuple(self.unconfirmed))

    def forget_parent(self) -> None:
        """Forget every ``cancel`` in a child process that was just forked, since its parent sends them again."""
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
    """Whether a response states that its request was allowed, so that an amount is charged or held."""
    decision = response.get("decision")
    return response.get("ok") is True and isinstance(decision, Mapping) and decision.get("allowed") is True


def cancel_body(request: WireRequest, *, delivered: bool = False) -> dict[str, Any]:
    """Return the body of a ``cancel`` for ``request``; ``delivered`` states whether its response has arrived here."""
    body: dict[str, Any] = {"of": request.id}
    if request.op == "authorize":
        body["act"] = True
    if delivered:
        body["delivered"] = True
    return body
