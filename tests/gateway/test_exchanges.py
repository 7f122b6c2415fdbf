"""Requests through the gateway: what is forwarded, what is held, and what is recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance import money
from aumos_governance.gateway.exchange import LIMIT_HEADER
from aumos_governance.gateway.measuring import Measuring
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.wire.protocol import WireRequest
from tests.gateway.gateway_server import PROVIDER_KEY, SECRET, GatewayServer
from tests.gateway.raw import CHAT, Raw, requested
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
LONG = json.dumps(CHAT | {"max_tokens": 16_000}).encode()
EMBEDDING = json.dumps({"model": "text-embedding-3-small", "input": "words"}).encode()


def refusals(server: GatewayServer) -> list[str]:
    """Return the codes of refusals in the notebook's audit records."""
    server.records()
    return [entry["code"] for entry in server.request("audit", limit=1000)["records"] if entry["event"] == "evaluate"]


# ---- forwarding


@pytest.mark.parametrize("path", ["/llm/openai/v1/chat/completions", "/llm/openai/chat/completions"])
def test_clients_may_leave_the_path_of_the_address_out(server: GatewayServer, path: str) -> None:
    assert requested(server, path=path).status == 200
    assert server.endpoint.exchanges[0].received.path == "/v1/chat/completions"
    assert server.spent == COST


@pytest.mark.parametrize(
    "path",
    [
        "/llm/openai/v1/models/../files",
        "/llm/openai/v1/models/%2e%2e/files",
        "/llm/openai/v1/models/%252e%252e/files",
        "/llm/openai/v1/models/..%5cfiles",
        "/llm/openai/v1/./models",
        "/llm/openai/v1/models/..",
        "/llm/",
        "/llm/openai",
        "/llmx/openai/v1/models",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_and_not_recorded(server: GatewayServer, path: str) -> None:
    response = requested(server, b"", method="GET", path=path)
    assert (response.status, response.headers["x-aumos-code"]) == (404, "NOT_FOUND")
    assert server.endpoint.count == 0
    assert refusals(server) == []


@pytest.mark.parametrize("path", ["/", "/lab", "/llm", "/llm/openai", "/v1/models"])
def test_a_path_of_no_provider_is_not_found_even_without_a_key(server: GatewayServer, path: str) -> None:
    assert requested(server, b"", method="GET", path=path, secret=None).status == 404


def test_a_request_that_reads_has_no_body_and_its_query_goes_on(server: GatewayServer) -> None:
    response = requested(server, b'{"a": 1}', method="GET", path="/llm/openai/v1/models?page=2&b=x%20y")
    assert response.status == 200
    received = server.endpoint.exchanges[0].received
    assert (received.path, received.content) == ("/v1/models?page=2&b=x%20y", b"")
    assert not {"content-length", "transfer-encoding"} & {name.lower() for name in received.headers}
    # Nothing is held for a request that costs nothing.
    assert server.events() == []


def test_an_object_is_sent_as_json_whatever_its_type_says(server: GatewayServer) -> None:
    assert requested(server, content_type="").status == 200
    assert requested(server, content_type="application/json; charset=utf-8").status == 200
    types = [exchange.received.headers["content-type"] for exchange in server.endpoint.exchanges]
    assert types == ["application/json"] * 2


def test_one_valid_key_among_two_credentials_is_enough(server: GatewayServer) -> None:
    assert requested(server, secret="another", x_api_key=SECRET).status == 200
    assert requested(server, secret="another", x_api_key="a third").status == 401
    assert server.endpoint.count == 1


def test_a_key_whose_holder_has_no_notebook_pays_for_nothing(server: GatewayServer) -> None:
    holder = server.keys.holders[SECRET]
    server.keys.holders[SECRET] = replace(holder, refusal="Choose a notebook first.")
    response = requested(server)
    assert (response.status, response.headers["x-aumos-code"]) == (402, "NO_NOTEBOOK")
    assert "Choose a notebook first." in response.json["error"]["message"]
    assert server.endpoint.count == 0


def test_the_providers_key_is_read_once_and_again_where_it_was_refused(endpoint: Endpoint) -> None:
    read: list[str] = []

    def key() -> str:
        read.append(PROVIDER_KEY)
        return PROVIDER_KEY

    endpoint.script(Reply(), Reply(), Reply(status=401), Reply(), Reply(status=401))
    with GatewayServer(endpoint, key=key) as server:
        assert [requested(server).status for _ in range(4)] == [200, 200, 502, 200]
        assert len(read) == 2
        free = requested(server, b"", method="GET", path="/llm/openai/v1/models")
        assert (free.status, free.headers["x-aumos-code"]) == (502, "UPSTREAM_KEY_REFUSED")
        assert requested(server).status == 200
        assert len(read) == 3
        assert server.events() == ["hold", "settle", "hold", "settle", "hold", "release"] + ["hold", "settle"] * 2


# ---- holds


def test_what_a_call_is_held_for_is_on_record(server: GatewayServer) -> None:
    assert requested(server, EMBEDDING, path="/llm/openai/v1/embeddings").status == 200
    assert requested(server, LONG).status == 200
    whole, bounded = server.records("hold")
    assert (whole["tool"], whole["action_type"]) == ("text-embedding-3-small", "embeddings")
    detail = {"kind": "gateway", "provider": "openai", "key": "kernel of agents.ipynb"}
    assert whole["detail"] == detail
    assert bounded["detail"].items() > detail.items()
    assert money.parse(bounded["detail"]["least"]) < money.parse(bounded["amount"])


def test_a_call_that_names_no_model_is_held_at_its_fixed_cost(endpoint: Endpoint) -> None:
    body = json.dumps({"messages": CHAT["messages"], "max_tokens": 50}).encode()
    with GatewayServer(endpoint, prices=Prices(cost="0.01")) as server:
        assert requested(server, body, path="/llm/anthropic/v1/messages", anthropic_version="2023-06-01").status == 200
        assert [(record["tool"], record["amount"]) for record in server.records("hold")] == [("unknown", "0.01")]


def test_a_call_waits_a_minute_for_what_other_calls_hold(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[WireRequest] = []
    submit = server.service.submit

    def kept(caller: Any, request: WireRequest, reply: Any) -> None:
        sent.append(request)
        submit(caller, request, reply)

    monkeypatch.setattr(server.service, "submit", kept)
    assert requested(server).status == 200
    (hold,) = (request for request in sent if request.op == "hold")
    assert hold.body["waits_turn"] == 60


def test_as_much_as_is_held_at_most_may_be_held(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint) as server:
        assert requested(server, LONG).status == 200
        assert requested(server).status == 200
        long, short = server.records("hold")
    least = money.parse(long["detail"]["least"])
    with GatewayServer(endpoint, max_hold=least) as server:
        assert requested(server, LONG).headers[LIMIT_HEADER] == "256"
        assert money.parse(server.records("hold")[0]["amount"]) == least
    with GatewayServer(endpoint, max_hold=least - 1) as server:
        response = requested(server, LONG)
        assert (response.status, response.headers["x-aumos-code"]) == (402, "MAX_HOLD")
        assert server.events() == []
        assert refusals(server) == ["MAX_HOLD"]
    with GatewayServer(endpoint, max_hold=money.parse(short["amount"])) as server:
        assert LIMIT_HEADER not in requested(server).headers
    with GatewayServer(endpoint, max_hold=money.parse(short["amount"]) - 1) as server:
        assert requested(server).status == 402


def test_a_gateway_that_fails_after_the_hold_gives_it_back(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Measuring, "fitted", fails)
    response = requested(server)
    assert (response.status, response.headers["x-aumos-code"]) == (500, "INTERNAL")
    assert server.endpoint.count == 0
    assert server.events() == ["hold", "release"]
    assert "ZeroDivisionError" in caplog.text


# ---- records of refusals


def _model(server: GatewayServer) -> int:
    return requested(server, json.dumps(CHAT | {"model": "o3"}).encode()).status


def _price(server: GatewayServer) -> int:
    return requested(server, json.dumps(CHAT | {"model": "unheard-of"}).encode()).status


def _method(server: GatewayServer) -> int:
    return requested(server, b"", method="GET", path="/llm/openai/v1/files").status


def _socket(server: GatewayServer) -> int:
    return requested(server, b"", method="GET", upgrade="websocket", connection="upgrade").status


def _stranger(server: GatewayServer) -> int:
    return requested(server, secret="sk-aumos-another").status


def _elsewhere(server: GatewayServer) -> int:
    return requested(server, path="/llm/unknown/v1/models").status


@pytest.mark.parametrize(
    ("request_of", "status", "recorded"),
    [
        (_model, 404, ["MODEL_NOT_ALLOWED"]),
        (_price, 400, ["PRICE_UNKNOWN"]),
        (_method, 400, ["METHOD_UNKNOWN"]),
        (_socket, 405, ["METHOD_UNKNOWN"]),
        (_stranger, 401, []),
        (_elsewhere, 404, []),
    ],
)
def test_a_refusal_for_what_a_call_is_is_in_the_notebooks_record(
    endpoint: Endpoint, request_of: Callable[[GatewayServer], int], status: int, recorded: list[str]
) -> None:
    with GatewayServer(endpoint, denied_models=("o3",)) as server:
        assert request_of(server) == status
        # The refusal's record is posted before the next request of this client, so it is there after that one.
        assert requested(server).status == 200
        assert refusals(server) == recorded
    assert endpoint.count == 1


def test_a_recorded_refusal_names_the_request_and_its_reason(server: GatewayServer) -> None:
    response = requested(server, b"", method="GET", path="/llm/openai/v1/files?secret=1")
    server.records()
    (entry,) = (entry for entry in server.request("audit", limit=50)["records"] if entry["event"] == "evaluate")
    assert entry["action_type"] == "GET /llm/openai/v1/files"
    assert entry["outcome"] == "deny"
    assert response.json["error"]["message"] in entry["reasons"]


# ---- responses to the client


def test_one_connection_serves_refused_and_served_requests_alike(server: GatewayServer) -> None:
    with Raw(server) as raw:
        statuses = []
        for body in (LONG, b"[]", json.dumps(CHAT).encode()):
            raw.send(body)
            statuses.append(raw.receive().status)
    assert statuses == [200, 400, 200]
    assert server.spent == 2 * COST


def test_the_shape_of_an_error_is_that_of_the_api_and_without_one_openais(server: GatewayServer) -> None:
    anthropic = requested(server, secret="wrong", path="/llm/anthropic/v1/messages").json
    assert anthropic["type"] == "error"
    assert requested(server, secret="wrong", path="/llm/unknown/x").json["error"]["type"] == "gateway_error"
    assert requested(server, secret="wrong").json["error"]["type"] == "authentication_error"
