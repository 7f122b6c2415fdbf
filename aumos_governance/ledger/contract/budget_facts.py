"""Holds, corrections and envelopes as the ledger tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...frozen import quick
from ...types import BudgetPeriod
from .facts import Balance, NotebookKey, SessionState

__all__ = [
    "Adjusted",
    "BudgetState",
    "CeilingState",
    "ChargeState",
    "Corrected",
    "EnvelopeKind",
    "EnvelopeSpec",
    "EnvelopeState",
    "HeldCharge",
    "Resolved",
]


class ChargeState(str, Enum):
    """What became of a charge."""

    SPENT = "spent"
    VOIDED = "voided"
    HELD = "held"
    UNRESOLVED = "unresolved"
    """Held by a kernel that is gone: it counts until a person, or that kernel late, settles or releases it."""
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
    """Nobody knows what was truly spent."""


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
