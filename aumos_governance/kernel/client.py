"""Asking for decisions: one ask goes out, its answer comes back, and without an answer nothing is authorised."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from .._version import __version__
from ..errors import AumOSGovernanceError, ExpiredError, UnavailableError, from_code
from ..protocol import HELLO_REQUIRED, Ask, Cell
from .ask_ids import new_ask_id
from .asks_ahead import Started, Steps, Tellings, Told
from .exchanges import FIRST_RESEND, GRACE_SECONDS, UNDECIDED, Exchanges, OnWaiting, Patience, cancelling
from .transport import Transport
from .waiter import Waiter

__all__ = ["ASK_SECONDS", "HELLO_SECONDS", "Client"]

ASK_SECONDS: Final = 10.0
"""How long an ask may be acted on, unless its caller says otherwise."""
HELLO_SECONDS: Final = 5.0
"""How long the first contact may take before the server counts as unreachable."""
_HELLO_VALID_SECONDS: Final = 86_400.0
# A hello changes nothing, and whose clock is off by how much is what it is to find out.
_NOT_MET: Final = frozenset({ExpiredError.default_code, HELLO_REQUIRED})
# The server's clock is not where it was, since the machine slept or a clock was set; or the server is not the one that
# was met.
_MEETINGS: Final = 3


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
        self._exchanges = Exchanges(transport)
        self._tellings = Tellings()
        self._clock_offset: float | None = None
        self.greeting: Mapping[str, Any] = {}
        """The server's answer to the last hello; empty before the first."""
        transport.connect(self._exchanges.receive)

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
        try:
            return Started(self._transport, waiter, steps, _body).answer()
        finally:
            # Interrupted on the way from the one to the other: it is taken back too.
            steps.close()

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
        waiting = self._exchanges.expect(told.ask.id, lambda: _hear(told, waiting.answer))
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
            with suppress(RuntimeError):
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
        patience = Patience(time.monotonic() + timeout, on_waiting)
        meetings = 1
        while True:
            ask = self._ask(ask_id, op, patience.until, cell, body)
            answer = yield from self._exchanges.answer(ask, patience.until + GRACE_SECONDS, wake, patience)
            if told and not all(one.is_past for one in told):
                # Answered before what was told before it: it overtook that, and was decided without it.
                told = ()
                yield from self._exchanges.answer(cancelling(ask), patience.until + GRACE_SECONDS, wake)
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
        answer = yield from self._exchanges.answer(hello, time.monotonic() + self._hello_timeout, wake)
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

    def _see_to(self, told: Told) -> None:
        """Wait for the answer to what was told, and ask it again where that does not come, or is no decision."""
        waiter = Waiter()
        told.then(waiter.wake)
        until = time.monotonic() + FIRST_RESEND
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
        self._exchanges.forget(told.ask.id)

    def _ask(self, ask_id: str, op: str, until: float, cell: Cell, body: Mapping[str, Any]) -> Ask:
        assert self._clock_offset is not None
        return Ask(ask_id, op, until + self._clock_offset, cell, body)


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    # asyncio.wait_for can swallow a cancellation before Python 3.12.
    timer = asyncio.get_running_loop().call_later(seconds, woken.set)
    try:
        await woken.wait()
    finally:
        timer.cancel()


def _hear(told: Told, answer: Mapping[str, Any] | None) -> None:
    if answer is None or answer.get("code") in _NOT_MET | UNDECIDED:
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
