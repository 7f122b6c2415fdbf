"""Calls that wait instead of being denied, until there is room or their time is over: for their turn, where only what
others hold is in their way, or at a limit on money, where a user may make room or deny them.

A call that waits is no transaction and keeps nothing in the ledger: it is requested again when there may be room, and
the ledger decides as ever. So nothing is left behind where its kernel or this server goes.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from ..errors import BusyError, IdempotencyError
from ..ledger.contract.charges import Charging, Hold
from ..ledger.contract.facts import Decision, Origin, SessionState
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.limits import LimitEvent, RecordLimitRequest
from ..ledger.rules.verdicts import BUDGET_HELD
from ..wire.protocol import WireRequest
from .callers import Caller, expiry_of
from .lines import Line, own_line
from .turns import Turns
from .waiting_calls import Decided, Say, WaitingCall
from .watch import BEAT_SECONDS, LOOK_SECONDS, Watch

__all__ = ["LimitWaits"]


class LimitWaits:
    """All calls that wait on one server. Every method may be called from any thread.

    A call waits at a limit for ``seconds``. ``clock`` gives seconds since the epoch, and ``monotonic`` seconds of a
    clock that is never set.
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
        self._log = log
        self._calls: dict[tuple[str, str], WaitingCall] = {}
        """In the order in which they came."""
        self._turns = Turns(ledger, self._calls, log)
        self._watch = Watch(
            ledger, "aumos-governance-limits", due=self._due, look=self.look, hear=self._hear, monotonic=monotonic
        )
        self._changed = self._watch.changed

    # ---- from callers

    def charge(
        self,
        caller: Caller,
        wire_request: WireRequest,
        request: Charging,
        say: Say,
        decided: Decided,
        *,
        waits_for_user: bool = True,
        turn: float = 0.0,
    ) -> None:
        """Have the request decided, now or when there is room; ``decided`` is called once, unless the call is dropped.

        ``say`` is called with each message that it waits. A copy of a request that waits takes its place. With
        ``waits_for_user`` it waits at a limit for a user, and before that ``turn`` seconds for what others hold: at
        each limit the first to come is the first to be tried, and a call that comes while others wait there stands
        behind them.

        Raises BusyError where too many calls of its caller or notebook wait for their turn already.
        """
        lines = self._lines_behind(caller, request) if turn else frozenset()
        with self._changed:
            call = self._renewed(caller, wire_request, say)
            known = call is not None
            if call is None:
                now = self._clock()
                call = WaitingCall(
                    key=(caller.scope, wire_request.id),
                    caller=caller,
                    wire_request=wire_request,
                    request=request,
                    say=say,
                    decided=decided,
                    lease=self._monotonic() + wire_request.exp - now,
                    since=now,
                    until=now + self._seconds if waits_for_user else math.inf,
                    waits_for_user=waits_for_user,
                    turn_until=now + turn if turn else -math.inf,
                    place=own_line(caller.notebook),
                    lines=lines,
                )
                if lines and not self._turns.is_free(call):
                    self._turns.check_room(call)
                    call.in_line, call.trying, call.beat_at = True, False, self._monotonic() + BEAT_SECONDS
                    self._watch.wake()
                self._calls[call.key] = call
                self._watch.listen()
            call.decided = decided
        if known or call.in_line:
            call.say_waiting()
        else:
            self._request(call)

    def _lines_behind(self, caller: Caller, request: Charging) -> frozenset[Line]:
        """The lines of a new call, where any call waits in one; else none, since it is tried at once."""
        with self._changed:
            if not self._turns.any():
                return frozenset()
        return self._turns.lines_of(caller.notebook, request)

    def renew(self, caller: Caller, wire_request: WireRequest, say: Say) -> None:
        """A copy of a request has come, which may wait here."""
        with self._changed:
            call = self._renewed(caller, wire_request, say)
        if call is not None:
            call.say_waiting()

    def drop(self, scope: str, request_id: str) -> bool:
        """The client has given the call up, so it gets no more messages of it; returns whether it was here.

        The cancel takes back what it may have been charged meanwhile.
        """
        with self._changed:
            call = self._pop((scope, request_id))
        if call is not None and call.recorded:
            self._record(call, LimitEvent.WITHDRAWN)
        return call is not None

    def _renewed(self, caller: Caller, wire_request: WireRequest, say: Say) -> WaitingCall | None:
        """The call that this is a copy of, which takes its place; None where it is the first."""
        call = self._calls.get((caller.scope, wire_request.id))
        if call is None:
            return None
        if call.wire_request.body != wire_request.body:
            raise IdempotencyError(f"The id {wire_request.id[:80]!r} was used before with other content.")
        call.caller, call.wire_request, call.say = caller, wire_request, say
        call.lease = max(call.lease, self._monotonic() + wire_request.exp - self._clock())
        return call

    # ---- from users

    def waiting(self) -> tuple[WaitingCall, ...]:
        """The calls that wait for a user, the first first."""
        with self._changed:
            return tuple(call for call in self._calls.values() if call.at_limit)

    def deny(self, user: Origin, session_id: str) -> int:
        """A user denies all calls of this session that wait for one; returns how many those are."""
        with self._changed:
            denied = [call for call in self._calls.values() if call.session_id == session_id and call.at_limit]
            for call in denied:
                call.last, call.look_at = True, -math.inf
            self._changed.notify_all()
        if denied:
            first = denied[0]
            self._submit(
                RecordLimitRequest(
                    key="",
                    origin=user,
                    notebook=first.caller.notebook,
                    event=LimitEvent.DENIED,
                    amount=sum(call.least for call in denied),
                    count=len(denied),
                )
            )
        return len(denied)

    def look(self) -> None:
        """Request again what may fit by now or whose time is over, and leave what no client waits for."""
        with self._changed:
            unread = self._turns.unread()
        for call in unread:
            self._turns.read_lines(call)
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
                if call.last or (now >= call.look_at and (call in free or not call.in_line)):
                    call.trying, call.look_at = True, math.inf
                    due.append(call)
                if now >= call.beat_at:
                    call.beat_at = now + BEAT_SECONDS
                    beats.append(call)
        for call in gone:
            if call.recorded:
                self._record(call, LimitEvent.WITHDRAWN)
        for call in beats:
            call.say_waiting()
        for call in due:
            self._request(call)

    def close(self) -> None:
        """Wait for nothing any more."""
        with self._changed:
            self._calls.clear()
        self._watch.close()

    def _pop(self, key: tuple[str, str]) -> WaitingCall | None:
        call = self._calls.pop(key, None)
        if call is not None and call.in_line:
            self._move_up(call)
        return call

    def _end_turn(self, call: WaitingCall) -> None:
        """Its time in the line is over: it is decided as ever, and those behind it move up."""
        call.turn_until = -math.inf
        if call.in_line:
            call.in_line, call.look_at = False, -math.inf
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
        except Exception as error:  # noqa: BLE001 - the client must get a response, or is gone
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
                    self._record(call, LimitEvent.REQUESTED)
                return
        with self._changed:
            waits = self._calls.get(call.key) is call
            if waits:
                self._pop(call.key)
        if waits:
            if refused is None and call.recorded:
                # Its kernel is gone, or the ledger.
                self._record(call, LimitEvent.WITHDRAWN)
            call.decided(future)

    def _wait(self, call: WaitingCall, refused: Decision) -> bool:
        """Wait until there may be room; returns whether a user is notified of it now for the first time."""
        with self._changed:
            if self._calls.get(call.key) is not call:
                return False
            held = refused.code == BUDGET_HELD
            if held and not call.in_line:
                self._turns.check_room(call)
            begins = not held and not call.recorded
            needed = None if begins or call.refused is None or held != call.in_line else call.needs
            call.refused, call.trying, call.in_line = refused, False, held
            call.recorded = call.recorded or begins
            if call.needs != needed:
                call.beat_at = -math.inf
            call.look_at = -math.inf if call.changed or call.last else self._monotonic() + LOOK_SECONDS
            call.changed = False
            self._watch.wake()
        return begins

    def _record(self, call: WaitingCall, event: LimitEvent) -> None:
        self._submit(
            RecordLimitRequest(
                key="",
                origin=call.request.origin,
                notebook=call.caller.notebook,
                event=event,
                amount=call.least,
                needs=call.needs,
                limit=call.limit,
                tool=call.request.tool,
                agent_id=call.request.agent_id,
            )
        )

    def _submit(self, request: RecordLimitRequest) -> None:
        def recorded(future: Future[Any]) -> None:
            error = future.exception()
            if error is not None:
                self._log.warning("A call that waits at a limit could not be recorded: %s", error)

        try:
            self._ledger.submit(request).add_done_callback(recorded)
        except Exception as error:  # noqa: BLE001 - what waits goes on all the same
            self._log.warning("A call that waits at a limit could not be recorded: %s", error)

    # ---- news

    def _hear(self, states: Iterable[SessionState]) -> None:
        """In the ledger's own thread, after each commit."""
        with self._changed:
            if not self._calls:
                return
            changed = {state.session_id: state for state in states}
            places = {own_line(state.notebook): state for state in changed.values()}
            found = False
            for call in self._calls.values():
                if call.refused is None and call.trying:
                    # It may have been refused just before the change.
                    call.changed = True
                    continue
                state = places.get(call.place) if call.refused is None else changed.get(call.session_id)
                if state is not None and _is_over(call, state):
                    # Then no room is needed to decide it, and so no turn.
                    call.in_line = False
                elif call.refused is None or not _is_news(call, state):
                    continue
                call.changed, call.look_at, found = call.trying, -math.inf, True
            if found:
                self._changed.notify_all()

    def _due(self) -> float | None:
        if not self._calls:
            return None
        now, clock, free = self._monotonic(), self._clock(), self._turns.free()
        due = now + LOOK_SECONDS
        for call in self._calls.values():
            if call.trying:
                continue
            ends = min(call.until, call.turn_until) if call.in_line else call.until
            due = min(due, call.beat_at, call.lease, now + ends - clock)
            if call in free or not call.in_line:
                due = min(due, call.look_at)
        return due


def _is_over(call: WaitingCall, state: SessionState) -> bool:
    """Whether the session is closed, or its level another one than when the call was refused."""
    known = None if call.refused is None else call.refused.state
    return not state.active or (known is not None and state.trust_level != known.trust_level)


def _is_news(call: WaitingCall, state: SessionState | None) -> bool:
    if call.limit.kind != "session":
        # Of other limits a session's state says nothing. Any commit may have ended a hold there; a user is waited for
        # longer, so that is looked at now and then.
        return call.in_line
    if state is None or state.balance is None:
        return False
    balance = state.balance
    fits = balance.spent + balance.held + call.least <= balance.limit
    never_fits = balance.spent + call.least > balance.limit
    # A limit that was raised by too little still changes how much more is needed.
    return fits or balance.limit != call.limit.allowed or (never_fits and call.in_line)


def _failed(error: Exception) -> Future[Decision]:
    failed: Future[Decision] = Future()
    failed.set_exception(error)
    return failed
