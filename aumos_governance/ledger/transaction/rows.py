"""The ledger's tables, each declared by the class of its rows (see `tables`).

An instance is one row, and its attributes are the row's columns. A transaction loads rows, changes their attributes,
and writes them back (see `work`). Amounts are in nano-USD, times in microseconds since the epoch. The constants at the
beginning are conditions on rows, for partial indexes and for selections.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from ..rules.chain import AUDIT_HINTS
from .conditions import among, differs, equal, missing, present
from .tables import NULLABLE, SMALL, Index, References, Row, Table, table

LIVE: Final = missing("deleted_at")
"""Selects live notebooks, which are those that are not deleted."""
DELETED: Final = present("deleted_at")
"""Selects notebooks that are deleted."""
ONGOING: Final = missing("closed_at")
"""Selects open sessions, which are those that are not closed."""
COUNTING: Final = among("state", "held", "unresolved")
"""Selects charges that are open holds. There are few at any time, so an index on only these stays small."""
HELD: Final = "held"
"""The ``state`` of an open hold whose kernel still runs, and can settle or release it."""
TIMED: Final = present("until")
"""Selects rows that have an expiry time, ``until``."""
PENDING: Final = equal("status", "pending")
"""Selects approval requests that no user has decided and no caller has withdrawn."""
UNSEEN: Final = missing("acknowledged_at")
"""Selects reports that no user has acknowledged."""
VALID: Final = missing("revoked_at")
"""Selects keys of the gateway that are not revoked."""
REFERENCED: Final = present("reference")
"""Selects estimated charges that have a reference of the provider, by which `Adjust` can find them."""


@table(
    "notebooks",
    Index("notebooks_live", ("owner", "file"), (LIVE,), unique=True),
    Index("notebooks_deleted", ("owner", "file"), (DELETED,)),
)
@dataclass(slots=True, eq=False)
class NotebookRow(Row):
    """A notebook that the ledger knows, deleted or not, with the sums of its closed sessions.

    ``root`` is the root folder of one of the servers that use the notebook, mostly the first, and ``path`` its path
    below that folder. A request finds the notebook by its ``file``, which is the same for all these servers.
    """

    id: str
    owner: str
    root: str
    path: str
    seq: int = 0
    session_id: str | None = None
    """The id of the open session, or else of the session that was closed last; None if there never was one."""
    deleted_at: int | None = None
    closed_sessions: int = 0
    closed_spent: int = 0
    closed_budget: int = 0
    closed_at: int | None = None
    file: Annotated[str, NULLABLE] = ""
    """The notebook's identity, mostly the path of its file, as `files.file_of` returns it for ``root`` and ``path``."""


@table("notebook_aliases", Index("notebook_aliases_notebook", ("notebook_id",)))
@dataclass(slots=True, eq=False)
class NotebookAliasRow(Row):
    """The former id of a notebook that was joined to another one, since both turned out to be the same file."""

    id: Annotated[str, References(NotebookRow)]
    """The id of the notebook that was joined. Its own row stays, since audit records have this id."""
    notebook_id: Annotated[str, References(NotebookRow)]
    """The id of the notebook that it is part of now."""


@table("envelopes", Index("envelopes_subject", ("subject",)))
@dataclass(slots=True, eq=False)
class EnvelopeRow(Row):
    """An envelope, which is a limit on money: a session's budget, a category's budget, or a ceiling around sessions.

    ``ceiling``, in nano-USD, limits what may be spent and held in each period.
    """

    id: str
    kind: str
    name: str
    period: str
    ceiling: int
    subject: str
    """The text that identifies whose charges the envelope limits: the session's id for the kinds ``session`` and
    ``category``, and for a ceiling the text that `enclosures.subject_of` returns."""


@table("sessions", Index("sessions_open", ("notebook_id",), (ONGOING,)))
@dataclass(slots=True, eq=False)
class SessionRow(Row):
    """A governance session of a notebook: the time, from its opening to its closing, with one trust level and budget.

    ``closed_at`` is None while the session is open.
    """

    id: str
    notebook_id: Annotated[str, References(NotebookRow)]
    trust_level: Annotated[int, SMALL]
    trust_set_by: str
    trust_by_person: bool
    budget_set_by: str
    budget_by_person: bool
    agent_id: str | None
    opened_at: int
    opened_by: str
    closed_at: int | None
    envelope_id: Annotated[str, References(EnvelopeRow)]
    """The id of the envelope that is the session's own budget."""
    outer_envelopes: str = ""
    """The ids of the ceilings around the session, inner before outer, separated by spaces."""


@table("balances", key=("envelope_id", "period_start"), without_rowid=True)
@dataclass(slots=True, eq=False)
class BalanceRow(Row):
    """The sums, in nano-USD, of what is spent and held under an envelope (a limit on money) in one of its periods."""

    envelope_id: Annotated[str, References(EnvelopeRow)]
    period_start: int
    spent: int = 0
    held: int = 0
    charges: int = 0
    """The number of spends and holds that were made in this period, including those that were voided later."""


@table("chains", key=("chain",), without_rowid=True)
@dataclass(slots=True, eq=False)
class ChainRow(Row):
    """The end of a hash chain of audit records: the number of its records, and ``head``, the last record's hash."""

    chain: str
    count: int = 0
    head: str = ""


@table(
    "charges",
    Index("charges_open", ("incarnation",), (COUNTING,)),
    Index("charges_due", ("until",), (TIMED, COUNTING)),
    without_rowid=True,
)
@dataclass(slots=True, eq=False)
class ChargeRow(Row):
    """A charge: a spend, or a hold in any state from its making to its settlement or release.

    Amounts are in nano-USD. ``scope`` and ``incarnation`` are the caller and the process that made the charge.
    """

    id: str
    session_id: Annotated[str, References(SessionRow)]
    state: str
    """The state of the charge, as the value of a `ChargeState`, such as ``"held"``."""
    amount: int
    """The amount that was requested or, for a bounded hold, granted."""
    spent: int
    """The amount that was spent, before users' corrections; 0 for an open hold."""
    corrected: int
    """The sum of users' corrections. This part of ``spent`` is no longer charged."""
    at: int
    """The time when the charge was made. Each limit's balance in the period that contains this time includes it."""
    envelopes: str
    """The ids of the limits (envelopes) that the charge falls under, inner before outer, separated by spaces."""
    tool: str
    agent_id: str | None
    category: str | None
    scope: str
    incarnation: str
    until: int | None = None
    resolved_at: int | None = None
    resolved_by: str | None = None


@table("estimates", Index("estimates_reference", ("reference",), (REFERENCED,)), key=("charge_id",))
@dataclass(slots=True, eq=False)
class EstimateRow(Row):
    """A charge that was settled with an estimate, since its true cost was not known yet.

    A later adjustment (`Adjust`) replaces the estimate by the true cost, ``adjusted``.
    """

    charge_id: Annotated[str, References(ChargeRow)]
    reference: str | None
    """An id of the provider's response that the charge paid for, such as ``openai/resp_1``, or None. A later request
    for the true cost names the charge by it."""
    amount: int
    """The estimate, in nano-USD."""
    at: int
    adjusted: int | None = None
    """The true cost, in nano-USD, that replaced the estimate; None before the adjustment."""
    adjusted_at: int | None = None


@table("asks", Index("asks_at", ("at",)), key=("scope", "key"), without_rowid=True)
@dataclass(slots=True, eq=False)
class ResponseRow(Row):
    """The stored response to a request, which a repeated request with the same idempotency key gets.

    The row also marks a request as cancelled. With an empty ``digest`` the request was cancelled before it arrived.
    """

    scope: str
    key: str
    digest: str
    at: int
    expires_at: int | None
    notebook_id: str | None
    charge_id: str | None
    cancelled: bool
    answer: Any
    """The response as an object; a database stores the text that `content.encode` makes of it."""


@table("configurations", key=("owner", "root"))
@dataclass(slots=True, eq=False)
class ConfigurationRow(Row):
    """The ceilings that one server is configured with, for the sessions of its owner's notebooks below its root folder.

    The server of this owner and root updates the row when its configuration has changed.
    """

    owner: str
    root: str
    envelopes: str
    """The ceilings as JSON: a list of ``[name, ceiling in nano-USD, kind, period]``, inner before outer."""


@table("memberships", key=("owner",))
@dataclass(slots=True, eq=False)
class MembershipRow(Row):
    """The list of the shared ceilings around all sessions of one owner, on all servers.

    A request that puts a shared ceiling around the owner's sessions locks this row, and so does a request that opens a
    session. So the two cannot happen at the same time, and no new session misses a ceiling.
    """

    owner: str
    ceilings: str
    """The ceilings as JSON: a sorted list of ``[kind, name]``."""


@table("ceilings", key=("kind", "subject", "name"))
@dataclass(slots=True, eq=False)
class CeilingRow(Row):
    """A ceiling that several servers share. Once it is stored, it applies regardless of the servers' configurations."""

    kind: str
    subject: str
    """The owner whose notebooks the ceiling limits; empty for a team ceiling."""
    name: str
    envelopes: str
    """The id of the envelope with the ceiling's period and amount; empty if the ceiling was lifted. An earlier version
    of this package may have left several ids, one for each period, separated by spaces."""


@table("corrections", Index("corrections_charge", ("charge_id",)))
@dataclass(slots=True, eq=False)
class CorrectionRow(Row):
    """A user's correction: the amount, in nano-USD, by which the user reduced a charge, and the reason."""

    id: str
    charge_id: Annotated[str, References(ChargeRow)]
    amount: int
    reason: str
    at: int
    by: str


@table("approvals", Index("approvals_pending", ("until",), (PENDING,)))
@dataclass(slots=True, eq=False)
class ApprovalRow(Row):
    """An approval request for a governed action: pending, decided by a user, used by the action, or withdrawn.

    ``shown`` is the action as the user sees it, as JSON; it becomes None when the approval is decided or withdrawn.
    ``scope`` and ``incarnation`` are the caller and the process that wait for the decision.
    """

    id: str
    session_id: Annotated[str, References(SessionRow)]
    status: str
    digest: str
    shown: str | None
    tool: str
    agent_id: str | None
    amount: int
    scope: str
    incarnation: str
    asked_at: int
    until: int | None
    decided_at: int | None = None
    decided_by: str | None = None


@table("reports", Index("reports_unseen", ("session_id",), (UNSEEN,)))
@dataclass(slots=True, eq=False)
class ReportRow(Row):
    """A report of a governed action at trust level L4, for a user to review; acknowledged or not.

    ``shown`` is the action as the user sees it, as JSON; it is deleted when a user acknowledges the report.
    """

    id: str
    session_id: Annotated[str, References(SessionRow)]
    tool: str
    agent_id: str | None
    charge_id: str | None
    shown: str | None
    at: int
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None


@table("trust", key=("realm", "agent_id", "scope"))
@dataclass(slots=True, eq=False)
class TrustRow(Row):
    """The trust level that was set for an agent in one scope; with an empty ``scope``, for all other scopes.

    ``realm`` is the namespace of the agent: the name of the owner of an SDK engine, or the realm of one session.
    """

    realm: str
    agent_id: str
    scope: str
    level: Annotated[int | None, SMALL]
    """The trust level, 0 to 5; None after it was removed."""
    assigned_by: str | None
    assigned_at: int
    touched_at: int


@table("consents", key=("realm", "agent_id", "data_type", "purpose"))
@dataclass(slots=True, eq=False)
class ConsentRow(Row):
    """A consent for an agent to use a type of data for a purpose; with an empty ``purpose``, for every purpose.

    ``realm`` is the namespace of the agent: the name of the owner of an SDK engine, or the realm of one session.
    """

    realm: str
    agent_id: str
    data_type: str
    purpose: str
    granted_by: str
    granted_at: int
    expires_at: int | None
    revoked: bool


@table("gateway_keys", Index("gateway_keys_valid", ("owner", "root"), (VALID,)))
@dataclass(slots=True, eq=False)
class GatewayKeyRow(Row):
    """A key with which a program uses the gateway, valid or revoked. Only the SHA-256 of the key itself is stored."""

    id: str
    digest: str
    """The SHA-256 of the key itself, in hex."""
    owner: str
    root: str
    kind: str
    name: str
    notebook_id: Annotated[str | None, References(NotebookRow)]
    """The id of the notebook that calls with the key are charged to. None for a kernel's key, whose calls are charged
    to the kernel's notebook, and for a terminal that has no notebook yet."""
    subject: str
    """The id of the kernel, or the name of the terminal, that holds the key; empty for other kinds of keys."""
    server: str
    """The name, as in `Ledger.attending`, of the server that runs this kernel or terminal; empty for other kinds."""
    issued_at: int
    issued_by: str
    revoked_at: int | None = None
    revoked_by: str | None = None


_NAMED: Final = ("agent_id", "tool", "action_type", "resource")
"""Columns of audit records that are NULL in most of them. Their indexes leave these records out, so that it takes less
time to write a record."""
_SUMMED: Final = {"agent_id": ("spent_delta",), "tool": ("spent_delta",)}
"""By column, the further columns of its index. With them, sums by agent or tool are computed from the index alone."""

AUDIT: Final = Table(
    "audit",
    lambda: AUDIT_HINTS,
    ("chain", "seq"),
    # Each index serves one filter, and has the records in the order of pages, which is by time.
    Index("audit_at", ("at",)),
    Index("audit_event", ("event", "at")),
    Index("audit_notebook", ("notebook_id", "at")),
    *(Index(f"audit_{name}", (name, "at", *_SUMMED.get(name, ())), (present(name),)) for name in _NAMED),
    Index("audit_outcome", ("outcome", "at", "tool", "agent_id", "spent_delta"), (differs("outcome", "allow"),)),
)
"""The table of the audit records. It has no class of rows: a record is an `AuditRow`, a tuple, and never changes."""
