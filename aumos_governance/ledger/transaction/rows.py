"""The ledger's tables, each declared by the class of its rows (see `tables`). A transaction changes rows in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from ..rules.chain import AUDIT_HINTS
from .conditions import among, differs, equal, missing, present
from .tables import NULLABLE, SMALL, Index, References, Row, Table, table

LIVE: Final = missing("deleted_at")
"""Selects notebooks that are not deleted."""
DELETED: Final = present("deleted_at")
"""Selects notebooks that are deleted."""
ONGOING: Final = missing("closed_at")
"""Selects sessions that are not closed."""
COUNTING: Final = among("state", "held", "unresolved")
"""Selects charges that are open holds: few at any time, so an index on them alone stays small."""
HELD: Final = "held"
"""The state of an open hold that its caller may still resolve."""
TIMED: Final = present("until")
"""Selects rows that have an expiry time."""
PENDING: Final = equal("status", "pending")
"""Selects approvals that are not decided."""
UNSEEN: Final = missing("acknowledged_at")
"""Selects reports that are not acknowledged."""
VALID: Final = missing("revoked_at")
"""Selects keys that are not revoked."""
REFERENCED: Final = present("reference")
"""Selects estimates that have a reference of the provider."""


@table(
    "notebooks",
    Index("notebooks_live", ("owner", "file"), (LIVE,), unique=True),
    Index("notebooks_deleted", ("owner", "file"), (DELETED,)),
)
@dataclass(slots=True, eq=False)
class NotebookRow(Row):
    """A notebook, live or deleted, with the sums of its closed sessions.

    ``root`` is one of the server roots that the notebook is used from, mostly the first, and ``path`` its path below
    that root. A request finds the notebook by its ``file``.
    """

    id: str
    owner: str
    root: str
    path: str
    seq: int = 0
    session_id: str | None = None
    """The open session, or else the session that was closed last."""
    deleted_at: int | None = None
    closed_sessions: int = 0
    closed_spent: int = 0
    closed_budget: int = 0
    closed_at: int | None = None
    file: Annotated[str, NULLABLE] = ""
    """The notebook's identity, `files.file_of` of its root and path."""


@table("notebook_aliases", Index("notebook_aliases_notebook", ("notebook_id",)))
@dataclass(slots=True, eq=False)
class NotebookAliasRow(Row):
    """A notebook that was joined to another one, since both turned out to be the same file."""

    id: Annotated[str, References(NotebookRow)]
    """The notebook that was joined. Its row stays, since audit records name it."""
    notebook_id: Annotated[str, References(NotebookRow)]
    """The other notebook, which the joined notebook is part of now."""


@table("envelopes", Index("envelopes_subject", ("subject",)))
@dataclass(slots=True, eq=False)
class EnvelopeRow(Row):
    """An envelope: a limit on the sum of the charges in each of its periods."""

    id: str
    kind: str
    name: str
    period: str
    ceiling: int
    subject: str
    """The id of the session for the kinds ``session`` and ``category``, else the subject that `enclosures.subject_of`
    returns."""


@table("sessions", Index("sessions_open", ("notebook_id",), (ONGOING,)))
@dataclass(slots=True, eq=False)
class SessionRow(Row):
    """A governance session of a notebook, open or closed."""

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
    """The envelope that is the session's own budget."""
    outer_envelopes: str = ""
    """The ids of the envelopes around the session's own envelope, inner before outer, separated by spaces."""


@table("balances", key=("envelope_id", "period_start"), without_rowid=True)
@dataclass(slots=True, eq=False)
class BalanceRow(Row):
    """The sums of the charges in an envelope in one of its periods, in nano-USD."""

    envelope_id: Annotated[str, References(EnvelopeRow)]
    period_start: int
    spent: int = 0
    held: int = 0
    charges: int = 0
    """How many charges were made in this period, including voided ones."""


@table("chains", key=("chain",), without_rowid=True)
@dataclass(slots=True, eq=False)
class ChainRow(Row):
    """The end of a hash chain: how many records it has, and the hash of the last one."""

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
    """A spend, or a hold in any of its states. Amounts are in nano-USD."""

    id: str
    session_id: Annotated[str, References(SessionRow)]
    state: str
    """The value of a `ChargeState`."""
    amount: int
    """The amount that was requested, or granted to a bounded hold."""
    spent: int
    """The amount that was spent, before corrections."""
    corrected: int
    """The sum of the corrections; this part of ``spent`` is no longer charged."""
    at: int
    """When the charge was made; balances include it in the period of this time."""
    envelopes: str
    """The ids of the envelopes whose balances include the charge, inner before outer, separated by spaces."""
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
    """A charge that was settled with an estimate, since its true cost was not known."""

    charge_id: Annotated[str, References(ChargeRow)]
    reference: str | None
    """The provider's id of the response that the charge paid for, such as ``openai/resp_1``."""
    amount: int
    """The estimate, in nano-USD."""
    at: int
    adjusted: int | None = None
    """The true cost, in nano-USD, that replaced the estimate; None before the adjustment."""
    adjusted_at: int | None = None


@table("asks", Index("asks_at", ("at",)), key=("scope", "key"), without_rowid=True)
@dataclass(slots=True, eq=False)
class ResponseRow(Row):
    """The stored response to a request, under the request's idempotency key; also the mark of a cancelled request."""

    scope: str
    key: str
    digest: str
    at: int
    expires_at: int | None
    notebook_id: str | None
    charge_id: str | None
    cancelled: bool
    answer: Any
    """The response as an object; a database stores the text of `content.encode`."""


@table("configurations", key=("owner", "root"))
@dataclass(slots=True, eq=False)
class ConfigurationRow(Row):
    """The envelopes that a server's configuration puts around the sessions of its owner and root."""

    owner: str
    root: str
    envelopes: str
    """JSON: a list of [name, ceiling, kind, period], inner before outer; ceilings are in nano-USD."""


@table("memberships", key=("owner",))
@dataclass(slots=True, eq=False)
class MembershipRow(Row):
    """The shared ceilings around all sessions of an owner, under any root.

    This row is locked by requests that put a ceiling around an owner's sessions, and by requests that open such
    sessions.
    """

    owner: str
    ceilings: str
    """JSON: a sorted list of [kind, name]."""


@table("ceilings", key=("kind", "subject", "name"))
@dataclass(slots=True, eq=False)
class CeilingRow(Row):
    """A ceiling that several servers share: once it exists, it applies regardless of their configurations."""

    kind: str
    subject: str
    """The owner; empty for a team's ceiling."""
    name: str
    envelopes: str
    """The ids of the ceiling's envelopes, separated by spaces: one id, or none if the ceiling was lifted. Earlier
    versions may have left several, one for each period."""


@table("corrections", Index("corrections_charge", ("charge_id",)))
@dataclass(slots=True, eq=False)
class CorrectionRow(Row):
    """A user's correction: an amount, in nano-USD, that a charge was reduced by."""

    id: str
    charge_id: Annotated[str, References(ChargeRow)]
    amount: int
    reason: str
    at: int
    by: str


@table("approvals", Index("approvals_pending", ("until",), (PENDING,)))
@dataclass(slots=True, eq=False)
class ApprovalRow(Row):
    """An approval request for a governed action, pending or decided."""

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
    """A report of a governed action for a user to review, acknowledged or not."""

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
    """An agent's trust level in one scope; with an empty scope, the level that applies in every other scope."""

    realm: str
    agent_id: str
    scope: str
    level: Annotated[int | None, SMALL]
    """The level; None after it was removed."""
    assigned_by: str | None
    assigned_at: int
    touched_at: int


@table("consents", key=("realm", "agent_id", "data_type", "purpose"))
@dataclass(slots=True, eq=False)
class ConsentRow(Row):
    """A consent for an agent's use of a type of data; with an empty purpose it covers every purpose."""

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
    """A key of the gateway. The ledger stores only its digest."""

    id: str
    digest: str
    """The SHA-256 of the key, in hex."""
    owner: str
    root: str
    kind: str
    name: str
    notebook_id: Annotated[str | None, References(NotebookRow)]
    """The notebook that the key is bound to; None for the key of a kernel or terminal that has no notebook."""
    subject: str
    """The id of the key's kernel, or the name of its terminal."""
    server: str
    """The server of the key's kernel or terminal, by the server's name in `Ledger.attending`."""
    issued_at: int
    issued_by: str
    revoked_at: int | None = None
    revoked_by: str | None = None


_NAMED: Final = ("agent_id", "tool", "action_type", "resource")
"""Columns that are NULL in most records: their indexes leave these records out, so that writing a record costs less."""
_SUMMED: Final = {"agent_id": ("spent_delta",), "tool": ("spent_delta",)}
"""Further columns of the indexes on agents and tools, so that sums by agent or tool are computed from the index
alone."""

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
"""The table of the audit records. A record is an `AuditRow`, a tuple, since it has no class of rows."""
