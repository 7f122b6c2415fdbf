"""Limits of calls through the gateway: fitted output limits, allowed models, waiting for a turn, and the budget."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from http.client import IncompleteRead
from pathlib import Path

import pytest

from aumos_governance.gateway.exchange import LIMIT_HEADER
from tests.gateway.gateway_server import GatewayServer, sqlite
from tests.gateway.raw import CHAT, Raw, Received, requested
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
LONG = json.dumps(CHAT | {"max_tokens": 16_000}).encode()
MESSAGE = {"model": "claude-sonnet-5-5", "messages": [{"role": "user", "content": "What?"}], "max_tokens": 64_000}


def message(server: GatewayServer, **fields: object) -> Received:
    headers = {"anthropic_version": "2023-06-01"}
    return requested(server, json.dumps(MESSAGE | fields).encode(), path="/llm/anthropic/v1/messages", **headers)


def sent(endpoint: Endpoint) -> int:
    """Return the output limit in the latest request to the provider."""
    return int(endpoint.exchanges[-1].received.json["max_tokens"])


def test_the_output_limit_is_fitted_to_what_is_left_and_the_client_hears_of_it(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, budget="0.1") as server:
        response = requested(server, LONG)
        assert response.status == 200
        assert sent(endpoint) == int(response.headers[LIMIT_HEADER])
        assert 1_000 < sent(endpoint) < 10_000
        [hold] = server.records("hold")
        assert Decimal("0.02") < Decimal(hold["amount"]) < Decimal("0.1")
        assert server.spent == COST


def test_a_request_that_fits_goes_out_as_it_came(server: GatewayServer) -> None:
    assert LIMIT_HEADER not in requested(server).headers
    assert server.endpoint.exchanges[0].received.json == CHAT


def test_a_call_that_breaks_off_costs_no_more_than_with_its_lowered_limit(endpoint: Endpoint) -> None:
    endpoint.script(Reply(break_after=3))
    body = json.dumps(CHAT | {"model": "gpt-5-mini", "max_tokens": 16_000, "stream": True}).encode()
    with GatewayServer(endpoint, budget="0.01") as server, Raw(server) as raw:
        raw.send(body)
        with pytest.raises((IncompleteRead, ConnectionError)):
            raw.receive()
        # A reasoning model may have used all of its limit.
        hold, settle = server.records()
        assert settle["detail"]["estimated"]
        assert Decimal("0.0049") < Decimal(settle["amount"]) <= Decimal(hold["amount"])
        assert sent(endpoint) < 16_000


def test_less_than_a_thinking_budget_is_a_denial(endpoint: Endpoint) -> None:
    thinking = {"type": "enabled", "budget_tokens": 32_000}
    with GatewayServer(endpoint, budget="0.3") as server:
        assert message(server, thinking=thinking).status == 402
        assert endpoint.count == 0
        assert message(server, thinking={"type": "enabled", "budget_tokens": 2_000}).status == 200
        assert sent(endpoint) > 2_000


def test_no_call_holds_more_than_the_administrator_allows(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, max_hold=20_000_000) as server:
        assert requested(server, LONG).status == 200
        assert Decimal(server.records("hold")[0]["amount"]) == Decimal("0.02")
        denied = message(server, thinking={"type": "enabled", "budget_tokens": 32_000})
        assert (denied.status, denied.headers["x-aumos-code"]) == (402, "MAX_HOLD")
        assert server.events() == ["hold", "settle"]


def test_an_output_limit_is_put_in_where_a_request_has_none(endpoint: Endpoint) -> None:
    body = json.dumps({name: value for name, value in CHAT.items() if name != "max_tokens"}).encode()
    with GatewayServer(endpoint, output_limit=77) as server:
        assert requested(server, body).headers[LIMIT_HEADER] == "77"
        assert sent(endpoint) == 77
        assert requested(server).status == 200
        assert sent(endpoint) == 50


def test_only_the_models_that_are_allowed_may_be_called(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, models=("gpt-4o*",), denied_models=("*-mini",)) as server:
        assert requested(server).status == 200
        for model in ("gpt-4o-mini", "o3"):
            response = requested(server, json.dumps(CHAT | {"model": model}).encode())
            assert (response.status, response.json["error"]["code"]) == (404, "MODEL_NOT_ALLOWED")
        server.records()
        refused = [
            entry for entry in server.request("audit", limit=50)["records"] if entry["code"] == "MODEL_NOT_ALLOWED"
        ]
        assert len(refused) == 2
    assert endpoint.count == 1


def test_a_model_of_unknown_price_is_refused_with_advice_that_helps_here(server: GatewayServer) -> None:
    response = requested(server, json.dumps(CHAT | {"model": "my-own-model"}).encode())
    assert response.status == 400
    assert "the administrator of this Jupyter server can state prices for openai" in response.json["error"]["message"]
    assert "govern(" not in response.json["error"]["message"]


def test_a_call_waits_for_its_turn_where_only_another_call_is_in_its_way(endpoint: Endpoint) -> None:
    body = json.dumps(CHAT | {"max_tokens": 256}).encode()
    endpoint.script(Reply(pause_after=0), Reply())
    # The budget is enough for one such call, and not for two.
    with GatewayServer(endpoint, budget="0.008") as server, Raw(server) as first, Raw(server) as second:
        first.send(body)
        endpoint.wait_received(1)
        second.send(body)
        endpoint.exchange(0).release()
        assert first.receive().status == 200
        assert second.receive().status == 200
        assert server.spent == 2 * COST


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_64_streams_never_come_above_one_dollar(endpoint: Endpoint, tmp_path: Path, kind: str) -> None:
    url = "memory://" if kind == "memory" else sqlite(tmp_path)
    body = json.dumps(CHAT | {"stream": True, "max_tokens": 16_000}).encode()
    endpoint.default = Reply(usage={"prompt_tokens": 11, "completion_tokens": 200, "total_tokens": 211})
    above: list[str] = []
    with GatewayServer(endpoint, url, budget="1") as server:
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.002):
                state = server.budget()
                if Decimal(state["spent"]) + Decimal(state["held"]) > 1:
                    above.append(f"{state['spent']} + {state['held']}")

        watching = threading.Thread(target=watch)
        watching.start()
        with ThreadPoolExecutor(64) as pool:
            responses = list(pool.map(lambda _: requested(server, body).status, range(64)))
        stop.set()
        watching.join()
        assert not above
        assert set(responses) <= {200, 402}
        passed = responses.count(200)
        assert passed == 64
        assert server.spent == passed * priced("gpt-4o", {"input_tokens": 11, "output_tokens": 200})
        assert server.spent <= 1


@pytest.mark.parametrize("streamed", [False, True])
def test_the_records_of_hold_and_charge_name_provider_and_key(server: GatewayServer, *, streamed: bool) -> None:
    assert requested(server, json.dumps(CHAT | {"stream": streamed}).encode()).status == 200
    source = {"kind": "gateway", "provider": "openai", "key": "kernel of agents.ipynb"}
    held, settled = server.records()
    assert held["detail"] == source
    assert settled["detail"].items() >= source.items()
    assert settled["detail"]["usage"]["prompt_tokens"] == 11
