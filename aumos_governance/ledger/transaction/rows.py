"""The rows of the ledger's tables as a transaction holds them: mutable, loaded at most once.

Each class declares one table, as `tables` describes; what follows from a declaration is made of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from ..rules.chain import AUDIT_HINTS
from .conditions import among, differs, equal, missing, present
from .tables import NULLABLE, SMALL, Index, References, Row, Table, table

__all__ = [
    "AUDIT",
    "COUNTING",
    "DELETED",
    "HELD",
    "LIVE",
    "ONGOING",
    "PENDING",
    "REFERENCED",
    "TIMED",
    "UNSEEN",
    "VALID",
    "ApprovalRow",
    "BalanceRow",
    "CeilingRow",
    "ChainRow",
    "ChargeRow",
    "ConfigurationRow",
    "ConsentRow",
    "CorrectionRow",
    "EnvelopeRow",
    "EstimateRow",
    "GatewayKeyRow",
    "MembershipRow",
    "NotebookAliasRow",
    "NotebookRow",
    "ReportRow",
    "ResponseRow",
    "SessionRow",
    "TrustRow",
]

LIVE: Final = missing("deleted_at")
DELETED: Final = present("deleted_at")
ONGOING: Final = missing("closed_at")
"""Of sessions: not closed."""
COUNTING: Final = among("state", "held", "unresolved")
"""Of charges: an open hold. Few are at any time, and these are all that is ever searched for."""
HELD: Final = "held"
"""Of an open hold: its caller may still resolve it."""
TIMED: Final = present("until")
PENDING: Final = equal("status", "pending")
"""Of approvals: not decided."""
UNSEEN: Final = missing("acknowledged_at")
"""Of reports: not acknowledged."""
VALID: Final = missing("revoked_at")
"""Of keys: not revoked."""
REFERENCED: Final = present("reference")


@table(
    "notebooks",
    Index("notebooks_live", ("owner", "file"), (LIVE,), unique=True),
    Index("notebooks_deleted", ("owner", "file"), (DELETED,)),
)
@dataclass(slots=True, eq=False)
class NotebookRow(Row):
    """A notebook, live or deleted, with what its closed sessions add up to.

    ``root`` and ``path`` are how it was named first; ``file`` is what it is found by.
    """

    id: str
    owner: str
    root: str
    path: str
    seq: int = 0
    session_id: str | None = None
    """The open session, else the one closed last."""
    deleted_at: int | None = None
    closed_sessions: int = 0
    closed_spent: int = 0
    closed_budget: int = 0
    closed_at: int | None = None
    file: Annotated[str, NULLABLE] = ""
    """Its identity: `files.file_of` of root and path."""


@table("notebook_aliases", Index("notebook_aliases_notebook", ("notebook_id",)))
@dataclass(slots=True, eq=False)
class NotebookAliasRow(Row):
    """A notebook that turned out to be another one, by another path."""

    id: Annotated[str, References(NotebookRow)]
    """The notebook that it was taken for. Its row stays, and its records name it."""
    notebook_id: Annotated[str, References(NotebookRow)]
    """The notebook that it is."""


@table("envelopes", Index("envelopes_subject", ("subject",)))
@dataclass(slots=True, eq=False)
class EnvelopeRow(Row):
    id: str
    kind: str
    name: str
    period: str
    ceiling: int
    subject: str
    """Whose it is: a session's id for ``session`` and ``category``, else what its kind encloses."""


@table("sessions", Index("sessions_open", ("notebook_id",), (ONGOING,)))
@dataclass(slots=True, eq=False)
class SessionRow(Row):
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
    """The envelope that is its own budget."""
    outer_envelopes: str = ""
    """The ids of the envelopes that enclose that one, inner before outer, with spaces between."""


@table("balances", key=("envelope_id", "period_start"), in_key=True)
@dataclass(slots=True, eq=False)
class BalanceRow(Row):
    """An envelope's figures in one of its periods."""

    envelope_id: Annotated[str, References(EnvelopeRow)]
    period_start: int
    spent: int = 0
    held: int = 0
    charges: int = 0
    """How many charges were made."""


@table("chains", key=("chain",), in_key=True)
@dataclass(slots=True, eq=False)
class ChainRow(Row):
    """How many records a hash chain has, and the last one's hash."""

    chain: str
    count: int = 0
    head: str = ""


@table(
    "charges",
    Index("charges_open", ("incarnation",), (COUNTING,)),
    Index("charges_due", ("until",), (TIMED, COUNTING)),
    in_key=True,
)
@dataclass(slots=True, eq=False)
class ChargeRow(Row):
    id: str
    session_id: Annotated[str, References(SessionRow)]
    state: str
    """A `ChargeState`."""
    amount: int
    """What was requested."""
    spent: int
    """What was spent, without corrections."""
    corrected: int
    """What corrections took back."""
    at: int
    """When it was made, which decides the period it counts in."""
    envelopes: str
    """The envelopes it was charged to, inner before outer, with spaces between."""
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
    """A settled charge whose true cost is not known, or was not until it was adjusted."""

    charge_id: Annotated[str, References(ChargeRow)]
    reference: str | None
    """What the provider calls the response that the charge paid for, such as ``openai/resp_1``."""
    amount: int
    """What was charged as an estimate."""
    at: int
    adjusted: int | None = None
    """What the charge was adjusted to; None until then."""
    adjusted_at: int | None = None


@table("asks", Index("asks_at", ("at",)), key=("scope", "key"), in_key=True)
@dataclass(slots=True, eq=False)
class ResponseRow(Row):
    """A request that was done, kept under its idempotency key, with its response."""

    scope: str
    key: str
    digest: str
    at: int
    expires_at: int | None
    notebook_id: str | None
    charge_id: str | None
    cancelled: bool
    answer: Any
    """The response itself; a backend that stores text uses `content`."""


@table("configurations", key=("owner", "root"))
@dataclass(slots=True, eq=False)
class ConfigurationRow(Row):
    """What a server's configuration puts around the sessions of its owner and root."""

    owner: str
    root: str
    envelopes: str
    """JSON: a list of name, ceiling, kind and period each, inner before outer."""


@table("memberships", key=("owner",))
@dataclass(slots=True, eq=False)
class MembershipRow(Row):
    """The shared ceilings around all sessions of an owner, under any root.

    A request that puts a ceiling around an owner's sessions and one that opens such a session lock this row.
    """

    owner: str
    ceilings: str
    """JSON: a sorted list of kind and name each."""


@table("ceilings", key=("kind", "subject", "name"))
@dataclass(slots=True, eq=False)
class CeilingRow(Row):
    """A ceiling that several servers share, as it stands whatever their configurations say."""

    kind: str
    subject: str
    """The owner, or nothing for a team."""
    name: str
    envelopes: str
    """The ids of its envelopes, with spaces between: one, or none where it was lifted; of earlier versions several."""


@table("corrections", Index("corrections_charge", ("charge_id",)))
@dataclass(slots=True, eq=False)
class CorrectionRow(Row):
    id: str
    charge_id: Annotated[str, References(ChargeRow)]
    amount: int
    reason: str
    at: int
    by: str


@table("approvals", Index("approvals_pending", ("until",), (PENDING,)))
@dataclass(slots=True, eq=False)
class ApprovalRow(Row):
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
    """An agent's trust level in one scope; the scope is empty where it counts everywhere."""

    realm: str
    agent_id: str
    scope: str
    level: Annotated[int | None, SMALL]
    """None: it was removed."""
    assigned_by: str | None
    assigned_at: int
    touched_at: int


@table("consents", key=("realm", "agent_id", "data_type", "purpose"))
@dataclass(slots=True, eq=False)
class ConsentRow(Row):
    """A consent; the purpose is empty where it covers every one."""

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
    """A key of the gateway, of which the ledger has a digest only."""

    id: str
    digest: str
    """SHA-256 of the key, in hex."""
    owner: str
    root: str
    kind: str
    name: str
    notebook_id: Annotated[str | None, References(NotebookRow)]
    """The document that it is bound to; none where a kernel's or terminal's has none."""
    subject: str
    """The kernel's id or the terminal's name."""
    server: str
    """The server whose kernel or terminal it is, by the name under which it attends the ledger."""
    issued_at: int
    issued_by: str
    revoked_at: int | None = None
    revoked_by: str | None = None


_NAMED: Final = ("agent_id", "tool", "action_type", "resource")
"""What most records lack: an index leaves those out, so that a record costs no more than it needs to."""
_SUMMED: Final = {"agent_id": ("spent_delta",), "tool": ("spent_delta",)}
"""The indexes on these hold all that sums by agent and by tool need."""

AUDIT: Final = Table(
    "audit",
    lambda: AUDIT_HINTS,
    ("chain", "seq"),
    # Each serves one filter in the order of pages, which is that of time.
    Index("audit_at", ("at",)),
    Index("audit_event", ("event", "at")),
    Index("audit_notebook", ("notebook_id", "at")),
    *(Index(f"audit_{name}", (name, "at", *_SUMMED.get(name, ())), (present(name),)) for name in _NAMED),
    Index("audit_outcome", ("outcome", "at", "tool", "agent_id", "spent_delta"), (differs("outcome", "allow"),)),
)
"""The audit records, which are tuples and no rows of their own."""
