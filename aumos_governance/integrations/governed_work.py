"""The implementation of the decorator `governed`, which lets a function run only within a trust level and a budget."""

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

CONSENT: Final = "governed_call"
"""The ``data_type`` under which consent to calls of a governed function is recorded."""
_ATOM: Final = money.to_decimal(1)
_LONGEST: Final = 2_000
"""The most characters of one argument's `repr` that a user is shown; a longer text is cut off and marked."""


class GovernanceState:
    """The current state of a governed function; each attribute is computed when it is read. Amounts are in USD."""

    def __init__(self, work: GovernedWork) -> None:
        self._work = work

    @property
    def trust_level(self) -> TrustLevel:
        """The trust level that the function was declared with."""
        return self._work.level

    @property
    def budget_limit(self) -> float | None:
        """The function's budget, or None if only the engine's budgets limit the function."""
        limit = self._work.limit
        return None if limit is None else float(money.to_decimal(limit))

    @property
    def spent(self) -> float:
        """The USD charged to the function's budget in the session.

        Without a budget, the sum of what the function has recorded with `record_spend`.
        """
        return float(self._work.spent())

    @property
    def engine(self) -> Engine:
        """The engine that decides about the governed function's next call: the notebook's, unless one was passed."""
        return self._work.engine()

    @property
    def call_count(self) -> int:
        """How many calls of the function were allowed since it was defined, including those that still run."""
        return self._work.calls

    def __repr__(self) -> str:
        return (
            f"GovernanceState(trust_level={int(self.trust_level)}, budget_limit={self.budget_limit},"
            f" spent={self.spent}, call_count={self.call_count})"
        )


@dataclass(frozen=True, slots=True)
class _Binding:
    """The engine that decides about a function's calls, with the agent, trust level and budget that it applies to them.

    ``category`` is the name of the function's budget in this engine.
    """

    engine: Engine
    agent_id: str
    required: TrustLevel | None
    category: str | None


class GovernedWork:
    """One governed function: its trust level, budget and consent, and the engine that decides about its calls.

    ``limit`` is the budget in nano-USD. With ``require_consent``, each call needs a recorded consent (`CONSENT`).
    ``act`` makes each call a governed action, which a user may have to approve; otherwise it is a governed call.
    Without ``engine``, the registered engine decides. If no engine is registered, an engine for this function alone
    decides.
    """

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
        self._bound: _Binding | None = None
        self._own: GovernanceEngine | None = None

    # ---- the engine and the budget

    def bound(self) -> _Binding:
        """Return the engine to use now, with the function's agent, trust level and budget there.

        The engine may change: ``%load_ext`` may register one after the function was defined.
        """
        engine = self._engine or registered_engine()
        found = self._bound
        if found is not None and found.engine is (engine or self._own):
            return found
        with self._lock:
            if engine is None:
                found = self._with_own_engine()
            else:
                required = self.level if self._act or self.level else TrustLevel.L1_MONITOR
                found = _Binding(engine, engine.agent_id, required, self._budget(engine))
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
            # The function's session has ended, and its budget ended with the session.
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

    def _bound_anew(self) -> _Binding:
        # The notebook has a new session, and the budget has to be created again in this session.
        self._bound = None
        return self.bound()

    def _with_own_engine(self) -> _Binding:
        if self._own is None:
            own = GovernanceEngine()
            own.trust.set_level(self._name, self.level)
            self._own = own
        return _Binding(self._own, self._name, None, self._budget(self._own))

    def _budget(self, engine: Engine) -> str | None:
        """Create the function's budget in an engine, or lower its limit, and return its name.

        Return None if the function has no budget, or if no session is open. Raises ConfigurationError if the budget
        exists with a lower limit.
        """
        if self.limit is None:
            return None
        limit = money.to_decimal(self.limit)
        try:
            engine.budget.create_budget(self._name, limit, "lifetime")
        except NotFoundError:
            # No session is open, so the engine denies each call for that reason.
            return None
        except ValueError:
            # The function was redefined with another limit, which may only lower the existing limit.
            existing: Decimal = engine.budget.balance(self._name).limit
            if limit > existing:
                raise ConfigurationError(
                    f"{self._name} has a budget of {money.display(money.parse(existing))} already, which"
                    f" stays; to raise it to {money.display(self.limit)}, call"
                    f" {self._short}.governance_state.engine.budget.set_limit({self._name!r}, {limit})."
                ) from None
            engine.budget.set_limit(self._name, limit)
        return self._name

    def _action(
        self, bound: _Binding, amount: Decimal | None, *, act: bool, call: str | None = None
    ) -> GovernanceAction:
        return GovernanceAction(
            bound.agent_id,
            required_trust_level=bound.required if act else bound.required or TrustLevel.L1_MONITOR,
            budget_category=bound.category,
            # The public type is float, as in the earlier SDK; the engine takes an exact Decimal too.
            budget_amount=cast("float | None", amount),
            data_type=CONSENT if self._require_consent else None,
            action_type=self._name,
            kind="act" if act else "call",
            shown=None if call is None else {"tool": self._name, "code": call},
        )

    # ---- one call

    @contextmanager
    def running(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[None]:
        """Have the engine decide about one call before the ``with`` block runs it.

        Raises GovernanceDeniedError when the call is denied. If the block raises an exception, the call's hold is
        released. If the block is interrupted, the call is settled with 0 USD, flagged as an estimate. In both cases the
        spends that the call has recorded with `record_spend` stay charged.
        """
        bound = self.bound()
        if self._needs_money(bound):
            bound = self._checked(bound, bound.engine.evaluate_sync(self._smallest_spend(bound)))
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
        """Do what `running` does, for an asynchronous function."""
        bound = self.bound()
        if self._needs_money(bound):
            bound = self._checked(bound, await bound.engine.evaluate(self._smallest_spend(bound)))
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

    def _needs_money(self, bound: _Binding) -> bool:
        """Whether the function's calls are denied once its budget is used up.

        With a budget of 0, they are not: calls that spend nothing may run.
        """
        return bound.category is not None and bool(self.limit)

    def _smallest_spend(self, bound: _Binding) -> GovernanceAction:
        """Return an action of 1 nano-USD; the engine evaluates it to find out whether any of the budget is left.

        What a call will spend is not known before it runs.
        """
        return GovernanceAction(
            bound.agent_id, budget_category=bound.category, budget_amount=_ATOM, action_type=self._name
        )

    def _checked(self, bound: _Binding, decision: GovernanceDecision) -> _Binding:
        """Raise GovernanceDeniedError if ``decision`` shows that the function's budget is used up.

        ``decision`` is the engine's evaluation of `_smallest_spend`. Return ``bound``, or a new binding if the notebook
        has a new session, in which the budget has to be created again.
        """
        limit = decision.limit
        if decision.allowed or limit is None or (limit.kind, limit.name) != ("category", self._name):
            # Any other reason for a denial is reported by the decision about the call itself.
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

    def _request(self, bound: _Binding, args: tuple[Any, ...], kwargs: dict[str, Any]) -> GovernanceAction:
        call = self._call(args, kwargs) if self._act else None
        return self._action(bound, None, act=self._act, call=call)

    def _count(self) -> None:
        with self._lock:
            self.calls += 1

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Return the call as Python code, to be shown to the user who decides about it."""
        written = [_repr(value) for value in args]
        written.extend(f"{name}={_repr(value)}" for name, value in kwargs.items())
        return f"{self._short}({', '.join(written)})"


def _repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a `repr` may raise anything, and the user must see each argument
        text = f"<{type(value).__name__} whose repr fails: {type(error).__name__}>"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text)} characters)"
