"""One request's way to its response: sent, and sent again where messages get lost or a busy server refuses it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from random import uniform
from typing import Any, Final

from ...clock import monotonic
from ...errors import AumOSGovernanceError
from ...wire.operations import ENDING
from ...wire.protocol import Ask
from ..transports.transport import Transport
from .requests_ahead import Dropped, Steps
from .take_backs import InFlight

__all__ = [
    "FIRST_RESEND",
    "GRACE_SECONDS",
    "LONGEST_PAUSE",
    "Exchanges",
    "OnWaiting",
    "Patience",
    "Waiting",
    "pauses",
    "waited",
]

FIRST_RESEND: Final = 0.25
"""Seconds after which an ask is sent again where it may have been lost."""
_LAST_RESEND: Final = 2.0
GRACE_SECONDS: Final = 1.0
"""How long an answer is waited for past the ask's expiry: one that was decided just before it still has to arrive, and
that costs no safety."""
_RENEWED_EVERY: Final = 5.0
_RENEWED_FOR: Final = 30.0
# While a person is waited for, the server hears now and then that somebody still waits; nobody does once it has not for
# so long, nor for an answer once the server has been silent for so long.
_UNLOST_FOR: Final = 47 * 3_600.0
# Where no message can get lost nothing has to be repeated, and a person may be typing in the thread that waits. An
# expiry may be at most 48 hours ahead.

OnWaiting = Callable[[Mapping[str, Any]], None]
"""Called in the thread or the loop that makes the request, with what the server says when the response begins to wait
for a user, and again when it waits for something else: at a limit after an approval, or for another amount."""


@dataclass(slots=True)
class Waiting:
    """An ask whose answer has not come."""

    wake: Callable[[], None]
    answer: Mapping[str, Any] | None = None
    pending: Mapping[str, Any] | None = None
    """What was told last of a person's answer that is waited for."""


@dataclass(slots=True)
class Patience:
    """How long an ask may be acted on, which is longer for as long as a person is waited for."""

    until: float
    """On the monotonic clock."""
    on_waiting: OnWaiting | None
    has_waited: bool = False
    told: object = None
    """By how much what ``on_waiting`` was called with last exceeds a limit; None for an approval."""


class Exchanges:
    """The asks of one client that are on their way, from any number of threads and tasks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: dict[str, Waiting] = {}

    def expect(self, ask_id: str, wake: Callable[[], None]) -> Waiting:
        """What is there of the answer to this ask, from now on until `forget`; ``wake`` is called with each news."""
        waiting = self._waiting[ask_id] = Waiting(wake)
        return waiting

    def listen(self, ask_id: str, function: Callable[[Mapping[str, Any]], None]) -> None:
        """Have ``function`` called with each response to this request, until `forget`."""

        def wake() -> None:
            if waiting.answer is not None:
                function(waiting.answer)

        waiting = self.expect(ask_id, wake)

    def forget(self, ask_id: str) -> None:
        self._waiting.pop(ask_id, None)

    def receive(self, answer: Mapping[str, Any]) -> None:
        """Take in an answer, in whatever thread."""
        # An answer that nobody waits for any more came late, or came twice.
        waiting = self._waiting.get(str(answer.get("id")))
        if waiting is not None:
            if answer.get("ok") is True and "waiting" in answer:
                waiting.pending = answer["waiting"]
            else:
                waiting.answer = answer
            waiting.wake()

    def answer(
        self,
        ask: Ask,
        give_up: float,
        wake: Callable[[], None],
        patience: Patience | None = None,
        flight: InFlight | None = None,
    ) -> Steps:
        """The steps to the response; UnavailableError once ``give_up`` on the monotonic clock has come.

        With ``patience`` that is put off, and the request's expiry with it, for as long as a user is waited for.
        ``flight`` notes what became of it, for whoever takes it back. A response that comes after ``give_up`` is none,
        unless it denies, or ends a charge: that is done, and stays so.
        """
        flight = InFlight() if flight is None else flight
        flight.ask, flight.response = ask, None
        # As `expect` and `forget` do, without the price of two calls in each ask.
        waiting = self._waiting[ask.id] = Waiting(wake)
        began = resend_at = monotonic()
        interval = FIRST_RESEND
        try:
            while waiting.answer is None:
                now = monotonic()
                pending, waiting.pending = waiting.pending, None
                tells = False
                if pending is not None and patience is not None:
                    ask, begins_to_wait = self._renewed(ask, patience)
                    flight.ask = ask
                    tells = begins_to_wait or pending.get("needs") != patience.told
                    patience.told = pending.get("needs")
                    began, give_up, interval = now, patience.until + GRACE_SECONDS, _RENEWED_EVERY
                    resend_at = now if begins_to_wait else min(resend_at, now + interval)
                if now >= give_up:
                    raise self._transport.silence(now - began)
                if now >= resend_at:
                    self._send(ask, flight)
                    resend_at = now + interval if self._transport.lossy else give_up
                    interval = min(interval * 2, _LAST_RESEND) if interval < _RENEWED_EVERY else interval
                if tells and pending is not None and patience is not None and patience.on_waiting is not None:
                    patience.on_waiting(pending)
                    continue
                yield max(0.0, min(resend_at, give_up) - monotonic())
            now = monotonic()
            if now >= give_up and ask.op not in ENDING and _is_yes(waiting.answer):
                raise self._transport.silence(now - began)
            return dict(waiting.answer)
        except Dropped:
            if waiting.answer is None:
                raise
            return dict(waiting.answer)
        finally:
            flight.response = waiting.answer
            self._waiting.pop(ask.id, None)

    def _send(self, ask: Ask, flight: InFlight) -> None:
        # Counted before, since an interrupt may come when it has left.
        flight.sent += 1
        try:
            self._transport.send(ask)
        except AumOSGovernanceError:
            # It could not leave.
            flight.sent -= 1
            raise

    def _renewed(self, ask: Ask, patience: Patience) -> tuple[Ask, bool]:
        """The request for as long as a user is waited for, and whether that has just begun."""
        clock_offset = ask.exp - patience.until
        patience.until = monotonic() + (_RENEWED_FOR if self._transport.lossy else _UNLOST_FOR)
        begins, patience.has_waited = not patience.has_waited, True
        return replace(ask, exp=patience.until + clock_offset), begins


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
