"""The users who receive states over the server's event stream, with a real authorizer and websocket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.auth import User
from jupyter_server.auth.authorizer import Authorizer

from aumos_governance.server.live import state_events
from aumos_governance.wire.protocol import EVENT_SCHEMA_ID
from tests.server.event_bus import CONTENTS, Stream, events_until
from tests.server.users import ADA, BOB


class Teachers(Authorizer):
    """An authorizer that lets ada do everything, and other users everything except reading governance."""

    readers = frozenset({"ada"})
    pause: asyncio.Event | None = None
    begun = asyncio.Event()
    fails = False
    requested = 0

    async def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        if resource != "aumos-governance":
            return True
        type(self).requested += 1
        type(self).begun.set()
        if type(self).pause is not None:
            await type(self).pause.wait()
        if type(self).fails:
            raise ConnectionError("the directory is down")
        return user.username in type(self).readers


@pytest.fixture(autouse=True)
def authorizer(monkeypatch: pytest.MonkeyPatch) -> type[Teachers]:
    fresh = {"readers": frozenset({"ada"}), "pause": None, "begun": asyncio.Event(), "fails": False, "requested": 0}
    for name, value in fresh.items():
        monkeypatch.setattr(Teachers, name, value)
    return Teachers


def mark(serverapp: Any, path: str = "end") -> None:
    """Emit an event of the server's own, which comes after all events before."""
    serverapp.event_logger.emit(schema_id=CONTENTS, data={"action": "get", "path": path})


def is_mark(event: dict[str, Any]) -> bool:
    return event["schema_id"] == CONTENTS and event["path"] == "end"


def is_budget(text: str) -> Callable[[dict[str, Any]], bool]:
    return lambda event: bool(event.get("budget") == text)


async def test_budgets_reach_only_who_may_read_them(rest: Any, stream: Stream, jp_serverapp: Any) -> None:
    reader, other = await stream(ADA), await stream(BOB)
    assert (await rest("GET", "state", None, BOB, path="a.ipynb")).status == 403
    for budget in ("5", "6"):
        assert (await rest("PATCH", "state", {"budget": budget}, path="a.ipynb")).status == 200
    await events_until(reader, is_budget("6"))
    mark(jp_serverapp)
    received = await events_until(other, is_mark)
    assert [event["schema_id"] for event in received] == [CONTENTS]


async def test_a_right_that_is_given_or_taken_away_counts_for_an_open_stream(
    rest: Any, stream: Stream, jp_serverapp: Any, authorizer: type[Teachers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_events, "_VALID_SECONDS", 0.0)
    reader, other = await stream(ADA), await stream(BOB)
    await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")
    await events_until(reader, is_budget("5"))
    authorizer.readers = frozenset({"bob", "ada"})
    await rest("PATCH", "state", {"budget": "6"}, path="a.ipynb")
    received = await events_until(other, is_budget("6"))
    assert [event["budget"] for event in received] == ["6"]
    await events_until(reader, is_budget("6"))
    authorizer.readers = frozenset({"ada"})
    await rest("PATCH", "state", {"budget": "7"}, path="a.ipynb")
    await events_until(reader, is_budget("7"))
    mark(jp_serverapp)
    assert [event["schema_id"] for event in await events_until(other, is_mark)] == [CONTENTS]


async def test_an_authorizer_that_fails_lets_nothing_through(
    rest: Any, stream: Stream, jp_serverapp: Any, authorizer: type[Teachers], extension: Any
) -> None:
    reader = await stream(ADA)
    authorizer.fails = True
    emitted = asyncio.Event()
    jp_serverapp.event_logger.add_listener(schema_id=EVENT_SCHEMA_ID, listener=_setting(emitted))
    extension._events.reread(extension._ledger, {"a.ipynb"})
    await asyncio.wait_for(emitted.wait(), 10)
    mark(jp_serverapp)
    assert [event["schema_id"] for event in await events_until(reader, is_mark)] == [CONTENTS]


def _setting(event: asyncio.Event) -> Callable[..., Awaitable[None]]:
    async def hear(**_: Any) -> None:
        event.set()

    return hear


async def test_states_keep_their_order_while_the_authorizer_is_called_once(
    stream: Stream, jp_serverapp: Any, authorizer: type[Teachers], extension: Any
) -> None:
    reader = await stream(ADA)
    authorizer.pause = asyncio.Event()
    emit = extension._events._emit
    body = {"path": "a.ipynb", "active": True}
    for seq in range(5):
        emit({**body, "seq": seq})
    await asyncio.wait_for(authorizer.begun.wait(), 10)
    authorizer.pause.set()
    for seq in range(5, 200):
        emit({**body, "seq": seq})
        if seq % 20 == 0:
            await asyncio.sleep(0)
    received = await events_until(reader, lambda event: event["seq"] == 199)
    assert [event["seq"] for event in received] == list(range(200))
    assert authorizer.requested == 1
