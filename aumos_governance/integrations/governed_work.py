"""A function whose calls are decided: its limits, its place in an engine, and its state."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

from .. import money
from ..engine import Engine, GovernanceAction, GovernanceDecision, GovernanceEngine, registered_engine
from ..errors import BudgetNotFoundError, ConfigurationError, GovernanceDeniedError, NotFoundError
from ..types import TrustLevel

__all__ = ["CONSENT", "GovernanceState", "GovernedWork"]

CONSENT: Final = "governed_call"
"""The kind of data that a consent for a governed function names."""
_ATOM: Final = money.to_decimal(1)
_LONGEST: Final = 2_000
"""Characters of one argument that a user is shown; a longer one is cut, with a mark."""


class GovernanceState:
    """The state of a governed function, read anew with each attribute. Amounts are in USD."""

    def __init__(self, work: GovernedWork) -> None:
        self._work = work

    @property
    def trust_level(self) -> TrustLevel:
        """The level that it was declared at."""
        return self._work.level

    @property
    def budget_limit(self) -> float | None:
        """What it may spend; None: as much as its engine allows."""
        limit = self._work.limit
        return None if limit is None else float(money.to_decimal(limit))

    @property
    def spent(self) -> float:
        """What `record_spend` has recorded; with a budget, in this engine's session or period as a whole."""
        return float(self._work.spent())

    @property
    def engine(self) -> Engine:
        """Who decides about it now."""
        return self._work.engine()

    @property
    def call_count(self) -> int:
        """How many calls were allowed and ran, or are running."""
        return self._work.calls

    def __repr__(self) -> str:
        return (
            f"GovernanceState(trust_level={int(self.trust_level)}, budget_limit={self.budget_limit},"
            f" spent={self.spent}, call_count={self.call_count})"
        )


@dataclass(frozen=True, slots=True)
class _Bound:
    """An engine with the function's place in it."""

    engine: Engine
    agent_id: str
    required: TrustLevel | None
    category: str | None


class GovernedWork:
    """One function with its terms, and the engine that decides about each of its calls."""

    def __init__(
        self,
        function: Callable[..., Any],
        level: TrustLevel,
        limit: int | None,
        require_consent: bool,
        act: bool,
        engine: Engine | None,
    ) -> None:
        self.level = level
        self.limit = limit
        self.calls = 0
        self._function = function
        named: Any = function if hasattr(function, "__qualname__") else type(function)
        self._short = str(named.__qualname__)
        self._name = f"{named.__module__}.{self._short}"
        self._require_consent = require_consent
        self._act = act
        self._engine = engine
        self._lock = threading.Lock()
        self._recorded = 0
        self._bound: _Bound | None = None
        self._own: GovernanceEngine | None = None

    # ---- the function's arguments

    def bound(self) -> _Bound:
        """Who decides now: the engine may come later than the function, as with ``%load_ext``."""
        engine = self._engine or registered_engine()
        found = self._bound
        if found is not None and found.engine is (engine or self._own):
            return found
        with self._lock:
            if engine is None:
                found = self._with_own_engine()
            else:
                required = self.level if self._act or self.level else TrustLevel.L1_MONITOR
                found = _Bound(engine, engine.agent_id, required, self._budget(engine))
            if found.category is not None or self.limit is None:
                self._bound = found
            return found

    def engine(self) -> Engine:
        return self._engine or registered_engine() or self.bound().engine

    def spent(self) -> Decimal:
        bound = self.bound()
        if self.limit is None:
            return money.to_decimal(self._recorded)
        try:
            spent: Decimal = bound.engine.budget.balance(self._name).spent
        except (BudgetNotFoundError, NotFoundError):
            # The session that it was spent in is over.
            return Decimal(0)
        return spent

    def record_spend(self, amount: float | Decimal | str) -> None:
        nano = money.parse_positive(amount)
        bound = self.bound()
        exact = money.to_decimal(nano)
        try:
            grant = bound.engine.begin(self._action(bound, exact, act=False))
        except GovernanceDeniedError as error:
            if error.denial_code != "BUDGET_NOT_FOUND":
                raise
            bound = self._bound_anew()
            grant = bound.engine.begin(self._action(bound, exact, act=False))
        grant.settle(exact)
        with self._lock:
            self._recorded += nano

    def _bound_anew(self) -> _Bound:
        # The notebook has another session by now, where the budget begins at nothing.
        self._bound = None
        return self.bound()

    def _with_own_engine(self) -> _Bound:
        if self._own is None:
            own = GovernanceEngine()
            own.trust.set_level(self._name, self.level)
            self._own = own
        return _Bound(self._own, self._name, None, self._budget(self._own))

    def _budget(self, engine: Engine) -> str | None:
        if self.limit is None:
            return None
        limit = money.to_decimal(self.limit)
        try:
            engine.budget.create_budget(self._name, limit, "lifetime")
        except NotFoundError:
            # No session is open. Each request is denied then, with that reason.
            return None
        except ValueError:
            # The function was defined anew, with other terms. A ceiling that stands is only ever lowered by that.
            standing: Decimal = engine.budget.balance(self._name).limit
            if limit > standing:
                raise ConfigurationError(
                    f"{self._name} has a budget of {money.display(money.parse(standing))} already; to raise it to"
                    f" {money.display(self.limit)}, call"
                    f" {self._short}.governance_state.engine.budget.set_limit({self._name!r}, {limit})."
                ) from None
            engine.budget.set_limit(self._name, limit)
        return self._name

    def _action(self, bound: _Bound, amount: Decimal | None, *, act: bool, call: str | None = None) -> GovernanceAction:
        return GovernanceAction(
            bound.agent_id,
            required_trust_level=bound.required if act else bound.required or TrustLevel.L1_MONITOR,
            budget_category=bound.category,
            # Of an amount that is exact, and text or Decimal as the rest of the package takes it.
            budget_amount=cast("float | None", amount),
            data_type=CONSENT if self._require_consent else None,
            action_type=self._name,
            kind="act" if act else "call",
            shown=None if call is None else {"tool": self._name, "code": call},
        )

    # ---- one call

    @contextmanager
    def running(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[None]:
        bound = self.bound()
        if self._has_ceiling(bound):
            bound = self._checked(bound, bound.engine.evaluate_sync(self._left(bound)))
        grant = bound.engine.begin(self._request(bound, args, kwargs))
        self._count()
        try:
            yield
        except Exception:
            grant.release()
            raise
        except BaseException:
            grant.settle(0, estimated=True)
            raise
        grant.settle(0)

    @asynccontextmanager
    async def running_async(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncIterator[None]:
        bound = self.bound()
        if self._has_ceiling(bound):
            bound = self._checked(bound, await bound.engine.evaluate(self._left(bound)))
        grant = await bound.engine.begin_async(self._request(bound, args, kwargs))
        self._count()
        try:
            yield
        except Exception:
            await grant.release()
            raise
        except BaseException:
            await grant.settle(0, estimated=True)
            raise
        await grant.settle(0)

    def _has_ceiling(self, bound: _Bound) -> bool:
        # A function with a budget of nothing may do what costs nothing.
        return bound.category is not None and bool(self.limit)

    def _left(self, bound: _Bound) -> GovernanceAction:
        # There must be something left, be it ever so little. It is not held: the call itself records what it spends.
        return GovernanceAction(
            bound.agent_id, budget_category=bound.category, budget_amount=_ATOM, action_type=self._name
        )

    def _checked(self, bound: _Bound, decision: GovernanceDecision) -> _Bound:
        limit = decision.limit
        if decision.allowed or limit is None or (limit.kind, limit.name) != ("category", self._name):
            # Other refusals are reported when the call itself is decided.
            return bound
        if decision.code == "BUDGET_NOT_FOUND":
            return self._bound_anew()
        message = (
            f"DENIED: Nothing is left for {self._name}, whose budget is {money.display(self.limit or 0)}; a user can"
            f" raise it with {self._short}.governance_state.engine.budget.set_limit({self._name!r}, limit)."
        )
        raise GovernanceDeniedError(
            decision.action.agent_id,
            decision.reasons[-1],
            decision.audit_record_id,
            message=message,
            denial_code="BUDGET_EXCEEDED",
        )

    def _request(self, bound: _Bound, args: tuple[Any, ...], kwargs: dict[str, Any]) -> GovernanceAction:
        call = self._call(args, kwargs) if self._act else None
        return self._action(bound, None, act=self._act, call=call)

    def _count(self) -> None:
        with self._lock:
            self.calls += 1

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        written = [_repr(value) for value in args]
        written.extend(f"{name}={_repr(value)}" for name, value in kwargs.items())
        return f"{self._short}({', '.join(written)})"


def _repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - whatever the error, the user must see that there is an argument
        text = f"<{type(value).__name__} whose repr fails: {type(error).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
