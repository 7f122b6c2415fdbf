"""A block of code that is authorised: its amount held before, its true cost charged after."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import money
from .errors import ConflictError, GovernanceDeniedError
from .ledger.base import Decision, Hold, Release, Request, Resolved, Settle, Spend

if TYPE_CHECKING:
    from .engine import GovernanceAction, GovernanceDecision, GovernanceEngine

__all__ = ["AsyncGrant", "Authorization", "Grant", "Settlement"]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a grant, in USD. ``overrun``: more was spent than was held, or than the budget had left."""

    spent: Decimal
    held: Decimal
    overrun: bool
    audit_record_id: str


class _Granted:
    """What both kinds of grant know, and the requests they make of it."""

    def __init__(self, engine: GovernanceEngine, decision: GovernanceDecision, amount: int | None) -> None:
        self.decision = decision
        """The decision that allowed the action."""
        self.hold_id: str | None = None
        """What is held in the ledger; None when the action named no amount."""
        self.settlement: Settlement | None = None
        """How it was settled or released; None until then."""
        self._engine = engine
        self._amount = amount

    def _holding(self) -> Hold:
        return Hold(amount=self._amount or 0, **self._charge())

    def _held(self, answer: Decision) -> None:
        if answer.allowed:
            self.hold_id = answer.charge_id
        elif not (answer.code == "BUDGET_EXCEEDED" and self._engine.config.budget.allow_overdraft):
            # Someone else took it between the check and the hold.
            raise GovernanceDeniedError(self.decision.action.agent_id, answer.reasons[-1], answer.record_id)

    def _settling(self, cost: float | Decimal | str) -> Request[Any] | None:
        nano = money.parse(cost, what="cost")
        self._check_open()
        if self.hold_id is not None:
            return Settle(key="", origin=self._engine.realm.origin, hold_id=self.hold_id, amount=nano)
        # Nothing was held, and by now the money is gone: it is recorded in full.
        return Spend(amount=nano, already_paid=True, **self._charge()) if nano else None

    def _releasing(self) -> Request[Any] | None:
        self._check_open()
        if self.hold_id is None:
            return None
        return Release(key="", origin=self._engine.realm.origin, hold_id=self.hold_id)

    def _ending(self, kind: type[BaseException] | None) -> Request[Any] | None:
        if kind is not None and issubclass(kind, Exception):
            return self._releasing()
        # Also after an interrupt, which may have come when the money was gone already.
        return self._settling(money.to_text(self._amount or 0))

    def _resolved(self, answer: Any) -> Settlement:
        if isinstance(answer, Resolved):
            spent, held, overrun, record_id = answer.spent, answer.held, answer.overrun, answer.record_id
        elif isinstance(answer, Decision):
            if not answer.allowed:
                raise GovernanceDeniedError(self.decision.action.agent_id, answer.reasons[-1], answer.record_id)
            spent, held, overrun, record_id = answer.amount, 0, answer.overrun, answer.record_id
        else:
            spent, held, overrun, record_id = 0, 0, False, self.decision.audit_record_id
        self.settlement = Settlement(money.to_decimal(spent), money.to_decimal(held), overrun, record_id)
        return self.settlement

    def _check_open(self) -> None:
        if self.settlement is not None:
            raise ConflictError("The authorised amount was settled or released already, so nothing was changed.")

    def _charge(self) -> dict[str, Any]:
        action, realm = self.decision.action, self._engine.realm
        return {
            "key": "",
            "origin": realm.origin,
            "notebook": realm.notebook,
            "tool": action.action_type or action.budget_category or "unknown",
            "category": action.budget_category or None,
            "agent_id": action.agent_id,
            "action_type": action.action_type,
            "resource": action.resource,
        }


class Grant(_Granted):
    """The leave to run a block, from ``with``."""

    def settle(self, cost: float | Decimal | str) -> Settlement:
        """Charge what it truly cost, in USD: less gives the rest back, more is recorded as an overrun.

        Raises ValueError for a cost that is none, ConflictError when it was settled or released before.
        """
        return self._do(self._settling(cost))

    def release(self) -> Settlement:
        """Give all of it back: nothing was paid. Raises ConflictError when it was settled or released before."""
        return self._do(self._releasing())

    def _do(self, request: Request[Any] | None) -> Settlement:
        return self._resolved(None if request is None else self._engine.realm.execute(request))


class AsyncGrant(_Granted):
    """The leave to run a block, from ``async with``: as `Grant`, awaited."""

    async def settle(self, cost: float | Decimal | str) -> Settlement:
        """As `Grant.settle`."""
        return await self._do(self._settling(cost))

    async def release(self) -> Settlement:
        """As `Grant.release`."""
        return await self._do(self._releasing())

    async def _do(self, request: Request[Any] | None) -> Settlement:
        if request is None:
            return self._resolved(None)
        # A cancelled task must not take back the word that money was spent.
        waiting: Awaitable[Any] = asyncio.ensure_future(self._engine.realm.execute_async(request))
        return self._resolved(await asyncio.shield(waiting))


class Authorization:
    """``with engine.authorize(action) as grant:``, or ``async with``: hold, run the block, settle or release.

    On entry the action is evaluated, and its ``budget_amount`` held in its ``budget_category``, so that nobody else
    spends it meanwhile; when it is denied, GovernanceDeniedError is raised and the block does not run. On exit, unless
    the block called ``grant.settle(cost)`` or ``grant.release()``:

    - after a normal end the held amount is charged;
    - after an Exception it is released. When the money may be gone by then, call ``settle`` before what can fail;
    - after an interrupt (KeyboardInterrupt, a cancelled task) it is charged, since nobody knows what was paid.

    If the process ends within the block, the hold stays and counts until ``engine.budget.settle_hold`` or
    ``release_hold``. An action with no amount holds nothing, and what ``settle`` says is recorded in full.
    """

    def __init__(self, engine: GovernanceEngine, action: GovernanceAction) -> None:
        self._engine = engine
        self._action = action
        self._amount = None if action.budget_amount is None else money.parse(action.budget_amount, what="budget_amount")
        self._grant: Grant | AsyncGrant | None = None

    def __enter__(self) -> Grant:
        self._check_new()
        grant = Grant(self._engine, _allowed(self._engine.evaluate_sync(self._action)), self._amount)
        if self._amount is not None:
            grant._held(self._engine.realm.execute(grant._holding()))
        self._grant = grant
        return grant

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        grant = self._grant
        if isinstance(grant, Grant) and grant.settlement is None:
            grant._do(grant._ending(kind))

    async def __aenter__(self) -> AsyncGrant:
        self._check_new()
        grant = AsyncGrant(self._engine, _allowed(await self._engine.evaluate(self._action)), self._amount)
        if self._amount is not None:
            grant._held(await self._engine.realm.execute_async(grant._holding()))
        self._grant = grant
        return grant

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        grant = self._grant
        if isinstance(grant, AsyncGrant) and grant.settlement is None:
            await grant._do(grant._ending(kind))

    def _check_new(self) -> None:
        if self._grant is not None:
            raise ConflictError("An authorization is for one block; call authorize() again for the next.")


def _allowed(decision: GovernanceDecision) -> GovernanceDecision:
    if not decision.allowed:
        raise GovernanceDeniedError(decision.action.agent_id, decision.reasons[-1], decision.audit_record_id)
    return decision
