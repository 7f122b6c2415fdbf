"""Anthropic's own client, unmodified, through the gateway."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from anthropic import Anthropic, APIStatusError, AsyncAnthropic

from tests.gateway.gateway_server import PROVIDER_KEY, SECRET, GatewayServer
from tests.integrations.endpoint.replies import Reply, ToolCall
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

MESSAGES: Any = [{"role": "user", "content": "What is six times seven?"}]
MODEL = "claude-sonnet-5-5"
COST = priced(MODEL, {"input_tokens": 11, "output_tokens": 7}, provider="anthropic")
TOOL: Any = {"name": "send", "input_schema": {"type": "object", "properties": {"to": {"type": "string"}}}}


def client_of(server: GatewayServer, **options: Any) -> Anthropic:
    return Anthropic(**{"base_url": server.anthropic_url, "api_key": SECRET, "max_retries": 0} | options)


def test_a_message_is_held_and_charged_what_it_cost(server: GatewayServer) -> None:
    with client_of(server) as client:
        response = client.messages.create(model=MODEL, messages=MESSAGES, max_tokens=50)
    assert response.content[0].type == "text"
    assert server.spent == COST
    assert server.events() == ["hold", "settle"]
    [exchange] = server.endpoint.exchanges
    assert exchange.received.headers["x-api-key"] == PROVIDER_KEY
    assert SECRET not in str(exchange.received)


def test_streams_tools_and_the_beta_interface_are_charged_as_well(server: GatewayServer) -> None:
    server.endpoint.script(Reply(), Reply(tool_calls=(ToolCall("send", {"to": "ann"}),)), Reply())
    with client_of(server) as client:
        with client.messages.stream(model=MODEL, messages=MESSAGES, max_tokens=50) as stream:
            assert stream.get_final_text() == "The answer is forty-two."
        used = client.messages.create(model=MODEL, messages=MESSAGES, max_tokens=50, tools=[TOOL])
        assert used.content[-1].type == "tool_use"
        client.beta.messages.create(
            model=MODEL, messages=MESSAGES, max_tokens=50, betas=["interleaved-thinking-2025-05-14"]
        )
    assert server.spent == 3 * COST
    assert server.endpoint.exchanges[2].received.headers["anthropic-beta"] == "interleaved-thinking-2025-05-14"


def test_an_awaited_client_streams(server: GatewayServer) -> None:
    async def stream() -> str:
        async with (
            AsyncAnthropic(base_url=server.anthropic_url, api_key=SECRET, max_retries=0) as client,
            client.messages.stream(model=MODEL, messages=MESSAGES, max_tokens=50) as stream,
        ):
            return await stream.get_final_text()

    assert asyncio.run(stream()) == "The answer is forty-two."
    assert server.spent == COST


def test_counting_and_models_are_free(server: GatewayServer) -> None:
    with client_of(server) as client:
        client.messages.count_tokens(model=MODEL, messages=MESSAGES)
        client.models.list()
    assert server.events() == []


def test_a_denial_has_the_shape_of_anthropics_errors(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, budget="0.00001") as server:
        with client_of(server, max_retries=2) as client, pytest.raises(APIStatusError) as raised:
            client.messages.create(model=MODEL, messages=MESSAGES, max_tokens=50)
        assert [entry["event"] for entry in server.records()] == ["hold"]
    assert raised.value.status_code == 402
    assert raised.value.body["type"] == "error"  # type: ignore[index]
    assert raised.value.body["error"]["type"] == "billing_error"  # type: ignore[index]
    assert "raise the budget in the Governance panel" in raised.value.message
    assert endpoint.count == 0
