"""`Holder`, which makes the SDK engine's grants: one ledger transaction checks an action and holds its amount."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final, TypeGuard

from .. import money
from ..audit.record import detail_of
from ..config import GovernanceConfig
from ..errors import AumOSGovernanceError, GovernanceDeniedError
from ..ledger.contract.budgets import Resolved
from ..ledger.contract.charges import Checks, Hold, Release, Settle, Spend
from ..ledger.contract.facts import Decision, new_id
from ..ledger.contract.queries import ListBudgets
from ..ledger.contract.requests import Request
from ..realm import Realm, require_names, response_of, to_level
from ..types import ActionKind, TrustLevel
from ..wire.denials import CODE_BUDGET, Denial
from .actions import GovernanceAction, GovernanceDecision, decision_of, result_of, shown_of, tool_of
from .approvals import Approvals, Approver
from .authorization import AsyncGrant, Grant, Granted, Settlement

_LEAST: Final = {ActionKind.CALL: TrustLevel.L1_MONITOR, ActionKind.ACT: TrustLevel.L3_ACT_APPROVE}
"""The trust level that each kind of action requires if the action itself states none."""
_ADVICE: Final = {
    "BUDGET_EXCEEDED": "a user can raise the limit with engine.budget.set_limit({category!r}, limit)",
    "TRUST_LEVEL_INSUFFICIENT": "a user can raise the level with engine.trust.set_level({agent!r}, level)",
    "SUGGESTED": "a user can do it, or raise the level with engine.trust.set_level({agent!r}, level)",
    "APPROVAL_REQUIRED": "this engine cannot reach a user: give it an approver, GovernanceEngine(approver=...)",
}


class Holder:
    """The part of the SDK's engine that makes, settles and releases grants, with holds in the engine's ledger.

    ``check`` returns, for an action without an amount, the ledger request that only checks the action. ``approver``
    decides governed actions that need an approval.
    """

    def __init__(
        self,
        realm: Realm,
        config: GovernanceConfig,
        check: Callable[[GovernanceAction], Request[Decision]],
        approver: Approver | None = None,
    ) -> None:
        self._realm = realm
        self._config = config
        self._check = check
        self._default_level = to_level(config.trust.default_level)
        self._approvals = Approvals(realm, approver, self._release_later)

    # ---- checking and holding

    def begin(self, action: GovernanceAction) -> Grant:
        """Implement `Engine.begin`: check an action and hold its amount, with one request of the engine's ledger."""
        request = self._request(action)
        if _is_action(request):
            response = self._approvals.decide(request, shown_of(action, request.tool, request.amount))
            return Grant(self, self._allowed(action, response), request.amount, response.charge_id)
        return _Begun(self, action, request).grant()

    def begin_ahead(self, action: GovernanceAction) -> _Begun:
        """Implement `Engine.begin_ahead`.

        A ledger that executes requests in their callers' threads gets the request only in ``grant()``, since nothing
        would be saved by sending it now.
        """
        request = self._request(action)
        begun = _Begun(self, action, request)
        if not self._realm.ledger.at_once:
            begun.submit()
        return begun

    async def begin_async(self, action: GovernanceAction) -> AsyncGrant:
        """Implement `Engine.begin_async`, and let the event loop run while the ledger decides."""
        request = self._request(action)
        if _is_action(request):
            response = await self._approvals.decide_async(request, shown_of(action, request.tool, request.amount))
            return AsyncGrant(self, self._allowed(action, response), request.amount, response.charge_id)
        future = await self._realm.submit_async(request)
        try:
            response = await response_of(future)
        except BaseException:
            self._release_later(future)
            raise
        return AsyncGrant(self, self._allowed(action, response), _amount(request), response.charge_id)

    def _request(self, action: GovernanceAction) -> Request[Decision]:
        kind = ActionKind(action.kind)
        if action.budget_amount is None and kind is ActionKind.CALL:
            return self._check(action)
        require_names(agent_id=action.agent_id)
        level = action.required_trust_level
        governed = level is not None or kind is ActionKind.ACT
        return Hold(
            kind=kind,
            amount=0 if action.budget_amount is None else money.parse(action.budget_amount, what="budget_amount"),
            # The id is set here only for calls: an act may need several requests until one holds its amount.
            hold_id=new_id(time.time_ns() // 1000) if kind is ActionKind.CALL else None,
            required_level=_LEAST[kind] if level is None else to_level(level, "required_trust_level"),
            checks=Checks(
                realm=self._realm.name,
                scope=action.scope or None,
                default_level=self._default_level if governed else None,
                data_type=action.data_type,
                purpose=action.purpose or None,
                default_deny=self._config.consent.default_deny,
                overdraft=self._config.budget.allow_overdraft,
            ),
            **self._charge(action),
        )

    def _allowed(self, action: GovernanceAction, response: Decision) -> GovernanceDecision:
        decision = decision_of(action, response)
        if not decision.allowed:
            raise GovernanceDeniedError(
                action.agent_id,
                decision.reasons[-1],
                decision.audit_record_id,
                message=self._denial(action, response),
                denial_code=response.code,
            )
        return decision

    def _denial(self, action: GovernanceAction, response: Decision) -> str:
        category = action.budget_category
        left = None
        if response.code == "BUDGET_EXCEEDED" and category:
            for state in self._realm.read(ListBudgets(notebook=self._realm.notebook, category=category)):
                left = state.balance.remaining
        limit = None if response.limit is None else response.limit.kind
        tool = response.tool or category or "this"
        denial = Denial(response.code, response.reasons, tool, response.amount, left, limit, remaining_of=CODE_BUDGET)
        return denial.sentence(_ADVICE.get(response.code or "", "").format(agent=action.agent_id, category=category))

    def _release_begun(self, request: Request[Decision]) -> None:
        # The caller was interrupted, so it is not known whether the hold was executed. The ledger executes the release
        # after it.
        if isinstance(request, Hold) and request.hold_id is not None:
            with suppress(AumOSGovernanceError):
                self._realm.submit(self._release(request.hold_id))

    def _release_later(self, future: Future[Decision]) -> None:
        # The caller was interrupted or cancelled before it was decided, and nothing was paid.
        future.add_done_callback(self._release_unseen)

    def _release_unseen(self, future: Future[Decision]) -> None:
        if not future.cancelled() and future.exception() is None and future.result().charge_id is not None:
            # This runs in the ledger's thread, so it only submits the request: waiting here would never end.
            self._realm.submit(self._release(future.result().charge_id or ""))

    # ---- settling and releasing

    def resolve(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement:
        """Implement `Resolver.resolve`: settle or release the grant's hold, and complete the action's report if any."""
        request = self._resolving(grant, cost, estimated)
        settlement = self._settlement(grant, None if request is None else self._realm.execute(request), estimated)
        report = self._approvals.ended(grant.hold_id, result_of(cost, estimated), settlement.spent)
        if report is not None:
            self._realm.execute(report)
        return settlement

    async def resolve_async(self, grant: Granted, cost: int | None, *, estimated: bool) -> Settlement:
        """Implement `Resolver.resolve_async`: do the same as `resolve`, and let the event loop run meanwhile."""
        request = self._resolving(grant, cost, estimated)
        if request is None:
            return self._settlement(grant, None, estimated)
        future = await self._realm.submit_async(request)
        if not future.done():
            # An event loop that ends cancels its tasks, but must not cancel the record of money that was spent.
            await asyncio.shield(asyncio.wrap_future(future))
        settlement = self._settlement(grant, future.result(), estimated)
        report = self._approvals.ended(grant.hold_id, result_of(cost, estimated), settlement.spent)
        if report is not None:
            await self._realm.execute_async(report)
        return settlement

    def resolve_soon(self, grant: Granted, cost: int | None, *, estimated: bool) -> None:
        """Implement `Resolver.resolve_soon` by returning None, since not waiting saves no time with a local ledger."""

    def _resolving(self, grant: Granted, cost: int | None, estimated: bool) -> Request[Any] | None:
        if grant.hold_id is None:
            if not cost:
                return None
            # Nothing was held, and the money is spent already, so the cost is recorded in full.
            charge = self._charge(grant.decision.action)
            detail = {"estimated": True} if estimated else {}
            return Spend(amount=cost, already_paid=True, **charge | {"detail": charge["detail"] | detail})
        if cost is None:
            return self._release(grant.hold_id)
        return Settle(
            key="",
            origin=self._realm.origin,
            hold_id=grant.hold_id,
            amount=cost,
            estimated=estimated,
            reference=grant.reference,
        )

    def _settlement(self, grant: Granted, response: Resolved | Decision | None, estimated: bool) -> Settlement:
        if response is None:
            spent, held, overrun, record_id = 0, 0, False, grant.decision.audit_record_id
        elif isinstance(response, Resolved):
            spent, held, overrun, record_id = response.spent, response.held, response.overrun, response.record_id
        elif response.allowed:
            spent, held, overrun, record_id = response.amount, 0, response.overrun, response.record_id
        else:
            raise GovernanceDeniedError(grant.decision.action.agent_id, response.reasons[-1], response.record_id)
        return Settlement(money.to_decimal(spent), money.to_decimal(held), overrun, record_id, estimated)

    def _release(self, hold_id: str) -> Release:
        return Release(key="", origin=self._realm.origin, hold_id=hold_id)

    def _charge(self, action: GovernanceAction) -> dict[str, Any]:
        realm, keep = self._realm, self._config.audit.include_context
        detail = detail_of(action) if keep else {}
        # The ledger records the category of a charge itself, as "category".
        detail.pop("budget_category", None)
        return {
            "key": "",
            "origin": realm.origin,
            "notebook": realm.notebook,
            "tool": tool_of(action),
            "category": action.budget_category or None,
            "agent_id": action.agent_id,
            "action_type": action.action_type if keep else None,
            "resource": action.resource if keep else None,
            "detail": detail,
        }


class _Begun:
    """An action whose decision was requested from the SDK's engine: its implementation of `Begun`."""

    def __init__(self, holder: Holder, action: GovernanceAction, request: Request[Decision]) -> None:
        self._holder = holder
        self._action = action
        self._request = request
        self._submitted = False
        self._future: Future[Decision] | None = None

    def submit(self) -> None:
        """Submit the request to the ledger, which decides it in its own thread while the caller works."""
        try:
            self._submitted = True
            self._future = self._holder._realm.submit(self._request)
        except BaseException:
            self.drop()
            raise

    def grant(self) -> Grant:
        try:
            self._submitted = True
            future = self._future
            response = self._holder._realm.execute(self._request) if future is None else future.result()
            if response.charge_id is None:
                self._submitted = False
            decision = self._holder._allowed(self._action, response)
            return Grant(self._holder, decision, _amount(self._request), response.charge_id)
        except BaseException:
            self.drop()
            raise

    def drop(self) -> None:
        if self._submitted:
            self._submitted = False
            self._holder._release_begun(self._request)


def _amount(request: Request[Decision]) -> int | None:
    return request.amount if isinstance(request, Hold) else None


def _is_action(request: Request[Decision]) -> TypeGuard[Hold]:
    return isinstance(request, Hold) and request.kind is ActionKind.ACT
