"""The ledger's contract: requests go in, frozen records come out, and nothing is decided outside of it.

Every change is one `Request`, executed in one transaction that decides, charges, writes the audit record and
links it. When `execute` returns, the change is on disk; when it raises, nothing has changed. All backends
pass one contract suite.

Amounts are integer nano-USD; times are integer microseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from ..types import ActionKind, GovernanceOutcome, TrustLevel
from .terms import SessionTerms

__all__ = [
    "AuditEntry",
    "AuditPage",
    "AuditQuery",
    "Balance",
    "ChangeSession",
    "CloseSession",
    "ClosedSessions",
    "Decision",
    "DeleteNotebook",
    "Ledger",
    "ListStates",
    "Listener",
    "MoveNotebook",
    "NotebookKey",
    "OpenSession",
    "Opened",
    "Origin",
    "Query",
    "ReadState",
    "Request",
    "SessionState",
    "Spend",
    "VerifyResult",
    "Void",
    "Voided",
]

AnswerT_co = TypeVar("AnswerT_co", covariant=True)


# ---- who and what


@dataclass(frozen=True, slots=True)
class NotebookKey:
    """A notebook's identity: who owns it, which server root it lies under, and its path there."""

    owner: str
    root: str
    path: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asks, as the channel proves it and never as the request claims it."""

    actor: str
    """A person's user name from the server's identity, or ``"kernel"``, or ``"server"``."""
    person: bool = False
    """True when ``actor`` is a person who decided on a control of ours."""
    scope: str = ""
    """The namespace of idempotency keys: one kernel, one user, one engine."""
    incarnation: str = ""
    """The nonce of the kernel process, to which its holds belong."""
    cell_id: str | None = None
    execution_count: int | None = None


# ---- what is recorded


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
    """``"kernel"``, ``"server"`` or the user name of the person who set the value."""
    trust_by_person: bool = False
    budget_by_person: bool = False
    opened_at: int | None = None
    opened_by: str | None = None
    closed_at: int | None = None
    previous: ClosedSessions | None = None
    """The sessions closed before this one (all closed ones, when none is open); None when there was none."""


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

    @property
    def allowed(self) -> bool:
        return self.outcome is not GovernanceOutcome.DENY


@dataclass(frozen=True, slots=True)
class Opened:
    """The answer to an opening or a change of a session."""

    state: SessionState
    opened: bool
    """A new session was opened."""
    changed: bool
    """A value of an open session was changed."""
    notes: tuple[str, ...] = ()
    """Sentences for the person, for example which value stands and who set it."""


@dataclass(frozen=True, slots=True)
class Voided:
    """Whether an ask stands cancelled, by this cancel or an earlier one; False when nothing may be taken back."""

    voided: bool
    state: SessionState | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One record of a hash chain, complete: ``hash`` covers every other field and ``previous_hash``."""

    chain: str
    """The session's id, or ``"ledger"`` for openings, closings and decisions outside any session."""
    seq: int
    """1 for the chain's first record, without gaps."""
    record_id: str
    at: int
    event: str
    """What happened: ``open, change, close, spend, hold, settle, release, void, evaluate`` and so on."""
    outcome: GovernanceOutcome
    actor: str
    notebook: str
    """The notebook's path when it happened."""
    code: str | None = None
    reasons: tuple[str, ...] = ()
    agent_id: str | None = None
    tool: str | None = None
    cell_id: str | None = None
    execution_count: int | None = None
    amount: int = 0
    """What was asked for."""
    spent_delta: int = 0
    """What it added to the session's spent; negative for a void or a correction."""
    held_delta: int = 0
    charge_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    """JSON values: what was before and after, flags such as ``overrun``; never a prompt or a key."""
    previous_hash: str = ""
    hash: str = ""
    notebook_id: str | None = None
    """The notebook itself, which a rename does not change."""
    action_type: str | None = None
    resource: str | None = None


# ---- requests: each one changes the ledger in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[AnswerT_co]):
    """A change. The same ``key`` with the same content (``expires_at`` aside) is answered, not done again.

    Raises, from `Ledger.execute`: IdempotencyError when the key came with other content before, ExpiredError
    when it is read after ``expires_at``, LedgerError when the storage fails.
    """

    key: str
    origin: Origin
    expires_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession(Request[Opened]):
    """A kernel's or the server's wish for a session; `terms.plan_open` says what comes of it.

    Without an open session one is opened. With one, it is resumed, or changed where the values differ, or
    closed and followed by a new one when ``new`` is set. Raises NotAllowedError.
    """

    notebook: NotebookKey
    terms: SessionTerms
    trust_level: TrustLevel | None = None
    budget: int | None = None
    agent_id: str | None = None
    new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSession(Request[Opened]):
    """A person's change of values; opens a session at the defaults where none is open.

    Raises NotAllowedError above the terms' maxima.
    """

    notebook: NotebookKey
    terms: SessionTerms
    trust_level: TrustLevel | None = None
    budget: int | None = None
    agent_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSession(Request[SessionState]):
    """Close the open session; with none open the answer is the state as it is, and nothing is recorded.

    Raises NotAllowedError for a kernel in strict mode.
    """

    notebook: NotebookKey
    terms: SessionTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend(Request[Decision]):
    """Charge at once. Denied, with a record, when it does not fit, the level is too low or none is open.

    With ``already_paid`` the money is gone: it is recorded in full, flagged ``overrun`` and outcome
    ``allow_with_caveat`` when it does not fit or the level forbids it. (With no open session it is denied
    and recorded all the same, since there is no balance to charge it to.)
    """

    notebook: NotebookKey
    amount: int
    tool: str = "unknown"
    already_paid: bool = False
    kind: ActionKind = ActionKind.CALL
    required_level: TrustLevel = TrustLevel.L1_MONITOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Void(Request[Voided]):
    """Take back the spend that came, or will come, with the key ``of`` in the same scope.

    It reverses only an allowed spend, and only before that ask's own ``expires_at``; the reversal is an audit
    record of its own. An ask that has not come yet will be refused when it comes.
    """

    notebook: NotebookKey
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveNotebook(Request[int]):
    """A notebook, or a folder with all beneath it, got another path; answers how many notebooks moved.

    A notebook that lay at the new path before is kept as a deleted one.
    """

    owner: str
    root: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteNotebook(Request[int]):
    """A notebook, or a folder with all beneath it, is gone: its sessions are closed, its records stay.

    Answers how many notebooks that were.
    """

    owner: str
    root: str
    path: str


# ---- queries: they change nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Generic[AnswerT_co]):
    """A reading of what is committed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadState(Query[SessionState]):
    notebook: NotebookKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStates(Query[tuple[SessionState, ...]]):
    """All live notebooks of an owner and root that ever had a session, by path, after ``after``."""

    owner: str
    root: str
    after: str = ""
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuery(Query["AuditPage"]):
    """Audit records that match all that is given, newest first unless ``oldest_first``.

    ``since`` is inclusive and ``until`` exclusive. ``cursor`` comes from the page before; pages neither skip
    nor repeat a record while new ones are written. A cursor of another query is an InvalidRequestError.
    """

    notebook: NotebookKey | None = None
    session_id: str | None = None
    agent_id: str | None = None
    outcome: GovernanceOutcome | None = None
    event: str | None = None
    tool: str | None = None
    action_type: str | None = None
    resource: str | None = None
    text: str | None = None
    """Found in the tool, agent, actor, notebook, reasons, detail, action type or resource; A to Z as a to z."""
    since: int | None = None
    until: int | None = None
    limit: int = 100
    cursor: str | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class AuditPage:
    records: tuple[AuditEntry, ...]
    cursor: str | None
    """None on the last page."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """What a walk over hash chains found."""

    ok: bool
    checked: int
    """How many records were found intact."""
    heads: Mapping[str, str] = field(default_factory=dict)
    """The head of each chain walked; keep them elsewhere to prove later that nothing was cut off."""
    problem: str | None = None
    """One sentence on the first bad record."""
    chain: str | None = None
    seq: int | None = None
    """Where the first bad record is."""


Listener = Callable[[tuple[SessionState, ...]], None]
"""Called after each commit with the states it changed, in the ledger's own thread; must not block or raise."""


class Ledger(Protocol):
    """Durable governance state. All methods may be called from any thread."""

    def execute(self, request: Request[AnswerT_co]) -> AnswerT_co:
        """Do the change and wait until it is durable."""
        ...

    def submit(self, request: Request[AnswerT_co]) -> Future[AnswerT_co]:
        """Queue the change; the future is done, in the ledger's thread, when it is durable or has failed."""
        ...

    def read(self, query: Query[AnswerT_co]) -> AnswerT_co:
        """Answer from what is committed."""
        ...

    def verify(self, session_id: str | None = None, *, known_head: str | None = None) -> VerifyResult:
        """Walk one session's chain, or all chains; with ``known_head``, also prove that this head is in it."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear of changes made through this object; the answer ends it."""
        ...

    def close(self) -> None:
        """Finish what is queued and let go of files and connections. Idempotent."""
        ...
