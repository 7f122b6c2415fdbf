"""Answers that are ready, sent together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Outbox"]


class Outbox:
    """Takes answers in any thread, and sends those that are there in as few messages as it can.

    The last answer that is owed goes out at once, in the thread that has it, with all that wait for it. While others
    are still to come the loop sends, so that what is answered at about the same time travels together. ``send`` is
    called from any thread, and from one at a time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[list[dict[str, Any]]], None]) -> None:
        self._loop = loop
        self._send = send
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._waiting: list[dict[str, Any]] = []
        self._owed = 0

    def expect(self, answers: int) -> None:
        """So many answers will be put, more than were said before."""
        with self._lock:
            self._owed += answers

    def put(self, answer: dict[str, Any]) -> None:
        with self._lock:
            self._waiting.append(answer)
            self._owed = max(0, self._owed - 1)
            last, first = self._owed == 0, len(self._waiting) == 1
        if last:
            self._flush()
        elif first:
            try:
                self._loop.call_soon_threadsafe(self._flush)
            except RuntimeError:
                # The loop is closed: the server is gone, and with it whoever could carry the answer.
                with self._lock:
                    self._waiting.clear()

    def _flush(self) -> None:
        with self._sending:
            with self._lock:
                answers, self._waiting = self._waiting, []
            if answers:
                self._send(answers)
