"""Governed actions of kernels, from the request to its decision, with a wait for a user's approval where it is needed.

All that counts here is in the ledger too. So a request that is sent again, to this server or to the next one
on the same ledger, has the same result, and waits for the same decision.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final

from ..authority.action_steps import (
    ActSteps,
    PersonAsked,
    act_steps,
    is_reported,
    report_request,
)
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
from ..wire.protocol import Ask
from .action_requests import ActAsk, act_voided
from .approval_watch import ApprovalWatch, Awaited
from .callers import Caller, expiry_of
from .limit_waits import LimitWaits

__all__ = ["APPROVAL_SECONDS", "Acting"]

APPROVAL_SECONDS: Final = 600.0
"""The seconds that a user has to decide, where neither the server's configuration nor the request states them."""
_UNASKED: Final = frozenset({"APPROVAL_DENIED", "APPROVAL_TIMEOUT", "APPROVAL_WITHDRAWN"})

Reply = Callable[[dict[str, Any]], None]


@dataclass(eq=False, slots=True)
class _Act:
    """One ask, from its first copy to its answer."""

    asked: ActAsk
    steps: ActSteps
    ask: Ask
    """The copy that came last; so are the next two of it."""
    caller: Caller
    reply: Reply
    lease: float
    """When the client stops waiting, by the monotonic clock."""
    question: AskApproval | None = None
    awaited: Awaited | None = None
    """What it waits for; None while it does not wait."""
    seen_pending: bool = False
    cancelled: bool = False


class Acting:
    """Takes the acts of kernels through their lives. Every method may be called from any thread.

    ``failure`` turns an error into a response. ``approval_seconds`` is how long a user has by default.
    ``waits`` is where an act waits that only a limit on money refuses, if ``may_wait`` allows it for what its ask says
    of that. ``clock`` gives seconds since the epoch, as the ledger counts them, and ``monotonic`` seconds that no one
    sets.
    """

    def __init__(
        self,
        ledger: Ledger,
        failure: Callable[[Ask, BaseException], dict[str, Any]],
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
        self._acts: dict[tuple[str, str], _Act] = {}

    # ---- what kernels ask

    def authorize(self, caller: Caller, ask: Ask, reply: Reply) -> None:
        """Answer once, after any number of messages that it waits. Raises what makes an ask no act."""
        left = ask.exp - self._clock()
        lease = self._monotonic() + left
        with self._lock:
            act = self._acts.get((caller.scope, ask.id))
            begins = act is None
            if act is None:
                asked = ActAsk.read(caller, ask)
                act = _Act(asked, act_steps(asked.holding, asked.shown, wait=asked.wait), ask, caller, reply, lease)
                self._acts[caller.scope, ask.id] = act
            elif act.ask.body != ask.body:
                raise IdempotencyError(f"The id {ask.id[:80]!r} was used before with other content.")
            elif left < 0:
                # It continues for the time that an earlier copy stated.
                raise ExpiredError("The ask reached the governance server after its expiry; nothing was done.")
            else:
                act.ask, act.caller, act.reply, act.lease = ask, caller, reply, lease
        if begins:
            self._advance(act, None)
        elif act.awaited is not None:
            self.watch.extend(act.awaited, lease)
            if act.seen_pending:
                self._say_waiting(act)
        else:
            self._waits.renew(caller, ask, reply)

    def cancel(self, caller: Caller, request: Void) -> Future[Voided]:
        """Take an act back, whatever it has come to; the answer says whether it has not begun, and will not."""
        of = request.of
        with self._lock:
            act = self._acts.get((caller.scope, of))
            if act is not None:
                act.cancelled = True
        if act is not None and self._waits.drop(caller.scope, of):
            # Nothing comes back from there any more.
            self._forget(act)
        answered: Future[Voided] = Future()

        def void(step: str, then: Callable[[Voided], None]) -> None:
            part = replace(request, key=request.key + step, of=of + step)
            self._ledger.submit(part).add_done_callback(lambda future: voided(future, then))

        def voided(future: Future[Voided], then: Callable[[Voided], None]) -> None:
            try:
                then(future.result())
            except BaseException as error:  # noqa: BLE001 - the thread that waits must get the error
                answered.set_exception(error)

        # The hold after an approval is cancelled first, so that an approval at this moment starts nothing.
        void("/act", lambda act: void("", lambda hold: answered.set_result(act_voided(act, hold))))
        if act is not None and act.awaited is not None:
            self.watch.withdraw(act.awaited)
        return answered

    def close(self) -> None:
        """Wait for no one any more; what waits in the ledger stays there."""
        self.watch.close()

    # ---- the steps

    def _advance(self, act: _Act, answer: Any) -> None:
        try:
            step = act.steps.send(answer)
            if isinstance(step, PersonAsked):
                self._wait(act, step.approval)
            else:
                self._execute(act, self._as_it_stands(act, step, answer), lambda result: self._advance(act, result))
        except StopIteration as done:
            self._decided(act, done.value)
        except Exception as error:  # noqa: BLE001 - a client must always get a response
            self._fail(act, error)

    def _as_it_stands(self, act: _Act, step: Request[Any], answer: Any) -> Request[Any]:
        if isinstance(step, AskApproval) and isinstance(answer, Decision):
            # Reckoned from what is recorded, so that a copy of the ask says the same.
            seconds = self._approval_seconds if act.asked.seconds is None else act.asked.seconds
            act.question = replace(step, until=made_at(answer.record_id) + int(seconds * MICROS))
            return act.question
        if isinstance(step, Hold) and step.approval_id is not None:
            # The notebook may have been renamed, and the client may have extended its wait.
            return replace(step, notebook=act.caller.notebook, expires_at=expiry_of(act.ask))
        return step

    def _execute(self, act: _Act, request: Request[Any], then: Callable[[Any], None]) -> None:
        def done(future: Future[Any]) -> None:
            try:
                result = future.result()
            except BaseException as error:  # noqa: BLE001 - a client must always get a response
                self._fail(act, error)
            else:
                then(result)

        if isinstance(request, Hold) and self._may_wait(act.asked.at_limit):
            self._waits.charge(act.caller, act.ask, request, act.reply, done)
            return
        with act.caller.attending():
            future = self._ledger.submit(request)
        future.add_done_callback(done)

    def _decided(self, act: _Act, decision: Decision) -> None:
        try:
            if decision.code in _UNASKED:
                # Its figures are those of before the wait.
                decision = replace(decision, state=self._ledger.read(ReadState(notebook=act.caller.notebook)))
            if is_reported(decision):
                self._report(act, decision)
            else:
                self._answer(act, decision, None)
        except Exception as error:  # noqa: BLE001 - a client must always get a response
            self._fail(act, error)

    def _report(self, act: _Act, decision: Decision) -> None:
        """Report it before it runs, so that the user sees it even if the kernel or this server dies."""
        asked = act.asked
        request = report_request(asked.holding, decision, asked.shown, None, key=f"{act.ask.id}/report")

        def filed(future: Future[Report]) -> None:
            error = future.exception()
            if error is None:
                self._answer(act, decision, future.result().report_id)
                return
            # An action that could not be reported does not run.
            if decision.charge_id is not None:
                self._ledger.submit(Release(key="", origin=asked.holding.origin, hold_id=decision.charge_id))
            self._fail(act, error)

        self._ledger.submit(replace(request, notebook=act.caller.notebook)).add_done_callback(filed)

    def _answer(self, act: _Act, decision: Decision, report_id: str | None) -> None:
        self._forget(act)
        if act.cancelled and report_id is not None:
            self._ledger.submit(
                FinishReport(
                    key="",
                    origin=act.asked.holding.origin,
                    notebook=act.caller.notebook,
                    report_id=report_id,
                    result="not run: interrupted",
                )
            )
        body = OPERATIONS["authorize"].response.write(decision, act.caller.shared_with)
        act.reply({"id": act.ask.id, "ok": True, **body, "report_id": report_id})

    def _fail(self, act: _Act, error: BaseException) -> None:
        self._forget(act)
        act.reply(self._failure(act.ask, error))

    def _forget(self, act: _Act) -> None:
        with self._lock:
            self._acts.pop((act.caller.scope, act.ask.id), None)

    # ---- the wait

    def _wait(self, act: _Act, approval: Approval) -> None:
        awaited = Awaited(
            approval,
            act.asked.holding.origin,
            lease=act.lease,
            pending=lambda: self._pending(act),
            decided=lambda approval: self._heard(act, approval),
        )
        with self._lock:
            act.awaited = awaited
            cancelled = act.cancelled
        self.watch.add(awaited)
        if cancelled:
            self.watch.withdraw(awaited)

    def _pending(self, act: _Act) -> None:
        act.seen_pending = True
        self._say_waiting(act)

    def _say_waiting(self, act: _Act) -> None:
        awaited = act.awaited
        if awaited is None:
            return
        approval = awaited.approval
        waiting = {
            "approval_id": approval.approval_id,
            "digest": approval.digest,
            "until": None if approval.until is None else approval.until / MICROS,
        }
        act.reply({"id": act.ask.id, "ok": True, "waiting": waiting})

    def _heard(self, act: _Act, approval: Approval) -> None:
        act.awaited = None
        if approval.status is ApprovalStatus.USED:
            # By an earlier copy of this ask, whose answer is kept.
            approval = replace(approval, status=ApprovalStatus.APPROVED)
        lost = approval.status is ApprovalStatus.WITHDRAWN and approval.decided_by == "server"
        if not lost or act.seen_pending or act.question is None:
            self._advance(act, approval)
            return
        # A starting server took this kernel for gone, which it had not met yet. The client still waits.
        act.seen_pending = True
        again = replace(act.question, key=f"{act.ask.id}/again", expires_at=expiry_of(act.ask))
        try:
            self._execute(act, again, lambda approval: self._wait(act, approval))
        except Exception as error:  # noqa: BLE001 - a client must always get a response
            self._fail(act, error)
