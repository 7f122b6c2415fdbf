"""A charge that waits for its turn, or at a limit for a user."""

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
    """A call that waits or is being requested, from the first copy of its request to the decision."""

    key: tuple[str, str]
    """The scope of this call's caller, and the id of its request."""

    caller: Caller
    wire_request: WireRequest
    """The latest copy of the request. ``caller`` and ``reply`` are those of this copy."""
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
    """Whether the call waits for its turn, also while it is being requested again."""
    place: Queue = ()
    """The queue at the budget of the call's session."""
    queues: frozenset[Queue] = frozenset()
    """The queues at all limits of this call; empty until they are needed, since the ledger must be read for them."""
    refused: Decision | None = None
    """The ledger's latest refusal of the call; None until it has refused the call."""
    trying: bool = True
    """Whether the ledger is executing the call's request now."""
    changed: bool = False
    """Whether the ledger's state changed during the call's request; a refused call is then requested again at once."""
    last: bool = False
    """Whether the ledger's decision on the call's next request is final."""
    recorded: bool = False
    """Whether the audit record states that the call waits for a user."""

    @property
    def takes_turns(self) -> bool:
        """Whether the call may still wait for its turn."""
        return self.turn_until > -math.inf

    @property
    def at_limit(self) -> bool:
        """Whether the call waits for a user."""
        return self.refused is not None and self.refused.code != BUDGET_HELD and not self.last

    @property
    def queue(self) -> Queue | None:
        """The queue at the limit that this call last exceeded; None until the ledger has refused the call."""
        return None if self.refused is None else limit_queue(self.limit, self.caller.notebook)

    @property
    def least(self) -> int:
        """The smallest amount that would suffice for this call, in nano-USD."""
        least = self.request.least if isinstance(self.request, Hold) else None
        return self.request.amount if least is None else min(least, self.request.amount)

    @property
    def session_id(self) -> str | None:
        """The id of the session that the ledger last refused the call in; None until it has refused the call."""
        state = None if self.refused is None else self.refused.state
        return None if state is None else state.session_id

    @property
    def limit(self) -> Limit:
        """The limit that the call exceeded at its latest refusal."""
        assert self.refused is not None
        assert self.refused.limit is not None
        return self.refused.limit

    @property
    def needs(self) -> int:
        """The amount that a user must add to the limit for this call alone, in nano-USD."""
        return max(0, self.limit.asked - self.limit.allowed)

    def send_waiting(self) -> None:
        """Send the client the message that its call waits; do nothing if it does not wait."""
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
    """Return the ``at_limit`` of a request: ``ask``, ``deny``, or None for the server's default.

    Raises InvalidRequestError for any other value.
    """
    if value is None or (isinstance(value, str) and value in (ASK, "deny")):
        return value
    raise InvalidRequestError(f"at_limit must be ask or deny, not {str(value)[:40]!r}.")


def turn_seconds(value: object) -> float:
    """Return the seconds that a request waits for its turn, by its ``waits_turn``. Raises InvalidRequestError."""
    if is_number(value, _MOST_SECONDS) and value >= 0:
        return float(value)
    raise InvalidRequestError(f"waits_turn must be a number of seconds, at most 3600, not {shown(value)}.")
