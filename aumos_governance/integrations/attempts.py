"""One call of a client, with the attempts that the client's library makes for it.

Each attempt may cost. One that is answered with an error costs nothing, and the next one takes its hold over. One that
gets no answer is settled as an estimate, and the next one holds anew: it may be denied.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from typing import Any, Final

from ..authorization import Begun
from .calls import Paid, body_of_json
from .charge import Charge
from .guard import Guard, Outcome, outcome_of
from .streams import watch, watch_async

__all__ = ["CURRENT", "Call"]


class Call:
    """A call that is under way."""

    def __init__(self, guard: Guard, paid: Paid) -> None:
        self.paid = paid
        self._guard = guard
        self._begun: Begun | None = None
        self._charge: Charge | None = None
        self._attempts = 0
        self._outcome = Outcome.UNKNOWN
        # Of whoever calls from within an except block, and not of this call.
        self._handled = sys.exc_info()[1]

    def begin(self) -> None:
        """Ask to hold the worst case; the first attempt waits for it, while the library makes the request.

        Raises ConfigurationError.
        """
        self._begun = self._guard.ask(self.paid)

    async def begin_async(self) -> None:
        """Hold the worst case. Raises GovernanceDeniedError, ConfigurationError."""
        self._charge = await self._guard.begin_async(self.paid)

    # ---- what the library tells on the way

    def attempt(self) -> None:
        """An attempt is about to be sent. Raises GovernanceDeniedError when nothing is held for it."""
        if self._begun is not None:
            # Until the charge is here, an interrupt gives back what was asked for, granted or not.
            self._charge = self._guard.begin(self.paid, self._begun)
            self._begun = None
        if self._is_unanswered() and self._charge is not None:
            self._charge.estimate()
            self._charge = self._guard.begin(self.paid)
        self._outcome = Outcome.UNKNOWN

    async def attempt_async(self) -> None:
        """As `attempt`."""
        if self._is_unanswered() and self._charge is not None:
            await self._charge.estimate_async()
            self._charge = await self._guard.begin_async(self.paid)
        self._outcome = Outcome.UNKNOWN

    def refused(self) -> None:
        """The attempt was answered with an error."""
        self._outcome = Outcome.FREE

    def failed(self) -> None:
        """The library handles the error that the attempt ended with, and will try again."""
        error = sys.exc_info()[1]
        if error is not None and error is not self._handled and outcome_of(error) == Outcome.FREE:
            self._outcome = Outcome.FREE

    def answered(self, response: Any, *, streamed: bool) -> None:
        """The attempt was answered: what has been read is settled, what has not is watched."""
        charge = self._charge
        if charge is None:
            return
        content = None if streamed else _content(response)
        if content is None:
            watch(response, charge, streamed=streamed)
            self._charge = None
        else:
            charge.settle(body_of_json(content))

    async def answered_async(self, response: Any, *, streamed: bool) -> None:
        """As `answered`."""
        charge = self._charge
        if charge is None:
            return
        content = None if streamed else _content(response)
        if content is None:
            watch_async(response, charge, streamed=streamed)
            self._charge = None
        else:
            await charge.settle_async(body_of_json(content))

    # ---- the end of it

    def raised(self, error: Exception) -> None:
        """The call ended with an error, after its last attempt."""
        if self._charge is not None:
            self._charge.release() if self._was_free(error) else self._charge.estimate()

    async def raised_async(self, error: Exception) -> None:
        """As `raised`."""
        if self._charge is not None:
            await (self._charge.release_async() if self._was_free(error) else self._charge.estimate_async())

    def left(self) -> None:
        """The call is over, perhaps by an interrupt: what nobody ended is settled as an estimate."""
        if self._charge is not None:
            self._charge.abandon()
        elif self._begun is not None:
            grant = self._begun.drop()
            if grant is not None:
                Charge(self._guard, self.paid, grant).give_back()

    def _is_unanswered(self) -> bool:
        self._attempts += 1
        return self._attempts > 1 and self._outcome == Outcome.UNKNOWN

    def _was_free(self, error: Exception) -> bool:
        return self._attempts == 0 or outcome_of(error) == Outcome.FREE


CURRENT: Final[ContextVar[Call | None]] = ContextVar("aumos_governance_call", default=None)
"""The paid call that this thread or task is making."""


def _content(response: Any) -> bytes | None:
    try:
        content: bytes = response.content
    except RuntimeError:
        # httpx says so of a response that is not read yet.
        return None
    return content
