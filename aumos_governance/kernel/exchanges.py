"""One ask's way to its answer: sent, sent again where messages get lost, taken back where nobody waits any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from ..errors import AumOSGovernanceError, UnavailableError
from ..protocol import Ask
from .ask_ids import new_ask_id
from .asks_ahead import Dropped, Steps
from .transport import Transport

__all__ = ["FIRST_RESEND", "GRACE_SECONDS", "UNDECIDED", "Exchanges", "OnWaiting", "Patience", "Waiting", "cancelling"]

FIRST_RESEND: Final = 0.25
"""Seconds after which an ask is sent again where it may have been lost."""
_LAST_RESEND: Final = 2.0
GRACE_SECONDS: Final = 1.0
"""How long an answer is waited for past the ask's expiry: one that was decided just before it still has to arrive, and
that costs no safety."""
UNDECIDED: Final = frozenset({"INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "UNAVAILABLE"})
"""Codes of answers after which the same ask may still be done, by another copy of it."""
_TAKEN_BACK: Final = frozenset({"open", "spend", "hold", "authorize", "close"})
# Never a settlement, a release or an adjustment: the money that they tell of is gone, or was never spent.

_RENEWED_EVERY: Final = 5.0
_RENEWED_FOR: Final = 30.0
# While a person is waited for, the server hears now and then that somebody still waits; nobody does once it has not for
# so long, nor for an answer once the server has been silent for so long.
_UNLOST_FOR: Final = 7 * 86_400.0
# Where no message can get lost nothing has to be repeated, and a person may be typing in the thread that waits.

OnWaiting = Callable[[Mapping[str, Any]], None]
"""Called once, in the thread or the loop that asks, with what is told when an answer waits for a person."""


@dataclass(slots=True)
class Waiting:
    """An ask whose answer has not come."""

    wake: Callable[[], None]
    answer: Mapping[str, Any] | None = None
    sent: int = 0
    pending: Mapping[str, Any] | None = None
    """What was told last of a person's answer that is waited for."""


@dataclass(slots=True)
class Patience:
    """How long an ask may be acted on, which is longer for as long as a person is waited for."""

    until: float
    """On the monotonic clock."""
    on_waiting: OnWaiting | None
    has_waited: bool = False


class Exchanges:
    """The asks of one client that are on their way, from any number of threads and tasks."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._waiting: dict[str, Waiting] = {}

    def expect(self, ask_id: str, wake: Callable[[], None]) -> Waiting:
        """What is there of the answer to this ask, from now on until `forget`; ``wake`` is called with each news."""
        waiting = self._waiting[ask_id] = Waiting(wake)
        return waiting

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

    def answer(self, ask: Ask, give_up: float, wake: Callable[[], None], patience: Patience | None = None) -> Steps:
        """The steps to the answer, a yes or a no; UnavailableError once ``give_up`` on the monotonic clock has come.

        With ``patience`` that is put off, and the ask's expiry with it, for as long as a person is waited for.
        """
        # As `expect` and `forget` do, without the price of two calls in each ask.
        waiting = self._waiting[ask.id] = Waiting(wake)
        began = resend_at = time.monotonic()
        interval = FIRST_RESEND
        try:
            while waiting.answer is None:
                now = time.monotonic()
                pending, waiting.pending = waiting.pending, None
                begins_to_wait = False
                if pending is not None and patience is not None:
                    ask, begins_to_wait = self._renewed(ask, patience)
                    began, give_up, interval = now, patience.until + GRACE_SECONDS, _RENEWED_EVERY
                    resend_at = now if begins_to_wait else min(resend_at, now + interval)
                if now >= give_up:
                    if patience is not None and patience.has_waited:
                        self._cancel(ask)
                    raise self._transport.silence(now - began)
                if now >= resend_at:
                    waiting.sent += 1
                    self._transport.send(ask)
                    resend_at = now + interval if self._transport.lossy else give_up
                    interval = min(interval * 2, _LAST_RESEND) if interval < _RENEWED_EVERY else interval
                if begins_to_wait and pending is not None and patience is not None and patience.on_waiting is not None:
                    self._tell(patience.on_waiting, pending, ask, waiting)
                    continue
                yield max(0.0, min(resend_at, give_up) - time.monotonic())
            if waiting.sent > 1 and waiting.answer.get("code") in UNDECIDED:
                # One copy of it failed; another may still be done, and nobody waits for that any more.
                self._cancel(ask)
            return dict(waiting.answer)
        except AumOSGovernanceError:
            raise
        except Dropped:
            if waiting.answer is not None:
                return dict(waiting.answer)
            self._cancel(ask)
            raise
        except BaseException:
            # KeyboardInterrupt, a cancelled task, or this generator closed for either.
            self._take_back(ask, waiting)
            raise
        finally:
            self._waiting.pop(ask.id, None)

    def _renewed(self, ask: Ask, patience: Patience) -> tuple[Ask, bool]:
        """The ask for as long as a person is waited for, and whether that has just begun."""
        clock_offset = ask.exp - patience.until
        patience.until = time.monotonic() + (_RENEWED_FOR if self._transport.lossy else _UNLOST_FOR)
        begins, patience.has_waited = not patience.has_waited, True
        return replace(ask, exp=patience.until + clock_offset), begins

    def _tell(self, on_waiting: OnWaiting, pending: Mapping[str, Any], ask: Ask, waiting: Waiting) -> None:
        try:
            on_waiting(pending)
        except AumOSGovernanceError:
            # Whatever else it raises takes the ask back where that passes.
            self._take_back(ask, waiting)
            raise

    def _take_back(self, ask: Ask, waiting: Waiting) -> None:
        if waiting.answer is not None or ask.op not in _TAKEN_BACK:
            return
        # One that is sent again may be kept back now and have gone out before.
        if self._transport.withdraw(ask.id) and waiting.sent == 1:
            return
        self._cancel(ask)

    def _cancel(self, ask: Ask) -> None:
        if ask.op not in _TAKEN_BACK:
            return
        # Nobody waits for the answer; should this get lost, the asker has an expiry and the person the audit record.
        with suppress(UnavailableError):
            self._transport.send(cancelling(ask), urgent=True)


def cancelling(ask: Ask) -> Ask:
    """The ask that takes this one back."""
    of: dict[str, Any] = {"of": ask.id, "act": True} if ask.op == "authorize" else {"of": ask.id}
    return Ask(new_ask_id(), "cancel", ask.exp, ask.cell, of)
