"""Budgets, ceilings and the charges that they limit: the responses about them, and the requests that set limits.

An *envelope* is a ceiling around charges: the session's budget, a category's budget, or a ceiling from the
configuration. Amounts are in nano-USD.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...frozen import quick
from ...types import BudgetPeriod
from .facts import Balance, NotebookKey, SessionState
from .requests import Request


class ChargeState(str, Enum):
    """The state of a charge."""

    SPENT = "spent"
    VOIDED = "voided"
    HELD = "held"
    UNRESOLVED = "unresolved"
    """A hold of a kernel that is gone. The amount stays held until a user, or a late request of the kernel, settles or
    releases the hold."""
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class HeldCharge:
    """A hold whose amount is still held: it was not settled, released or voided, and has not expired."""

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
    """When the ledger releases the hold automatically; None for never."""


@quick
@dataclass(frozen=True, slots=True)
class Resolved:
    """The result of settling or releasing a hold."""

    charge_id: str
    outcome: ChargeState
    held: int
    """The amount that was held before."""
    spent: int
    overrun: bool
    """Whether more was spent than was held."""
    record_id: str
    state: SessionState | None = None
    estimated: bool = False
    """Whether the true cost is not known."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The result of replacing an estimated charge with its true cost."""

    charge_id: str
    estimate: int
    """The amount that was charged before."""
    spent: int
    overrun: bool
    """Whether more was spent than was held."""
    record_id: str
    state: SessionState | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction of a charge: a new entry that reduces the charge, down to 0 at most."""

    correction_id: str
    charge_id: str
    amount: int
    left: int
    """The amount that is still charged, after this and earlier corrections."""
    record_id: str
    state: SessionState | None = None


class EnvelopeKind(str, Enum):
    """The set of notebooks that an envelope of the server's configuration limits together, from inner to outer."""

    NOTEBOOK = "notebook"
    """Each notebook separately, over all its sessions."""
    OWNER = "owner"
    """All notebooks of one owner, on all servers that share the database."""
    SERVER = "server"
    """All notebooks of one owner under one root, which are the notebooks of one server."""
    TEAM = "team"
    """All notebooks of all servers that configure an envelope of this name."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class EnvelopeSpec:
    """One envelope of the server's configuration."""

    name: str
    ceiling: int
    encloses: EnvelopeKind
    period: BudgetPeriod = BudgetPeriod.LIFETIME


@dataclass(frozen=True, slots=True)
class EnvelopeState:
    """An envelope's figures in its current period."""

    name: str
    kind: str
    """``session``, ``category``, or the `EnvelopeKind` of a configured envelope."""
    period: BudgetPeriod
    period_start: int
    balance: Balance
    charges: int
    """The number of charges in this period, including voided ones."""


@dataclass(frozen=True, slots=True)
class CeilingState:
    """The current state of a ceiling that servers share. Ceilings of the same kind, subject and name have different
    periods.
    """

    kind: EnvelopeKind
    subject: str
    """The owner; empty for a team."""
    name: str
    period: BudgetPeriod | None
    """None if the ceiling was lifted."""
    period_start: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The state of one category's budget within a session."""

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
    """Set the envelopes that limit the sessions of a server's owner and root, as the server is configured.

    The envelopes limit open sessions as well, from now on. A new envelope does not include earlier spending; an
    envelope whose period changed is a new envelope. Returns whether anything changed, which is then recorded. Raises
    ConfigurationError for two envelopes with the same name, or an invalid ceiling.

    This request only creates ceilings that servers share (``owner`` and ``team``). A stored shared ceiling limits all
    sessions of the owner under any root, until `SetCeiling` changes it; `ListCeilings` lists these ceilings.
    """

    owner: str
    root: str
    envelopes: tuple[EnvelopeSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCeiling(Request[bool]):
    """Change the amount or period of a stored ceiling that servers share, or with ``ceiling=None`` lift it.

    The ceiling limits open sessions as well, from now on. Without a period the ceiling keeps its period. If a former
    period is set again, the earlier spending in that period is included again. Returns whether anything changed, which
    is then recorded. Raises NotFoundError if the ceiling is not stored, InvalidAmountError, and InvalidRequestError if
    the period must be named: a lifted ceiling has no period, and a ceiling that an earlier version stored may have
    several.
    """

    encloses: EnvelopeKind
    subject: str
    """The owner; empty for a team."""
    name: str
    ceiling: int | None
    period: BudgetPeriod | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBudget(Request[BudgetState]):
    """Create or change one category's budget within the notebook's open session.

    A budget with the same values is not changed. With ``create`` a budget with other values raises ConflictError;
    without ``create`` its ceiling is changed, and a missing budget raises BudgetNotFoundError. The period is set only
    when the budget is created. Raises NotFoundError if no session is open, and with ``tighten_only`` NotAllowedError
    for a higher ceiling.
    """

    notebook: NotebookKey
    category: str
    ceiling: int
    period: BudgetPeriod = BudgetPeriod.MONTHLY
    create: bool = True
    tighten_only: bool = False
