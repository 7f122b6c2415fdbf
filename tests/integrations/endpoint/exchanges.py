"""One request and its response, which a test in another thread observes and pauses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass

from .replies import Reply
from .requests import Received

PATIENCE = 20.0
"""Seconds that a test waits for an event before it fails."""


class Watched:
    """A state that one thread changes and others wait for."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def note(self, change: Callable[[], None]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    def wait(self, happened: Callable[[], bool], what: Callable[[], str], timeout: float) -> None:
        with self._changed:
            if not self._changed.wait_for(happened, timeout):
                raise AssertionError(f"within {timeout} s {what()}")


@dataclass(slots=True)
class Progress:
    sent: int = 0
    ended: str | None = None
    """How it ended: ``answered``, ``broken`` (by the endpoint) or ``hung_up`` (by the client)."""


class Exchange:
    """The course of one request. The methods that wait raise AssertionError when the event does not happen in time."""

    def __init__(self, received: Received, reply: Reply, loop: asyncio.AbstractEventLoop) -> None:
        self.received = received
        self.reply = reply
        self.progress = Progress()
        self._watched = Watched()
        self._loop = loop
        self._released = asyncio.Event()

    @property
    def sent(self) -> int:
        """The number of pieces that were sent."""
        return self.progress.sent

    @property
    def ended(self) -> str | None:
        """``answered``, ``broken``, ``hung_up``, or None while it goes on."""
        return self.progress.ended

    def release(self) -> None:
        """Let a paused response go on."""
        self._loop.call_soon_threadsafe(self._released.set)

    def wait_sent(self, pieces: int, timeout: float = PATIENCE) -> None:
        """Wait until this number of pieces was sent."""
        self._watched.wait(
            lambda: self.progress.sent >= pieces,
            lambda: f"{self.progress.sent} of {pieces} pieces were sent",
            timeout,
        )

    def wait_ended(self, how: str, timeout: float = PATIENCE) -> None:
        """Wait until it ended, and check how: ``answered``, ``broken`` or ``hung_up``."""
        self._watched.wait(lambda: self.progress.ended is not None, lambda: "the exchange did not end", timeout)
        assert self.progress.ended == how, f"the exchange ended {self.progress.ended}, not {how}"

    async def released(self) -> None:
        await self._released.wait()

    def note_sent(self) -> None:
        self._watched.note(lambda: setattr(self.progress, "sent", self.progress.sent + 1))

    def note_ended(self, how: str) -> None:
        def change() -> None:
            self.progress.ended = self.progress.ended or how

        self._watched.note(change)
