"""An attack on the event bus: a user who may do nothing but post events posts all that could be believed."""

from __future__ import annotations

import asyncio
import json
import random
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.auth import IdentityProvider, User
from jupyter_server.auth.authorizer import Authorizer
from traitlets.config import Config

from aumos_governance.wire.protocol import EVENT_SCHEMA_ID

ADA, EVE = {"Authorization": "token ada"}, {"Authorization": "token eve"}
SERVICES = "https://events.jupyter.org/jupyter_server"


class Named(IdentityProvider):
    def get_user_token(self, handler: Any) -> User | None:
        token = self.get_token(handler)
        return User(token) if token in ("ada", "eve") else None

    def get_user_cookie(self, handler: Any) -> User | None:
        return None


class EventsAlone(Authorizer):
    """Lets ada do everything, and eve post events."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        return user.username == "ada" or resource == "events"


@pytest.fixture
def governance_config() -> dict[str, Any]:
    return {"strict": True, "default_budget": "5", "max_budget": "5"}


@pytest.fixture
def jp_server_config(jp_server_config: Config) -> Config:
    config = Config(jp_server_config)
    config.ServerApp.update({"identity_provider_class": Named, "authorizer_class": EventsAlone})
    return config


@pytest.fixture
def jp_auth_header() -> dict[str, str]:
    return dict(ADA)


def forgeries(chance: random.Random) -> dict[str, Any]:
    """One event that would change something if it were believed."""
    path, other = chance.sample(["a.ipynb", "b.ipynb", "c.ipynb", "", "/", "../a.ipynb"], 2)
    figures = {"active": chance.random() < 0.5, "remaining": "1000000", "seq": chance.randrange(2**40)}
    nonce = chance.choice([{}, {"nonce": secrets.token_hex(16)}, {"nonce": None}, {"nonce": ["x"]}, {"nonce": ""}])
    kernel = {"action": chance.choice(["start", "shutdown", "restart"]), "kernel_id": "k", "status": "success"}
    schema, data = chance.choice(
        [
            (EVENT_SCHEMA_ID, {"path": path, **figures, **nonce}),
            (f"{SERVICES}/contents_service/v1", {"action": "delete", "path": path}),
            (f"{SERVICES}/contents_service/v1", {"action": "rename", "path": path, "source_path": other}),
            (f"{SERVICES}/contents_service/v1", {"action": "save", "path": path}),
            (f"{SERVICES}/kernel_actions/v1", {**kernel, "msg": "x"}),
        ]
    )
    return {"schema_id": schema, "version": "1", "data": data}


@pytest.mark.soak
async def test_nothing_forged_is_believed(
    rest: Any, jp_fetch: Any, jp_ws_fetch: Any, jp_root_dir: Path, soak: bool
) -> None:
    for name in ("a.ipynb", "b.ipynb"):
        (jp_root_dir / name).write_text("{}", "utf-8")
        assert (await rest("PATCH", "state", {"budget": "5"}, path=name)).status == 200
    before = {name: (await rest("GET", "state", path=name)).body for name in ("a.ipynb", "b.ipynb")}
    reader = await jp_ws_fetch("api", "events", "subscribe", headers=dict(ADA))
    eve = await jp_ws_fetch("api", "events", "subscribe", headers=dict(EVE))
    number = random.randrange(2**32)
    chance = random.Random(number)
    for _ in range(5_000 if soak else 150):
        body = json.dumps(forgeries(chance))
        request = {"method": "POST", "body": body, "headers": dict(EVE), "raise_error": False}
        status = (await jp_fetch("api", "events", **request)).code
        assert status == 400 or (status == 204 and EVENT_SCHEMA_ID not in body), (number, body)
    assert {name: (await rest("GET", "state", path=name)).body for name in before} == before, number
    assert (await rest("GET", "state", None, EVE, path="a.ipynb")).status == 403
    # What is true comes last, and is all of ours that the reader receives; eve receives none.
    changed = (await rest("PATCH", "state", {"budget": "4"}, path="a.ipynb")).body
    assert changed["seq"] == before["a.ipynb"]["seq"] + 1
    ours = await _ours_until(reader, lambda event: event.get("budget") == "4")
    assert [(event["path"], event["seq"]) for event in ours] == [("a.ipynb", changed["seq"])]
    end = {"schema_id": f"{SERVICES}/contents_service/v1", "version": "1", "data": {"action": "get", "path": "end"}}
    await jp_fetch("api", "events", method="POST", body=json.dumps(end), headers=dict(EVE))
    assert await _ours_until(eve, lambda event: event.get("path") == "end") == []
    reader.close()
    eve.close()
    verified = (await rest("GET", "audit/verify")).body
    assert verified["ok"] is True


async def _ours_until(stream: Any, last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """The events of governance that came, until one of any kind is the last."""
    ours: list[dict[str, Any]] = []
    while True:
        event = json.loads(await asyncio.wait_for(stream.read_message(), 10))
        if event["schema_id"] == EVENT_SCHEMA_ID:
            ours.append(event)
        if last(event):
            return ours
