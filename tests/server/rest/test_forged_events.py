"""An attack on the event bus: a user who may only post events posts every event that could have an effect."""

from __future__ import annotations

import json
import random
import secrets
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import User
from jupyter_server.auth.authorizer import Authorizer

from aumos_governance.wire.protocol import EVENT_SCHEMA_ID
from tests.server.event_bus import CONTENTS, Stream, events_until, ours
from tests.server.users import ADA, EVE


class EventsAlone(Authorizer):
    """An authorizer that lets ada do everything, and eve post events."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        return user.username == "ada" or resource == "events"


@pytest.fixture
def governance_config() -> dict[str, Any]:
    return {"strict": True, "default_budget": "5", "max_budget": "5"}


@pytest.fixture
def authorizer() -> type[Authorizer]:
    return EventsAlone


def forgeries(chance: random.Random) -> dict[str, Any]:
    """Return an event that would change something if the server used it."""
    path, other = chance.sample(["a.ipynb", "b.ipynb", "c.ipynb", "", "/", "../a.ipynb"], 2)
    figures = {"active": chance.random() < 0.5, "remaining": "1000000", "seq": chance.randrange(2**40)}
    nonce = chance.choice([{}, {"nonce": secrets.token_hex(16)}, {"nonce": None}, {"nonce": ["x"]}, {"nonce": ""}])
    kernel = {"action": chance.choice(["start", "shutdown", "restart"]), "kernel_id": "k", "status": "success"}
    schema, data = chance.choice(
        [
            (EVENT_SCHEMA_ID, {"path": path, **figures, **nonce}),
            (CONTENTS, {"action": "delete", "path": path}),
            (CONTENTS, {"action": "rename", "path": path, "source_path": other}),
            (CONTENTS, {"action": "save", "path": path}),
            ("https://events.jupyter.org/jupyter_server/kernel_actions/v1", {**kernel, "msg": "x"}),
        ]
    )
    return {"schema_id": schema, "version": "1", "data": data}


@pytest.mark.soak
async def test_nothing_forged_is_believed(
    rest: Any, jp_fetch: Any, stream: Stream, jp_root_dir: Path, soak: bool
) -> None:
    for name in ("a.ipynb", "b.ipynb"):
        (jp_root_dir / name).write_text("{}", "utf-8")
        assert (await rest("PATCH", "state", {"budget": "5"}, path=name)).status == 200
    before = {name: (await rest("GET", "state", path=name)).body for name in ("a.ipynb", "b.ipynb")}
    reader, eve = await stream(ADA), await stream(EVE)
    number = random.randrange(2**32)
    chance = random.Random(number)
    delivered: list[dict[str, Any]] = []
    for _ in range(5_000 if soak else 150):
        forgery = forgeries(chance)
        body = json.dumps(forgery)
        request = {"method": "POST", "body": body, "headers": dict(EVE), "raise_error": False}
        status = (await jp_fetch("api", "events", **request)).code
        # Ours are refused, and all others are on the bus for whatever listens there.
        assert status == (400 if EVENT_SCHEMA_ID in body else 204), (number, body)
        if status == 204:
            delivered.append(forgery["data"])
    assert {name: (await rest("GET", "state", path=name)).body for name in before} == before, number
    assert (await rest("GET", "state", None, EVE, path="a.ipynb")).status == 403
    # The true event comes last, and is the only governance event that the reader receives; eve receives none.
    changed = (await rest("PATCH", "state", {"budget": "4"}, path="a.ipynb")).body
    assert changed["seq"] == before["a.ipynb"]["seq"] + 1
    events = await events_until(reader, lambda event: event.get("budget") == "4")
    assert [(event["path"], event["seq"]) for event in ours(events)] == [("a.ipynb", changed["seq"])]
    # That nothing changed is no merit of the bus: it delivered each of them.
    foreign = [event for event in events if event["schema_id"] != EVENT_SCHEMA_ID]
    assert {data["action"] for data in delivered} >= {"delete", "rename"}, number
    for data in delivered:
        assert any(data.items() <= event.items() for event in foreign), (number, data)
    end = {"schema_id": CONTENTS, "version": "1", "data": {"action": "get", "path": "end"}}
    await jp_fetch("api", "events", method="POST", body=json.dumps(end), headers=dict(EVE))
    assert ours(await events_until(eve, lambda event: event.get("path") == "end")) == []
    verified = (await rest("GET", "audit/verify")).body
    assert verified["ok"] is True
