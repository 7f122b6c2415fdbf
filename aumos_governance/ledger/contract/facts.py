"""The records that requests and responses share: notebooks, origins, session states, limits, decisions, and ids."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ...frozen import quick
from ...types import GovernanceOutcome, TrustLevel

# ---- the notebook and the origin of a request


@quick
@dataclass(frozen=True, slots=True)
class NotebookKey:
    """One of the names of a notebook: its owner, a server's root folder, and its path below that folder.

    Two names are the same notebook if root and path together are the same file: see `files.file_of`.
    """

    owner: str
    root: str
    path: str


@quick
@dataclass(frozen=True, slots=True)
class Origin:
    """The caller of a request, which is determined from the channel and never from the content of the request."""

    actor: str
    """A user's name from the server's identity provider, or ``"kernel"``, ``"server"`` or ``"engine"``."""
    person: bool = False
    """Whether ``actor`` is a user who decides in the panel or at a prompt, and not code."""
    scope: str = ""
    """The namespace of idempotency keys: one kernel, one user, one engine."""
    incarnation: str = ""
    """The nonce of the caller's kernel process. The caller's holds belong to this process."""
    cell_id: str | None = None
    execution_count: int | None = None
    within: tuple[str, str] | None = None
    """The owner and root whose charges, approvals and reports the caller may name by their ids; None for all."""


# ---- states and decisions


@quick
@dataclass(frozen=True, slots=True)
class Balance:
    """An envelope's figures in its current period, in nano-USD."""

    limit: int
    spent: int
    held: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.spent - self.held)

    @property
    def over(self) -> int:
        return max(0, self.spent + self.held - self.limit)


@dataclass(frozen=True, slots=True)
class ClosedSessions:
    """The closed sessions of a notebook: their number, and the sum that they spent."""

    sessions: int
    spent: int
    budget: int
    """The budget of the session that was closed last."""
    closed_at: int


@quick
@dataclass(frozen=True, slots=True)
class SessionState:
    """The current state of a notebook: of its open session, or else of the session that was closed last, if any."""

    notebook: NotebookKey
    seq: int
    """The number of changes of this notebook's state, over all its sessions. The number never falls."""
    active: bool = False
    session_id: str | None = None
    trust_level: TrustLevel | None = None
    balance: Balance | None = None
    agent_id: str | None = None
    trust_set_by: str | None = None
    budget_set_by: str | None = None
    """``"kernel"``, ``"server"``, or the name of the user who set the value."""
    trust_by_person: bool = False
    budget_by_person: bool = False
    opened_at: int | None = None
    opened_by: str | None = None
    closed_at: int | None = None
    previous: ClosedSessions | None = None
    """The sessions that were closed before the open one, or all closed sessions if none is open; None if there are
    none."""


TRUST_LIMITS: Final = frozenset({"level", "agent"})
"""The kinds of limits that are trust levels; all others are limits on money."""


@quick
@dataclass(frozen=True, slots=True)
class Limit:
    """A limit that forbids an action."""

    kind: str
    """``session`` and ``category`` for a budget, the envelope's kind for another ceiling, ``level`` for the session's
    trust level, ``agent`` for an agent's own level."""
    name: str = ""
    """The name of the category, the ceiling or the agent; empty for the session's budget and level."""
    asked: int = 0
    """The trust level that is required; for money, the sum of the spent, held and requested amounts, in nano-USD."""
    allowed: int = 0
    """The limit itself, in the same unit."""


UNDECIDED: Final = ""
"""The ``record_id`` of a decision that is not made yet because the request waits at a limit: there is no record."""


@quick
@dataclass(frozen=True, slots=True)
class Decision:
    """A decision about a request. Each decision has one audit record."""

    outcome: GovernanceOutcome
    reasons: tuple[str, ...]
    record_id: str
    amount: int
    tool: str
    code: str | None = None
    """The reason for a denial or a caveat as a stable word, such as ``BUDGET_EXCEEDED``; None if there is none."""
    charge_id: str | None = None
    overrun: bool = False
    state: SessionState | None = None
    level: TrustLevel | None = None
    """The trust level that a hold was decided at: the lower of the session's level and the agent's level."""
    limit: Limit | None = None
    """The limit that forbids the request, or that the request exceeds with a caveat; None if there is none."""

    @property
    def allowed(self) -> bool:
        return self.outcome is not GovernanceOutcome.DENY

    @property
    def undecided(self) -> bool:
        """Whether the request waits at a limit: nothing was decided or recorded."""
        return self.record_id == UNDECIDED


@dataclass(frozen=True, slots=True)
class Opened:
    """The response to an opening or a change of a session."""

    state: SessionState
    opened: bool
    """Whether a new session was opened."""
    changed: bool
    """Whether a value of an open session was changed."""
    notes: tuple[str, ...] = ()
    """Sentences for the user, for example which value applies and who set it."""


class Found(str, Enum):
    """What the ledger found for a request that a client cancels."""

    CHARGE = "charge"
    """A spend, or a hold of a live caller. The ledger reverses it now, or has reversed it before."""
    RESOLVED = "resolved"
    """A charge that was settled, released or corrected, or a hold whose outcome is unknown; it is not reversed."""
    NO_CHARGE = "no_charge"
    """A denial, or a request that charges nothing; there is nothing to reverse."""
    NOTHING = "nothing"
    """Nothing: the request has not arrived, and is refused if it arrives."""
    UNKNOWN = "unknown"
    """Nothing, but the request may be so old that its key was deleted. It is refused if it arrives."""


@dataclass(frozen=True, slots=True)
class Voided:
    """The result of a cancel."""

    voided: bool
    """Whether the request is cancelled, by this cancel or an earlier one. False if its effect cannot be reversed, or if
    ``found`` is `Found.UNKNOWN`."""
    state: SessionState | None = None
    found: Found | None = None
    """None in stored responses of earlier versions of this package."""


# ---- identifiers

_BATCH: Final = 256
_random: Final[list[str]] = []
"""The random parts of future ids, made in batches, since a system call for each costs more than all the rest."""

if hasattr(os, "register_at_fork"):
    # Otherwise a forked child would make the same ids as its parent.
    os.register_at_fork(after_in_child=_random.clear)


def new_id(now: int) -> str:
    """Return a new UUID (version 7) as 32 hex digits. ``now`` is in microseconds since the epoch.

    The id begins with the time, to a quarter of a microsecond, so that ids sort by time, and new rows are added at the
    end of an index.
    """
    # "%" takes two thirds of the time of an f-string here.
    time = "%012x7%03x8" % (now // 1000, now % 1000 * 4096 // 1000)  # noqa: UP031
    try:
        # list.pop is atomic, so no two threads get the same random part.
        return time + _random.pop()
    except IndexError:
        digits = os.urandom(8 * _BATCH).hex()
        _random.extend([digits[start + 1 : start + 16] for start in range(16, len(digits), 16)])
        return time + digits[1:16]


def made_at(identifier: str) -> int:
    """Return when an id was made, in microseconds since the epoch, rounded down to a millisecond."""
    return int(identifier[:12], 16) * 1000
