"""`BudgetManager`, with which SDK users set budgets, and charge to them.

A budget is a fixed limit on what may be spent in a category, in each calendar period (in UTC) or in total.
"""

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
    """The result of `BudgetManager.check_budget`: whether the budget allows the amount now. Amounts are in USD."""

    allowed: bool
    category: str
    requested: float
    available: float
    limit: float
    spent: float
    reason: str


@dataclass(frozen=True, slots=True)
class SpendingTransaction:
    """The result of `BudgetManager.record_spending`: a spend that was charged, in USD.

    ``overrun`` is True if the spend exceeded the budget, which only ``BudgetConfig(allow_overdraft=True)`` permits.
    """

    category: str
    amount: float
    description: str | None
    recorded_at: datetime
    overrun: bool = False
    audit_record_id: str = ""


@dataclass(frozen=True, slots=True)
class BudgetBalance:
    """The exact figures of a budget in its current period, in USD.

    ``remaining`` is never below 0. If more is spent and held than the limit, ``over`` is the difference.
    """

    category: str
    period: BudgetPeriod
    limit: Decimal
    spent: Decimal
    held: Decimal
    remaining: Decimal
    over: Decimal


class BudgetManager:
    """The budgets of an engine, ``engine.budget``: one for each category.

    In each period a budget starts with nothing spent, and no rest of the last period is added. Amounts are in US
    dollars: numbers, Decimals or text, from 0 to 1e9. Any other amount raises ValueError.
    """

    def __init__(self, config: BudgetConfig | None = None, *, realm: Realm | None = None) -> None:
        self._config = config or BudgetConfig()
        self._realm = realm or Realm()

    def create_budget(
        self, category: str, limit: float | Decimal | str, period: BudgetPeriod | str = "monthly"
    ) -> None:
        """Create a budget for a category. If it exists with the same limit and period, nothing changes.

        Raises ValueError for an invalid limit, and if the budget exists with other values; InvalidPeriodError for a
        period that is not in ``BUDGET_PERIOD_VALUES``.
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
                f" to change its limit call engine.budget.set_limit({category!r}, {limit!r})."
            ) from error

    def set_limit(self, category: str, limit: float | Decimal | str) -> None:
        """Change a budget's limit, from the current period on, and write one audit record with both limits.

        Call it only for a change that a user has decided. The limit may be below the spent amount; then nothing is
        left. Raises BudgetNotFoundError.
        """
        self._set(category, money.parse(limit, what="limit"), BudgetPeriod.MONTHLY, create=False)

    def check_budget(self, category: str, amount: float | Decimal | str) -> BudgetCheckResult:
        """Return whether `record_spending` would accept the amount now. Nothing is charged or recorded.

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
        """Charge an amount to a budget. One step checks and charges the amount, so that parallel calls never overspend.

        Raises BudgetExceededError, with nothing charged, if the amount is more than the budget has left. With
        ``allow_overdraft`` the amount is charged and recorded as an overrun instead. Also raises BudgetNotFoundError,
        ValueError for an amount that is not positive, and GovernanceDeniedError if a user has closed the engine's
        session, or set another limit that the amount exceeds.
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
        """Return the exact figures of a budget in its current period. Raises BudgetNotFoundError."""
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
        """Return which fraction of a budget's limit is spent in the current period, as a number from 0.0 to 1.0.

        It is above 1.0 after an overrun. For a limit of 0, it is 1.0 if anything is spent. Raises BudgetNotFoundError.
        """
        return _utilization(self._state(category))

    def list_categories(self) -> list[str]:
        """Return the categories that have a budget, in order of their names."""
        return [state.category for state in self._states()]

    def summary(self) -> list[dict[str, object]]:
        """Return one dict for each budget, in order of their names, with amounts in USD for the current period.

        ``effective_limit`` equals ``limit``, since nothing rolls over. ``last_reset`` is the start of the period, or
        None for a lifetime budget.
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
        """Return the holds that were neither settled nor released yet, at most the oldest hundred; amounts in nano-USD.

        These are the holds of all engines of this owner on the ledger. If the process that made a hold has ended, the
        hold stays, and can be ended with `settle_hold` or `release_hold`.
        """
        return self._realm.read(ListHolds(owner=self._realm.notebook.owner, root=self._realm.notebook.root))

    def settle_hold(self, hold_id: str, cost: float | Decimal | str) -> None:
        """Charge the true cost, in USD, of a hold whose process has ended before it could do so, in place of the hold.

        ``hold_id`` is the ``charge_id`` of a result of `holds`. Raises NotFoundError if there is no such hold, and
        ConflictError if it was settled or released before.
        """
        nano = money.parse(cost, what="cost")
        self._realm.execute(Settle(key="", origin=self._realm.origin, hold_id=hold_id, amount=nano))

    def release_hold(self, hold_id: str) -> None:
        """Release a hold because nothing was paid, so that its amount is available again.

        Raises the errors of `settle_hold`.
        """
        self._realm.execute(Release(key="", origin=self._realm.origin, hold_id=hold_id))

    def adjust_estimate(
        self, cost: float | Decimal | str, *, hold_id: str | None = None, reference: str | None = None
    ) -> None:
        """Replace an estimated charge, once, with its true cost in USD, which a later response of the provider states.

        The charge is identified by ``hold_id``, or else by the ``reference`` that its grant had when it was settled. A
        cost above the estimate is charged in full; if the cost is lower, the budget gets the difference back. Raises
        NotFoundError if there is no such charge, and ConflictError if it is not an estimate, was adjusted before, or
        was corrected by a user.
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
    # The division of two ints is rounded only once, to the nearest float.
    return nano / money.NANO_PER_USD


def _utilization(state: BudgetState) -> float:
    balance = state.balance
    if balance.limit == 0:
        return 1.0 if balance.spent else 0.0
    return balance.spent / balance.limit
