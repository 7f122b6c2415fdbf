"""The REST interface: its responses, permissions and error messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from aumos_governance import __version__
from aumos_governance.integrations.pricing import price_data
from aumos_governance.owner import owner
from tests.server.users import ReadOnly

NOTHING = {
    "active": False,
    **dict.fromkeys(("session_id", "trust_level", "trust_label", "budget", "spent", "held", "remaining", "over")),
    "agent_id": None,
    "set_by": None,
    "shared_with": None,
    "seq": 0,
}


async def test_a_notebook_that_was_never_governed_has_no_figures(rest: Any) -> None:
    response = await rest("GET", "state", path="work/a.ipynb")
    assert response.status == 200
    assert response.body == {"path": "work/a.ipynb", **NOTHING}


async def test_a_users_change_opens_a_session_and_stands(rest: Any) -> None:
    opened = (await rest("PATCH", "state", {"budget": "5", "agent_id": "agent-7"}, path="a.ipynb")).body
    assert (opened["active"], opened["budget"], opened["remaining"], opened["trust_level"]) == (True, "5", "5", 2)
    assert opened["agent_id"] == "agent-7"
    assert opened["set_by"] == "token"
    changed = (await rest("PATCH", "state", {"trust_level": 1}, path="a.ipynb")).body
    assert (changed["budget"], changed["trust_level"], changed["trust_label"]) == ("5", 1, "Monitor")
    assert changed["session_id"] == opened["session_id"]
    assert changed["seq"] > opened["seq"]
    assert (await rest("GET", "state", path="a.ipynb")).body == changed


async def test_close_keeps_the_last_figures_and_does_no_harm_twice(rest: Any) -> None:
    await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")
    closed = await rest("POST", "close", path="a.ipynb")
    assert (closed.status, closed.body["active"], closed.body["budget"]) == (200, False, "5")
    assert (await rest("POST", "close", {}, path="a.ipynb")).body == closed.body


@pytest.mark.parametrize("written", ["/a b/ä.ipynb", "a b/ä.ipynb/", "a b//ä.ipynb", "a b/./ä.ipynb"])
async def test_a_path_is_one_notebook_however_it_is_written(rest: Any, written: str) -> None:
    await rest("PATCH", "state", {"budget": "5"}, path="a b/ä.ipynb")
    body = (await rest("GET", "state", path=written)).body
    assert (body["path"], body["budget"]) == ("a b/ä.ipynb", "5")


async def test_notebooks_come_in_pages_by_path(rest: Any) -> None:
    for name in "cab":
        await rest("PATCH", "state", {}, path=f"{name}.ipynb")
    first = (await rest("GET", "notebooks", limit="2")).body
    assert [state["path"] for state in first["notebooks"]] == ["a.ipynb", "b.ipynb"]
    last = (await rest("GET", "notebooks", limit="2", after=first["after"])).body
    assert [state["path"] for state in last["notebooks"]] == ["c.ipynb"]
    assert last["after"] is None
    assert (await rest("GET", "notebooks", limit="3")).body["after"] is None


def price_data_body() -> dict[str, Any]:
    found = price_data.describe()
    assert found is not None
    return found.body()


@pytest.mark.parametrize(
    "governance_config",
    [
        {
            "default_budget": 2.5,
            "default_trust_level": "L1",
            "max_budget": "5",
            "max_trust_level": 3,
            "warn_at": [0.9],
            "strict": True,
            "autostart": True,
            "at_limit": "ask",
        }
    ],
)
async def test_config_is_what_was_configured(rest: Any) -> None:
    samples = json.loads((Path(__file__).parents[2] / "protocol" / "rest_config.json").read_text("utf-8"))
    expected = {
        **samples["valid"]["classroom"],
        "version": __version__,
        "user": owner(),
        "price_data": price_data_body(),
    }
    assert (await rest("GET", "config")).body == expected


async def test_config_defaults(rest: Any) -> None:
    samples = json.loads((Path(__file__).parents[2] / "protocol" / "rest_config.json").read_text("utf-8"))
    expected = {
        **samples["valid"]["defaults"],
        "version": __version__,
        "user": owner(),
        "price_data": price_data_body(),
    }
    assert (await rest("GET", "config")).body == expected


async def test_audit_pages_and_filters(rest: Any) -> None:
    await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")
    await rest("PATCH", "state", {"budget": "4"}, path="a.ipynb")
    await rest("PATCH", "state", {"agent_id": "agent-7"}, path="b.ipynb")
    everything = (await rest("GET", "audit")).body
    assert everything["cursor"] is None
    walked: list[str] = []
    page = (await rest("GET", "audit", limit="1")).body
    while True:
        walked += [record["record_id"] for record in page["records"]]
        if page["cursor"] is None:
            break
        page = (await rest("GET", "audit", limit="1", cursor=page["cursor"])).body
    assert walked == [record["record_id"] for record in everything["records"]]
    of_a = (await rest("GET", "audit", path="/a.ipynb")).body["records"]
    assert of_a
    assert {record["notebook"] for record in of_a} == {"a.ipynb"}
    changes = (await rest("GET", "audit", event="change")).body["records"]
    assert [record["notebook"] for record in changes] == ["a.ipynb"]
    assert (await rest("GET", "audit", outcome="deny")).body["records"] == []
    moment = changes[0]["at"]
    since = (await rest("GET", "audit", since=moment)).body["records"]
    until = (await rest("GET", "audit", until=moment)).body["records"]
    assert len(since) + len(until) == len(everything["records"])
    assert changes[0]["record_id"] in [record["record_id"] for record in since]


async def test_an_idempotency_key_makes_a_repeated_request_safe(rest: Any) -> None:
    first = await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")
    headers = {"Idempotency-Key": "k-1"}
    once = await rest("PATCH", "state", {"budget": "6"}, headers, path="a.ipynb")
    again = await rest("PATCH", "state", {"budget": "6"}, headers, path="a.ipynb")
    assert again.body == once.body
    assert once.body["seq"] == first.body["seq"] + 1
    other = await rest("PATCH", "state", {"budget": "7"}, headers, path="a.ipynb")
    assert (other.status, other.body["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert (await rest("GET", "state", path="a.ipynb")).body["budget"] == "6"


# ---- refusals


@pytest.mark.parametrize(
    ("method", "name", "body", "parameters", "word"),
    [
        ("GET", "state", None, {}, "path"),
        ("GET", "state", None, {"path": ""}, "path"),
        ("GET", "state", None, {"path": "/"}, "path"),
        ("GET", "state", None, {"path": "../secret.ipynb"}, "path"),
        ("GET", "state", None, {"path": "a.ipynb", "paht": "b"}, "'paht'"),
        ("GET", "config", None, {"x": "1"}, "'x'"),
        ("GET", "notebooks", None, {"limit": "0"}, "limit"),
        ("GET", "notebooks", None, {"limit": "1001"}, "limit"),
        ("GET", "notebooks", None, {"limit": "ten"}, "limit"),
        ("GET", "audit", None, {"outcome": "maybe"}, "outcome"),
        ("GET", "audit", None, {"since": "yesterday"}, "since"),
        ("GET", "audit", None, {"until": "2026-13-01T00:00:00Z"}, "until"),
        ("GET", "audit", None, {"cursor": "nonsense"}, "cursor"),
        ("GET", "audit", None, {"tool": " "}, "tool"),
        ("PATCH", "state", "{", {"path": "a.ipynb"}, "JSON"),
        ("PATCH", "state", "[1]", {"path": "a.ipynb"}, "object"),
        ("PATCH", "state", b"\xff", {"path": "a.ipynb"}, "JSON"),
        ("PATCH", "state", "[" * 60_000, {"path": "a.ipynb"}, "JSON"),
        ("PATCH", "state", " " * 70_000, {"path": "a.ipynb"}, "65536"),
        ("PATCH", "state", '{"budget": NaN}', {"path": "a.ipynb"}, "budget"),
        ("PATCH", "state", {"budget": "nan"}, {"path": "a.ipynb"}, "budget"),
        ("PATCH", "state", {"budget": -1}, {"path": "a.ipynb"}, "budget"),
        ("PATCH", "state", {"budget": True}, {"path": "a.ipynb"}, "budget"),
        ("PATCH", "state", {"trust_level": 9}, {"path": "a.ipynb"}, "trust level"),
        ("PATCH", "state", {"bugdet": "5"}, {"path": "a.ipynb"}, "'bugdet'"),
        ("POST", "close", {"budget": "5"}, {"path": "a.ipynb"}, "'budget'"),
    ],
)
async def test_a_wrong_value_is_named(rest: Any, method: str, name: str, body: Any, parameters: Any, word: str) -> None:
    response = await rest(method, name, body, **parameters)
    assert response.status == 400
    assert set(response.body) == {"code", "message"}
    assert word in response.body["message"]
    assert response.response.headers["Content-Type"] == "application/json"
    assert (await rest("GET", "notebooks")).body["notebooks"] == []


async def test_a_parameter_given_twice_is_refused(jp_fetch: Any) -> None:
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("aumos-governance/v1/state", params=[("path", "a"), ("path", "b")])
    assert refused.value.code == 400


async def test_what_jupyterlab_adds_against_caches_is_let_through(rest: Any) -> None:
    assert (await rest("GET", "config", **{"1795375443689": ""})).status == 200
    assert (await rest("GET", "config", **{"1795375443689": "x"})).status == 400


@pytest.mark.parametrize("governance_config", [{"max_budget": "5", "default_budget": "5", "max_trust_level": 3}])
async def test_the_maxima_bind_a_user_too(rest: Any) -> None:
    for wish in ({"budget": "5.01"}, {"trust_level": 4}):
        response = await rest("PATCH", "state", wish, path="a.ipynb")
        assert (response.status, response.body["code"]) == (403, "NOT_ALLOWED")
    assert (await rest("GET", "state", path="a.ipynb")).body["seq"] == 0


@pytest.mark.parametrize(("method", "name"), [("GET", "state"), ("PATCH", "state"), ("POST", "close")])
async def test_without_a_token_nothing_is_announced(rest: Any, method: str, name: str) -> None:
    response = await rest(method, name, None if method == "GET" else {}, {"Authorization": ""}, path="a.ipynb")
    assert (response.status, response.body["code"]) == (403, "FORBIDDEN")


async def test_a_method_that_is_not_there(rest: Any) -> None:
    response = await rest("DELETE", "state", path="a.ipynb")
    assert (response.status, response.body["code"]) == (405, "METHOD_NOT_ALLOWED")


async def test_a_cookie_alone_needs_the_xsrf_token(rest: Any) -> None:
    login = await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")
    cookie = login.response.headers["Set-Cookie"].split(";")[0]
    forged = {"Authorization": "", "Cookie": cookie, "Content-Type": "application/json"}
    response = await rest("PATCH", "state", {"budget": "500"}, forged, path="a.ipynb")
    assert (response.status, response.body["code"]) == (403, "FORBIDDEN")
    assert "_xsrf" in response.body["message"]
    assert (await rest("GET", "state", path="a.ipynb")).body["budget"] == "5"


@pytest.fixture
def read_only(jp_server_config: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    jp_server_config.ServerApp.authorizer_class = ReadOnly
    monkeypatch.setattr(ReadOnly, "requested", [])
    return ReadOnly.requested


async def test_the_authorizer_decides_by_action(read_only: Any, rest: Any) -> None:
    assert (await rest("GET", "state", path="a.ipynb")).status == 200
    refused = await rest("PATCH", "state", {"budget": "5"}, path="a.ipynb")
    assert (refused.status, refused.body["code"]) == (403, "FORBIDDEN")
    assert "not authorized to write" in refused.body["message"]
    assert (await rest("POST", "close", path="a.ipynb")).status == 403
    requested = [entry for entry in ReadOnly.requested if entry[1] == "aumos-governance"]
    assert requested == [(action, "aumos-governance") for action in ("read", "write", "write")]
    assert (await rest("GET", "state", path="a.ipynb")).body["seq"] == 0
