"""Calls that wait at a limit on money instead of being denied: until there is room, a user denies them, or their time
is over.

A call that waits is no transaction and keeps nothing in the ledger: it is requested again when there may be room, and
the ledger decides as ever. So nothing is left behind where its kernel or this server goes.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any, Final

from .. import money
from ..errors import IdempotencyError, InvalidRequestError
from ..ledger.contract.charges import Charging
from ..ledger.contract.facts import Decision, Limit, Origin, SessionState
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.limits import LimitEvent, RecordLimitRequest
from ..wire.bodies import LIMIT
from ..wire.protocol import Ask
from .callers import Caller, expiry_of

__all__ = ["ASK", "LimitWaits", "WaitingCall", "at_limit_of"]

ASK: Final = "ask"
"""What lets a call wait."""

_BEAT_SECONDS: Final = 5.0
"""How often the client hears that its call still waits."""
_LOOK_SECONDS: Final = 1.0
"""How often a call is requested again though nothing is known to have changed: another server, or a ceiling that
several notebooks share, may have made room."""

Decided = Callable[[Future[Decision]], None]
Say = Callable[[dict[str, Any]], None]


@dataclass(eq=False, slots=True)
class WaitingCall:
    """A call from its first copy to its decision."""

    caller: Caller
    ask: Ask
    """The copy that came last, and so is ``say``."""
    request: Charging
    say: Say
    decided: Decided
    lease: float
    """When its client waits no more unless it says so again, by the monotonic clock."""
    since: float
    """When it came, in seconds since the epoch."""
    until: float
    """When its time is over, in seconds since the epoch."""
    refused: Decision | None = None
    """How it did not fit when it was requested last; None until it waits."""
    trying: bool = True
    changed: bool = False
    """Whether the session changed while it was being requested."""
    last: bool = False
    """Whether it is requested once more, and then takes what comes."""
    look_at: float = math.inf
    beat_at: float = -math.inf

    @property
    def session_id(self) -> str | None:
        state = None if self.refused is None else self.refused.state
        return None if state is None else state.session_id

    @property
    def limit(self) -> Limit:
        assert self.refused is not None
        assert self.refused.limit is not None
        return self.refused.limit

    @property
    def needs(self) -> int:
        """By how much the limit would have to be higher for this call alone, in nano-USD."""
        return max(0, self.limit.asked - self.limit.allowed)


def at_limit_of(said: object) -> str | None:
    """What a request says of waiting: ``ask`` or ``deny``; None where it leaves that to the server.

    Raises InvalidRequestError for anything else.
    """
    if said is None or (isinstance(said, str) and said in (ASK, "deny")):
        return said
    raise InvalidRequestError(f"at_limit must be ask or deny, not {str(said)[:40]!r}.")


class LimitWaits:
    """All calls that wait at a limit on one server. Every method may be called from any thread.

    A call waits for ``seconds``. ``clock`` gives seconds since the epoch, and ``monotonic`` seconds that no one sets.
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
        self._changed = threading.Condition()
        self._calls: dict[tuple[str, str], WaitingCall] = {}
        self._watching = False
        self._closed = False
        self._unsubscribe: Callable[[], None] | None = None

    # ---- from kernels

    def charge(self, caller: Caller, ask: Ask, request: Charging, say: Say, decided: Decided) -> None:
        """Have the request decided, now or when there is room; ``decided`` is called once, unless the call is dropped.

        ``say`` is called with each message that it waits. A copy of an ask that waits takes its place.
        """
        with self._changed:
            call = self._renewed(caller, ask, say)
            known = call is not None
            if call is None:
                now = self._clock()
                lease = self._monotonic() + ask.exp - now
                call = WaitingCall(caller, ask, request, say, decided, lease, now, now + self._seconds)
                self._calls[caller.scope, ask.id] = call
                if self._unsubscribe is None and not self._closed:
                    self._unsubscribe = self._ledger.subscribe(self._hear)
            call.decided = decided
        if known:
            _say_waiting(call)
        else:
            self._request(call)

    def renew(self, caller: Caller, ask: Ask, say: Say) -> None:
        """A copy of an ask has come, which may wait here."""
        with self._changed:
            call = self._renewed(caller, ask, say)
        if call is not None:
            _say_waiting(call)

    def drop(self, scope: str, ask_id: str) -> bool:
        """The client has given the call up, so nothing is said of it any more; whether it was here.

        What it may have been charged meanwhile is taken back by whoever cancels it.
        """
        with self._changed:
            call = self._calls.pop((scope, ask_id), None)
        if call is not None and call.refused is not None:
            self._record(call, LimitEvent.WITHDRAWN)
        return call is not None

    def _renewed(self, caller: Caller, ask: Ask, say: Say) -> WaitingCall | None:
        """The call that this is a copy of, which takes its place; None where it is the first."""
        call = self._calls.get((caller.scope, ask.id))
        if call is None:
            return None
        if call.ask.body != ask.body:
            raise IdempotencyError(f"The id {ask.id[:80]!r} was used before with other content.")
        call.caller, call.ask, call.say = caller, ask, say
        call.lease = max(call.lease, self._monotonic() + ask.exp - self._clock())
        return call

    # ---- from users

    def waiting(self) -> tuple[WaitingCall, ...]:
        """The calls that wait, the first first."""
        with self._changed:
            return tuple(call for call in self._calls.values() if call.refused is not None and not call.last)

    def deny(self, user: Origin, session_id: str) -> int:
        """A user denies all calls of this session that wait; answers how many those are."""
        with self._changed:
            denied = [call for call in self._calls.values() if call.session_id == session_id and not call.last]
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
                    amount=sum(call.request.amount for call in denied),
                    count=len(denied),
                )
            )
        return len(denied)

    def look(self) -> None:
        """Request again what may fit by now or whose time is over, and leave what no client waits for."""
        now, clock = self._monotonic(), self._clock()
        gone: list[WaitingCall] = []
        due: list[WaitingCall] = []
        beats: list[WaitingCall] = []
        with self._changed:
            for key, call in list(self._calls.items()):
                if call.trying:
                    continue
                if now >= call.lease:
                    del self._calls[key]
                    gone.append(call)
                    continue
                if clock >= call.until:
                    call.last = True
                if call.last or now >= call.look_at:
                    call.trying, call.look_at = True, math.inf
                    due.append(call)
                if now >= call.beat_at:
                    call.beat_at = now + _BEAT_SECONDS
                    beats.append(call)
        for call in gone:
            self._record(call, LimitEvent.WITHDRAWN)
        for call in beats:
            _say_waiting(call)
        for call in due:
            self._request(call)

    def close(self) -> None:
        """Wait for nothing any more."""
        with self._changed:
            self._closed = True
            self._calls.clear()
            self._changed.notify_all()
            unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()

    # ---- one call

    def _request(self, call: WaitingCall) -> None:
        request = replace(
            call.request,
            notebook=call.caller.notebook,
            expires_at=expiry_of(call.ask),
            waits_at_limit=not call.last,
        )
        try:
            with call.caller.attending():
                future = self._ledger.submit(request)
        except Exception as error:  # noqa: BLE001 - the client must get an answer, or is gone
            failed: Future[Decision] = Future()
            failed.set_exception(error)
            self._requested(call, failed)
        else:
            future.add_done_callback(lambda future: self._requested(call, future))

    def _requested(self, call: WaitingCall, future: Future[Decision]) -> None:
        refused = None if future.exception() is not None else future.result()
        if refused is not None and refused.undecided:
            with self._changed:
                if self._calls.get((call.caller.scope, call.ask.id)) is not call:
                    return
                begins = call.refused is None
                needed = None if begins else call.needs
                call.refused, call.trying = refused, False
                if call.needs != needed:
                    call.beat_at = -math.inf
                call.look_at = -math.inf if call.changed or call.last else self._monotonic() + _LOOK_SECONDS
                call.changed = False
                if not self._watching:
                    self._watching = True
                    threading.Thread(target=self._watch, name="aumos-governance-limits", daemon=True).start()
                self._changed.notify_all()
            if begins:
                self._record(call, LimitEvent.REQUESTED)
            return
        with self._changed:
            waits = self._calls.pop((call.caller.scope, call.ask.id), None) is call
        if waits:
            if refused is None and call.refused is not None:
                # Its kernel is gone, or the ledger.
                self._record(call, LimitEvent.WITHDRAWN)
            call.decided(future)

    def _record(self, call: WaitingCall, event: LimitEvent) -> None:
        self._submit(
            RecordLimitRequest(
                key="",
                origin=call.request.origin,
                notebook=call.caller.notebook,
                event=event,
                amount=call.request.amount,
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
            found = False
            for call in self._calls.values():
                if call.refused is None:
                    # It may have been refused just before the change.
                    call.changed = True
                    continue
                state = changed.get(call.session_id)
                if state is not None and _is_news(call, state):
                    call.changed, call.look_at, found = call.trying, -math.inf, True
            if found:
                self._changed.notify_all()

    def _watch(self) -> None:
        while True:
            with self._changed:
                waiting = [call for call in self._calls.values() if not call.trying]
                if not self._calls:
                    self._watching = False
                    return
                now = self._monotonic()
                seconds = min((self._due(call, now) for call in waiting), default=now + _LOOK_SECONDS) - now
                if seconds > 0:
                    self._changed.wait(seconds)
            self.look()

    def _due(self, call: WaitingCall, now: float) -> float:
        return min(call.look_at, call.beat_at, call.lease, now + call.until - self._clock())


def _is_news(call: WaitingCall, state: SessionState) -> bool:
    balance = state.balance
    if not state.active or balance is None or state.trust_level != _level(call):
        return True
    if call.limit.kind != "session":
        # Of other limits a session's state says nothing: they are looked at now and then.
        return False
    # A limit that was raised by too little still changes how much more is needed.
    fits = balance.spent + balance.held + call.request.amount <= balance.limit
    return fits or balance.limit != call.limit.allowed


def _level(call: WaitingCall) -> object:
    state = None if call.refused is None else call.refused.state
    return None if state is None else state.trust_level


def _say_waiting(call: WaitingCall) -> None:
    if call.refused is not None:
        waiting = {"limit": LIMIT.write(call.limit), "needs": money.to_text(call.needs), "until": call.until}
        call.say({"id": call.ask.id, "ok": True, "waiting": waiting})
