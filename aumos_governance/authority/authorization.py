"""Grants, the permissions of an engine for single actions, and `Authorization`, the context manager that gets them.

A grant's amount is held before the action, and the true cost is charged after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Protocol

from .. import money
from ..errors import AumOSGovernanceError, ConflictError
from .actions import GovernanceAction, GovernanceDecision


@dataclass(frozen=True, slots=True)
class Settlement:
    """The result of settling or releasing a grant; amounts in USD.

    ``spent`` is the amount that was charged, 0 after a release, and ``held`` the amount that had been held. ``overrun``
    is True if the cost was more than the held amount, or more than the budget had left. ``estimated`` is True if the
    true cost is not known.
    """

    spent: Decimal
    held: Decimal
    overrun: bool
    audit_record_id: str
    estimated: bool = False


class Begun(Protocol):
    """A requested decision about an action that is not awaited yet, so that the caller can do other work meanwhile.

    `Engine.begin_ahead` returns it. The action itself may run only after `grant`.
    """

    def grant(self) -> Grant:
        """Wait for the decision and return the grant. Raises the errors of `Engine.begin`."""
        ...

    def drop(self) -> Grant | None:
        """Give up the action: have its hold released, without waiting for that.

        A caller that is interrupted in `grant` must call `drop` as well. If the action was granted already, `drop` may
        return the grant; then the caller must release it.
        """
        ...


class Ending(Protocol):
    """A settlement or release whose request was sent, without waiting for the response.

    `Granted.resolve_soon` returns it.
    """

    def then(self, function: Callable[[], object]) -> None:
        """Call ``function`` when the response has arrived, in any thread, and perhaps twice.

        The function must neither block nor raise.
        """
        ...

    def result(self) -> Settlement:
        """Wait for the response, and return the result of the settlement or release. A lost request is sent again.

        Raises the errors of `Granted.resolve_now`.
        """
        ...


class Resolver(Protocol):
    """The part of an engine that settles or releases grants.

    Each method settles the grant with ``cost`` nano-USD, or releases it if ``cost`` is None. For one grant, only one of
    the methods may be called, and only once.
    """

    def resolve(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement: ...

    async def resolve_async(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement: ...

    def resolve_soon(self, grant: Granted, cost: int | None, *, estimated: bool) -> Ending | None:
        """Send the request without waiting for its response.

        If the engine saves no time in this way, it does nothing and returns None; then `resolve` must be called.
        """
        ...


class Granted:
    """Base class of `Grant` and `AsyncGrant`: the permission for one action that an engine has allowed.

    A permission must be settled or released, once. ``resolver`` is the part of the engine that does so.
    """

    def __init__(
        self, resolver: Resolver, decision: GovernanceDecision, amount: int | None, hold_id: str | None
    ) -> None:
        self.decision = decision
        """The decision that allowed the action."""
        self.amount = amount
        """The amount of the action, in nano-USD; None for a call without an amount."""
        self.hold_id = hold_id
        """The id of the hold in the ledger; None if nothing was held, because the call has no amount or was allowed as
        an overdraft."""
        self.reference: str | None = None
        """The provider's id of its response, which the caller may set before an estimated settlement. With this id, any
        process can later adjust the estimated charge to the true cost."""
        self.settlement: Settlement | None = None
        """The result of settling or releasing the grant; None before that."""
        self._resolver = resolver
        self._resolving = False

    def resolve_now(self, cost: int | None, *, estimated: bool = False) -> Settlement:
        """Settle the grant with ``cost`` nano-USD, or release it if ``cost`` is None, and wait until that is recorded.

        With ``estimated``, the record states that the true cost is not known. Raises ConflictError if the grant was
        settled or released before.
        """
        self._check()
        # The flag is set within the try block, so that an interrupt cannot leave it set.
        try:
            self._resolving = True
            self.settlement = self._resolver.resolve(self, cost, estimated=estimated)
        finally:
            self._resolving = False
        return self.settlement

    def resolve_soon(self, cost: int | None, *, estimated: bool = False) -> Ending | None:
        """Settle or release the grant like `resolve_now`, but do not wait until that is recorded.

        The caller must call `Ending.result` of the returned object later, which ensures that the request was recorded.
        Return None, without doing anything, if the engine would save no time; then call `resolve_now`.
        """
        self._check()
        ending = self._resolver.resolve_soon(self, cost, estimated=estimated)
        if ending is None:
            return None
        self._resolving = True
        ending.then(lambda: self._ended(ending))
        return ending

    def _ended(self, ending: Ending) -> None:
        # An error is raised again for the caller of `Ending.result`.
        with suppress(AumOSGovernanceError):
            self.settlement = ending.result()
        self._resolving = False

    def _check(self) -> None:
        if self._resolving or self.settlement is not None:
            raise ConflictError("The authorised amount was settled or released already, so nothing was changed.")

    def _cost_after(self, kind: type[BaseException] | None) -> int | None:
        """Return the cost to settle, in nano-USD, after a ``with`` block, or None if the hold must be released.

        ``kind`` is the type of the exception that has ended the block, or None.
        """
        if kind is not None and issubclass(kind, Exception):
            return None
        # After an interrupt the amount is charged as well, since the money may have been spent before the interrupt.
        return self.amount or 0


class Grant(Granted):
    """The permission for one action, from ``with engine.authorize(action) as grant:`` or `Engine.begin`.

    It must be settled or released, once; ``with`` does so if the block did not.
    """

    def settle(self, cost: float | Decimal | str, *, estimated: bool = False) -> Settlement:
        """Charge the action's true cost, in USD, in place of the held amount.

        If the cost is less than the held amount, the rest is released; if it is more, an overrun is recorded. With
        ``estimated`` the record states that the true cost is not known, and that ``cost`` is an upper bound. Raises
        ValueError for an invalid cost, and ConflictError if the grant was settled or released before.
        """
        return self.resolve_now(money.parse(cost, what="cost"), estimated=estimated)

    def release(self) -> Settlement:
        """Release the held amount, because nothing was paid for the action.

        Raises ConflictError if the grant was settled or released before.
        """
        return self.resolve_now(None)


class AsyncGrant(Granted):
    """The permission for one action, from ``async with engine.authorize(action) as grant:`` or `Engine.begin_async`.

    It must be settled or released, once, like a `Grant`; its methods are coroutines.
    """

    async def settle(self, cost: float | Decimal | str, *, estimated: bool = False) -> Settlement:
        """Charge the true cost, in USD, like `Grant.settle`, even if the current task is cancelled meanwhile."""
        return await self.resolve(money.parse(cost, what="cost"), estimated=estimated)

    async def release(self) -> Settlement:
        """Release the held amount like `Grant.release`, even if the current task is cancelled meanwhile."""
        return await self.resolve(None)

    async def resolve(self, cost: int | None, *, estimated: bool = False) -> Settlement:
        """Settle or release the grant like `resolve_now`, even if the current task is cancelled meanwhile."""
        self._check()
        try:
            self._resolving = True
            resolved = asyncio.ensure_future(self._resolved(cost, estimated))
        except BaseException:
            self._resolving = False
            raise
        return await asyncio.shield(resolved)

    async def _resolved(self, cost: int | None, estimated: bool) -> Settlement:
        try:
            self.settlement = await self._resolver.resolve_async(self, cost, estimated=estimated)
        finally:
            self._resolving = False
        return self.settlement


class _Beginner(Protocol):
    """The two methods of an engine that `Authorization` calls, as an interface."""

    def begin(self, action: GovernanceAction) -> Grant: ...

    async def begin_async(self, action: GovernanceAction) -> AsyncGrant: ...


class Authorization:
    """The context manager that ``engine.authorize(action)`` returns, for ``with`` and ``async with``.

    On entry it checks the action and holds its ``budget_amount`` in its ``budget_category``, in one step, so that no
    other call can spend the amount. If the action is denied, it raises GovernanceDeniedError, and the block does not
    run. On exit, unless the block called ``grant.settle(cost)`` or ``grant.release()``, the held amount is

    - charged after a normal end;
    - released after an Exception. If the money may have been spent by then, call ``settle`` before code that can fail;
    - charged and flagged as estimated after an interrupt (KeyboardInterrupt, a cancelled task), since the true cost is
      not known.

    If the process ends within the block, the hold stays, and its amount remains unavailable until
    ``engine.budget.settle_hold`` or ``release_hold`` is called. For an action without an amount nothing is held, and
    the cost passed to ``settle`` is recorded in full.
    """

    def __init__(self, engine: _Beginner, action: GovernanceAction) -> None:
        if action.budget_amount is not None:
            money.parse(action.budget_amount, what="budget_amount")
        self._engine = engine
        self._action = action
        self._grant: Grant | AsyncGrant | None = None

    def __enter__(self) -> Grant:
        self._check_new()
        try:
            self._grant = grant = self._engine.begin(self._action)
            return grant
        except BaseException:
            # The caller was interrupted after the engine granted the action, and before the block, which does not run.
            if self._grant is not None and self._grant.settlement is None:
                self._grant.resolve_now(None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        grant = self._grant
        if isinstance(grant, Grant) and grant.settlement is None:
            cost = grant._cost_after(kind)
            grant.resolve_now(cost, estimated=kind is not None and cost is not None)

    async def __aenter__(self) -> AsyncGrant:
        self._check_new()
        self._grant = grant = await self._engine.begin_async(self._action)
        return grant

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        grant = self._grant
        if isinstance(grant, AsyncGrant) and grant.settlement is None and not grant._resolving:
            cost = grant._cost_after(kind)
            await grant.resolve(cost, estimated=kind is not None and cost is not None)

    def _check_new(self) -> None:
        if self._grant is not None:
            raise ConflictError("An authorization can be used for only one block; call authorize() again for the next.")
