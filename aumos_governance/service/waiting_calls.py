"""A call that waits at a limit on money, either for its turn or for a user.

The module `limit_waits` keeps these calls and explains the two kinds of waiting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final

from .. import money
from ..errors import InvalidRequestError
from ..ledger.contract.charges import Charging, Hold
from ..ledger.contract.facts import Decision, Limit
from ..ledger.rules.verdicts import BUDGET_HELD
from ..wire.bodies import LIMIT
from ..wire.fields import is_number, shown
from ..wire.protocol import WireRequest
from .callers import Caller, Reply
from .queues import Queue, limit_queue
from .watch import Waiter

ASK: Final = "ask"
"""The value of ``at_limit`` that lets a call wait for a user."""
_MOST_SECONDS: Final = 3600.0

Decided = Callable[[Future[Decision]], None]


@dataclass(eq=False, slots=True, kw_only=True)
class WaitingCall(Waiter):
    """A kernel's call to charge or hold an amount, kept from the arrival of its request until the final decision."""

    key: tuple[str, str]
    """The scope of this call's caller, and the id of its request."""

    caller: Caller
    wire_request: WireRequest
    """The call's request as the client last sent it. ``caller`` and ``reply`` are replaced together with it."""
    request: Charging
    reply: Reply
    decided: Decided
    since: float
    """The time when the call arrived, in seconds since the epoch."""
    until: float
    """The time when the call stops waiting for a user, in seconds since the epoch."""
    waits_for_user: bool
    """Whether the call may wait for a user."""
    turn_until: float = -math.inf
    """The time when the call stops waiting for its turn, in seconds since the epoch."""
    queued: bool = False
    """Whether the call waits for its turn. It stays true while the ledger decides on a further request of the call."""
    place: Queue = ()
    """The queue at the budget of the call's session."""
    queues: frozenset[Queue] = frozenset()
    """The queues at all limits of this call. Empty until the call waits for its turn: the ledger must be read for
    them."""
    refused: Decision | None = None
    """The ledger's latest refusal of the call; None until it has refused the call."""
    trying: bool = True
    """Whether the ledger is deciding on the call now."""
    changed: bool = False
    """Whether the session's state changed while the ledger was deciding on the call. If the call is refused, it is then
    requested again at once."""
    last: bool = False
    """Whether the call waits no longer: the ledger's decision on its next request is passed on to the client, also if
    it is a denial. True after a user's denial, or once the time to wait is over."""
    recorded: bool = False
    """Whether an audit record was requested that states that the call waits for a user."""

    @property
    def takes_turns(self) -> bool:
        """Whether the time in which the call may wait for its turn has begun and is not over."""
        return self.turn_until > -math.inf

    @property
    def at_limit(self) -> bool:
        """Whether the call waits at a limit for a user to raise this limit or to deny the call."""
        return self.refused is not None and self.refused.code != BUDGET_HELD and not self.last

    @property
    def queue(self) -> Queue | None:
        """The queue at the limit that this call last exceeded; None until the ledger has refused the call."""
        return None if self.refused is None else limit_queue(self.limit, self.caller.notebook)

    @property
    def least(self) -> int:
        """The smallest amount with which this call can run, in nano-USD: the lower bound of a hold, or the amount."""
        least = self.request.least if isinstance(self.request, Hold) else None
        return self.request.amount if least is None else min(least, self.request.amount)

    @property
    def session_id(self) -> str | None:
        """The id of the session that the ledger last refused the call in; None until it has refused the call."""
        state = None if self.refused is None else self.refused.state
        return None if state is None else state.session_id

    @property
    def limit(self) -> Limit:
        """The limit that the call exceeded at its latest refusal. Must not be read before the first refusal."""
        assert self.refused is not None
        assert self.refused.limit is not None
        return self.refused.limit

    @property
    def needs(self) -> int:
        """How much a user must raise the limit so that it allows this call alone, in nano-USD."""
        return max(0, self.limit.asked - self.limit.allowed)

    def send_waiting(self) -> None:
        """Send the client a message that its call waits, for its turn or for a user; do nothing if it does not wait."""
        waiting: dict[str, Any]
        if self.queued:
            limit = None if self.refused is None else LIMIT.write(self.limit)
            waiting = {"turn": True, "limit": limit, "until": self.turn_until}
        elif self.at_limit:
            waiting = {"limit": LIMIT.write(self.limit), "needs": money.to_text(self.needs), "until": self.until}
        else:
            return
        self.reply({"id": self.wire_request.id, "ok": True, "waiting": waiting})


def at_limit_of(value: object) -> str | None:
    """Validate the field ``at_limit`` of a request, and return it: ``ask``, ``deny``, or None for the server's default.

    Raises InvalidRequestError for any other value.
    """
    if value is None or (isinstance(value, str) and value in (ASK, "deny")):
        return value
    raise InvalidRequestError(f"at_limit must be ask or deny, not {str(value)[:40]!r}.")


def turn_seconds(value: object) -> float:
    """Validate the field ``waits_turn`` of a request, and return it: the most seconds to wait for the call's turn.

    Raises InvalidRequestError unless the value is a number from 0 to 3600.
    """
    if is_number(value, _MOST_SECONDS) and value >= 0:
        return float(value)
    raise InvalidRequestError(f"waits_turn must be a number of seconds, at most 3600, not {shown(value)}.")
