"""Asking for decisions: one ask goes out, its answer comes back, and without an answer nothing is authorised."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from .._version import __version__
from ..errors import AumOSGovernanceError, ExpiredError, UnavailableError, from_code
from ..protocol import HELLO_REQUIRED, Ask, Cell
from .ask_ids import new_ask_id
from .asks_ahead import Dropped, Started, Steps, Tellings, Told
from .transport import Transport
from .waiter import Waiter

__all__ = ["ASK_SECONDS", "HELLO_SECONDS", "Client", "OnWaiting"]

ASK_SECONDS: Final = 10.0
"""How long an ask may be acted on, unless its caller says otherwise."""
HELLO_SECONDS: Final = 5.0
"""How long the first contact may take before the server counts as unreachable."""
_GRACE_SECONDS: Final = 1.0
# An answer decided just before the expiry still has to arrive; waiting past the expiry costs no safety.
_HELLO_VALID_SECONDS: Final = 86_400.0
# A hello changes nothing, and whose clock is off by how much is what it is to find out.
_FIRST_RESEND: Final = 0.25
_LAST_RESEND: Final = 2.0
_NOT_MET: Final = frozenset({ExpiredError.default_code, HELLO_REQUIRED})
# The server's clock is not where it was, since the machine slept or a clock was set; or the server is not the one that
# was met.
_MEETINGS: Final = 3
_UNDECIDED: Final = frozenset({"INTERNAL", "LEDGER_UNAVAILABLE", "UNAVAILABLE"})
_TAKEN_BACK: Final = frozenset({"open", "spend", "hold", "authorize", "close"})
# Never a settlement or a release: the money that they tell of is gone, or was never spent.

_RENEWED_EVERY: Final = 5.0
_RENEWED_FOR: Final = 30.0
# While a person is waited for, the server hears now and then that somebody still waits; nobody does once it has not for
# so long, nor for an answer once the server has been silent for so long.
_UNLOST_FOR: Final = 7 * 86_400.0
# Where no message can get lost nothing has to be repeated, and a person may be typing in the thread that waits.

OnWaiting = Callable[[Mapping[str, Any]], None]
"""Called once, in the thread or the loop that asks, with what is told when an answer waits for a person."""


@dataclass(slots=True)
class _Waiting:
    """An ask whose answer has not come."""

    wake: Callable[[], None]
    answer: Mapping[str, Any] | None = None
    sent: int = 0
    pending: Mapping[str, Any] | None = None
    """What was told last of a person's answer that is waited for."""


@dataclass(slots=True)
class _Patience:
    """How long an ask may be acted on, which is longer for as long as a person is waited for."""

    until: float
    on_waiting: OnWaiting | None
    has_waited: bool = False


class Client:
    """Asks over one transport, from any number of threads and tasks at once.

    `ask` blocks its thread, `ask_async` lets the loop go on; both give the answer's body, or raise the error that the
    answer stands for, or UnavailableError within ``timeout`` and the time of a first contact. Whoever is interrupted
    while waiting (KeyboardInterrupt, a cancelled task) takes the ask back.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        incarnation: str,
        timeout: float = ASK_SECONDS,
        hello_timeout: float = HELLO_SECONDS,
    ) -> None:
        self._transport = transport
        self._incarnation = incarnation
        self._timeout = timeout
        self._hello_timeout = hello_timeout
        self._waiting: dict[str, _Waiting] = {}
        self._tellings = Tellings()
        self._clock_offset: float | None = None
        self.greeting: Mapping[str, Any] = {}
        """The server's answer to the last hello; empty before the first."""
        transport.connect(self._receive)

    def ask(
        self,
        op: str,
        body: Mapping[str, Any] | None = None,
        *,
        cell: Cell | None = None,
        timeout: float | None = None,
        on_waiting: OnWaiting | None = None,
    ) -> dict[str, Any]:
        """Ask, and block this thread until the answer is here.

        The answer to an `authorize` may wait for a person for longer than ``timeout``: then ``on_waiting`` is called.
        """
        waiter = Waiter()
        steps = self._steps(op, body or {}, cell or Cell(), timeout or self._timeout, waiter.wake, on_waiting)
        return Started(self._transport, waiter, steps, _body).answer()

    def start(self, op: str, body: Mapping[str, Any], *, cell: Cell | None = None) -> Started:
        """As `ask`, but return once it is sent, to do something else before the answer is waited for."""
        waiter = Waiter()
        steps = self._steps(op, body, cell or Cell(), self._timeout, waiter.wake, None)
        return Started(self._transport, waiter, steps, _body)

    def tell(self, op: str, body: Mapping[str, Any], *, cell: Cell | None = None) -> Told:
        """Send what needs no answer to go on. What this client asks later waits for its answer, at most as long as for
        any other. Whoever tells sees to it by `Told.result` that it is sent again where it is lost.

        Raises UnavailableError where it cannot be sent, or no server was met.
        """
        if self._clock_offset is None:
            raise UnavailableError("The governance server was not met yet, so it is told nothing.")
        until = time.monotonic() + self._timeout
        told = Told(self._ask(new_ask_id(), op, until, cell or Cell(), body), until, self._see_to)
        waiting = _Waiting(lambda: _hear(told, waiting.answer))
        self._waiting[told.ask.id] = waiting
        self._tellings.add(told)
        told.then(lambda: self._forget(told))
        try:
            self._transport.send(told.ask)
        except BaseException:
            self._forget(told)
            raise
        return told

    def catch_up(self) -> None:
        """Block this thread until what was told is answered, or has had its time."""
        waiter = Waiter()
        for seconds in self._tellings.passed(waiter.wake):
            self._transport.wait(waiter, seconds)
            waiter.rest()

    async def ask_async(
        self,
        op: str,
        body: Mapping[str, Any] | None = None,
        *,
        cell: Cell | None = None,
        timeout: float | None = None,
        on_waiting: OnWaiting | None = None,
    ) -> dict[str, Any]:
        """As `ask`; this task's loop runs on until the answer is here."""
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            # The loop may have been closed since; then nobody waits.
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

        steps = self._steps(op, body or {}, cell or Cell(), timeout or self._timeout, wake, on_waiting)
        with self._transport.awaited():
            try:
                while True:
                    seconds = next(steps)
                    await _wait(woken, seconds)
                    woken.clear()
            except StopIteration as done:
                return _body(done.value)
            finally:
                steps.close()

    # ---- one ask

    def _steps(
        self,
        op: str,
        body: Mapping[str, Any],
        cell: Cell,
        timeout: float,
        wake: Callable[[], None],
        on_waiting: OnWaiting | None,
        ask_id: str = "",
    ) -> Steps:
        told: Sequence[Told] = ()
        if not ask_id:
            # It may count on what was told before.
            if op == "hold":
                told = self._tellings.pending()
            else:
                yield from self._tellings.passed(wake)
            ask_id = new_ask_id()
        if self._clock_offset is None:
            yield from self._hello(wake)
        patience = _Patience(time.monotonic() + timeout, on_waiting)
        meetings = 1
        while True:
            ask = self._ask(ask_id, op, patience.until, cell, body)
            answer = yield from self._exchange(ask, patience.until + _GRACE_SECONDS, wake, patience)
            if told and not all(one.is_past for one in told):
                # Answered before what was told before it: it overtook that, and was decided without it.
                told = ()
                yield from self._exchange(self._cancelling(ask), patience.until + _GRACE_SECONDS, wake)
                yield from self._tellings.passed(wake)
                ask_id = new_ask_id()
                continue
            if answer.get("code") not in _NOT_MET or meetings == _MEETINGS or time.monotonic() >= patience.until:
                return answer
            # Nothing was done, or it still waits, so the same ask may go out again, with an expiry that the server
            # reads as meant.
            meetings += 1
            yield from self._hello(wake)

    def _hello(self, wake: Callable[[], None]) -> Generator[float, None, None]:
        body = {"version": __version__, "python": platform.python_version(), "incarnation": self._incarnation}
        hello = Ask(new_ask_id(), "hello", time.time() + _HELLO_VALID_SECONDS, Cell(), body)
        answer = yield from self._exchange(hello, time.monotonic() + self._hello_timeout, wake)
        greeting = _body(answer)
        try:
            server_time = float(greeting["server_time"])
        except (KeyError, TypeError, ValueError):
            raise UnavailableError(
                "The governance server's greeting cannot be read, so nothing is authorised; install the same version of"
                " aumos-governance for the kernel and the server."
            ) from None
        # The answer took a while to arrive, so the server's clock is past what it says: an expiry reckoned from here
        # comes a little early, never late. The monotonic clock ignores whoever sets this machine's time.
        self._clock_offset = server_time - time.monotonic()
        self.greeting = greeting

    def _exchange(self, ask: Ask, give_up: float, wake: Callable[[], None], patience: _Patience | None = None) -> Steps:
        waiting = _Waiting(wake)
        self._waiting[ask.id] = waiting
        began = resend_at = time.monotonic()
        interval = _FIRST_RESEND
        try:
            while waiting.answer is None:
                now = time.monotonic()
                pending, waiting.pending = waiting.pending, None
                begins_to_wait = False
                if pending is not None and patience is not None:
                    ask, begins_to_wait = self._renewed(ask, patience)
                    began, give_up, interval = now, patience.until + _GRACE_SECONDS, _RENEWED_EVERY
                    resend_at = now if begins_to_wait else min(resend_at, now + interval)
                if now >= give_up:
                    if patience is not None and patience.has_waited:
                        self._cancel(ask)
                    raise self._transport.silence(now - began)
                if now >= resend_at:
                    waiting.sent += 1
                    self._transport.send(ask)
                    resend_at = now + interval if self._transport.lossy else give_up
                    interval = min(interval * 2, _LAST_RESEND) if interval < _RENEWED_EVERY else interval
                if begins_to_wait and pending is not None and patience is not None and patience.on_waiting is not None:
                    self._tell(patience.on_waiting, pending, ask, waiting)
                    continue
                yield max(0.0, min(resend_at, give_up) - time.monotonic())
            if waiting.sent > 1 and waiting.answer.get("code") in _UNDECIDED:
                # One copy of it failed; another may still be done, and nobody waits for that any more.
                self._cancel(ask)
            return dict(waiting.answer)
        except AumOSGovernanceError:
            raise
        except Dropped:
            if waiting.answer is not None:
                return dict(waiting.answer)
            self._cancel(ask)
            raise
        except BaseException:
            # KeyboardInterrupt, a cancelled task, or this generator closed for either.
            self._take_back(ask, waiting)
            raise
        finally:
            self._waiting.pop(ask.id, None)

    def _renewed(self, ask: Ask, patience: _Patience) -> tuple[Ask, bool]:
        """The ask for as long as a person is waited for, and whether that has just begun."""
        assert self._clock_offset is not None
        patience.until = time.monotonic() + (_RENEWED_FOR if self._transport.lossy else _UNLOST_FOR)
        begins, patience.has_waited = not patience.has_waited, True
        return replace(ask, exp=patience.until + self._clock_offset), begins

    def _tell(self, on_waiting: OnWaiting, pending: Mapping[str, Any], ask: Ask, waiting: _Waiting) -> None:
        try:
            on_waiting(pending)
        except AumOSGovernanceError:
            # Whatever else it raises takes the ask back where that passes.
            self._take_back(ask, waiting)
            raise

    def _take_back(self, ask: Ask, waiting: _Waiting) -> None:
        if waiting.answer is not None or ask.op not in _TAKEN_BACK:
            return
        # One that is sent again may be kept back now and have gone out before.
        if self._transport.withdraw(ask.id) and waiting.sent == 1:
            return
        self._cancel(ask)

    def _cancel(self, ask: Ask) -> None:
        if ask.op not in _TAKEN_BACK:
            return
        # Nobody waits for the answer; should this get lost, the asker has an expiry and the person the audit record.
        with suppress(UnavailableError):
            self._transport.send(self._cancelling(ask), urgent=True)

    def _cancelling(self, ask: Ask) -> Ask:
        of: dict[str, Any] = {"of": ask.id, "act": True} if ask.op == "authorize" else {"of": ask.id}
        return Ask(new_ask_id(), "cancel", ask.exp, ask.cell, of)

    def _see_to(self, told: Told) -> None:
        """Wait for the answer to what was told, and ask it again where that does not come, or is no decision."""
        waiter = Waiter()
        told.then(waiter.wake)
        until = time.monotonic() + _FIRST_RESEND
        while not told.over and (left := until - time.monotonic()) > 0:
            self._transport.wait(waiter, left)
            waiter.rest()
        if told.over:
            return
        ask = told.ask
        steps = self._steps(ask.op, ask.body, ask.cell, self._timeout, waiter.wake, None, ask.id)
        try:
            told.end(Started(self._transport, waiter, steps, _body).answer())
        except AumOSGovernanceError as error:
            told.end({}, error)

    def _forget(self, told: Told) -> None:
        self._tellings.discard(told)
        self._waiting.pop(told.ask.id, None)

    def _ask(self, ask_id: str, op: str, until: float, cell: Cell, body: Mapping[str, Any]) -> Ask:
        assert self._clock_offset is not None
        return Ask(ask_id, op, until + self._clock_offset, cell, body)

    def _receive(self, answer: Mapping[str, Any]) -> None:
        # An answer that nobody waits for any more came late, or came twice.
        waiting = self._waiting.get(str(answer.get("id")))
        if waiting is not None:
            if answer.get("ok") is True and "waiting" in answer:
                waiting.pending = answer["waiting"]
            else:
                waiting.answer = answer
            waiting.wake()


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    # asyncio.wait_for can swallow a cancellation before Python 3.12.
    timer = asyncio.get_running_loop().call_later(seconds, woken.set)
    try:
        await woken.wait()
    finally:
        timer.cancel()


def _hear(told: Told, answer: Mapping[str, Any] | None) -> None:
    if answer is None or answer.get("code") in _NOT_MET | _UNDECIDED:
        # Whoever sees to it asks again.
        return
    try:
        told.end(_body(answer))
    except AumOSGovernanceError as error:
        told.end({}, error)


def _body(answer: Mapping[str, Any]) -> dict[str, Any]:
    if answer.get("ok") is True:
        return dict(answer)
    raise from_code(str(answer.get("code", "UNAVAILABLE")), str(answer.get("message", "There was no decision.")))
