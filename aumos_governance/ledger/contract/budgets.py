"""The limits on money and what counts against them: the records of it, and the requests that set limits."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...frozen import quick
from ...types import BudgetPeriod
from .facts import Balance, NotebookKey, SessionState
from .requests import Request

__all__ = [
    "Adjusted",
    "BudgetState",
    "CeilingState",
    "ChargeState",
    "ConfigureEnvelopes",
    "Corrected",
    "EnvelopeKind",
    "EnvelopeSpec",
    "EnvelopeState",
    "HeldCharge",
    "Resolved",
    "SetBudget",
    "SetCeiling",
]


class ChargeState(str, Enum):
    """What became of a charge."""

    SPENT = "spent"
    VOIDED = "voided"
    HELD = "held"
    UNRESOLVED = "unresolved"
    """Held by a kernel that is gone: it counts until a user, or that kernel late, settles or releases it."""
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class HeldCharge:
    """A hold that still counts."""

    charge_id: str
    notebook: NotebookKey
    session_id: str
    state: ChargeState
    amount: int
    tool: str
    agent_id: str | None
    category: str | None
    at: int
    until: int | None
    """When it is released by itself; None: never."""


@quick
@dataclass(frozen=True, slots=True)
class Resolved:
    """How a hold was resolved."""

    charge_id: str
    outcome: ChargeState
    held: int
    """What was held until now."""
    spent: int
    overrun: bool
    """More was spent than was held."""
    record_id: str
    state: SessionState | None = None
    estimated: bool = False
    """The true cost is not known."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An estimated charge that has its true cost now."""

    charge_id: str
    estimate: int
    """What was charged until now."""
    spent: int
    overrun: bool
    """More was spent than was held."""
    record_id: str
    state: SessionState | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction, entered beside the charge that it takes back."""

    correction_id: str
    charge_id: str
    amount: int
    left: int
    """What of the charge still counts."""
    record_id: str
    state: SessionState | None = None


class EnvelopeKind(str, Enum):
    """What an envelope of the server's configuration encloses, from inner to outer."""

    NOTEBOOK = "notebook"
    """Each notebook, over all its sessions."""
    OWNER = "owner"
    """Each owner's notebooks, on all servers that share the database."""
    SERVER = "server"
    """All notebooks of one server: of one owner under one root."""
    TEAM = "team"
    """All notebooks of all servers that configure an envelope of this name."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class EnvelopeSpec:
    """One ceiling of the server's configuration."""

    name: str
    ceiling: int
    encloses: EnvelopeKind
    period: BudgetPeriod = BudgetPeriod.LIFETIME


@dataclass(frozen=True, slots=True)
class EnvelopeState:
    """An envelope's figures in its current period."""

    name: str
    kind: str
    """``session``, ``category``, or what the configuration says it encloses."""
    period: BudgetPeriod
    period_start: int
    balance: Balance
    charges: int
    """How many charges were made in this period, voided ones included."""


@dataclass(frozen=True, slots=True)
class CeilingState:
    """A ceiling that servers share, as it stands. Several of one kind, subject and name differ in their periods."""

    kind: EnvelopeKind
    subject: str
    """The owner; nothing for a team."""
    name: str
    period: BudgetPeriod | None
    """None: it was lifted."""
    period_start: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget of one category within a session."""

    category: str
    period: BudgetPeriod
    period_start: int
    balance: Balance
    charges: int
    created: bool = False
    changed: bool = False


# ---- requests


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigureEnvelopes(Request[bool]):
    """The envelopes that a server's configuration puts around the sessions of its owner and root.

    Open sessions are enclosed from now on; what was spent before does not count in an envelope that is new.
    With another period an envelope is a new one. Returns whether anything changed, which is then recorded.
    Raises ConfigurationError for two envelopes of one name, or a ceiling that is none.

    What servers share (an ``owner`` or ``team`` ceiling) is only created here. Once stored it is around all sessions
    of the owner under any root, until `SetCeiling` changes it; `ListCeilings` lists them.
    """

    owner: str
    root: str
    envelopes: tuple[EnvelopeSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCeiling(Request[bool]):
    """Another amount or period for a stored ceiling that servers share, or with None as ``ceiling`` none any more.

    Open sessions are enclosed from now on. Without a period the ceiling keeps its own. What was spent in an earlier
    period counts again when that is set again. Returns whether anything changed, which is then recorded.
    Raises NotFoundError for a ceiling that is not stored, InvalidAmountError, and InvalidRequestError where the period
    must be named: a lifted ceiling has none, and one of an earlier version may have several.
    """

    encloses: EnvelopeKind
    subject: str
    """The owner; nothing for a team."""
    name: str
    ceiling: int | None
    period: BudgetPeriod | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBudget(Request[BudgetState]):
    """A budget of one category within the notebook's open session.

    The same again changes nothing. With ``create`` another ceiling is a ConflictError, without it the ceiling
    is changed, or BudgetNotFoundError. The period is set once. Raises NotFoundError when no session is open, and with
    ``tighten_only`` NotAllowedError for a higher ceiling.
    """

    notebook: NotebookKey
    category: str
    ceiling: int
    period: BudgetPeriod = BudgetPeriod.MONTHLY
    create: bool = True
    tighten_only: bool = False
