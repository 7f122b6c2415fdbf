"""A user's requests about the gateway's keys."""

from __future__ import annotations

import time
from typing import Any

import pytest
from jupyter_server.auth.authorizer import Authorizer

from aumos_governance.gateway.keys import GatewayKeys
from aumos_governance.service.callers import Caller
from aumos_governance.wire.protocol import Cell, WireRequest
from tests.server.described import check
from tests.server.users import ReadOnly

PROVIDERS = {"openai": {"key_env": "SCHOOL_KEY", "base_url": "http://127.0.0.1:1/v1"}}


@pytest.fixture
def providers() -> dict[str, Any]:
    return PROVIDERS


@pytest.fixture
def governance_config(providers: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("SCHOOL_KEY", "sk-of-the-school")
    envelopes = [{"name": "mine", "kind": "owner", "ceiling": "3"}]
    return {"default_budget": "1", "max_budget": "8", "envelopes": envelopes, "providers": providers}


def keys_of(extension: Any) -> GatewayKeys:
    found: GatewayKeys = extension._gateway.issuers.keys
    return found


async def listed(rest: Any, **parameters: str) -> list[dict[str, Any]]:
    body = (await rest("GET", "keys", **parameters)).body
    check("GatewayKeys", body)
    assert body["enabled"]
    found: list[dict[str, Any]] = body["keys"]
    return found


async def create(rest: Any, **body: Any) -> dict[str, Any]:
    check("NewKey", body)
    response = await rest("POST", "keys", body)
    assert response.status == 200, response.body
    check("CreatedKey", response.body)
    created: dict[str, Any] = response.body
    return created


async def test_a_users_key_has_a_document_of_its_own_at_level_1(extension: Any, rest: Any) -> None:
    created = await create(rest, name="my script", budget="0.5")
    assert created["environment"]["OPENAI_API_KEY"] == created["secret"]
    assert created["environment"]["OPENAI_BASE_URL"].endswith("/llm/openai/v1")
    assert {"OPENAI_API_KEY", "SCHOOL_KEY"} <= set(created["withheld"])
    key = created["key"]
    assert (key["kind"], key["name"], key["path"], key["issued_by"]) == ("user", "my script", "key:my script", "token")
    state = (await rest("GET", "state", path="key:my script")).body
    assert (state["active"], state["trust_level"], state["budget"]) == (True, 1, "0.5")
    assert await listed(rest) == [key] == await listed(rest, path="key:my script")
    assert await listed(rest, path="a.ipynb") == []
    envelopes = (await rest("GET", "envelopes", path="key:my script")).body["envelopes"]
    assert [envelope["name"] for envelope in envelopes] == ["mine"]
    holder = keys_of(extension).find(created["secret"])
    assert (holder.key_id, holder.caller.notebook.path) == (key["id"], "key:my script")


async def test_the_owners_ceiling_holds_for_a_users_key_too(extension: Any, rest: Any) -> None:
    created = await create(rest, name="script", budget="8", trust_level=3)
    caller = keys_of(extension).find(created["secret"]).caller
    assert spend(extension, caller, "2")["allowed"]
    denied = spend(extension, caller, "1.5")
    assert (denied["allowed"], denied["limit"]["name"]) == (False, "mine")
    records = (await rest("GET", "audit", path="key:script", event="spend")).body["records"]
    assert {record["actor"] for record in records} == {"key:script"}
    assert created["secret"] not in str((await rest("GET", "audit", limit="1000")).body)


def spend(extension: Any, caller: Caller, amount: str) -> dict[str, Any]:
    heard: list[dict[str, Any]] = []
    request = WireRequest(
        f"a{time.monotonic_ns()}", "spend", time.time() + 60, Cell(None, None), {"amount": amount, "tool": "m"}
    )
    extension._service.submit(caller, request, heard.append)
    decision: dict[str, Any] = heard[0]["decision"]
    return decision


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "INVALID_REQUEST"),
        ({"name": "a/b"}, 400, "INVALID_REQUEST"),
        ({"name": "../x"}, 400, "INVALID_REQUEST"),
        ({"name": "a.ipynb"}, 400, "INVALID_REQUEST"),
        ({"name": "n" * 65}, 400, "INVALID_REQUEST"),
        ({"name": "a", "path": "a.ipynb"}, 400, "INVALID_REQUEST"),
        ({"name": "a", "kind": "kernel"}, 400, "INVALID_REQUEST"),
        ({"name": "a", "kind": "run"}, 400, "INVALID_REQUEST"),
        ({"name": "a", "kind": "run", "path": "a.ipynb", "budget": "1"}, 400, "INVALID_REQUEST"),
        ({"name": "a", "kind": "run", "path": "never.ipynb"}, 404, "NOT_FOUND"),
        ({"name": "a", "budget": "9"}, 403, "NOT_ALLOWED"),
        ({"name": "a", "budget": "-1"}, 400, None),
        ({"name": "a", "secret": "sk-aumos-mine"}, 400, "INVALID_REQUEST"),
    ],
)
async def test_what_is_no_key_is_refused_and_leaves_none(
    extension: Any, rest: Any, body: dict[str, Any], status: int, code: str | None
) -> None:
    response = await rest("POST", "keys", body)
    assert response.status == status, response.body
    assert code in (None, response.body["code"])
    assert await listed(rest) == []


async def test_a_name_is_used_again_once_its_key_is_revoked(extension: Any, rest: Any) -> None:
    first = await create(rest, name="script", budget="2")
    assert (await rest("POST", "keys", {"name": "script"})).status == 409
    assert (await rest("GET", "state", path="key:script")).body["budget"] == "2"
    spend(extension, keys_of(extension).find(first["secret"]).caller, "1")
    response = await rest("DELETE", f"keys/{first['key']['id']}")
    check("RevokedKey", response.body)
    assert keys_of(extension).find(first["secret"]) is None
    assert not (await rest("GET", "state", path="key:script")).body["active"]
    second = await create(rest, name="script")
    assert second["secret"] != first["secret"]
    state = (await rest("GET", "state", path="key:script")).body
    assert (state["spent"], state["active"]) == ("0", True)
    assert (await rest("DELETE", "keys/unknown")).status == 404


async def test_a_request_that_comes_twice_makes_one_key(extension: Any, rest: Any) -> None:
    headers = {"Idempotency-Key": "k-1"}
    statuses = [(await rest("POST", "keys", {"name": "script"}, headers)).status for _ in range(2)]
    assert statuses == [200, 409]
    assert len(await listed(rest)) == 1


async def test_a_command_has_its_notebooks_key(extension: Any, rest: Any) -> None:
    await rest("PATCH", "state", {"budget": "2", "trust_level": 3}, path="a.ipynb")
    created = await create(rest, kind="run", name="python train.py", path="a.ipynb")
    caller = keys_of(extension).find(created["secret"]).caller
    assert (caller.notebook.path, caller.actor) == ("a.ipynb", "run:python train.py")
    assert spend(extension, caller, "1")["allowed"]
    assert (await rest("GET", "state", path="a.ipynb")).body["spent"] == "1"
    await rest("DELETE", f"keys/{created['key']['id']}")
    # The session belongs to the notebook and not to the key, so it stays open.
    assert (await rest("GET", "state", path="a.ipynb")).body["active"]


async def test_stop_ends_the_keys_of_a_notebook(extension: Any, rest: Any) -> None:
    await rest("PATCH", "state", {}, path="a.ipynb")
    run = await create(rest, kind="run", name="train", path="a.ipynb")
    other = await create(rest, name="other")
    ended: list[str] = []
    keys_of(extension).on_revoked(ended.append)
    response = await rest("POST", "stop", path="a.ipynb")
    check("StoppedKeys", response.body)
    assert response.body["revoked"] == [run["key"]]
    assert ended == [run["key"]["id"]]
    assert await listed(rest) == [other["key"]]
    (record,) = (await rest("GET", "audit", path="a.ipynb", event="key_revoked")).body["records"]
    assert (record["actor"], record["detail"]["why"]) == ("token", "a user stopped the notebook")


async def test_only_a_terminals_key_is_bound_anew(extension: Any, rest: Any) -> None:
    await rest("PATCH", "state", {}, path="a.ipynb")
    keys = keys_of(extension)
    holder, secret = keys.issue_ahead("terminal", "terminal 1", subject="1", notebook=keys.default_notebook())
    await rest("PATCH", "state", {}, path="b.ipynb")
    response = await rest("PATCH", f"keys/{holder.key_id}", {"path": "b.ipynb"})
    check("GatewayKey", response.body)
    assert (response.body["path"], response.body["terminal"]) == ("b.ipynb", "1")
    assert keys.find(secret).caller.notebook.path == "b.ipynb"
    own = await create(rest, name="script")
    assert (await rest("PATCH", f"keys/{own['key']['id']}", {"path": "b.ipynb"})).status == 400
    assert (await rest("PATCH", f"keys/{holder.key_id}", {"path": "never.ipynb"})).status == 404


@pytest.mark.parametrize("providers", [{}])
async def test_a_server_without_a_gateway_has_no_keys(rest: Any) -> None:
    body = (await rest("GET", "keys")).body
    check("GatewayKeys", body)
    assert body == {"enabled": False, "keys": []}
    for method, name, given in (
        ("POST", "keys", {"name": "a"}),
        ("PATCH", "keys/x", {"path": "a.ipynb"}),
        ("DELETE", "keys/x", None),
    ):
        response = await rest(method, name, given)
        assert (response.status, response.body["code"]) == (404, "NO_GATEWAY")
    assert (await rest("POST", "stop", path="a.ipynb")).status == 404


class TestWithoutPermission:
    @pytest.fixture
    def authorizer(self) -> type[Authorizer]:
        return ReadOnly

    async def test_who_may_only_read_changes_no_key(self, extension: Any, rest: Any) -> None:
        for method, name, parameters in (
            ("POST", "keys", {}),
            ("PATCH", "keys/x", {}),
            ("DELETE", "keys/x", {}),
            ("POST", "stop", {"path": "a.ipynb"}),
        ):
            assert (await rest(method, name, {}, **parameters)).status == 403
        assert await listed(rest) == []
