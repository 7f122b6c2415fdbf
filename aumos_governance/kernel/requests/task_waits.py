"""How a task waits for its response, while its loop goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .alarm import alarm
from .exchanges import Steps

__all__ = ["response_of"]


async def response_of(steps: Steps, woken: asyncio.Event, wake: Callable[[], None]) -> dict[str, Any]:
    """The response at the end of these steps; ``wake`` sets ``woken`` from any thread."""
    while True:
        try:
            seconds = next(steps)
        except StopIteration as done:
            found: dict[str, Any] = done.value
            return found
        await _wait(woken, wake, seconds)
        woken.clear()


async def _wait(woken: asyncio.Event, wake: Callable[[], None], seconds: float) -> None:
    # asyncio.wait_for can swallow a cancellation before Python 3.12, and a loop's timers go by a clock that may stand.
    try:
        timer = alarm().set(seconds, wake)
    except RuntimeError:
        # No thread can be started any more.
        asyncio.get_running_loop().call_later(seconds, wake)
        await woken.wait()
        return
    try:
        await woken.wait()
    finally:
        alarm().cancel(timer)
