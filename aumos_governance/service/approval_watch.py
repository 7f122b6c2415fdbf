"""Waiting for users' decisions on approvals, without a thread for each of them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from ..clock import MICROS
from ..ledger.contract.agreements import Approval, ApprovalStatus, WithdrawApproval
from ..ledger.contract.facts import Origin, SessionState
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ReadApproval
from .watch import BEAT_SECONDS, LOOK_SECONDS, Waiter, Watch

__all__ = ["ApprovalWatch", "Awaited"]


@dataclass(eq=False, slots=True)
class Awaited(Waiter):
    """An approval that a client waits for."""

    approval: Approval
    origin: Origin
    """Who waits, and so may withdraw it."""
    pending: Callable[[], None]
    """Called now and then while it is."""
    decided: Callable[[Approval], None]
    """Called once, when it is pending no more, in whatever thread found out. Neither may raise."""


class ApprovalWatch:
    """Looks after approvals until they are decided, withdrawn, expired, or given up by their client.

    Every method may be called from any thread. ``clock`` gives seconds since the epoch, as the ledger counts them, and
    ``monotonic`` seconds of a clock that is never set.
    """

    def __init__(
        self, ledger: Ledger, *, clock: Callable[[], float], monotonic: Callable[[], float], log: logging.Logger
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._monotonic = monotonic
        self._log = log
        self._awaited: dict[Awaited, None] = {}
        self._watch = Watch(
            ledger,
            "aumos-governance-approvals",
            due=lambda: min((awaited.due for awaited in self._awaited), default=None),
            look=self.look,
            hear=self._hear,
            monotonic=monotonic,
        )
        self._changed = self._watch.changed

    def add(self, awaited: Awaited) -> None:
        """Wait for it. The first look is at once, since what the waiter knows of it may be old."""
        with self._changed:
            self._awaited[awaited] = None
            self._watch.listen()
            self._watch.wake()

    def extend(self, awaited: Awaited, lease: float) -> None:
        """Its waiter still waits."""
        with self._changed:
            awaited.lease = lease

    def withdraw(self, awaited: Awaited) -> None:
        """Withdraw it: its client does not wait any more. One that was decided just now is reported as decided."""
        request = WithdrawApproval(key="", origin=awaited.origin, approval_id=awaited.approval.approval_id)

        def withdrawn(future: Future[Approval]) -> None:
            # Should it have failed, the next look comes back to it.
            if future.exception() is None:
                self._notify(awaited, future.result())

        self._ledger.submit(request).add_done_callback(withdrawn)

    def look(self) -> None:
        """Check all that may have been decided, and those whose client does not wait any more."""
        now = self._monotonic()
        with self._changed:
            due = [awaited for awaited in self._awaited if awaited.due <= now]
            for awaited in due:
                awaited.look_at = now + LOOK_SECONDS
        for awaited in due:
            try:
                self._look_at(awaited, now)
            except Exception as error:  # noqa: BLE001 - one of them must not keep the others from being seen
                self._log.warning("An approval that a kernel waits for could not be looked at: %s", error)

    def close(self) -> None:
        """Wait for nothing any more; what is pending in the ledger stays so."""
        with self._changed:
            self._awaited.clear()
        self._watch.close()

    def _look_at(self, awaited: Awaited, now: float) -> None:
        approval = self._ledger.read(ReadApproval(approval_id=awaited.approval.approval_id))
        if approval.status is not ApprovalStatus.PENDING:
            self._notify(awaited, approval)
        elif now >= awaited.lease or (approval.until is not None and self._clock() * MICROS >= approval.until):
            # The ledger itself ends an expired approval, and then notifies its listeners.
            with self._changed:
                awaited.lease = now + LOOK_SECONDS
            self.withdraw(awaited)
        elif now >= awaited.beat_at:
            awaited.beat_at = now + BEAT_SECONDS
            awaited.pending()

    def _notify(self, awaited: Awaited, approval: Approval) -> None:
        with self._changed:
            if awaited not in self._awaited:
                return
            del self._awaited[awaited]
        awaited.decided(approval)

    def _hear(self, states: tuple[SessionState, ...]) -> None:
        """In the ledger's own thread, after each commit."""
        with self._changed:
            if not self._awaited:
                return
            active = {state.session_id: state.active for state in states}
            for awaited in self._awaited:
                if awaited.approval.session_id in active:
                    awaited.look_at = -math.inf
                    if not active[awaited.approval.session_id]:
                        # A yes could let nothing run any more.
                        awaited.lease = -math.inf
                    self._changed.notify_all()
