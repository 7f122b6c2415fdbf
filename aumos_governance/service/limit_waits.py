"""Calls that wait at a limit on money instead of being denied, until the limit allows them or their time is over.

A call is a request of a kernel to charge or to hold an amount. It waits for its turn if it would stay within the limit
once the amounts that other calls hold are released. Otherwise it waits for a user, who may raise the limit or deny the
call. A waiting call has no transaction and no row in the ledger: the server requests it again when the limit may allow
it, and the ledger decides as for any call. So nothing is left in the ledger when the call's kernel or this server ends.
A client that gets no response sends a copy of its request, with the same id, which replaces the waiting request.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace

from ..errors import BusyError, IdempotencyError
from ..ledger.contract.charges import Charging, Hold
from ..ledger.contract.facts import Decision, Origin, SessionState
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.limits import LimitEvent
from ..ledger.rules.verdicts import BUDGET_HELD
from ..wire.protocol import WireRequest
from .callers import Caller, Reply, expiry_of
from .limit_records import LimitRecords
from .queues import Queue, session_queue
from .turns import Turns
from .waiting_calls import Decided, WaitingCall
from .watch import BEAT_SECONDS, CHECK_SECONDS, Watch


class LimitWaits:
    """All waiting calls of one server. Every method may be called from any thread.

    A call waits for a user for at most ``seconds``. ``clock`` returns seconds since the epoch, and ``monotonic``
    seconds of a clock that a change of the system's time does not affect.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        seconds: float,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
        log: logging.Logger,
    ) -> None:
        self._ledger = ledger
        self._seconds = seconds
        self._clock = clock
        self._monotonic = monotonic
        self._records = LimitRecords(ledger, log)
        self._calls: dict[tuple[str, str], WaitingCall] = {}
        """All calls that wait or that the ledger is deciding on, by scope and request id, in the order of arrival."""
        self._turns = Turns(ledger, self._calls, log)
        self._watch = Watch(
            ledger,
            "aumos-governance-limits",
            due=self._due,
            check=self.check,
            on_commit=self._on_commit,
            monotonic=monotonic,
        )
        self._changed = self._watch.changed

    # ---- from callers

    def charge(
        self,
        caller: Caller,
        wire_request: WireRequest,
        request: Charging,
        reply: Reply,
        decided: Decided,
        *,
        waits_for_user: bool = True,
        turn: float = 0.0,
    ) -> None:
        """Request a charge or a hold from the ledger, now or after a wait, and call ``decided`` with the decision.

        If only the amounts that other calls hold make the call exceed a limit, it waits for its turn, up to ``turn``
        seconds. If it still exceeds a limit, it waits for a user, provided that ``waits_for_user`` is true. Calls at
        the same limit are requested in the order of their arrival, so a new call is queued behind those that wait.

        ``reply`` is called with each message that the call waits. If the request is a copy of a waiting one, its
        messages and its decision go to the copy's ``reply`` and ``decided``. ``decided`` is called once, or not at all
        if the call is dropped or its client stops waiting.

        Raises BusyError if too many calls of this caller or notebook already wait for their turn.
        """
        queues = self._queues_to_join(caller, request) if turn else frozenset()
        with self._changed:
            call = self._renewed(caller, wire_request, reply)
            known = call is not None
            if call is None:
                now = self._clock()
                call = WaitingCall(
                    key=(caller.scope, wire_request.id),
                    caller=caller,
                    wire_request=wire_request,
                    request=request,
                    reply=reply,
                    decided=decided,
                    lease=self._monotonic() + wire_request.exp - now,
                    since=now,
                    until=now + self._seconds if waits_for_user else math.inf,
                    waits_for_user=waits_for_user,
                    turn_until=now + turn if turn else -math.inf,
                    place=session_queue(caller.notebook),
                    queues=queues,
                )
                if queues and not self._turns.is_free(call):
                    self._turns.check_room(call)
                    call.queued, call.trying, call.beat_at = True, False, self._monotonic() + BEAT_SECONDS
                    self._watch.wake()
                self._calls[call.key] = call
                self._watch.listen()
            call.decided = decided
        if known or call.queued:
            call.send_waiting()
        else:
            self._request(call)

    def _queues_to_join(self, caller: Caller, request: Charging) -> frozenset[Queue]:
        """Return the queues of a new call; none, without reading the ledger, if no call is queued: it need not wait."""
        with self._changed:
            if not self._turns.any():
                return frozenset()
        return self._turns.queues_of(caller.notebook, request)

    def renew(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> None:
        """Let a copy of a waiting request take its place, and notify the client of the wait; ignore other requests."""
        with self._changed:
            call = self._renewed(caller, wire_request, reply)
        if call is not None:
            call.send_waiting()

    def drop(self, scope: str, request_id: str) -> bool:
        """Remove a call that its client has cancelled; return whether the call was still undecided.

        The call gets no further message. If the ledger charges it at this moment, the ``cancel`` voids the charge.
        """
        with self._changed:
            call = self._pop((scope, request_id))
        if call is not None and call.recorded:
            self._records.add(call, LimitEvent.WITHDRAWN)
        return call is not None

    def _renewed(self, caller: Caller, wire_request: WireRequest, reply: Reply) -> WaitingCall | None:
        """Let a copy of a request replace the one of its waiting call, and return the call; None if no call waits."""
        call = self._calls.get((caller.scope, wire_request.id))
        if call is None:
            return None
        if call.wire_request.body != wire_request.body:
            raise IdempotencyError(
                f"The request id {wire_request.id[:80]!r} was used before with other content; use a new id."
            )
        call.caller, call.wire_request, call.reply = caller, wire_request, reply
        call.lease = max(call.lease, self._monotonic() + wire_request.exp - self._clock())
        return call

    # ---- from users

    def waiting(self) -> tuple[WaitingCall, ...]:
        """Return the calls that wait for a user, oldest first."""
        with self._changed:
            return tuple(call for call in self._calls.values() if call.at_limit)

    def deny(self, user: Origin, session_id: str) -> int:
        """Deny all calls of a session that wait for a user, and return their number."""
        with self._changed:
            denied = [call for call in self._calls.values() if call.session_id == session_id and call.at_limit]
            for call in denied:
                call.last, call.check_at = True, -math.inf
            self._changed.notify_all()
        if denied:
            self._records.denied(user, denied)
        return len(denied)

    def check(self) -> None:
        """Check all waiting calls that are due; the watch's thread calls this.

        A call is requested again if a limit may allow it now, or for the last time if its time is over. A call whose
        client no longer waits is dropped. The clients of calls that go on waiting are notified every `BEAT_SECONDS`.
        """
        with self._changed:
            unread = self._turns.unread()
        for call in unread:
            self._turns.read_queues(call)
        now, clock = self._monotonic(), self._clock()
        gone: list[WaitingCall] = []
        due: list[WaitingCall] = []
        beats: list[WaitingCall] = []
        with self._changed:
            free = self._turns.free()
            for call in list(self._calls.values()):
                if call.trying:
                    continue
                if now >= call.lease:
                    self._pop(call.key)
                    gone.append(call)
                    continue
                if call.takes_turns and clock >= call.turn_until:
                    self._end_turn(call)
                call.last = call.last or clock >= call.until
                if call.last or (now >= call.check_at and (call in free or not call.queued)):
                    call.trying, call.check_at = True, math.inf
                    due.append(call)
                if now >= call.beat_at:
                    call.beat_at = now + BEAT_SECONDS
                    beats.append(call)
        for call in gone:
            if call.recorded:
                self._records.add(call, LimitEvent.WITHDRAWN)
        for call in beats:
            call.send_waiting()
        for call in due:
            self._request(call)

    def close(self) -> None:
        """Forget all waiting calls, without a decision and without a further message to their clients."""
        with self._changed:
            self._calls.clear()
        self._watch.close()

    def _pop(self, key: tuple[str, str]) -> WaitingCall | None:
        call = self._calls.pop(key, None)
        if call is not None and call.queued:
            self._move_up(call)
        return call

    def _end_turn(self, call: WaitingCall) -> None:
        """End a call's wait for its turn: the ledger decides about it at once, and the calls behind it move up."""
        call.turn_until = -math.inf
        if call.queued:
            call.queued, call.check_at = False, -math.inf
            self._move_up(call)

    def _move_up(self, gone: WaitingCall) -> None:
        self._turns.move_up(gone)
        self._changed.notify_all()

    # ---- one call

    def _request(self, call: WaitingCall) -> None:
        request = replace(
            call.request,
            notebook=call.caller.notebook,
            expires_at=expiry_of(call.wire_request),
            waits_at_limit=call.waits_for_user and not call.last,
        )
        if call.takes_turns and isinstance(request, Hold):
            with self._changed:
                waiting = self._turns.beside(call)
            request = replace(request, waits_turn=not call.last, waiting=waiting)
        try:
            with call.caller.attending():
                future = self._ledger.submit(request)
        except Exception as error:  # noqa: BLE001 - the client must get a response, if it has not gone
            self._requested(call, _failed(error))
        else:
            future.add_done_callback(lambda future: self._requested(call, future))

    def _requested(self, call: WaitingCall, future: Future[Decision]) -> None:
        refused = None if future.exception() is not None else future.result()
        if refused is not None and refused.undecided:
            try:
                begins = self._wait(call, refused)
            except BusyError as error:
                refused, future = None, _failed(error)
            else:
                if begins:
                    self._records.add(call, LimitEvent.REQUESTED)
                return
        with self._changed:
            waits = self._calls.get(call.key) is call
            if waits:
                self._pop(call.key)
        if waits:
            if refused is None and call.recorded:
                # The request failed, since the kernel has gone or the ledger is closed.
                self._records.add(call, LimitEvent.WITHDRAWN)
            call.decided(future)

    def _wait(self, call: WaitingCall, refused: Decision) -> bool:
        """Let a call wait that the ledger has just refused; return whether it now begins to wait for a user."""
        with self._changed:
            if self._calls.get(call.key) is not call:
                return False
            held = refused.code == BUDGET_HELD
            if held and not call.queued:
                self._turns.check_room(call)
            begins = not held and not call.recorded
            needed = None if begins or call.refused is None or held != call.queued else call.needs
            call.refused, call.trying, call.queued = refused, False, held
            call.recorded = call.recorded or begins
            if call.needs != needed:
                call.beat_at = -math.inf
            call.check_at = -math.inf if call.changed or call.last else self._monotonic() + CHECK_SECONDS
            call.changed = False
            self._watch.wake()
        return begins

    # ---- changes in the ledger

    def _on_commit(self, states: Iterable[SessionState]) -> None:
        """Have calls requested again after a commit of the ledger, which passes the states of all changed sessions."""
        with self._changed:
            if not self._calls:
                return
            changed = {state.session_id: state for state in states}
            places = {session_queue(state.notebook): state for state in changed.values()}
            found = False
            for call in self._calls.values():
                if call.refused is None and call.trying:
                    # The ledger may decide by the state before the change, so a refused call is requested again.
                    call.changed = True
                    continue
                state = places.get(call.place) if call.refused is None else changed.get(call.session_id)
                if state is not None and _is_over(call, state):
                    # The decision may depend no longer on the limit, so the call need not wait for its turn.
                    call.queued = False
                elif call.refused is None or not _may_fit(call, state):
                    continue
                call.changed, call.check_at, found = call.trying, -math.inf, True
            if found:
                self._changed.notify_all()

    def _due(self) -> float | None:
        if not self._calls:
            return None
        now, clock, free = self._monotonic(), self._clock(), self._turns.free()
        due = now + CHECK_SECONDS
        for call in self._calls.values():
            if call.trying:
                continue
            ends = min(call.until, call.turn_until) if call.queued else call.until
            due = min(due, call.beat_at, call.lease, now + ends - clock)
            if call in free or not call.queued:
                due = min(due, call.check_at)
        return due


def _is_over(call: WaitingCall, state: SessionState) -> bool:
    """Whether a call's session was closed, or got another trust level, after the ledger refused the call."""
    known = None if call.refused is None else call.refused.state
    return not state.active or (known is not None and state.trust_level != known.trust_level)


def _may_fit(call: WaitingCall, state: SessionState | None) -> bool:
    """Whether a refused call should be requested again: it may stay within its limit now, or the limit was changed."""
    if call.limit.kind != "session":
        # A session's state does not include other limits. Any commit may have ended a hold there, so a queued call is
        # requested again. A call that waits for a user waits longer, so the regular checks are enough.
        return call.queued
    if state is None or state.balance is None:
        return False
    balance = state.balance
    fits = balance.spent + balance.held + call.least <= balance.limit
    never_fits = balance.spent + call.least > balance.limit
    # A limit that was raised by too little still changes the amount that the waiting message states.
    return fits or balance.limit != call.limit.allowed or (never_fits and call.queued)


def _failed(error: Exception) -> Future[Decision]:
    failed: Future[Decision] = Future()
    failed.set_exception(error)
    return failed
