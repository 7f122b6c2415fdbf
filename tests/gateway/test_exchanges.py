"""One request from its first line to its last record: what is sent on, what is held for it, what is on record."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance import money
from aumos_governance.gateway.exchange import LIMIT_HEADER
from aumos_governance.gateway.measuring import Measuring
from aumos_governance.wire.protocol import WireRequest
from tests.gateway.house import PROVIDER_KEY, SECRET, House
from tests.gateway.raw import CHAT, Raw, requested
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
LONG = json.dumps(CHAT | {"max_tokens": 16_000}).encode()
EMBEDDING = json.dumps({"model": "text-embedding-3-small", "input": "words"}).encode()


def refusals(house: House) -> list[str]:
    """The codes of what was refused, as the notebook's record has them."""
    house.records()
    return [entry["code"] for entry in house.request("audit", limit=1000)["records"] if entry["event"] == "evaluate"]


# ---- what is sent on


@pytest.mark.parametrize("path", ["/llm/openai/v1/chat/completions", "/llm/openai/chat/completions"])
def test_clients_may_leave_the_path_of_the_address_out(house: House, path: str) -> None:
    assert requested(house, path=path).status == 200
    assert house.endpoint.exchanges[0].received.path == "/v1/chat/completions"
    assert house.spent == COST


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
def test_a_path_that_leads_elsewhere_is_refused_and_not_recorded(house: House, path: str) -> None:
    response = requested(house, b"", method="GET", path=path)
    assert (response.status, response.headers["x-aumos-code"]) == (404, "NOT_FOUND")
    assert house.endpoint.count == 0
    assert refusals(house) == []


def test_a_request_that_reads_has_no_body_and_its_query_goes_on(house: House) -> None:
    response = requested(house, b'{"a": 1}', method="GET", path="/llm/openai/v1/models?page=2&b=x%20y")
    assert response.status == 200
    received = house.endpoint.exchanges[0].received
    assert (received.path, received.content) == ("/v1/models?page=2&b=x%20y", b"")
    assert not {"content-length", "transfer-encoding"} & {name.lower() for name in received.headers}
    # It costs nothing, and so nothing is held for it.
    assert house.events() == []


def test_an_object_is_sent_as_json_whatever_its_type_says(house: House) -> None:
    assert requested(house, content_type="").status == 200
    assert requested(house, content_type="application/json; charset=utf-8").status == 200
    types = [exchange.received.headers["content-type"] for exchange in house.endpoint.exchanges]
    assert types == ["application/json"] * 2


def test_one_valid_key_among_two_credentials_is_enough(house: House) -> None:
    assert requested(house, secret="another", x_api_key=SECRET).status == 200
    assert requested(house, secret="another", x_api_key="a third").status == 401
    assert house.endpoint.count == 1


def test_a_key_whose_holder_has_no_notebook_pays_for_nothing(house: House) -> None:
    holder = house.keys.holders[SECRET]
    house.keys.holders[SECRET] = replace(holder, refusal="Choose a notebook first.")
    response = requested(house)
    assert (response.status, response.headers["x-aumos-code"]) == (402, "NO_NOTEBOOK")
    assert "Choose a notebook first." in response.json["error"]["message"]
    assert house.endpoint.count == 0


def test_the_providers_key_is_read_once_and_again_where_it_was_refused(endpoint: Endpoint) -> None:
    read: list[str] = []

    def key() -> str:
        read.append(PROVIDER_KEY)
        return PROVIDER_KEY

    endpoint.script(Reply(), Reply(), Reply(status=401), Reply(), Reply(status=401))
    with House(endpoint, key=key) as house:
        assert [requested(house).status for _ in range(4)] == [200, 200, 502, 200]
        assert len(read) == 2
        free = requested(house, b"", method="GET", path="/llm/openai/v1/models")
        assert (free.status, free.headers["x-aumos-code"]) == (502, "UPSTREAM_KEY_REFUSED")
        assert requested(house).status == 200
        assert len(read) == 3
        assert house.events() == ["hold", "settle", "hold", "settle", "hold", "release"] + ["hold", "settle"] * 2


# ---- what is held


def test_what_a_call_is_held_for_is_on_record(house: House) -> None:
    assert requested(house, EMBEDDING, path="/llm/openai/v1/embeddings").status == 200
    assert requested(house, LONG).status == 200
    whole, bounded = house.records("hold")
    assert (whole["tool"], whole["action_type"]) == ("text-embedding-3-small", "embeddings")
    detail = {"kind": "gateway", "provider": "openai", "key": "kernel of agents.ipynb"}
    assert whole["detail"] == detail
    assert bounded["detail"].items() > detail.items()
    assert money.parse(bounded["detail"]["least"]) < money.parse(bounded["amount"])


def test_a_call_waits_a_minute_for_what_other_calls_hold(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[WireRequest] = []
    submit = house.service.submit

    def kept(caller: Any, request: WireRequest, reply: Any) -> None:
        sent.append(request)
        submit(caller, request, reply)

    monkeypatch.setattr(house.service, "submit", kept)
    assert requested(house).status == 200
    (hold,) = (request for request in sent if request.op == "hold")
    assert hold.body["waits_turn"] == 60


def test_as_much_as_is_held_at_most_may_be_held(endpoint: Endpoint) -> None:
    with House(endpoint) as house:
        assert requested(house, LONG).status == 200
        assert requested(house).status == 200
        long, short = house.records("hold")
    least = money.parse(long["detail"]["least"])
    with House(endpoint, max_hold=least) as house:
        assert requested(house, LONG).headers[LIMIT_HEADER] == "256"
        assert money.parse(house.records("hold")[0]["amount"]) == least
    with House(endpoint, max_hold=least - 1) as house:
        response = requested(house, LONG)
        assert (response.status, response.headers["x-aumos-code"]) == (402, "MAX_HOLD")
        assert house.events() == []
        assert refusals(house) == ["MAX_HOLD"]
    with House(endpoint, max_hold=money.parse(short["amount"])) as house:
        assert LIMIT_HEADER not in requested(house).headers
    with House(endpoint, max_hold=money.parse(short["amount"]) - 1) as house:
        assert requested(house).status == 402


def test_a_gateway_that_fails_after_the_hold_gives_it_back(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(Measuring, "fitted", fails)
    response = requested(house)
    assert (response.status, response.headers["x-aumos-code"]) == (500, "INTERNAL")
    assert house.endpoint.count == 0
    assert house.events() == ["hold", "release"]
    assert "ZeroDivisionError" in caplog.text


# ---- what is on record of a refusal


def _model(house: House) -> int:
    return requested(house, json.dumps(CHAT | {"model": "o3"}).encode()).status


def _price(house: House) -> int:
    return requested(house, json.dumps(CHAT | {"model": "unheard-of"}).encode()).status


def _method(house: House) -> int:
    return requested(house, b"", method="GET", path="/llm/openai/v1/files").status


def _socket(house: House) -> int:
    return requested(house, b"", method="GET", upgrade="websocket", connection="upgrade").status


def _stranger(house: House) -> int:
    return requested(house, secret="sk-aumos-another").status


def _elsewhere(house: House) -> int:
    return requested(house, path="/llm/unknown/v1/models").status


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
    endpoint: Endpoint, request_of: Callable[[House], int], status: int, recorded: list[str]
) -> None:
    with House(endpoint, denied_models=("o3",)) as house:
        assert request_of(house) == status
        # What is recorded goes out before what this kernel requests next.
        assert requested(house).status == 200
        assert refusals(house) == recorded
    assert endpoint.count == 1


def test_a_recorded_refusal_names_the_request_and_its_reason(house: House) -> None:
    response = requested(house, b"", method="GET", path="/llm/openai/v1/files?secret=1")
    house.records()
    (entry,) = (entry for entry in house.request("audit", limit=50)["records"] if entry["event"] == "evaluate")
    assert entry["action_type"] == "GET /llm/openai/v1/files"
    assert entry["outcome"] == "deny"
    assert response.json["error"]["message"] in entry["reasons"]


# ---- what the client hears


def test_one_connection_serves_refused_and_served_requests_alike(house: House) -> None:
    with Raw(house) as raw:
        statuses = []
        for body in (LONG, b"[]", json.dumps(CHAT).encode()):
            raw.send(body)
            statuses.append(raw.receive().status)
    assert statuses == [200, 400, 200]
    assert house.spent == 2 * COST


def test_the_shape_of_an_error_is_that_of_the_api_and_without_one_openais(house: House) -> None:
    anthropic = requested(house, secret="wrong", path="/llm/anthropic/v1/messages").json
    assert anthropic["type"] == "error"
    assert requested(house, secret="wrong", path="/llm/unknown/x").json["error"]["type"] == "gateway_error"
    assert requested(house, secret="wrong").json["error"]["type"] == "authentication_error"
