"""The requests that set limits on money, and the responses about limits and about the charges under them.

The ledger calls every limit on money an *envelope*: the session's budget, a category's budget within a session, or a
ceiling from a server's configuration, which surrounds sessions. A charge must stay within all the envelopes that it
falls under. Amounts are in nano-USD, times in microseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...frozen import quick
from ...types import BudgetPeriod
from .facts import Balance, NotebookKey, SessionState
from .requests import Request


class ChargeState(str, Enum):
    """The state of a charge: a spend, which is charged at once, or a hold, which is settled or released later.

    A spend is ``spent``. A hold begins as ``held`` and ends as ``settled``, ``released`` or ``expired``. A cancel makes
    either ``voided``.
    """

    SPENT = "spent"
    VOIDED = "voided"
    HELD = "held"
    UNRESOLVED = "unresolved"
    """A hold whose kernel has ended, so that it is not known whether the call was paid for. The amount stays held until
    a user settles or releases the hold, or a late request of the kernel does."""
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class HeldCharge:
    """A hold that is still open, as `ListHolds` returns it: not settled, released, voided or expired."""

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
    """The time when the ledger releases the hold automatically; None for never."""


@quick
@dataclass(frozen=True, slots=True)
class Resolved:
    """The response to `Settle` and `Release`: what became of the hold, and the amounts held before and spent now."""

    charge_id: str
    outcome: ChargeState
    held: int
    """The amount that the hold held until now; 0 if it had expired before."""
    spent: int
    overrun: bool
    """Whether the call cost more than was held for it."""
    record_id: str
    state: SessionState | None = None
    estimated: bool = False
    """Whether ``spent`` is an estimate, since the true cost is not known."""


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The response to `Adjust`: an estimated charge, with its estimate and the true cost that replaces it."""

    charge_id: str
    estimate: int
    """The amount that was charged until now, as an estimate."""
    spent: int
    overrun: bool
    """Whether the call cost more than was held for it."""
    record_id: str
    state: SessionState | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """The response to `Correct`: the correction, an entry of its own that reduces a charge, and the amount left.

    ``amount`` is the reduction. Corrections cannot reduce a charge below 0.
    """

    correction_id: str
    charge_id: str
    amount: int
    left: int
    """The amount that is still charged after this correction and all earlier ones."""
    record_id: str
    state: SessionState | None = None


class EnvelopeKind(str, Enum):
    """The kinds of ceilings in a server's configuration, by the notebooks whose charges a ceiling limits together.

    The ledger checks ceilings in the order of these kinds.
    """

    NOTEBOOK = "notebook"
    """The ceiling limits each notebook separately, over all its sessions."""
    OWNER = "owner"
    """The ceiling limits all notebooks of one owner together, on all servers that share the database."""
    SERVER = "server"
    """The ceiling limits the notebooks of one server together: those of one owner below one root folder."""
    TEAM = "team"
    """The ceiling limits all notebooks together of all servers that configure a team ceiling with the same name."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class EnvelopeSpec:
    """One ceiling of a server's configuration: at most ``ceiling`` nano-USD may be spent in each period.

    ``encloses`` determines the notebooks whose charges the ceiling limits together.
    """

    name: str
    ceiling: int
    encloses: EnvelopeKind
    period: BudgetPeriod = BudgetPeriod.LIFETIME


@dataclass(frozen=True, slots=True)
class EnvelopeState:
    """The figures of one envelope (a budget or ceiling) in its current period, as `ListEnvelopes` returns them."""

    name: str
    kind: str
    """``session`` or ``category`` for a budget, or the value of an `EnvelopeKind` for a configured ceiling."""
    period: BudgetPeriod
    period_start: int
    balance: Balance
    charges: int
    """The number of spends and holds that were made in this period, including those that were voided later."""


@dataclass(frozen=True, slots=True)
class CeilingState:
    """The current figures of a ceiling that servers share, as `ListCeilings` returns them.

    ``kind``, ``subject`` and ``name`` identify the ceiling. If an earlier version of this package stored it with
    several periods, there is one state for each period.
    """

    kind: EnvelopeKind
    subject: str
    """The owner whose notebooks the ceiling limits; empty for a team ceiling."""
    name: str
    period: BudgetPeriod | None
    """The period after which spending starts again from zero; None if the ceiling was lifted."""
    period_start: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class BudgetState:
    """The figures of one category's budget within a session, in its current period.

    In the response to `SetBudget`, ``created`` or ``changed`` is True if the request created or changed the budget.
    """

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
    """Store the ceilings of a server's configuration; a server makes this request when it starts.

    The ceilings limit the sessions of the server's notebooks: those of ``owner`` below ``root``. From now on they limit
    open sessions as well, but a new ceiling does not include earlier spending. A ceiling whose period has changed is a
    new ceiling. Returns whether anything has changed; a change is recorded. Raises ConfigurationError if two ceilings
    have the same name, or if an amount is invalid.

    Ceilings of the kinds ``owner`` and ``team`` are shared with other servers. The request only creates these: if a
    shared ceiling is stored already, it stays as it is until `SetCeiling` changes it. It limits all sessions of the
    owner, under any root. `ListCeilings` lists the shared ceilings.
    """

    owner: str
    root: str
    envelopes: tuple[EnvelopeSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCeiling(Request[bool]):
    """Change the amount or period of a stored ceiling that servers share, or with ``ceiling=None`` lift it.

    The change applies to open sessions as well, from now on. With None as ``period`` the ceiling keeps its period. If a
    former period is set again, the earlier spending in that period is included again. Returns whether anything has
    changed; a change is recorded.

    Raises NotFoundError if the ceiling is not stored, and InvalidAmountError for an invalid amount. Raises
    InvalidRequestError for a ceiling that servers do not share, and if the request must name a period but does not: a
    lifted ceiling has no period, and a ceiling that an earlier version stored may have several.
    """

    encloses: EnvelopeKind
    subject: str
    """The owner whose notebooks the ceiling limits; empty for a team ceiling."""
    name: str
    ceiling: int | None
    period: BudgetPeriod | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBudget(Request[BudgetState]):
    """Create one category's budget within the notebook's open session, or with ``create=False`` change its amount.

    ``ceiling`` is the budget in nano-USD. A budget that has these values already stays as it is. With ``create``, the
    request raises ConflictError if the category has a budget with other values. With ``create=False``, ``period`` is
    ignored, and the request raises BudgetNotFoundError if the category has no budget.

    Raises NotFoundError if no session is open. With ``tighten_only`` (on a strict server) a budget can only be lowered,
    and a higher amount raises NotAllowedError.
    """

    notebook: NotebookKey
    category: str
    ceiling: int
    period: BudgetPeriod = BudgetPeriod.MONTHLY
    create: bool = True
    tighten_only: bool = False
