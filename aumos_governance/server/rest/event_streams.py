"""The server's event stream, without our events for a user who may not read them.

jupyter_server passes all events to every user who may ``execute`` the resource ``events``, whatever they tell. So the
extension serves the stream's address itself: tornado asks an extension's routes before the server's own.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from jupyter_core.utils import ensure_async
from jupyter_server.services.events.handlers import SubscribeWebsocket

from ..live.state_events import OURS
from .handler import AUTH_RESOURCE

__all__ = ["STREAM", "EventStream"]

STREAM: Final = "api/events/subscribe"
"""Below the server's base URL."""
_VALID_SECONDS: Final = 2.0
"""How long a verdict of the authorizer is used: events come 20 times a second, and it may have to ask a hub."""


class EventStream(SubscribeWebsocket):
    """Passes a governance event on where the authorizer lets the user read governance, and all others as before."""

    _verdict = False
    _valid_until = float("-inf")
    _waiting = 0

    def open(self) -> None:
        self._turn = asyncio.Lock()
        super().open()

    async def event_listener(self, logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        if not schema_id.startswith(OURS):
            await super().event_listener(logger, schema_id, data)
            return
        if not self._waiting and time.monotonic() < self._valid_until:
            if self._verdict:
                await super().event_listener(logger, schema_id, data)
            return
        # In turn, so that no state overtakes an older one that waits for the verdict.
        self._waiting += 1
        try:
            async with self._turn:
                if await self._is_reader():
                    await super().event_listener(logger, schema_id, data)
        finally:
            self._waiting -= 1

    async def _is_reader(self) -> bool:
        if time.monotonic() >= self._valid_until:
            self._verdict = False
            try:
                answer = self.authorizer.is_authorized(self, self.current_user, "read", AUTH_RESOURCE)
                self._verdict = bool(await ensure_async(answer))
            except Exception:
                self.log.exception("The authorizer failed, so a governance event is not passed on.")
            self._valid_until = time.monotonic() + _VALID_SECONDS
        return self._verdict
