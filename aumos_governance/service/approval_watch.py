"""Waiting for users' decisions on approval requests, with one thread for all pending requests.

A decision may be made on another server that shares the ledger, so each request's state is read again every second.
"""

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
    """A pending approval request whose decision a client waits for, with the callbacks that inform this client."""

    approval: Approval
    origin: Origin
    """The client, as the ledger knows it. The approval request is withdrawn in its name when it no longer waits."""
    pending: Callable[[], None]
    """Called every `BEAT_SECONDS` while the user has not decided. Must not raise."""
    decided: Callable[[Approval], None]
    """Called once, with the approval, when it was decided, withdrawn or has expired. Any thread may call it, and it
    must not raise."""


class ApprovalWatch:
    """The approval requests whose decisions clients of this server wait for.

    Each request stays here until a user decides it, it expires or it is withdrawn. It is withdrawn if its client stops
    waiting. Every method may be called from any thread. ``clock`` returns seconds since the epoch, and ``monotonic``
    seconds of a clock that a change of the system's time does not affect.
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
        """Begin to wait for the decision on an approval request.

        The request is checked at once: it may have been decided after the caller read it.
        """
        with self._changed:
            self._awaited[awaited] = None
            self._watch.listen()
            self._watch.wake()

    def extend(self, awaited: Awaited, lease: float) -> None:
        """Extend a client's wait for a decision until the time ``lease``, in seconds of the monotonic clock."""
        with self._changed:
            awaited.lease = lease

    def withdraw(self, awaited: Awaited) -> None:
        """Withdraw an approval request whose client no longer waits, without waiting for the ledger.

        If a user has decided just before, that decision stays valid.
        """
        request = WithdrawApproval(key="", origin=awaited.origin, approval_id=awaited.approval.approval_id)

        def withdrawn(future: Future[Approval]) -> None:
            # If the withdrawal failed, the next check repeats it.
            if future.exception() is None:
                self._notify(awaited, future.result())

        self._ledger.submit(request).add_done_callback(withdrawn)

    def check(self) -> None:
        """Check all approval requests that are due: pass on decisions, and withdraw requests without a waiting client.

        The watch's thread calls this; each waiting client is also notified every `BEAT_SECONDS`.
        """
        now = self._monotonic()
        with self._changed:
            due = [awaited for awaited in self._awaited if awaited.due <= now]
            for awaited in due:
                awaited.check_at = now + CHECK_SECONDS
        for awaited in due:
            try:
                self._check_one(awaited, now)
            except Exception as error:  # noqa: BLE001 - a failure with one approval must not affect the others
                self._log.warning(
                    "The approval request %s could not be checked, and is checked again in a second: %s",
                    awaited.approval.approval_id,
                    error,
                )

    def close(self) -> None:
        """End the wait for all decisions, and call no callback any more. Pending approval requests stay pending."""
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
        """Have the thread check at once whether the approval requests of changed sessions are decided or ended.

        The ledger calls this after each commit.
        """
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
