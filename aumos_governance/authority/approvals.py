"""Approvals and reports of governed actions in the SDK's engine: an approver function gets the user's decision."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, NoReturn, TypeAlias

from .. import money
from ..errors import ConfigurationError
from ..ledger.contract.agreements import Approval, DecideApproval, FinishReport, Report, WithdrawApproval
from ..ledger.contract.charges import Hold
from ..ledger.contract.facts import Decision, Origin
from ..ledger.contract.requests import Request
from ..realm import Realm, response_of
from ..steps import Steps, now, when_awaited
from .action_steps import ApprovalNeeded, action_steps, is_reported, report_request

Approver: TypeAlias = Callable[[Mapping[str, Any]], "bool | Awaitable[bool]"]
"""A function or coroutine function that shows the description of an action to a user, and returns True if the user has
approved it. Any other result is a denial."""


class Approvals:
    """The part of the SDK's engine that decides governed actions, and files reports of actions at trust level L4.

    ``approver`` is called for each action that needs an approval; without it such actions are denied. If the caller of
    `decide` is interrupted before the decision, ``release_later`` is called with the future of the action's hold, which
    must be released.
    """

    def __init__(
        self, realm: Realm, approver: Approver | None, release_later: Callable[[Future[Decision]], None]
    ) -> None:
        self._realm = realm
        self._approver = approver
        self._release_later = release_later
        self._reports: dict[str, str] = {}
        """The ids of the reports of actions that are still running, by the ids of the actions' holds."""

    def decide(self, holding: Hold, shown: Mapping[str, Any]) -> Decision:
        """Decide a governed action, with the approver if needed. If it is allowed, its amount is held.

        ``holding`` is the request for this hold; ``shown`` is the description that the approver gets. Raises any
        exception of the approver, and ConfigurationError if the approver is a coroutine function.
        """
        return now(self._deciding(holding, shown, awaited=False))

    async def decide_async(self, holding: Hold, shown: Mapping[str, Any]) -> Decision:
        """Decide a governed action like `decide`, in a coroutine. The approver may be a coroutine function."""
        return await when_awaited(self._deciding(holding, shown, awaited=True))

    def _deciding(self, holding: Hold, shown: Mapping[str, Any], *, awaited: bool) -> Steps[Decision]:
        steps = action_steps(holding, shown, wait=self._approver is not None)
        response: Any = None
        try:
            while True:
                step = steps.send(response)
                if isinstance(step, ApprovalNeeded):
                    with self._withdrawn_on_error(step.approval):
                        approved = self._ask_approver(shown)
                        if inspect.isawaitable(approved):
                            approved = (yield approved) if awaited else _refuse_to_await(approved)
                        response = self._decided_by_user(step.approval, approved)
                else:
                    response = yield from self._executing(step, awaited=awaited)
        except StopIteration as done:
            decision: Decision = done.value
            if is_reported(decision):
                # The report is filed before the action runs, so that it exists even if this process ends meanwhile.
                request = report_request(holding, decision, shown, None, key="")
                report = (yield self._realm.execute_async(request)) if awaited else self._realm.execute(request)
                self._note(decision, report)
            return decision

    def ended(self, hold_id: str | None, result: str, spent: Decimal) -> FinishReport | None:
        """Return the request that adds the result to an action's report when the action has ended.

        Return None if the action with this hold has no report. ``spent`` is its cost in USD.
        """
        report_id = self._reports.pop(hold_id or "", None)
        if report_id is None:
            return None
        return FinishReport(
            key="",
            origin=self._realm.origin,
            notebook=self._realm.notebook,
            report_id=report_id,
            result=result,
            spent=money.to_text(money.parse(spent)),
        )

    def _ask_approver(self, shown: Mapping[str, Any]) -> bool | Awaitable[bool]:
        assert self._approver is not None
        return self._approver(shown)

    @contextmanager
    def _withdrawn_on_error(self, approval: Approval) -> Iterator[None]:
        try:
            yield
        except BaseException:
            # The caller no longer waits for the decision.
            self._realm.submit(WithdrawApproval(key="", origin=self._realm.origin, approval_id=approval.approval_id))
            raise

    def _decided_by_user(self, approval: Approval, approved: object) -> Approval:
        user = Origin(self._realm.name or "a user", person=True, scope=f"user:{self._realm.name}")
        return self._realm.execute(
            DecideApproval(
                key="", origin=user, approval_id=approval.approval_id, digest=approval.digest, approve=approved is True
            )
        )

    def _executing(self, request: Request[Any], *, awaited: bool) -> Steps[Any]:
        future = (yield self._realm.submit_async(request)) if awaited else self._realm.submit(request)
        try:
            return (yield response_of(future)) if awaited else future.result()
        except BaseException:
            if isinstance(request, Hold):
                self._release_later(future)
            raise

    def _note(self, decision: Decision, report: Report) -> None:
        if decision.charge_id is not None:
            self._reports[decision.charge_id] = report.report_id


def _refuse_to_await(approved: Awaitable[bool]) -> NoReturn:
    if inspect.iscoroutine(approved):
        approved.close()
    raise ConfigurationError(
        "The engine's approver is a coroutine function, which this synchronous call cannot await; write"
        " `async with engine.authorize(...)`, or give the engine an approver that is not a coroutine function."
    )
