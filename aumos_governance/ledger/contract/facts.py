"""Who requests what, and what is decided: the ledger's frozen records, and their identifiers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import Enum
from typing import Final

from ...frozen import quick
from ...types import GovernanceOutcome, TrustLevel

__all__ = [
    "TRUST_LIMITS",
    "UNDECIDED",
    "Balance",
    "ClosedSessions",
    "Decision",
    "Found",
    "Limit",
    "NotebookKey",
    "Opened",
    "Origin",
    "SessionState",
    "Voided",
    "made_at",
    "new_id",
]


# ---- who and what


@quick
@dataclass(frozen=True, slots=True)
class NotebookKey:
    """A notebook by one of its names: who owns it, which server root it is seen from, and its path there.

    Root and path together are the file, and that is the identity: `files.file_of`.
    """

    owner: str
    root: str
    path: str


@quick
@dataclass(frozen=True, slots=True)
class Origin:
    """Who makes the request, as the channel proves it and never as the request claims it."""

    actor: str
    """A user's name from the server's identity, or ``"kernel"``, or ``"server"``."""
    person: bool = False
    """True when ``actor`` is a user who decided on a control of ours."""
    scope: str = ""
    """The namespace of idempotency keys: one kernel, one user, one engine."""
    incarnation: str = ""
    """The nonce of the kernel process, to which its holds belong."""
    cell_id: str | None = None
    execution_count: int | None = None
    within: tuple[str, str] | None = None
    """The owner and root whose charges, approvals and reports the caller may name by their ids; None: all."""


# ---- what is recorded


@quick
@dataclass(frozen=True, slots=True)
class Balance:
    """One envelope's figures in its current period."""

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
    """What a notebook's closed sessions add up to."""

    sessions: int
    spent: int
    budget: int
    """The ceiling of the session that was closed last."""
    closed_at: int


@quick
@dataclass(frozen=True, slots=True)
class SessionState:
    """A notebook's governance as it stands: its open session, else the one closed last, else nothing."""

    notebook: NotebookKey
    seq: int
    """Counts the changes of this notebook's state, over all its sessions; it never falls."""
    active: bool = False
    session_id: str | None = None
    trust_level: TrustLevel | None = None
    balance: Balance | None = None
    agent_id: str | None = None
    trust_set_by: str | None = None
    budget_set_by: str | None = None
    """``"kernel"``, ``"server"`` or the name of the user who set the value."""
    trust_by_person: bool = False
    budget_by_person: bool = False
    opened_at: int | None = None
    opened_by: str | None = None
    closed_at: int | None = None
    previous: ClosedSessions | None = None
    """The sessions closed before this one (all closed ones, when none is open); None when there was none."""


TRUST_LIMITS: Final = frozenset({"level", "agent"})
"""The kinds of limit that are trust levels; all others are on money."""


@quick
@dataclass(frozen=True, slots=True)
class Limit:
    """The limit that keeps an action from being allowed."""

    kind: str
    """``session`` and ``category`` for a budget, an envelope's own kind for a ceiling around the session; ``level`` for
    the session's trust level, ``agent`` for an agent's own."""
    name: str = ""
    """The category's, the ceiling's or the agent's; empty for the session's own."""
    asked: int = 0
    """What it would come to: nano-USD spent and held with the amount requested, or the trust level required."""
    allowed: int = 0
    """What the limit is, in the same unit."""


UNDECIDED: Final = ""
"""The record of what is not decided yet, since it waits at a limit: there is none."""


@quick
@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, which is also one audit record."""

    outcome: GovernanceOutcome
    reasons: tuple[str, ...]
    record_id: str
    amount: int
    tool: str
    code: str | None = None
    """Why it was denied, for programs: ``BUDGET_EXCEEDED``, ``TRUST_LEVEL_INSUFFICIENT``, ``NO_SESSION``."""
    charge_id: str | None = None
    overrun: bool = False
    state: SessionState | None = None
    level: TrustLevel | None = None
    """The level at which a hold was decided: the lower of the session's and the agent's own."""
    limit: Limit | None = None
    """Which limit forbids it, or binds it with a caveat; None where none does."""

    @property
    def allowed(self) -> bool:
        return self.outcome is not GovernanceOutcome.DENY

    @property
    def undecided(self) -> bool:
        """Whether it waits at a limit: nothing was decided, and nothing is on record."""
        return self.record_id == UNDECIDED


@dataclass(frozen=True, slots=True)
class Opened:
    """The response to an opening or a change of a session."""

    state: SessionState
    opened: bool
    """A new session was opened."""
    changed: bool
    """A value of an open session was changed."""
    notes: tuple[str, ...] = ()
    """Sentences for the user, for example which value is in force and who set it."""


class Found(str, Enum):
    """What the ledger had of a request that was cancelled."""

    CHARGE = "charge"
    """A spend or an open hold, which is taken back now or was before."""
    RESOLVED = "resolved"
    """A charge that was settled, released or corrected, and stands."""
    NO_CHARGE = "no_charge"
    """A denial, or what charges nothing; it stands."""
    NOTHING = "nothing"
    """Nothing: it did not come before, and is refused if it still comes."""
    UNKNOWN = "unknown"
    """Nothing, and it may be so old that the ledger forgot its key; it is refused if it still comes."""


@dataclass(frozen=True, slots=True)
class Voided:
    """Whether a request stands cancelled, by this cancel or an earlier one; False when nothing may be taken back.

    Also False where the ledger cannot know, as ``found`` says.
    """

    voided: bool
    state: SessionState | None = None
    found: Found | None = None
    """None in responses of earlier versions of this package."""


# ---- identifiers

_AT_ONCE: Final = 256
_random: Final[list[str]] = []
"""Random halves that are not used yet: one system call for each would cost more than all the rest."""

if hasattr(os, "register_at_fork"):
    # Otherwise a child would use the same ones as its parent.
    os.register_at_fork(after_in_child=_random.clear)


def new_id(now: int) -> str:
    """A fresh UUID (version 7) as 32 hex digits; ``now`` is in microseconds.

    It starts with the time to a quarter of a microsecond, so that new rows go to the end of an index and not
    all over it, and that ids sort by when they were made.
    """
    # By "%", which takes two thirds of the time of an f-string here.
    time = "%012x7%03x8" % (now // 1000, now % 1000 * 4096 // 1000)  # noqa: UP031
    try:
        # Atomic: no two threads get the same one.
        return time + _random.pop()
    except IndexError:
        digits = os.urandom(8 * _AT_ONCE).hex()
        _random.extend([digits[start + 1 : start + 16] for start in range(16, len(digits), 16)])
        return time + digits[1:16]


def made_at(identifier: str) -> int:
    """When an identifier of the ledger's was made, in microseconds to the millisecond."""
    return int(identifier[:12], 16) * 1000
