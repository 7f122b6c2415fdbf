"""Answers that are ready, sent together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["Outbox"]


class Outbox:
    """Takes answers in any thread and hands all that are there to the loop, in as few messages as it can."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Callable[[list[dict[str, Any]]], None]) -> None:
        self._loop = loop
        self._send = send
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []

    def put(self, answer: dict[str, Any]) -> None:
        with self._lock:
            self._waiting.append(answer)
            first = len(self._waiting) == 1
        if first:
            try:
                self._loop.call_soon_threadsafe(self._flush)
            except RuntimeError:
                # The loop is closed: the server is gone, and with it whoever could carry the answer.
                with self._lock:
                    self._waiting.clear()

    def _flush(self) -> None:
        with self._lock:
            answers, self._waiting = self._waiting, []
        if answers:
            self._send(answers)
