"""Requests that cost nothing: free requests, and paid ones that were not sent."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from aumos_governance.gateway.upstreams import Destination
from tests.gateway.gateway_server import GatewayServer
from tests.gateway.raw import requested
from tests.gateway.recorder import CannedResponse, Recorder
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint

MODERATIONS = "/llm/openai/v1/moderations"
FREE = {"body": b"", "method": "GET", "path": "/llm/openai/v1/models"}


def test_a_request_that_costs_nothing_is_sent_with_its_body(endpoint: Endpoint) -> None:
    with Recorder(CannedResponse()) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        assert requested(server, b'{"input": "x"}', path=MODERATIONS, content_type="").status == 200
        assert [(sent.path, sent.json) for sent in provider.sent] == [("/v1/moderations", {"input": "x"})]
        assert provider.sent[0].headers["content-type"] == "application/json"
        assert server.events() == []


@pytest.mark.parametrize(("options", "events"), [(FREE, []), ({}, ["hold", "release"])], ids=["free", "paid"])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (aiohttp.ConnectionTimeoutError(), 504, "UPSTREAM_TIMEOUT"),
        (ConnectionRefusedError(), 502, "UPSTREAM_UNREACHABLE"),
    ],
)
def test_a_request_that_was_not_sent_costs_nothing(
    server: GatewayServer,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    events: list[str],
    error: Exception,
    status: int,
    code: str,
) -> None:
    async def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(Destination, "send", fail)
    response = requested(server, **options)
    assert (response.status, response.headers["x-aumos-code"]) == (status, code)
    assert server.events() == events


def test_a_free_request_without_a_response_is_not_charged(endpoint: Endpoint) -> None:
    endpoint.script(Reply(break_after=0), Reply(pause_after=0))
    with GatewayServer(endpoint, read_seconds=0.05) as server:
        responses = [requested(server, path=MODERATIONS) for _ in range(2)]
        assert [each.headers["x-aumos-code"] for each in responses] == ["UPSTREAM_BROKEN", "UPSTREAM_TIMEOUT"]
        assert all("not charged" in each.json["error"]["message"] for each in responses)
        assert server.events() == []
