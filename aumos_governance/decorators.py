"""The decorator `governed`: before each call of a decorated function, an engine decides whether the call may run."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import aclosing
from decimal import Decimal
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

from . import money
from .engine import Engine
from .errors import InvalidRequestError
from .integrations.governed_work import GovernanceState, GovernedWork
from .realm import to_level

__all__ = ["GovernedFunction", "governed"]

P = ParamSpec("P")
R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")


class GovernedFunction(Protocol[P, R_co]):
    """A function decorated with `governed`.

    It is called like the original function, and has two more attributes: ``governance_state`` has the function's
    current figures, and ``record_spend`` charges an amount to its budget.
    """

    @property
    def governance_state(self) -> GovernanceState:
        """The current trust level, budget, spent amount and number of calls of the function."""
        ...

    @property
    def __name__(self) -> str: ...

    @property
    def __wrapped__(self) -> Callable[P, R_co]: ...

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Call the function. Raises GovernanceDeniedError, without running it, if the call is denied."""
        ...

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> GovernedFunction[P, R_co]: ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> Callable[..., R_co]: ...

    def record_spend(self, amount: float | Decimal | str) -> None:
        """Charge an amount in USD to the function's budget.

        Call this method before the code that spends the money, so that the code runs only if the budget allows the
        amount. Raises GovernanceDeniedError if the amount is more than the budget has left; nothing is charged then.
        """
        ...


def governed(
    trust_level: int = 2,
    budget: float | Decimal | str | None = None,
    require_consent: bool = False,
    log_decisions: bool = True,
    act: bool = False,
    *,
    engine: Engine | None = None,
) -> Callable[[Callable[P, R]], GovernedFunction[P, R]]:
    """Decorate a function so that an engine decides each call before it runs: ``@governed(trust_level=2, budget=5)``.

    The engine is ``engine``, or else the engine of the governed notebook. Its trust level must be at least
    ``trust_level``, and ``budget`` (in USD) is a separate ceiling within the session's budget. If there is no
    engine, the function gets a private one in memory, with the level ``trust_level`` and the budget ``budget``. A call
    is denied once nothing is left of ``budget``.

    With ``act=True`` a call is a governed action, one with effects beyond the notebook: below L3 it is only suggested;
    at L3 it waits for the approval of a user, who sees the call with its arguments; at L4 it runs and is then reported
    to the user; at L5 it runs and is recorded. With ``require_consent`` a consent for the data type
    ``"governed_call"`` must be recorded. Every decision is recorded, so ``log_decisions=False`` has no effect.

    Coroutine functions, generators and asynchronous generators are governed from their first step to their last; the
    call of a generator is decided when its iteration starts. A governed function can be called from any thread.

    Raises InvalidRequestError (a ValueError) for an invalid trust level or budget.
    """
    if callable(trust_level):
        raise InvalidRequestError("Write @governed() with parentheses; the trust level and the budget go into them.")
    level = to_level(trust_level, "trust_level")
    limit = None if budget is None else money.parse(budget, what="budget")
    if not log_decisions:
        warnings.warn("log_decisions has no effect: every decision is recorded.", DeprecationWarning, stacklevel=2)

    def wrap(function: Callable[P, R]) -> GovernedFunction[P, R]:
        work = GovernedWork(function, level, limit, require_consent, act, engine)
        return cast("GovernedFunction[P, R]", _wrapped(function, work))

    return wrap


def _wrapped(function: Any, work: GovernedWork) -> Any:
    if inspect.isasyncgenfunction(function):
        made = _async_generator(function, work)
    elif inspect.isgeneratorfunction(function):
        made = _generator(function, work)
    elif inspect.iscoroutinefunction(function):
        made = _coroutine(function, work)
    else:
        made = _plain(function, work)
    made.record_spend = work.record_spend
    made.governance_state = GovernanceState(work)
    return made


def _plain(function: Any, work: GovernedWork) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with work.running(args, kwargs):
            return function(*args, **kwargs)

    return call


def _coroutine(function: Any, work: GovernedWork) -> Any:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        async with work.running_async(args, kwargs):
            return await function(*args, **kwargs)

    return call


def _generator(function: Any, work: GovernedWork) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with work.running(args, kwargs):
            return (yield from function(*args, **kwargs))

    return call


def _async_generator(function: Any, work: GovernedWork) -> Any:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with work.running_async(args, kwargs), aclosing(function(*args, **kwargs)) as values:
            async for value in values:
                yield value

    return call
