"""A charge that waits: for its turn, or at a limit for a user."""

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
from .callers import Caller
from .lines import Line, line_at
from .watch import Waiter

__all__ = ["ASK", "Decided", "Say", "WaitingCall", "at_limit_of", "turn_seconds"]

ASK: Final = "ask"
"""What lets a call wait for a user."""
_MOST_SECONDS: Final = 3600.0

Decided = Callable[[Future[Decision]], None]
Say = Callable[[dict[str, Any]], None]


@dataclass(eq=False, slots=True, kw_only=True)
class WaitingCall(Waiter):
    """A call from its first copy to its decision."""

    key: tuple[str, str]
    """The scope of its client's idempotency keys, and its own."""

    caller: Caller
    wire_request: WireRequest
    """The latest copy of this request; ``say`` belongs to it."""
    request: Charging
    say: Say
    decided: Decided
    since: float
    """When it came, in seconds since the epoch."""
    until: float
    """When its time at a limit is over, in seconds since the epoch."""
    waits_for_user: bool
    """Whether it may wait for a user."""
    turn_until: float = -math.inf
    """When its time in the line is over, in seconds since the epoch."""
    in_line: bool = False
    """Whether it waits for its turn, also while it is being tried again."""
    place: Line = ()
    """The line at its session's own budget."""
    lines: frozenset[Line] = frozenset()
    """All lines that it belongs to, as soon as these are needed."""
    refused: Decision | None = None
    """How it did not fit when it was requested last; None until then."""
    trying: bool = True
    changed: bool = False
    """Whether something changed while it was being requested."""
    last: bool = False
    """Whether it is requested once more, and then takes what comes."""
    recorded: bool = False
    """Whether it is on record that it waits for a user."""

    @property
    def takes_turns(self) -> bool:
        """Whether it may wait for its turn still."""
        return self.turn_until > -math.inf

    @property
    def at_limit(self) -> bool:
        """Whether it waits for a user."""
        return self.refused is not None and self.refused.code != BUDGET_HELD and not self.last

    @property
    def line(self) -> Line | None:
        """The line in which it waits; None where it was not tried yet."""
        return None if self.refused is None else line_at(self.limit, self.caller.notebook)

    @property
    def least(self) -> int:
        """The least amount that is of use to it, in nano-USD."""
        least = self.request.least if isinstance(self.request, Hold) else None
        return self.request.amount if least is None else min(least, self.request.amount)

    @property
    def session_id(self) -> str | None:
        state = None if self.refused is None else self.refused.state
        return None if state is None else state.session_id

    @property
    def limit(self) -> Limit:
        assert self.refused is not None
        assert self.refused.limit is not None
        return self.refused.limit

    @property
    def needs(self) -> int:
        """By how much the limit would have to be higher for this call alone, in nano-USD."""
        return max(0, self.limit.asked - self.limit.allowed)

    def say_waiting(self) -> None:
        """Send its client the message that it waits."""
        waiting: dict[str, Any]
        if self.in_line:
            limit = None if self.refused is None else LIMIT.write(self.limit)
            waiting = {"turn": True, "limit": limit, "until": self.turn_until}
        elif self.at_limit:
            waiting = {"limit": LIMIT.write(self.limit), "needs": money.to_text(self.needs), "until": self.until}
        else:
            return
        self.say({"id": self.wire_request.id, "ok": True, "waiting": waiting})


def at_limit_of(value: object) -> str | None:
    """What a request says of waiting: ``ask`` or ``deny``; None where it leaves that to the server.

    Raises InvalidRequestError for anything else.
    """
    if value is None or (isinstance(value, str) and value in (ASK, "deny")):
        return value
    raise InvalidRequestError(f"at_limit must be ask or deny, not {str(value)[:40]!r}.")


def turn_seconds(value: object) -> float:
    """For how long a request says that it waits for its turn. Raises InvalidRequestError."""
    if is_number(value, _MOST_SECONDS) and value >= 0:
        return float(value)
    raise InvalidRequestError(f"waits_turn must be a number of seconds, at most 3600, not {shown(value)}.")
