"""Taking requests back whose clients have given up, so that nothing is charged without its client's knowledge.

A client gives up when its time is over, when it is interrupted or cancelled, and when it is abandoned; also when the
response was here already and was not handed over. Then a ``cancel`` goes out, at once, and again until its response is
here.
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

__all__ = [
    "CANCEL_SECONDS",
    "UNDECIDED",
    "Cancel",
    "TakeBacks",
    "cancel_body",
    "has_charged",
]


CANCEL_SECONDS: Final = 600.0
"""How long a request is tried to be taken back where its server does not respond."""
UNDECIDED: Final = frozenset({"BUSY", "INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "UNAVAILABLE"})
"""Codes of responses after which the same request may still be done, by another copy of it."""
_AGAIN_AFTER: Final = 0.25


@dataclass(eq=False, slots=True)
class Cancel:
    """One request that is being taken back."""

    request: WireRequest
    op: str
    """The operation that is taken back."""
    until: float
    """On the monotonic clock, when it is given up."""
    confirmed: bool = False


class TakeBacks:
    """What one client takes back. ``listen(id, function)`` has a function called with each response to this id, until
    ``forget(id)``.

    ``exp`` gives an expiry so many seconds ahead, in the server's clock. ``again`` blocks its thread while it sends a
    cancel once more and waits for the response; it raises AumOSGovernanceError where there is none.
    """

    def __init__(
        self,
        transport: Transport,
        listen: Callable[[str, Callable[[Mapping[str, Any]], None]], None],
        forget: Callable[[str], None],
        exp: Callable[[float], float],
        again: Callable[[WireRequest], Mapping[str, Any]],
    ) -> None:
        self._transport = transport
        self._listen = listen
        self._forget = forget
        self._exp = exp
        self._again = again
        self.unconfirmed: dict[Cancel, None] = {}
        """What is not known yet to be taken back."""
        self._repeating = False
        self._lock = threading.Lock()
        self.stood: list[tuple[str, Mapping[str, Any]]] = []
        """What `standing` will name."""

    def take(self, flight: InFlight) -> None:
        """Take the request back where it may have been done, or may still be. Never waits, raises nothing."""
        if flight.kept or flight.taken:
            return
        with Deferred():
            cancel = self._cancel_of(flight)
            if cancel is not None:
                self.unconfirmed[cancel] = None
            flight.taken = True
            if cancel is not None:
                self._send(cancel)

    def standing(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The openings and closings that were given up and stand all the same, each with its state; each is returned
        once.
        """
        found, self.stood = self.stood, []
        return found

    @property
    def unsure(self) -> bool:
        """Whether it is not known yet if an opening or closing stands."""
        return any(cancel.op in STANDING for cancel in tuple(self.unconfirmed))

    def forget_parent(self) -> None:
        """In a child just forked off: what its parent takes back is the parent's to repeat."""
        self.unconfirmed = {}
        self._repeating = False
        self._lock = threading.Lock()
        self.stood = []

    def _cancel_of(self, flight: InFlight) -> Cancel | None:
        request, response = flight.request, flight.response
        if request is None or request.op not in CHARGING | STANDING or not flight.sent or not is_own(request.id):
            return None
        if response is None:
            # One that is sent again may be kept back now and have gone out before.
            if self._transport.withdraw(request.id) and flight.sent == 1:
                return None
        elif response.get("ok") is not True:
            if flight.sent == 1 or response.get("code") not in UNDECIDED:
                return None
        elif request.op in STANDING:
            self.stood.append((request.op, response.get("state") or {}))
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
        self._listen(cancel.request.id, lambda response: self._hear(cancel, response))
        with suppress(AumOSGovernanceError):
            self._transport.send(cancel.request, urgent=True)
        if self._transport.lossy and not cancel.confirmed:
            # Without a thread, as when the interpreter ends, it was sent all the same.
            with suppress(RuntimeError):
                alarm().set(_AGAIN_AFTER, self._repeat)

    def _hear(self, cancel: Cancel, response: Mapping[str, Any]) -> None:
        if response.get("ok") is not True and response.get("code") in UNDECIDED | {"EXPIRED", "HELLO_REQUIRED"}:
            # It is sent again: by what repeats it already, or by the alarm, as nothing got lost.
            if response.get("code") == BusyError.default_code:
                with suppress(RuntimeError):
                    alarm().set(_AGAIN_AFTER, self._repeat)
            return
        # A request of this process is never as old as what the server no longer knows.
        stands = response.get("voided") is False and response.get("found") != "unknown"
        if not cancel.confirmed and cancel.op in STANDING and stands:
            self.stood.append((cancel.op, response.get("state") or {}))
        cancel.confirmed = True
        self.unconfirmed.pop(cancel, None)
        self._forget(cancel.request.id)

    # ---- cancels without a response

    def _repeat(self) -> None:
        # In the alarm's thread, which must not be blocked.
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
                self._hear(cancel, self._again(cancel.request))
            except AumOSGovernanceError as error:
                self._hear(cancel, {"ok": False, "code": error.code})
            if cancel.confirmed:
                continue
            self.unconfirmed.pop(cancel, None)
            if monotonic() < cancel.until:
                # The others first.
                self.unconfirmed[cancel] = None
            else:
                self._forget(cancel.request.id)


def has_charged(response: Mapping[str, Any]) -> bool:
    """Whether this response to what charges says that something is charged or held."""
    decision = response.get("decision")
    return response.get("ok") is True and isinstance(decision, Mapping) and decision.get("allowed") is True


def cancel_body(request: WireRequest, *, delivered: bool = False) -> dict[str, Any]:
    """The body of the request that takes this one back."""
    body: dict[str, Any] = {"of": request.id}
    if request.op == "authorize":
        body["act"] = True
    if delivered:
        body["delivered"] = True
    return body
