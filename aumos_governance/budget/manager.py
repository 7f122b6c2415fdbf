"""Budgets by category: static ceilings over a calendar period in UTC, kept in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal

from .. import money
from ..clock import to_datetime
from ..config import BudgetConfig
from ..errors import (
    BudgetExceededError,
    BudgetNotFoundError,
    ConflictError,
    GovernanceDeniedError,
    InvalidPeriodError,
    InvalidRequestError,
)
from ..ledger.contract.budgets import BudgetState, HeldCharge, SetBudget
from ..ledger.contract.charges import Adjust, Release, Settle, Spend
from ..ledger.contract.queries import ListBudgets, ListHolds
from ..realm import Realm, require_names
from ..types import BUDGET_PERIOD_VALUES, BudgetPeriod

__all__ = ["BudgetBalance", "BudgetCheckResult", "BudgetManager", "SpendingTransaction"]


@dataclass(frozen=True, slots=True)
class BudgetCheckResult:
    """Whether an amount fits into a budget; amounts in USD."""

    allowed: bool
    category: str
    requested: float
    available: float
    limit: float
    spent: float
    reason: str


@dataclass(frozen=True, slots=True)
class SpendingTransaction:
    """A spend that was recorded; ``overrun`` when it went above the limit, which only an overdraft allows."""

    category: str
    amount: float
    description: str | None
    recorded_at: datetime
    overrun: bool = False
    audit_record_id: str = ""


@dataclass(frozen=True, slots=True)
class BudgetBalance:
    """A budget's exact figures in USD, in its current period.

    ``remaining`` is never below 0: what was spent and held beyond the limit is ``over``.
    """

    category: str
    period: BudgetPeriod
    limit: Decimal
    spent: Decimal
    held: Decimal
    remaining: Decimal
    over: Decimal


class BudgetManager:
    """Budgets by category. At the start of each period a budget begins at zero, and nothing rolls over.

    Amounts are US dollars: numbers, Decimals or text, finite and from 0 to 1e9. Any other is a ValueError.
    """

    def __init__(self, config: BudgetConfig | None = None, *, realm: Realm | None = None) -> None:
        self._config = config or BudgetConfig()
        self._realm = realm or Realm()

    def create_budget(
        self, category: str, limit: float | Decimal | str, period: BudgetPeriod | str = "monthly"
    ) -> None:
        """Set a ceiling for a category. With the same limit and period again, nothing changes.

        Raises ValueError for a limit that is none, and when the budget exists with other values;
        InvalidPeriodError for a period that is none of ``BUDGET_PERIOD_VALUES``.
        """
        ceiling = money.parse(limit, what="limit")
        if period not in BUDGET_PERIOD_VALUES:
            raise InvalidPeriodError(f"A budget's period is one of {', '.join(BUDGET_PERIOD_VALUES)}, not {period!r}.")
        try:
            self._set(category, ceiling, BudgetPeriod(period), create=True)
        except ConflictError as error:
            found = self._state(category)
            raise InvalidRequestError(
                f"There is a {found.period} budget {category!r} of {money.display(found.balance.limit)} already;"
                f" to change its limit call set_limit(category, limit): set_limit({category!r}, {limit!r})."
            ) from error

    def set_limit(self, category: str, limit: float | Decimal | str) -> None:
        """Change a budget's ceiling, in this period and those that follow; one audit record with from and to.

        It is for a user's explicit change: a ceiling below what is spent is allowed, and then nothing is left.
        Raises BudgetNotFoundError.
        """
        self._set(category, money.parse(limit, what="limit"), BudgetPeriod.MONTHLY, create=False)

    def check_budget(self, category: str, amount: float | Decimal | str) -> BudgetCheckResult:
        """Whether `record_spending` would accept the amount now; nothing is charged or recorded.

        Raises BudgetNotFoundError.
        """
        nano = money.parse(amount)
        state = self._state(category)
        balance = state.balance
        fits = nano <= balance.remaining
        requested, left = money.display(nano), money.display(balance.remaining)
        reason = (
            f"Budget {category!r}: {requested} requested, {left} left of {money.display(balance.limit)} {state.period}"
        )
        if not fits and self._config.allow_overdraft:
            reason += "; the overdraft would be recorded as an overrun"
        return BudgetCheckResult(
            fits or self._config.allow_overdraft,
            category,
            _usd(nano),
            _usd(balance.remaining),
            _usd(balance.limit),
            _usd(balance.spent),
            reason,
        )

    def record_spending(
        self, category: str, amount: float | Decimal | str, description: str | None = None
    ) -> SpendingTransaction:
        """Charge an amount to a budget; checked and charged in one step, so that parallel calls never overspend.

        Raises BudgetExceededError, with nothing changed, when it does not fit (with ``allow_overdraft`` it is
        recorded as an overrun instead); BudgetNotFoundError; ValueError for an amount that is not positive;
        GovernanceDeniedError when the engine's session forbids it or was closed by a user.
        """
        require_names(category=category)
        nano = money.parse_positive(amount)
        decision = self._realm.execute(
            Spend(
                key="",
                origin=self._realm.origin,
                notebook=self._realm.notebook,
                amount=nano,
                tool=category,
                category=category,
                note=description,
                already_paid=self._config.allow_overdraft,
            )
        )
        if not decision.allowed:
            reason = decision.reasons[0]
            if decision.code == "BUDGET_EXCEEDED":
                available = self._state(category).balance.remaining
                raise BudgetExceededError(category, _usd(nano), _usd(available), f"{reason}; nothing was charged.")
            raise GovernanceDeniedError(None, reason, decision.record_id)
        now = datetime.now(timezone.utc)
        return SpendingTransaction(category, _usd(nano), description, now, decision.overrun, decision.record_id)

    def balance(self, category: str) -> BudgetBalance:
        """The exact figures of a budget. Raises BudgetNotFoundError."""
        state = self._state(category)
        balance = state.balance
        return BudgetBalance(
            category,
            state.period,
            *(
                money.to_decimal(nano)
                for nano in (balance.limit, balance.spent, balance.held, balance.remaining, balance.over)
            ),
        )

    def get_utilization(self, category: str) -> float:
        """What of the limit is spent: 0.0 for nothing, 1.0 for all, more after an overrun.

        A limit of 0 is used up (1.0) from the start of the first spend. Raises BudgetNotFoundError.
        """
        return _utilization(self._state(category))

    def list_categories(self) -> list[str]:
        """The categories that have a budget, in order of their names."""
        return [state.category for state in self._states()]

    def summary(self) -> list[dict[str, object]]:
        """One dict for each budget, in order of the names; amounts in USD, for the current period.

        ``effective_limit`` is the limit, since nothing rolls over. ``last_reset`` is the start of the period
        (None for a lifetime budget).
        """
        return [
            {
                "category": state.category,
                "limit": _usd(state.balance.limit),
                "effective_limit": _usd(state.balance.limit),
                "spent": _usd(state.balance.spent),
                "remaining": _usd(state.balance.remaining),
                "utilization": _utilization(state),
                "period": state.period.value,
                "last_reset": None if state.period is BudgetPeriod.LIFETIME else to_datetime(state.period_start),
                "transaction_count": state.charges,
            }
            for state in self._states()
        ]

    def holds(self) -> tuple[HeldCharge, ...]:
        """The oldest hundred amounts that blocks authorised by an engine hold now; amounts in nano-USD.

        One whose process has ended stays until it is settled or released.
        """
        return self._realm.read(ListHolds(owner=self._realm.notebook.owner, root=self._realm.notebook.root))

    def settle_hold(self, hold_id: str, cost: float | Decimal | str) -> None:
        """Charge what a hold truly cost, for a process that can no longer do so.

        Raises NotFoundError for no such hold, ConflictError when it was settled or released before.
        """
        nano = money.parse(cost, what="cost")
        self._realm.execute(Settle(key="", origin=self._realm.origin, hold_id=hold_id, amount=nano))

    def release_hold(self, hold_id: str) -> None:
        """Give a hold back: nothing was paid. Raises as `settle_hold`."""
        self._realm.execute(Release(key="", origin=self._realm.origin, hold_id=hold_id))

    def adjust_estimate(
        self, cost: float | Decimal | str, *, hold_id: str | None = None, reference: str | None = None
    ) -> None:
        """Give an estimated charge its true cost in USD, as a later response of the provider states it; once.

        ``hold_id`` names the charge, or else ``reference``, which its grant had when it was settled. More than the
        estimate is recorded in full, less is given back. Raises NotFoundError for no such charge, and ConflictError for
        one that is no estimate, that was adjusted before, or that a user has corrected.
        """
        self._realm.execute(
            Adjust(
                key="",
                origin=self._realm.origin,
                notebook=self._realm.notebook,
                amount=money.parse(cost, what="cost"),
                charge_id=hold_id,
                reference=reference,
            )
        )

    def _set(self, category: str, ceiling: int, period: BudgetPeriod, *, create: bool) -> None:
        require_names(category=category)
        self._realm.execute(
            SetBudget(
                key="",
                origin=self._realm.origin,
                notebook=self._realm.notebook,
                category=category,
                ceiling=ceiling,
                period=period,
                create=create,
            )
        )

    def _state(self, category: str) -> BudgetState:
        require_names(category=category)
        found = self._realm.read(ListBudgets(notebook=self._realm.notebook, category=category))
        if not found:
            raise BudgetNotFoundError(category)
        return found[0]

    def _states(self) -> tuple[BudgetState, ...]:
        return self._realm.read(ListBudgets(notebook=self._realm.notebook))


def _usd(nano: int) -> float:
    # True division of two ints is rounded once, to the nearest float.
    return nano / money.NANO_PER_USD


def _utilization(state: BudgetState) -> float:
    balance = state.balance
    if balance.limit == 0:
        return 1.0 if balance.spent else 0.0
    return balance.spent / balance.limit
