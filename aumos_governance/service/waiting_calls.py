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

__all__ = ["ASK", "Decided", "WaitingCall", "at_limit_of", "turn_seconds"]

ASK: Final = "ask"
"""The value of ``at_limit`` that lets a call wait for a user."""
_MOST_SECONDS: Final = 3600.0

Decided = Callable[[Future[Decision]], None]


@dataclass(eq=False, slots=True, kw_only=True)
class WaitingCall(Waiter):
    """A call that waits or is being requested, from the first copy of its request to the decision."""

    key: tuple[str, str]
    """The scope of its caller, and the id of its request."""

    caller: Caller
    wire_request: WireRequest
    """The latest copy of the request; ``caller`` and ``reply`` belong to it."""
    request: Charging
    reply: Reply
    decided: Decided
    since: float
    """The time when it arrived, in seconds since the epoch."""
    until: float
    """The end of its wait for a user, in seconds since the epoch."""
    waits_for_user: bool
    """Whether it may wait for a user."""
    turn_until: float = -math.inf
    """The end of its wait for its turn, in seconds since the epoch."""
    queued: bool = False
    """Whether it waits for its turn, also while it is being tried again."""
    place: Queue = ()
    """The queue at its session's own budget."""
    queues: frozenset[Queue] = frozenset()
    """All its queues; empty until they are read, which is only done when they are needed."""
    refused: Decision | None = None
    """The latest refusal; None until the first one."""
    trying: bool = True
    """Whether the ledger is executing its request now."""
    changed: bool = False
    """Whether something changed while it was being requested, so that it must be tried again at once."""
    last: bool = False
    """Whether its next request is the last one, whose decision is final."""
    recorded: bool = False
    """Whether the audit record states that it waits for a user."""

    @property
    def takes_turns(self) -> bool:
        """Whether it may still wait for its turn."""
        return self.turn_until > -math.inf

    @property
    def at_limit(self) -> bool:
        """Whether it waits for a user."""
        return self.refused is not None and self.refused.code != BUDGET_HELD and not self.last

    @property
    def queue(self) -> Queue | None:
        """The queue in which it waits; None if it was not tried yet."""
        return None if self.refused is None else limit_queue(self.limit, self.caller.notebook)

    @property
    def least(self) -> int:
        """The smallest amount with which the call can be made, in nano-USD."""
        least = self.request.least if isinstance(self.request, Hold) else None
        return self.request.amount if least is None else min(least, self.request.amount)

    @property
    def session_id(self) -> str | None:
        """The session of the latest refusal; None before the first one."""
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
        """The amount by which the limit would have to be raised for this call alone, in nano-USD."""
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
