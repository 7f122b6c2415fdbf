"""The rows of the ledger's tables as a transaction holds them: mutable, loaded at most once.

Each class is one table, each field one column of that name, in the table's order. They compare by identity:
within a transaction there is one object for each row.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, ClassVar, Final, TypeVar

__all__ = [
    "ROWS",
    "ApprovalRow",
    "AskRow",
    "BalanceRow",
    "CeilingRow",
    "ChainRow",
    "ChargeRow",
    "ConfigurationRow",
    "ConsentRow",
    "CorrectionRow",
    "EnvelopeRow",
    "EstimateRow",
    "Key",
    "MembershipRow",
    "NotebookAliasRow",
    "NotebookRow",
    "ReportRow",
    "Row",
    "RowT",
    "SessionRow",
    "TrustRow",
    "columns",
    "key_of",
    "values_of",
]

Key = tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Row:
    """A row of some table."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]] = ("id",)


RowT = TypeVar("RowT", bound=Row)


@dataclass(slots=True, eq=False)
class NotebookRow(Row):
    """A notebook, live or deleted, with what its closed sessions add up to.

    ``root`` and ``path`` are how it was named first; ``file`` is what it is found by.
    """

    TABLE: ClassVar[str] = "notebooks"

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
    file: str = ""
    """Its identity: `files.file_of` of root and path."""


@dataclass(slots=True, eq=False)
class NotebookAliasRow(Row):
    """A notebook that turned out to be another one, by another path."""

    TABLE: ClassVar[str] = "notebook_aliases"

    id: str
    """The notebook that it was taken for. Its row stays, and its records name it."""
    notebook_id: str
    """The notebook that it is."""


@dataclass(slots=True, eq=False)
class SessionRow(Row):
    TABLE: ClassVar[str] = "sessions"

    id: str
    notebook_id: str
    trust_level: int
    trust_set_by: str
    trust_by_person: bool
    budget_set_by: str
    budget_by_person: bool
    agent_id: str | None
    opened_at: int
    opened_by: str
    closed_at: int | None
    envelope_id: str
    """The envelope that is its own budget."""
    outer_envelopes: str = ""
    """The ids of the envelopes that enclose that one, inner before outer, with spaces between."""

    @property
    def envelopes(self) -> str:
        """All envelopes that a charge must fit in, its own first."""
        return f"{self.envelope_id} {self.outer_envelopes}" if self.outer_envelopes else self.envelope_id


@dataclass(slots=True, eq=False)
class EnvelopeRow(Row):
    TABLE: ClassVar[str] = "envelopes"

    id: str
    kind: str
    name: str
    period: str
    ceiling: int
    subject: str
    """Whose it is: a session's id for ``session`` and ``category``, else what its kind encloses."""


@dataclass(slots=True, eq=False)
class BalanceRow(Row):
    """An envelope's figures in one of its periods."""

    TABLE: ClassVar[str] = "balances"
    KEY: ClassVar[tuple[str, ...]] = ("envelope_id", "period_start")

    envelope_id: str
    period_start: int
    spent: int = 0
    held: int = 0
    charges: int = 0
    """How many charges were made."""


@dataclass(slots=True, eq=False)
class ChainRow(Row):
    """How many records a hash chain has, and the last one's hash."""

    TABLE: ClassVar[str] = "chains"
    KEY: ClassVar[tuple[str, ...]] = ("chain",)

    chain: str
    count: int = 0
    head: str = ""


@dataclass(slots=True, eq=False)
class ChargeRow(Row):
    TABLE: ClassVar[str] = "charges"

    id: str
    session_id: str
    state: str
    """A `ChargeState`."""
    amount: int
    """What was asked for."""
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


@dataclass(slots=True, eq=False)
class EstimateRow(Row):
    """A settled charge whose true cost is not known, or was not until it was adjusted."""

    TABLE: ClassVar[str] = "estimates"
    KEY: ClassVar[tuple[str, ...]] = ("charge_id",)

    charge_id: str
    reference: str | None
    """What the provider calls the response that the charge paid for, such as ``openai/resp_1``."""
    amount: int
    """What was charged as an estimate."""
    at: int
    adjusted: int | None = None
    """What the charge was adjusted to; None until then."""
    adjusted_at: int | None = None


@dataclass(slots=True, eq=False)
class AskRow(Row):
    """A request that was done, kept under its idempotency key, with what was answered."""

    TABLE: ClassVar[str] = "asks"
    KEY: ClassVar[tuple[str, ...]] = ("scope", "key")

    scope: str
    key: str
    digest: str
    at: int
    expires_at: int | None
    notebook_id: str | None
    charge_id: str | None
    cancelled: bool
    answer: Any
    """The answer itself; a backend that stores text uses `codec`."""


@dataclass(slots=True, eq=False)
class ConfigurationRow(Row):
    """What a server's configuration puts around the sessions of its owner and root."""

    TABLE: ClassVar[str] = "configurations"
    KEY: ClassVar[tuple[str, ...]] = ("owner", "root")

    owner: str
    root: str
    envelopes: str
    """JSON: a list of name, ceiling, kind and period each, inner before outer."""


@dataclass(slots=True, eq=False)
class CeilingRow(Row):
    """A ceiling that several servers share, as it stands whatever their configurations say."""

    TABLE: ClassVar[str] = "ceilings"
    KEY: ClassVar[tuple[str, ...]] = ("kind", "subject", "name")

    kind: str
    subject: str
    """The owner, or nothing for a team."""
    name: str
    envelopes: str
    """The ids of its envelopes, with spaces between: one, or none where it was lifted; of earlier versions several."""


@dataclass(slots=True, eq=False)
class MembershipRow(Row):
    """The shared ceilings around all sessions of an owner, under any root.

    Whoever puts a ceiling around an owner's sessions and whoever opens one of them meet at this row.
    """

    TABLE: ClassVar[str] = "memberships"
    KEY: ClassVar[tuple[str, ...]] = ("owner",)

    owner: str
    ceilings: str
    """JSON: a sorted list of kind and name each."""


@dataclass(slots=True, eq=False)
class CorrectionRow(Row):
    TABLE: ClassVar[str] = "corrections"

    id: str
    charge_id: str
    amount: int
    reason: str
    at: int
    by: str


@dataclass(slots=True, eq=False)
class ApprovalRow(Row):
    TABLE: ClassVar[str] = "approvals"

    id: str
    session_id: str
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


@dataclass(slots=True, eq=False)
class ReportRow(Row):
    TABLE: ClassVar[str] = "reports"

    id: str
    session_id: str
    tool: str
    agent_id: str | None
    charge_id: str | None
    shown: str | None
    at: int
    acknowledged_at: int | None = None
    acknowledged_by: str | None = None


@dataclass(slots=True, eq=False)
class TrustRow(Row):
    """An agent's trust level in one scope; the scope is empty where it counts everywhere."""

    TABLE: ClassVar[str] = "trust"
    KEY: ClassVar[tuple[str, ...]] = ("realm", "agent_id", "scope")

    realm: str
    agent_id: str
    scope: str
    level: int | None
    """None: it was removed."""
    assigned_by: str | None
    assigned_at: int
    touched_at: int


@dataclass(slots=True, eq=False)
class ConsentRow(Row):
    """A consent; the purpose is empty where it covers every one."""

    TABLE: ClassVar[str] = "consents"
    KEY: ClassVar[tuple[str, ...]] = ("realm", "agent_id", "data_type", "purpose")

    realm: str
    agent_id: str
    data_type: str
    purpose: str
    granted_by: str
    granted_at: int
    expires_at: int | None
    revoked: bool


ROWS: Final[tuple[type[Row], ...]] = (
    NotebookRow,
    NotebookAliasRow,
    EnvelopeRow,
    SessionRow,
    BalanceRow,
    ChainRow,
    ChargeRow,
    EstimateRow,
    AskRow,
    ConfigurationRow,
    MembershipRow,
    CeilingRow,
    CorrectionRow,
    ApprovalRow,
    ReportRow,
    TrustRow,
    ConsentRow,
)
"""All kinds of rows, each after those it refers to."""

columns: Final = {kind: tuple(field.name for field in fields(kind)) for kind in ROWS}
values_of: Final = {kind: attrgetter(*names) for kind, names in columns.items()}


def _key_getter(kind: type[Row]) -> Any:
    get = attrgetter(*kind.KEY)
    return get if len(kind.KEY) > 1 else lambda row: (get(row),)


_KEYS: Final = {kind: _key_getter(kind) for kind in ROWS}


def key_of(row: Row) -> Key:
    """The row's primary key."""
    key: Key = _KEYS[type(row)](row)
    return key
