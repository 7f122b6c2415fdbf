"""The server's events, as a user receives them from the event stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aumos_governance.wire.protocol import EVENT_SCHEMA_ID

__all__ = ["CONTENTS", "Stream", "events_until", "ours"]

CONTENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"
Stream = Callable[[dict[str, str]], Awaitable[Any]]


async def events_until(stream: Any, last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Return the events received from the stream, up to the first one that is the ``last``."""
    events: list[dict[str, Any]] = []
    while not events or not last(events[-1]):
        events.append(json.loads(await asyncio.wait_for(stream.read_message(), 10)))
    return events


def ours(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the governance events among them."""
    return [event for event in events if event["schema_id"] == EVENT_SCHEMA_ID]
