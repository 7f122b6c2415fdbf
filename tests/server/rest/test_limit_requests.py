"""Calls that wait at a limit, as a user lists and denies them, or allows them by raising the budget."""

from __future__ import annotations

import json
import queue
import time
from typing import Any

import pytest
from traitlets.config import Config

from aumos_governance.service.callers import Caller
from aumos_governance.wire.protocol import Cell, WireRequest
from tests.server.described import check


@pytest.fixture
def jp_server_config(jp_server_config: Config) -> Config:
    config = Config(jp_server_config)
    config.GovernanceExtension.at_limit = "ask"
    config.GovernanceExtension.envelopes = [{"name": "mine", "kind": "owner", "ceiling": "3"}]
    return config


class Calls:
    """The calls of one notebook's kernel, and their responses."""

    def __init__(self, extension: Any, path: str, budget: str = "1") -> None:
        self._service = extension._service
        self._caller = Caller(extension._notebooks.key(path), f"kernel:{path}", f"{path}:n1")
        self._heard: queue.Queue[dict[str, Any]] = queue.Queue()
        self._sent = 0
        self.send("open", trust_level=5, budget=budget)
        self.receive()

    def send(self, op: str, **body: Any) -> None:
        self._sent += 1
        request = WireRequest(f"a{self._sent}", op, time.time() + 60, Cell("c-3", 4), body)
        self._service.submit(self._caller, request, lambda response: self._heard.put(json.loads(json.dumps(response))))

    def receive(self) -> dict[str, Any]:
        return self._heard.get(timeout=20)

    def wait(self, amount: str, **body: Any) -> None:
        """Make a call that exceeds the limit, and await the message that it waits."""
        self.send("spend", amount=amount, tool="gpt-4o", **body)
        assert "waiting" in self.receive()

    def decision(self) -> dict[str, Any]:
        while "decision" not in (response := self.receive()):
            assert "waiting" in response
        decision: dict[str, Any] = response["decision"]
        return decision


async def listed(rest: Any, **parameters: str) -> list[dict[str, Any]]:
    body = (await rest("GET", "limit-requests", **parameters)).body
    check("LimitRequests", body)
    found: list[dict[str, Any]] = body["limit_requests"]
    return found


async def test_nothing_waits(rest: Any) -> None:
    assert await listed(rest) == []
    assert (await rest("GET", "config")).body["at_limit"] == "ask"


async def test_each_session_is_one_entry_with_what_it_needs(rest: Any, extension: Any) -> None:
    calls = Calls(extension, "a.ipynb")
    calls.wait("1.4", agent_id="agent-7")
    calls.wait("1.2")
    other = Calls(extension, "b.ipynb")
    other.wait("1.1")
    first, second = await listed(rest)
    assert (first["notebook"], first["count"], first["tool"], first["amount"]) == ("a.ipynb", 2, "gpt-4o", "1.4")
    assert (first["needs"], first["needs_all"]) == ("0.4", "1.6")
    assert first["limit"] == {"kind": "session", "name": "", "allowed": "1"}
    assert (first["agent_id"], first["cell"]) == ("agent-7", {"id": "c-3", "count": 4})
    assert first["id"] == first["session_id"] == (await rest("GET", "state", path="a.ipynb")).body["session_id"]
    assert (second["notebook"], second["count"], second["needs"], second["needs_all"]) == ("b.ipynb", 1, "0.1", "0.1")
    assert await listed(rest, path="/b.ipynb") == [second]
    assert await listed(rest, path="c.ipynb") == []


async def test_what_it_needs_is_as_of_now(rest: Any, extension: Any) -> None:
    calls = Calls(extension, "a.ipynb")
    calls.wait("1.4")
    calls.send("spend", amount="0.25")
    calls.decision()
    (found,) = await listed(rest)
    assert (found["needs"], found["needs_all"]) == ("0.65", "0.65")


async def test_a_higher_budget_lets_them_go_on(rest: Any, extension: Any) -> None:
    calls = Calls(extension, "a.ipynb")
    calls.wait("1.4")
    assert (await rest("PATCH", "state", {"budget": "1.4"}, path="a.ipynb")).status == 200
    assert calls.decision()["allowed"]
    assert await listed(rest) == []


async def test_a_ceiling_around_the_session_is_named(rest: Any, extension: Any) -> None:
    calls = Calls(extension, "a.ipynb", budget="5")
    calls.wait("3.5")
    calls.wait("4")
    (found,) = await listed(rest)
    assert found["limit"] == {"kind": "owner", "name": "mine", "allowed": "3"}
    assert (found["needs"], found["needs_all"]) == ("0.5", "4.5")


async def test_a_user_denies_all_of_a_session(rest: Any, extension: Any) -> None:
    calls, other = Calls(extension, "a.ipynb"), Calls(extension, "b.ipynb")
    for amount in ("1.4", "1.2"):
        calls.wait(amount)
    other.wait("1.1")
    session = (await listed(rest, path="a.ipynb"))[0]["id"]
    key = {"Idempotency-Key": "deny-1"}
    response = await rest("POST", f"limit-requests/{session}/deny", {}, key)
    check("DeniedAtLimit", response.body)
    assert response.body == {"denied": 2}
    assert {calls.decision()["code"] for _ in range(2)} == {"BUDGET_EXCEEDED"}
    assert [found["notebook"] for found in await listed(rest)] == ["b.ipynb"]
    (record,) = (await rest("GET", "audit", event="limit_denied")).body["records"]
    assert (record["outcome"], record["detail"]) == ("deny", {"calls": 2})
    assert record["actor"] not in ("kernel", "server", "")
    # A repeated request gets the same response; another one finds no waiting call.
    assert (await rest("POST", f"limit-requests/{session}/deny", {}, key)).body == {"denied": 2}
    again = await rest("POST", f"limit-requests/{session}/deny", {})
    assert (again.status, again.body["code"]) == (404, "NOT_FOUND")
    elsewhere = (await listed(rest))[0]["id"]
    reused = await rest("POST", f"limit-requests/{elsewhere}/deny", {}, key)
    assert reused.body["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_no_session_of_that_name(rest: Any) -> None:
    assert (await rest("POST", "limit-requests/nothing/deny", {})).status == 404
    assert (await rest("POST", "limit-requests/nothing/deny", {"why": 1})).status == 400
