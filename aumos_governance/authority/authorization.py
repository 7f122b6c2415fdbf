"""Charged work that is authorised: its amount held before, its true cost charged after."""

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

__all__ = ["AsyncGrant", "Authorization", "Begun", "Ending", "Grant", "Granted", "Resolver", "Settlement"]


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a grant was settled, in USD. ``overrun``: more was spent than was held, or than the budget had left.

    ``estimated``: the true cost is not known.
    """

    spent: Decimal
    held: Decimal
    overrun: bool
    audit_record_id: str
    estimated: bool = False


class Begun(Protocol):
    """An action that is being decided, while its caller does something else first."""

    def grant(self) -> Grant:
        """Wait for the decision; raises as `Engine.begin`."""
        ...

    def drop(self) -> Grant | None:
        """Give the action up, and release what it holds. Never waits.

        Also after `grant`, for a caller that was interrupted before it got the grant. A grant that exists already may
        be returned; the caller must release it.
        """
        ...


class Ending(Protocol):
    """A settlement or a release that was sent, and is recorded soon."""

    def then(self, function: Callable[[], object]) -> None:
        """Call this when the response is here, in whatever thread, perhaps twice; it must neither block nor raise."""
        ...

    def result(self) -> Settlement:
        """Wait for the response; the request is sent again where it was lost. Raises as `Granted.resolve_now`."""
        ...


class Resolver(Protocol):
    """Ends what an engine granted: settles it with ``cost`` nano-USD, or releases it for None; once for a grant."""

    def resolve(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement: ...

    async def resolve_async(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement: ...

    def resolve_soon(self, grant: Granted, cost: int | None, *, estimated: bool) -> Ending | None:
        """None where this gains nothing, and nothing was done."""
        ...


class Granted:
    """What both kinds of grant know."""

    def __init__(
        self, resolver: Resolver, decision: GovernanceDecision, amount: int | None, hold_id: str | None
    ) -> None:
        self.decision = decision
        """The decision that allowed the action."""
        self.amount = amount
        """What was requested, in nano-USD; None when the action named no amount."""
        self.hold_id = hold_id
        """What is held in the ledger; None when the action named no amount, or an overdraft allowed it."""
        self.reference: str | None = None
        """The provider's name for the response, by which an estimate can be adjusted later, also by another process."""
        self.settlement: Settlement | None = None
        """How it was settled or released; None until then."""
        self._resolver = resolver
        self._resolving = False

    def resolve_now(self, cost: int | None, *, estimated: bool = False) -> Settlement:
        """Settle ``cost`` nano-USD, or with None release, in this thread: for those who can await nothing.

        Raises ConflictError when it was settled or released before.
        """
        self._check()
        # Within, so that nothing that interrupts this leaves it as one that is being resolved.
        try:
            self._resolving = True
            self.settlement = self._resolver.resolve(self, cost, estimated=estimated)
        finally:
            self._resolving = False
        return self.settlement

    def resolve_soon(self, cost: int | None, *, estimated: bool = False) -> Ending | None:
        """As `resolve_now`, but do not wait until it is recorded; None where that cannot be, and nothing was done.

        The caller must call `Ending.result`, which makes sure that it is recorded.
        """
        self._check()
        ending = self._resolver.resolve_soon(self, cost, estimated=estimated)
        if ending is None:
            return None
        self._resolving = True
        ending.then(lambda: self._ended(ending))
        return ending

    def _ended(self, ending: Ending) -> None:
        # The caller of `Ending.result` gets the error.
        with suppress(AumOSGovernanceError):
            self.settlement = ending.result()
        self._resolving = False

    def _check(self) -> None:
        if self._resolving or self.settlement is not None:
            raise ConflictError("The authorised amount was settled or released already, so nothing was changed.")

    def _ending(self, kind: type[BaseException] | None) -> int | None:
        if kind is not None and issubclass(kind, Exception):
            return None
        # Also after an interrupt, which may have come when the money was gone already.
        return self.amount or 0


class Grant(Granted):
    """The permission for an action, from ``with`` or `Engine.begin`. It must be settled or released, once."""

    def settle(self, cost: float | Decimal | str, *, estimated: bool = False) -> Settlement:
        """Charge what it truly cost, in USD: less gives the rest back, more is recorded as an overrun.

        With ``estimated`` the record says that the true cost is not known, and that this is a bound. Raises ValueError
        for a cost that is none, ConflictError when it was settled or released before.
        """
        return self.resolve_now(money.parse(cost, what="cost"), estimated=estimated)

    def release(self) -> Settlement:
        """Give all of it back: nothing was paid. Raises ConflictError when it was settled or released before."""
        return self.resolve_now(None)


class AsyncGrant(Granted):
    """The permission for an action, from ``async with`` or `Engine.begin_async`: as `Grant`, awaited."""

    async def settle(self, cost: float | Decimal | str, *, estimated: bool = False) -> Settlement:
        """As `Grant.settle`; a task that is cancelled meanwhile does not take it back."""
        return await self.resolve(money.parse(cost, what="cost"), estimated=estimated)

    async def release(self) -> Settlement:
        """As `Grant.release`; a task that is cancelled meanwhile does not take it back."""
        return await self.resolve(None)

    async def resolve(self, cost: int | None, *, estimated: bool = False) -> Settlement:
        """As `resolve_now`, awaited."""
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
    """The engine, as far as `Authorization` needs it."""

    def begin(self, action: GovernanceAction) -> Grant: ...

    async def begin_async(self, action: GovernanceAction) -> AsyncGrant: ...


class Authorization:
    """``with engine.authorize(action) as grant:``, or ``async with``: hold, run the block, settle or release.

    On entry the action is checked, and its ``budget_amount`` held in its ``budget_category``, in one step, so that
    no other call spends it meanwhile; when it is denied, GovernanceDeniedError is raised and the block does not run. On
    exit, unless the block called ``grant.settle(cost)`` or ``grant.release()``:

    - after a normal end the held amount is charged;
    - after an Exception it is released. When the money may be gone by then, call ``settle`` before what can fail;
    - after an interrupt (KeyboardInterrupt, a cancelled task) it is charged, flagged as estimated, since the true cost
      is not known.

    If the process ends within the block, the hold stays and counts until ``engine.budget.settle_hold`` or
    ``release_hold``. An action with no amount holds nothing, and what ``settle`` says is recorded in full.
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
            # Interrupted on the way to the block, which does not run.
            if self._grant is not None and self._grant.settlement is None:
                self._grant.resolve_now(None)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        grant = self._grant
        if isinstance(grant, Grant) and grant.settlement is None:
            cost = grant._ending(kind)
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
            cost = grant._ending(kind)
            await grant.resolve(cost, estimated=kind is not None and cost is not None)

    def _check_new(self) -> None:
        if self._grant is not None:
            raise ConflictError("An authorization is for one block; call authorize() again for the next.")
