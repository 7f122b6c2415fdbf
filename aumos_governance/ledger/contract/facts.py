"""The values that the ledger's requests and responses share: notebook keys, callers, session states and decisions.

The module also makes the ids of the ledger's rows and records (`new_id`).
"""

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
    """The name of a notebook in a request: its owner, the root folder of a server, and its path below that folder.

    A notebook may have several names, since servers with different root folders may reach the same file. Two names mean
    the same notebook if the owner is the same and root and path together are the same file: see `files.file_of`.
    """

    owner: str
    root: str
    path: str


@quick
@dataclass(frozen=True, slots=True)
class Origin:
    """The caller of a request, and the notebook cell that the request was made in, if it is known.

    The receiver of the request derives the caller from the channel, such as a kernel's connection or a user's login,
    and never from the content of the request.
    """

    actor: str
    """The caller's name in audit records: a user's name from the server's identity provider, or for code, for example,
    ``"kernel"``, ``"server"`` or ``"engine"``."""
    person: bool = False
    """Whether the caller is a user who decides in the panel or at a prompt. False for code."""
    scope: str = ""
    """An id of the caller, such as ``"kernel:<id>"`` or ``"user:<name>"``, which its idempotency keys and holds belong
    to. The same idempotency key in two scopes means two requests."""
    incarnation: str = ""
    """An id of the caller's process. When the server reports the end of this process, the caller's open holds become
    unresolved: a user must settle or release them."""
    cell_id: str | None = None
    execution_count: int | None = None
    within: tuple[str, str] | None = None
    """An owner and a root folder. The caller may name by their ids only the charges, approvals and reports that belong
    to notebooks of this owner below this folder. None for no restriction."""


# ---- states and decisions


@quick
@dataclass(frozen=True, slots=True)
class Balance:
    """A limit on money, with the amounts that are spent and held under it in its current period, all in nano-USD.

    The limit is a session's budget, a category's budget or a ceiling.
    """

    limit: int
    spent: int
    held: int

    @property
    def remaining(self) -> int:
        """The amount, in nano-USD, that may still be charged under the limit."""
        return max(0, self.limit - self.spent - self.held)

    @property
    def over(self) -> int:
        """The amount, in nano-USD, by which the spent and held amounts together exceed the limit."""
        return max(0, self.spent + self.held - self.limit)


@dataclass(frozen=True, slots=True)
class ClosedSessions:
    """A summary of a notebook's closed sessions: how many there are, and how much they spent together, in nano-USD."""

    sessions: int
    spent: int
    budget: int
    """The budget of the session that was closed last, in nano-USD."""
    closed_at: int


@quick
@dataclass(frozen=True, slots=True)
class SessionState:
    """The governance state of a notebook: whether a session is open, and its trust level, budget and spending.

    If no session is open, the values are those of the session that was closed last. If the notebook never had a
    session, or was deleted, only ``notebook`` and ``seq`` are set.
    """

    notebook: NotebookKey
    seq: int
    """A number that rises with each change of this notebook's state, over all its sessions. Of two states, the state
    with the higher number is the newer."""
    active: bool = False
    session_id: str | None = None
    trust_level: TrustLevel | None = None
    balance: Balance | None = None
    agent_id: str | None = None
    trust_set_by: str | None = None
    budget_set_by: str | None = None
    """The actor that set the budget: ``"kernel"``, ``"server"``, or a user's name."""
    trust_by_person: bool = False
    budget_by_person: bool = False
    opened_at: int | None = None
    opened_by: str | None = None
    closed_at: int | None = None
    previous: ClosedSessions | None = None
    """A summary of all closed sessions of the notebook, or None if no session was closed yet."""


TRUST_LIMITS: Final = frozenset({"level", "agent"})
"""The values of `Limit.kind` that mean a trust level; all other kinds are limits on money."""


@quick
@dataclass(frozen=True, slots=True)
class Limit:
    """The limit that made the ledger refuse a request: a limit on money, or a trust level."""

    kind: str
    """``session`` for the session's budget, ``category`` for a category's budget, the value of an `EnvelopeKind` for a
    ceiling, ``level`` for the session's trust level, or ``agent`` for an agent's own level."""
    name: str = ""
    """The name of the category, the ceiling or the agent; empty for the session's budget and level."""
    asked: int = 0
    """The value that is too high: the trust level that the action requires, or for money the sum of the spent, held and
    requested amounts, in nano-USD."""
    allowed: int = 0
    """The highest value that the limit allows: a trust level, or an amount in nano-USD."""


UNDECIDED: Final = ""
"""The ``record_id`` of a `Decision` that is still open: the request would exceed a limit, and its caller wants to wait
instead of being denied. The ledger has then written no audit record."""


@quick
@dataclass(frozen=True, slots=True)
class Decision:
    """The ledger's decision to allow or deny a charge or an action. Each final decision has one audit record.

    A decision that is `undecided` is not final: the caller waits and makes the same request again.
    """

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
    """The trust level that applied to a charge: the lower of the session's level and the agent's level. None if no
    session is open, and for an evaluation."""
    limit: Limit | None = None
    """The limit that is the cause of a denial or a caveat; None if no limit is the cause."""

    @property
    def allowed(self) -> bool:
        """Whether the charge or action is allowed, with or without a caveat."""
        return self.outcome is not GovernanceOutcome.DENY

    @property
    def undecided(self) -> bool:
        """Whether the decision is still open, since the caller waits at a limit: nothing was charged or recorded."""
        return self.record_id == UNDECIDED


@dataclass(frozen=True, slots=True)
class Opened:
    """The response to `OpenSession` and `ChangeSession`: the notebook's state, and what the request changed."""

    state: SessionState
    opened: bool
    """Whether a new session was opened."""
    changed: bool
    """Whether a value of a session that was open before was changed."""
    notes: tuple[str, ...] = ()
    """Sentences for the user, for example which value applies and who set it."""


class Found(str, Enum):
    """The result of the search for the request that a client cancels with `Void`."""

    CHARGE = "charge"
    """The request made a spend or a hold. The ledger has reversed it, now or at an earlier cancel."""
    RESOLVED = "resolved"
    """The request made a charge that can no longer be reversed: it was settled, released, corrected or has expired, or
    it is a hold whose outcome is unknown."""
    NO_CHARGE = "no_charge"
    """The request was executed but charged nothing, for example because it was denied. There is nothing to reverse."""
    NOTHING = "nothing"
    """The request has not arrived yet. The ledger will refuse it if it arrives."""
    UNKNOWN = "unknown"
    """The request was not found. Either it has not arrived, and will be refused, or it was executed so long ago that
    its key was deleted; then it is not reversed."""


@dataclass(frozen=True, slots=True)
class Voided:
    """The response to `Void`: whether the other request is cancelled, and what the ledger knew of it."""

    voided: bool
    """Whether the other request is cancelled, by this cancel or an earlier one. False if the request had no charge that
    can be reversed, or if ``found`` is `Found.UNKNOWN`."""
    state: SessionState | None = None
    found: Found | None = None
    """The result of the search for the other request. None only in a stored response of an earlier version of this
    package, which did not have the field."""


# ---- identifiers

_BATCH: Final = 256
_random: Final[list[str]] = []
"""The random parts of future ids. They are made in batches, since one system call for each id would take longer than
all other work on the id."""

if hasattr(os, "register_at_fork"):
    # Otherwise a forked child would make the same ids as its parent.
    os.register_at_fork(after_in_child=_random.clear)


def new_id(now: int) -> str:
    """Return a new UUID (version 7) as 32 hex digits. ``now`` is in microseconds since the epoch.

    The id begins with the time, to a quarter of a microsecond. So ids sort by the time of their making, and a database
    adds new rows at the end of an index.
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
    """Return the time when `new_id` made this id, in microseconds since the epoch, rounded down to a millisecond."""
    return int(identifier[:12], 16) * 1000
