"""One call of a client, and the attempts that are sent for it; each attempt has its own hold and charge.

An attempt may be sent by the library's retries, by its middleware (also to another model, in parallel, or while the
response is read), or by a subclass of the client; the code here treats all of them alike. An attempt that is never sent
or gets an error response costs nothing, and the next attempt with the same content uses its hold. For any other attempt
without a response, the held amount is charged, flagged as an estimate.
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
from .resends import SendCounter
from .streams import content_of, watch, watch_async


class Call:
    """A paid call of a client's method, from the hold for its first attempt until the method returns or raises.

    It also keeps the holds that no attempt uses yet.
    """

    def __init__(self, guard: Guard, paid: Paid, request: ApiRequest, *, owner: object) -> None:
        """Prepare the call; ``paid`` was made from ``request``, and ``owner`` is the client that sends the request."""
        self.guard = guard
        self.paid = paid
        self.request = request
        self.owner = owner
        self.over = False
        """Whether the client's method has returned. An attempt that another thread or task makes later is part of a new
        call.
        """
        self.begun: Begun | None = None
        """The requested hold for the first attempt, until the attempt has waited for its decision; otherwise None."""
        self.changed: list[Call] = []
        """A call for each different request that middleware has sent in place of this call's request so far.

        This call is not in the list: the reference cycle would leave it, with its request, to the garbage collector.
        """
        self._unused: list[Charge] = []
        """Holds that no attempt uses; any thread may remove a hold to use or release it."""
        self._charges: list[Charge] = []
        self.last: Attempt | None = None
        # An exception that the caller of the client was handling before this call does not belong to an attempt.
        self._handled = sys.exc_info()[1]

    def is_for(self, method: str, path: str, body: Mapping[str, Any]) -> bool:
        """Whether the hold of this call was computed for a request with this method, path and body."""
        request = self.request
        return body == (self.paid.body or request.body) and path == request.path and method == request.method

    def begin(self) -> None:
        """Request the hold for the first attempt without waiting for the decision.

        The library prepares the request meanwhile; the attempt waits for the decision before the request is sent.
        Raises ConfigurationError when the worst case is not known.
        """
        self.begun = self.guard.begin_ahead(self.paid)

    async def begin_async(self) -> None:
        """Hold the worst case for the first attempt.

        Raises GovernanceDeniedError when the call is denied, ConfigurationError when its worst case is not known.
        """
        await when_awaited(self.beginning())

    def beginning(self) -> Steps[None]:
        """Return a generator that does what `begin_async` does, for `steps.when_awaited`."""
        charge = yield from self.guard.beginning(self.paid, awaited=True)
        self.add(charge)
        self._unused.append(charge)

    def add(self, charge: Charge) -> None:
        """Add a charge of this call; if it is still open when the call ends, `close` ends it."""
        self._charges.append(charge)

    def take_unused(self, paid: Paid) -> Charge | None:
        """Remove and return an unused hold for another attempt with the content ``paid``, or None if there is none."""
        for charge in tuple(self._unused):
            if charge.paid is paid:
                try:
                    self._unused.remove(charge)
                except ValueError:
                    continue  # Another thread has removed it.
                return charge
        return None

    def pop_unused(self) -> Charge | None:
        """Remove and return any unused hold for the caller to release, or None if there is none."""
        try:
            return self._unused.pop() if self._unused else None
        except IndexError:
            return None  # Another thread has removed it.

    def reuse(self, charge: Charge) -> None:
        """Keep the hold of an attempt that cost nothing, so that the next attempt with the same content can use it."""
        charge.outlives_call = False
        self._unused.append(charge)
        if self.over and (unused := self.pop_unused()) is not None:
            unused.release_soon()

    # ---- notifications by the library's hooks, for a library that sends one attempt after the other

    def refused(self) -> None:
        """Note that the last attempt got an error response, so that it cost nothing."""
        if self.last is not None:
            self.last.outcome = Outcome.FREE

    def failed(self) -> None:
        """Note whether the last attempt may have cost something, judged by the exception that it raised.

        The library is handling this exception now, before it sends the request again.
        """
        error = sys.exc_info()[1]
        if self.last is not None and error is not None and error is not self._handled:
            self.last.outcome = outcome_of(error)

    # ---- the end of the call

    def raised(self, error: Exception) -> None:
        """End the charges of a call that raises ``error`` to its caller."""
        now(self.raising(error, awaited=False))

    async def raised_async(self, error: Exception) -> None:
        """Do what `raised` does, without blocking the event loop."""
        await when_awaited(self.raising(error, awaited=True))

    def raising(self, error: Exception, *, awaited: bool) -> Steps[None]:
        """Return a generator that does what `raised` does, for `steps.now` or, if ``awaited``, `steps.when_awaited`."""
        last, self.last = self.last, None
        if last is not None:
            last.outcome = outcome_of(error)
            yield from last.ending(awaited=awaited)
        yield from self.release_unused(awaited=awaited)

    def release_unused(self, *, awaited: bool) -> Steps[None]:
        """Return a generator that releases all unused holds, for `steps.now` or, if ``awaited``, `when_awaited`."""
        while (charge := self.pop_unused()) is not None:
            yield from charge.releasing(awaited=awaited)

    def close(self) -> None:
        """Release the unused holds of a call that has ended, and settle its open charges as estimates. Never waits."""
        self.over = True
        # The attempt refers to its call: without this, the cycle would leave both to the garbage collector.
        self.last = None
        begun, self.begun = self.begun, None
        if begun is not None:
            _drop(begun, self)
        while (charge := self.pop_unused()) is not None:
            charge.release_soon()
        for charge in self._charges:
            if not charge.outlives_call:
                charge.abandon()


class Attempt:
    """One attempt to send a call's request, with the charge for it.

    The attempt ends when its response arrives, or with an exception. The charge of a stream ends later, when the caller
    has read the stream.
    """

    def __init__(self, call: Call, paid: Paid, *, streamed: bool, sending: Sending | None) -> None:
        self.call = call
        self.paid = paid
        self.outcome = Outcome.UNKNOWN
        self._streamed = streamed
        self._sending = sending
        self._begun: Begun | None = None
        self._charge: Charge | None = None
        self.sends: SendCounter | None = None
        """The counter of how often the HTTP client sends the request; None if it cannot send a request twice."""
        self._more: list[Charge] = []
        """A charge for each further time that the HTTP client has sent the request, noticed by `sends`."""

    def hold(self) -> None:
        """Hold the attempt's worst case.

        Raises GovernanceDeniedError when it is denied, ConfigurationError when the worst case is not known.
        """
        now(self.holding(awaited=False))

    async def hold_async(self) -> None:
        """Do what `hold` does, without blocking the event loop."""
        await when_awaited(self.holding(awaited=True))

    def holding(self, *, awaited: bool) -> Steps[None]:
        """Return a generator that does what `hold` does, for `steps.now` or, if ``awaited``, `steps.when_awaited`."""
        call = self.call
        last = self._replace_last()
        if last is not None:
            yield from last.ending(awaited=awaited)
        charge = call.take_unused(self.paid)
        if charge is None:
            yield from call.release_unused(awaited=awaited)
            begun = call.begun
            if not awaited and (begun is None or self.paid is not call.paid):
                begun = self._begun = call.guard.begin_ahead(self.paid)
            charge = yield from call.guard.beginning(self.paid, begun, awaited=awaited)
            # The requested hold is forgotten last, so that an interrupt before this line still releases it.
            self._charge = charge
            call.add(charge)
            self._begun = call.begun = None
        self._use(charge)

    def hold_again(self) -> None:
        """Hold the worst case once more, because the client sends another copy of the request. Raises as `hold`."""
        self._add_copy(self.call.guard.begin(self.paid))

    async def hold_again_async(self) -> None:
        """Do what `hold_again` does, without blocking the event loop."""
        self._add_copy(await self.call.guard.begin_async(self.paid))

    def end(self) -> None:
        """End an attempt that got no response.

        If it may have cost something, the held amount is charged as an estimate; otherwise the next attempt may use it.
        """
        now(self.ending(awaited=False))

    def ending(self, *, awaited: bool) -> Steps[None]:
        """Return a generator that does what `end` does, for `steps.now` or, if ``awaited``, `steps.when_awaited`."""
        self._end_copies()
        charge, self._charge = self._charge, None
        if charge is not None:
            if self.outcome == Outcome.FREE:
                self.call.reuse(charge)
            else:
                yield from charge.settling(None, awaited=awaited)

    def drop(self) -> None:
        """End an interrupted attempt, without waiting.

        If the hold was requested and not granted yet, the request was not sent, and the hold is released. Otherwise the
        held amount is charged as an estimate.
        """
        self._end_copies()
        begun, self._begun = self._begun, None
        if begun is not None:
            _drop(begun, self.call)
        elif self._charge is not None:
            self._charge.abandon()

    def responding(self, response: Any, *, awaited: bool) -> Steps[None]:
        """Return a generator that settles the charge by an httpx response, at once or while its caller reads it.

        It is for `steps.now` or, if ``awaited``, `steps.when_awaited`.
        """
        self._end_copies()
        charge = self._charge
        if charge is None:
            return
        if is_error(response):
            self.outcome = Outcome.FREE
            yield from self.ending(awaited=awaited)
            return
        content = None if self._streamed else content_of(response)
        if content is None:
            (watch_async if awaited else watch)(response, charge, streamed=self._streamed)
            charge.outlives_call = True
        elif not self._keep_for_results(charge, content):
            yield from charge.settling(body_of_json(content), awaited=awaited)
        self._charge = None

    def _add_copy(self, charge: Charge) -> None:
        charge.outlives_call = True
        self._more.append(charge)
        if self._charge is None:
            # Another copy of the request has its response already.
            self._end_copies()

    def _end_copies(self) -> None:
        """End the charges of the request's further copies.

        One charge for each copy that may have cost something is settled as an estimate, and the others are released.
        The attempt's own charge is for the copy whose response the caller gets.
        """
        chargeable = 0 if self.sends is None else self.sends.chargeable - 1
        while self._more:
            charge = self._more.pop()
            if chargeable > 0:
                charge.abandon()
            else:
                charge.release_soon()
            chargeable -= 1

    def _keep_for_results(self, charge: Charge, content: bytes) -> bool:
        """Return whether the response body ``content`` states the id of a new batch.

        If so, the charge is kept open until the batch's results are read.
        """
        if not isinstance(self.paid, BatchCall):
            return False
        id = body_of_json(content).get("id")
        if not isinstance(id, str):
            return False
        guard = self.call.guard
        guard.followups.submitted(guard.reference(id), charge)
        return True

    def _replace_last(self) -> Attempt | None:
        """Make this the call's last attempt; return the attempt before it, if one ended without a response."""
        call, sending = self.call, self._sending
        if sending is not None:
            sending.attempt = self
            return None
        last, call.last = call.last, self
        return last

    def _use(self, charge: Charge) -> None:
        self._charge = charge
        # An attempt that middleware sends in parallel may outlive the call; its `Sending` ends it.
        charge.outlives_call = self._sending is not None


class Sending:
    """Watches one call of the library's function that sends an attempt, and ends the attempt's charge afterwards.

    `attempt` is None until the attempt is held; it stays None for a free request.
    """

    def __init__(self, *, streamed: bool) -> None:
        self.streamed = streamed
        self.attempt: Attempt | None = None

    def responding(self, response: Any, *, awaited: bool) -> Steps[None]:
        """Return a generator that settles the attempt's charge by its response; see `Attempt.responding`."""
        if self.attempt is not None:
            yield from self.attempt.responding(response, awaited=awaited)

    def failing(self, error: Exception, *, awaited: bool) -> Steps[None]:
        """Return a generator that ends the charge of an attempt that raised ``error`` in place of returning a response.

        It is for `steps.now` or, if ``awaited``, `steps.when_awaited`.
        """
        if self.attempt is not None:
            self.attempt.outcome = outcome_of(error)
            yield from self.attempt.ending(awaited=awaited)

    def close(self) -> None:
        """End the attempt's charge if it is still open, because the attempt was interrupted. Never waits."""
        if self.attempt is not None:
            self.attempt.drop()


CURRENT: Final[ContextVar[Call | None]] = ContextVar("aumos_governance_call", default=None)
"""The paid call that this thread or task is making."""
PLANNED: Final[ContextVar[tuple[Call, Paid] | None]] = ContextVar("aumos_governance_planned", default=None)
"""The call and the content of the attempt that this thread or task is about to send; None for a free request."""
SENDING: Final[ContextVar[Sending | None]] = ContextVar("aumos_governance_sending", default=None)
"""The watcher of the attempt that this thread or task is sending.

It is always None for a library whose clients have no method ``_attempt_request`` to send one attempt.
"""


def _drop(begun: Begun, call: Call) -> None:
    """Cancel a hold that was requested for a call, or release it if it was granted already. Never waits."""
    grant = begun.drop()
    if grant is not None:
        Charge(call.guard, call.paid, grant).release_soon()


def is_error(response: Any) -> bool:
    """Whether the HTTP status of a response is not 2xx, so that the provider charges nothing for the request."""
    status = getattr(response, "status_code", 200)
    return isinstance(status, int) and not 200 <= status < 300
