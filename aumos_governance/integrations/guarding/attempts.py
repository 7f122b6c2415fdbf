"""One call of a client, and the attempts that are sent for it: each attempt is held and charged by itself.

Who sends an attempt is of no concern here: the library's retries, its middleware (which may send to another model, side
by side, or while the response is read), a subclass of the client. An attempt that gets an error response costs
nothing, and the next one with the same content takes its hold over. One without a response is settled as an estimate.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from ...authority.authorization import Begun
from ...steps import Steps, now, when_awaited
from .batches import BatchCall
from .calls import ApiRequest, Paid, body_of_json
from .charge import Charge
from .guard import Guard, Outcome, outcome_of
from .resends import Sends
from .streams import content_of, watch, watch_async

__all__ = ["CURRENT", "PLANNED", "SENDING", "Attempt", "Call", "Sending"]


class Call:
    """A paid call that is under way, with what is held for it and not yet for one of its attempts."""

    def __init__(self, guard: Guard, paid: Paid, request: ApiRequest, *, owner: object) -> None:
        """``owner`` is the client that makes it, ``request`` that from which ``paid`` was made."""
        self.guard = guard
        self.paid = paid
        self.request = request
        self.owner = owner
        self.over = False
        """The client's method has returned. An attempt that a thread or task makes later is a call of its own."""
        self.begun: Begun | None = None
        self.changed: list[Call] = []
        """What middleware made of it so far. Not the call itself, which would then be left to the garbage collector,
        with the request and all that it holds."""
        self._free: list[Charge] = []
        """What is held and paid for nothing yet; any thread may take it."""
        self._made: list[Charge] = []
        self.last: Attempt | None = None
        # The exception that the caller handles already, and that is none of this call's.
        self._handled = sys.exc_info()[1]

    def is_for(self, method: str, path: str, body: Mapping[str, Any]) -> bool:
        """Whether a request is the one for which the hold was computed."""
        request = self.request
        return body == (self.paid.body or request.body) and path == request.path and method == request.method

    def begin(self) -> None:
        """Request the hold; the first attempt waits for it, while the library makes the request.

        Raises ConfigurationError.
        """
        self.begun = self.guard.begin_ahead(self.paid)

    async def begin_async(self) -> None:
        """Hold the worst case. Raises GovernanceDeniedError, ConfigurationError."""
        await when_awaited(self.beginning())

    def beginning(self) -> Steps[None]:
        """As `begin_async`."""
        charge = yield from self.guard.beginning(self.paid, awaited=True)
        self.made(charge)
        self._free.append(charge)

    def made(self, charge: Charge) -> None:
        """A hold was made: the end of the call sees to it."""
        self._made.append(charge)

    def take(self, paid: Paid) -> Charge | None:
        """What is held for an attempt of this content and is not used; None: nothing."""
        for charge in tuple(self._free):
            if charge.paid is paid:
                try:
                    self._free.remove(charge)
                except ValueError:
                    continue  # Another thread was faster.
                return charge
        return None

    def unused(self) -> Charge | None:
        """What is held and not used; None when there is no more. The caller releases it."""
        try:
            return self._free.pop() if self._free else None
        except IndexError:
            return None  # Another thread was faster.

    def give_back(self, charge: Charge) -> None:
        """An attempt cost nothing: the next one of the same content may use what was held for it."""
        charge.kept = False
        self._free.append(charge)
        if self.over and (left := self.unused()) is not None:
            left.give_back()

    # ---- what the library does on the way, where it makes one attempt after the other

    def refused(self) -> None:
        """The last attempt got an error response."""
        if self.last is not None:
            self.last.outcome = Outcome.FREE

    def failed(self) -> None:
        """The library handles the exception that the last attempt ended with, and will try again."""
        error = sys.exc_info()[1]
        if self.last is not None and error is not None and error is not self._handled:
            self.last.outcome = outcome_of(error)

    # ---- the end of it

    def raised(self, error: Exception) -> None:
        """The call ended with an exception, after its last attempt."""
        now(self.raising(error, awaited=False))

    async def raised_async(self, error: Exception) -> None:
        """As `raised`."""
        await when_awaited(self.raising(error, awaited=True))

    def raising(self, error: Exception, *, awaited: bool) -> Steps[None]:
        """As `raised`, for both kinds of client."""
        last, self.last = self.last, None
        if last is not None:
            last.outcome = outcome_of(error)
            yield from last.ending(awaited=awaited)
        yield from self.release_unused(awaited=awaited)

    def release_unused(self, *, awaited: bool) -> Steps[None]:
        """Release all that is held and not used."""
        while (charge := self.unused()) is not None:
            yield from charge.releasing(awaited=awaited)

    def left(self) -> None:
        """The call is over, perhaps by an interrupt: what is not ended is settled as an estimate, or given back."""
        self.over = True
        # An attempt knows its call, so neither would be gone with its last user.
        self.last = None
        begun, self.begun = self.begun, None
        if begun is not None:
            _drop(begun, self)
        while (charge := self.unused()) is not None:
            charge.give_back()
        for charge in self._made:
            if not charge.kept:
                charge.abandon()


class Attempt:
    """One request that is about to be sent."""

    def __init__(self, call: Call, paid: Paid, *, streamed: bool, sending: Sending | None) -> None:
        self.call = call
        self.paid = paid
        self.outcome = Outcome.UNKNOWN
        self._streamed = streamed
        self._sending = sending
        self._begun: Begun | None = None
        self._charge: Charge | None = None
        self.sends: Sends | None = None
        """Where its request may go out more than once."""
        self._more: list[Charge] = []

    def hold(self) -> None:
        """Hold its worst case. Raises GovernanceDeniedError, ConfigurationError."""
        now(self.holding(awaited=False))

    async def hold_async(self) -> None:
        """As `hold`."""
        await when_awaited(self.holding(awaited=True))

    def holding(self, *, awaited: bool) -> Steps[None]:
        """As `hold`, for both kinds of client."""
        call = self.call
        last = self._follow()
        if last is not None:
            yield from last.ending(awaited=awaited)
        charge = call.take(self.paid)
        if charge is None:
            yield from call.release_unused(awaited=awaited)
            begun = call.begun
            if not awaited and (begun is None or self.paid is not call.paid):
                begun = self._begun = call.guard.begin_ahead(self.paid)
            charge = yield from call.guard.beginning(self.paid, begun, awaited=awaited)
            # Until the charge is noted, an interrupt gives back what was requested.
            self._charge = charge
            call.made(charge)
            self._begun = call.begun = None
        self._has(charge)

    def again(self) -> None:
        """Note that the client sends this request once more, beside the first copy or after it. Raises as `hold`."""
        self._has_more(self.call.guard.begin(self.paid))

    async def again_async(self) -> None:
        """As `again`."""
        self._has_more(await self.call.guard.begin_async(self.paid))

    def end(self) -> None:
        """No response will come for it: it is settled as an estimate, or was free."""
        now(self.ending(awaited=False))

    def ending(self, *, awaited: bool) -> Steps[None]:
        """As `end`, for both kinds of client."""
        self._end_more()
        charge, self._charge = self._charge, None
        if charge is not None:
            if self.outcome == Outcome.FREE:
                self.call.give_back(charge)
            else:
                yield from charge.settling(None, awaited=awaited)

    def drop(self) -> None:
        """It was interrupted: what is held for it is given back, or settled as an estimate. Never waits."""
        self._end_more()
        begun, self._begun = self._begun, None
        if begun is not None:
            _drop(begun, self.call)
        elif self._charge is not None:
            self._charge.abandon()

    def responding(self, response: Any, *, awaited: bool) -> Steps[None]:
        """There is a response: what has been read is settled, what has not is watched."""
        self._end_more()
        charge = self._charge
        if charge is None:
            return
        if _is_error(response):
            self.outcome = Outcome.FREE
            yield from self.ending(awaited=awaited)
            return
        content = None if self._streamed else content_of(response)
        if content is None:
            (watch_async if awaited else watch)(response, charge, streamed=self._streamed)
            charge.kept = True
        elif not self._submitted(charge, content):
            yield from charge.settling(body_of_json(content), awaited=awaited)
        self._charge = None

    def _has_more(self, charge: Charge) -> None:
        charge.kept = True
        self._more.append(charge)
        if self._charge is None:
            # The first one has a response already.
            self._end_more()

    def _end_more(self) -> None:
        """Of all that were sent one has the response; the others are estimates, but for those that were free."""
        paid = 0 if self.sends is None else self.sends.unpaid_for - 1
        while self._more:
            charge = self._more.pop()
            if paid > 0:
                charge.abandon()
            else:
                charge.give_back()
            paid -= 1

    def _submitted(self, charge: Charge, content: bytes) -> bool:
        """Whether it is a batch that the provider has accepted, whose charge is ended by its results."""
        if not isinstance(self.paid, BatchCall):
            return False
        id = body_of_json(content).get("id")
        if not isinstance(id, str):
            return False
        guard = self.call.guard
        guard.followups.submitted(guard.reference(id), charge)
        return True

    def _follow(self) -> Attempt | None:
        """Note that this is the call's attempt now; gives the one before it, which ended without a response."""
        call, sending = self.call, self._sending
        if sending is not None:
            sending.attempt = self
            return None
        last, call.last = call.last, self
        return last

    def _has(self, charge: Charge) -> None:
        self._charge = charge
        # Sent side by side, it may outlive the call, and is ended where it is sent.
        charge.kept = self._sending is not None


class Sending:
    """Where a library sends one attempt in a function of its own, which sees how it ends."""

    def __init__(self, *, streamed: bool) -> None:
        self.streamed = streamed
        self.attempt: Attempt | None = None

    def responding(self, response: Any, *, awaited: bool) -> Steps[None]:
        """There is a response."""
        if self.attempt is not None:
            yield from self.attempt.responding(response, awaited=awaited)

    def failing(self, error: Exception, *, awaited: bool) -> Steps[None]:
        """There is no response."""
        if self.attempt is not None:
            self.attempt.outcome = outcome_of(error)
            yield from self.attempt.ending(awaited=awaited)

    def left(self) -> None:
        """It is over, perhaps by an interrupt."""
        if self.attempt is not None:
            self.attempt.drop()


CURRENT: Final[ContextVar[Call | None]] = ContextVar("aumos_governance_call", default=None)
"""The paid call that this thread or task is making."""
PLANNED: Final[ContextVar[tuple[Call, Paid] | None]] = ContextVar("aumos_governance_planned", default=None)
"""What this thread or task is about to send; None where that costs nothing."""
SENDING: Final[ContextVar[Sending | None]] = ContextVar("aumos_governance_sending", default=None)


def _drop(begun: Begun, call: Call) -> None:
    grant = begun.drop()
    if grant is not None:
        Charge(call.guard, call.paid, grant).give_back()


def _is_error(response: Any) -> bool:
    status = getattr(response, "status_code", 200)
    return isinstance(status, int) and not 200 <= status < 300
