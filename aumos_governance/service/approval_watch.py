"""Waiting for users' decisions on approval requests, with one thread for all of them."""

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
from .watch import BEAT_SECONDS, CHECK_SECONDS, Waiter, Watch


@dataclass(eq=False, slots=True)
class Awaited(Waiter):
    """A pending approval request, and the client that waits for its decision."""

    approval: Approval
    origin: Origin
    """The origin of the client's request, which may withdraw the approval request."""
    pending: Callable[[], None]
    """Called every `BEAT_SECONDS` while the approval is pending. Must not raise."""
    decided: Callable[[Approval], None]
    """Called once when the approval is no longer pending, in any thread. Must not raise."""


class ApprovalWatch:
    """The approval requests that clients wait for, each until it is decided, withdrawn, expired or given up.

    Every method may be called from any thread. ``clock`` returns seconds since the epoch, and ``monotonic`` seconds of
    a clock that is never set.
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
            check=self.check,
            on_commit=self._on_commit,
            monotonic=monotonic,
        )
        self._changed = self._watch.changed

    def add(self, awaited: Awaited) -> None:
        """Begin to wait for an approval. It is checked at once, since its state may have changed since it was read."""
        with self._changed:
            self._awaited[awaited] = None
            self._watch.listen()
            self._watch.wake()

    def extend(self, awaited: Awaited, lease: float) -> None:
        """Extend a client's wait until ``lease``, in seconds of the monotonic clock."""
        with self._changed:
            awaited.lease = lease

    def withdraw(self, awaited: Awaited) -> None:
        """Withdraw an approval request whose client no longer waits; a decision just made by a user stays valid."""
        request = WithdrawApproval(key="", origin=awaited.origin, approval_id=awaited.approval.approval_id)

        def withdrawn(future: Future[Approval]) -> None:
            # If the withdrawal failed, the next check repeats it.
            if future.exception() is None:
                self._notify(awaited, future.result())

        self._ledger.submit(request).add_done_callback(withdrawn)

    def check(self) -> None:
        """Read the approvals that may have been decided, and withdraw those whose client no longer waits."""
        now = self._monotonic()
        with self._changed:
            due = [awaited for awaited in self._awaited if awaited.due <= now]
            for awaited in due:
                awaited.check_at = now + CHECK_SECONDS
        for awaited in due:
            try:
                self._check_one(awaited, now)
            except Exception as error:  # noqa: BLE001 - a failure with one approval must not affect the others
                self._log.warning("An approval that a kernel waits for could not be checked: %s", error)

    def close(self) -> None:
        """Stop waiting; approvals that are pending in the ledger stay pending."""
        with self._changed:
            self._awaited.clear()
        self._watch.close()

    def _check_one(self, awaited: Awaited, now: float) -> None:
        approval = self._ledger.read(ReadApproval(approval_id=awaited.approval.approval_id))
        if approval.status is not ApprovalStatus.PENDING:
            self._notify(awaited, approval)
        elif now >= awaited.lease or (approval.until is not None and self._clock() * MICROS >= approval.until):
            # The withdrawal makes the ledger expire an approval that is past its time, and notify its listeners.
            with self._changed:
                awaited.lease = now + CHECK_SECONDS
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

    def _on_commit(self, states: tuple[SessionState, ...]) -> None:
        """Schedule checks of the approvals whose sessions changed; the ledger's thread calls this after each commit."""
        with self._changed:
            if not self._awaited:
                return
            active = {state.session_id: state.active for state in states}
            for awaited in self._awaited:
                if awaited.approval.session_id in active:
                    awaited.check_at = -math.inf
                    if not active[awaited.approval.session_id]:
                        # In a closed session, an approval would allow nothing any more.
                        awaited.lease = -math.inf
                    self._changed.notify_all()
