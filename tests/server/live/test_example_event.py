"""The example of "An event" in docs/developing.md: a schema, and the class that emits its events."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from jupyter_events import EventLogger

from aumos_governance.errors import NotAllowedError
from aumos_governance.server.live.state_events import OURS, OwnEvents

SCHEMA_ID = f"{OURS}limit/v1"
SCHEMA = f"""
$id: {SCHEMA_ID}
version: "1"
title: A notebook reached its limit
type: object
required: [path]
properties:
  path:
    type: string
"""


class LimitEvents:
    """The emitter of an event for each notebook whose budget is used up."""

    def __init__(self, events: OwnEvents) -> None:
        self._events = events

    def offer(self, paths: tuple[str, ...]) -> None:
        for path in paths:
            self._events.emit(SCHEMA_ID, {"path": path})


@pytest.fixture
def logger() -> EventLogger:
    return EventLogger()


@pytest.fixture
def heard(logger: EventLogger) -> list[dict[str, Any]]:
    return []


@pytest.fixture
def events(logger: EventLogger, heard: list[dict[str, Any]], tmp_path: Path) -> OwnEvents:
    (tmp_path / "limit-v1.yaml").write_text(SCHEMA, "utf-8")
    own = OwnEvents(logger, logging.getLogger(__name__), tmp_path)

    async def hear(logger: EventLogger, schema_id: str, data: dict[str, Any]) -> None:
        heard.append({"schema_id": schema_id, **data})

    logger.add_listener(schema_id=SCHEMA_ID, listener=hear)
    return own


async def test_it_comes_without_what_proves_that_it_is_ours(
    logger: EventLogger, events: OwnEvents, heard: list[dict[str, Any]]
) -> None:
    LimitEvents(events).offer(("a.ipynb",))
    await logger.gather_listeners()
    assert heard == [{"schema_id": SCHEMA_ID, "path": "a.ipynb"}]


async def test_no_other_client_can_emit_it(logger: EventLogger, events: OwnEvents, heard: list[dict[str, Any]]) -> None:
    for forged in ({"path": "a.ipynb"}, {"path": "a.ipynb", "nonce": "0" * 32}):
        with pytest.raises(NotAllowedError):
            logger.emit(schema_id=SCHEMA_ID, data=forged)
    await logger.gather_listeners()
    assert heard == []
