"""Governed actions of kernels, from the request to the decision, including the wait for a user's approval.

A client that gets no response sends a copy of its request, with the same id. The ledger stores all state that
determines the result. So the copy has the same result or waits for the same approval, also if it reaches another server
on the same ledger.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final

from ..authority.action_steps import ActionSteps, ApprovalNeeded, action_steps, is_reported, report_request
from ..clock import MICROS
from ..clock import monotonic as clock_monotonic
from ..errors import ExpiredError, IdempotencyError
from ..ledger.contract.agreements import Approval, ApprovalStatus, AskApproval, FinishReport, Report
from ..ledger.contract.charges import Hold, Release, Void
from ..ledger.contract.facts import Decision, Voided, made_at
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ReadState
from ..ledger.contract.requests import Request
from ..wire.operations import OPERATIONS
from ..wire.protocol import WireRequest
from .action_requests import ActionRequest, action_voided
from .approval_watch import ApprovalWatch, Awaited
from .callers import Caller, Reply, expiry_of
from .limit_waits import LimitWaits

APPROVAL_SECONDS: Final = 600.0
"""The seconds that a user has to approve or deny an action if neither the server's configuration nor the request sets
them."""
_NOT_BY_LEDGER: Final = frozenset({"APPROVAL_DENIED", "APPROVAL_TIMEOUT", "APPROVAL_WITHDRAWN"})


@dataclass(eq=False, slots=True)
class _Action:
    """One governed action in progress, kept from the arrival of its request until its response is sent."""

    requested: ActionRequest
    steps: ActionSteps
    wire_request: WireRequest
    """The action's request as the client last sent it. ``caller`` and ``reply`` are replaced together with it."""
    caller: Caller
    reply: Reply
    lease: float
    """The time when the client stops waiting for the decision, in seconds of the monotonic clock."""
    approval_request: AskApproval | None = None
    awaited: Awaited | None = None
    """The approval request that this action waits for; None while the action does not wait for a user."""
    seen_pending: bool = False
    """Whether the client was notified that its action waits for a user, since the approval request was pending."""
    cancelled: bool = False


class GovernedActions:
    """The governed actions in progress on one server. Every method may be called from any thread.

    ``failure`` makes the response for a request that failed with an error. ``approval_seconds`` is how long a user has
    to decide by default. An action that exceeds a limit on money waits in ``waits`` if ``may_wait`` returns true for
    the ``at_limit`` of its request; otherwise it is denied. ``clock`` returns seconds since the epoch, and
    ``monotonic`` seconds of a clock that a change of the system's time does not affect.
    """

    def __init__(
        self,
        ledger: Ledger,
        failure: Callable[[WireRequest, BaseException], dict[str, Any]],
        *,
        waits: LimitWaits,
        may_wait: Callable[[object], bool],
        approval_seconds: float = APPROVAL_SECONDS,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = clock_monotonic,
        log: logging.Logger,
    ) -> None:
        self._ledger = ledger
        self._failure = failure
        self._approval_seconds = approval_seconds
        self._waits = waits
        self._may_wait = may_wait
        self._clock = clock
        self._monotonic = monotonic
        self.watch = ApprovalWatch(ledger, clock=clock, monotonic=monotonic, log=log)
        self._lock = threading.Lock()
        self._actions: dict[tuple[str, str], _Action] = {}

    # ---- requests of kernels

    def authorize(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        """Begin to decide on an action, and return without waiting for the decision.

        ``reply`` is called with the response once there is a decision. Before, it is called with a message every few
        seconds while the action waits for a user. If the request is a copy of one in progress, that one continues, and
        its messages go to the copy's ``reply``.

        Raises InvalidRequestError or InvalidAmountError for an invalid request, IdempotencyError for a copy with other
        content, and ExpiredError for a copy that arrived after its expiry.
        """
        left = wire_request.exp - self._clock()
        lease = self._monotonic() + left
        with self._lock:
            action = self._actions.get((caller.scope, wire_request.id))
            begins = action is None
            if action is None:
                requested = ActionRequest.read(caller, wire_request)
                action = _Action(
                    requested,
                    action_steps(requested.holding, requested.shown, wait=requested.wait),
                    wire_request,
                    caller,
                    reply,
                    lease,
                )
                self._actions[caller.scope, wire_request.id] = action
            elif action.wire_request.body != wire_request.body:
                raise IdempotencyError(
                    f"The request id {wire_request.id[:80]!r} was used before with other content; use a new id."
                )
            elif left < 0:
                # Only this copy fails: the action continues until the time that an earlier copy stated.
                raise ExpiredError("The request reached the governance server after its expiry; nothing was done.")
            else:
                action.wire_request, action.caller, action.reply, action.lease = wire_request, caller, reply, lease
        if begins:
            self._advance(action, None)
        elif action.awaited is not None:
            self.watch.extend(action.awaited, lease)
            if action.seen_pending:
                self._send_waiting(action)
        else:
            self._waits.renew(caller, wire_request, reply)

    def cancel(self, caller: Caller, request: Void) -> Future[Voided]:
        """Cancel an action in any state: undecided, waiting for a user, or already allowed.

        ``request`` is the client's cancel, whose ``of`` is the id of the action's request. ``voided`` of the result
        states that the action has not begun and will not begin.
        """
        of = request.of
        with self._lock:
            action = self._actions.get((caller.scope, of))
            if action is not None:
                action.cancelled = True
        if action is not None and self._waits.drop(caller.scope, of):
            # A dropped call gets no decision, so nothing else would end this action.
            self._forget(action)
        voiding: Future[Voided] = Future()

        def void(step: str, then: Callable[[Voided], None]) -> None:
            part = replace(request, key=request.key + step, of=of + step)
            self._ledger.submit(part).add_done_callback(lambda future: voided(future, then))

        def voided(future: Future[Voided], then: Callable[[Voided], None]) -> None:
            try:
                then(future.result())
            except BaseException as error:  # noqa: BLE001 - the caller must get the error through the future
                voiding.set_exception(error)

        # The hold after an approval is cancelled first, so that an approval at this moment starts no action.
        void("/act", lambda action: void("", lambda hold: voiding.set_result(action_voided(action, hold))))
        if action is not None and action.awaited is not None:
            self.watch.withdraw(action.awaited)
        return voiding

    def close(self) -> None:
        """End all waits for users' decisions. Pending approval requests stay pending in the ledger."""
        self.watch.close()

    # ---- the steps

    def _advance(self, action: _Action, response: Any) -> None:
        try:
            step = action.steps.send(response)
            if isinstance(step, ApprovalNeeded):
                self._wait(action, step.approval)
            else:
                self._execute(
                    action, self._updated(action, step, response), lambda result: self._advance(action, result)
                )
        except StopIteration as done:
            self._decided(action, done.value)
        except Exception as error:  # noqa: BLE001 - a client must always get a response
            self._fail(action, error)

    def _updated(self, action: _Action, step: Request[Any], response: Any) -> Request[Any]:
        """Return the ledger request ``step`` with the fields that only this server knows.

        `action_steps` has yielded the request; ``response`` is the ledger's response to the step before. An approval
        request gets the time when it expires. The hold that follows an approval gets the notebook and the expiry from
        the client's latest copy of its request.
        """
        if isinstance(step, AskApproval) and isinstance(response, Decision):
            # Computed from the time of the record, so that every copy of the request expires at the same time.
            seconds = self._approval_seconds if action.requested.seconds is None else action.requested.seconds
            action.approval_request = replace(step, until=made_at(response.record_id) + int(seconds * MICROS))
            return action.approval_request
        if isinstance(step, Hold) and step.approval_id is not None:
            # The notebook may have been renamed, and the client may have extended its wait.
            return replace(step, notebook=action.caller.notebook, expires_at=expiry_of(action.wire_request))
        return step

    def _execute(self, action: _Action, request: Request[Any], then: Callable[[Any], None]) -> None:
        def done(future: Future[Any]) -> None:
            try:
                result = future.result()
            except BaseException as error:  # noqa: BLE001 - a client must always get a response
                self._fail(action, error)
            else:
                then(result)

        if isinstance(request, Hold) and self._may_wait(action.requested.at_limit):
            self._waits.charge(action.caller, action.wire_request, request, action.reply, done)
            return
        with action.caller.attending():
            future = self._ledger.submit(request)
        future.add_done_callback(done)

    def _decided(self, action: _Action, decision: Decision) -> None:
        try:
            if decision.code in _NOT_BY_LEDGER:
                # The decision has the notebook's state from before the wait, so the state is read again.
                decision = replace(decision, state=self._ledger.read(ReadState(notebook=action.caller.notebook)))
            if is_reported(decision):
                self._report(action, decision)
            else:
                self._respond(action, decision, None)
        except Exception as error:  # noqa: BLE001 - a client must always get a response
            self._fail(action, error)

    def _report(self, action: _Action, decision: Decision) -> None:
        """File the report of an allowed action, and respond to its client only after that.

        The action runs only after the response, so the user sees its report even if the kernel or the server dies.
        """
        requested = action.requested
        request = report_request(
            requested.holding, decision, requested.shown, None, key=f"{action.wire_request.id}/report"
        )

        def filed(future: Future[Report]) -> None:
            error = future.exception()
            if error is None:
                self._respond(action, decision, future.result().report_id)
                return
            # An action that could not be reported does not run.
            if decision.charge_id is not None:
                self._ledger.submit(Release(key="", origin=requested.holding.origin, hold_id=decision.charge_id))
            self._fail(action, error)

        self._ledger.submit(replace(request, notebook=action.caller.notebook)).add_done_callback(filed)

    def _respond(self, action: _Action, decision: Decision, report_id: str | None) -> None:
        self._forget(action)
        if action.cancelled and report_id is not None:
            self._ledger.submit(
                FinishReport(
                    key="",
                    origin=action.requested.holding.origin,
                    notebook=action.caller.notebook,
                    report_id=report_id,
                    result="not run: interrupted",
                )
            )
        body = OPERATIONS["authorize"].response.write(decision, action.caller.shared_with)
        action.reply({"id": action.wire_request.id, "ok": True, **body, "report_id": report_id})

    def _fail(self, action: _Action, error: BaseException) -> None:
        self._forget(action)
        action.reply(self._failure(action.wire_request, error))

    def _forget(self, action: _Action) -> None:
        with self._lock:
            self._actions.pop((action.caller.scope, action.wire_request.id), None)

    # ---- the wait

    def _wait(self, action: _Action, approval: Approval) -> None:
        awaited = Awaited(
            approval,
            action.requested.holding.origin,
            lease=action.lease,
            pending=lambda: self._pending(action),
            decided=lambda approval: self._approval_ended(action, approval),
        )
        with self._lock:
            action.awaited = awaited
            cancelled = action.cancelled
        self.watch.add(awaited)
        if cancelled:
            self.watch.withdraw(awaited)

    def _pending(self, action: _Action) -> None:
        action.seen_pending = True
        self._send_waiting(action)

    def _send_waiting(self, action: _Action) -> None:
        awaited = action.awaited
        if awaited is None:
            return
        approval = awaited.approval
        waiting = {
            "approval_id": approval.approval_id,
            "digest": approval.digest,
            "until": None if approval.until is None else approval.until / MICROS,
        }
        action.reply({"id": action.wire_request.id, "ok": True, "waiting": waiting})

    def _approval_ended(self, action: _Action, approval: Approval) -> None:
        action.awaited = None
        if approval.status is ApprovalStatus.USED:
            # An earlier copy of this request used the approval. The ledger returns the stored response to that copy.
            approval = replace(approval, status=ApprovalStatus.APPROVED)
        lost = approval.status is ApprovalStatus.WITHDRAWN and approval.decided_by == "server"
        if not lost or action.seen_pending or action.approval_request is None:
            self._advance(action, approval)
            return
        # A starting server withdraws the approvals of kernels that have not sent it a hello yet. The client of this
        # action still waits, so the approval is requested again.
        action.seen_pending = True
        again = replace(
            action.approval_request, key=f"{action.wire_request.id}/again", expires_at=expiry_of(action.wire_request)
        )
        try:
            self._execute(action, again, lambda approval: self._wait(action, approval))
        except Exception as error:  # noqa: BLE001 - a client must always get a response
            self._fail(action, error)
