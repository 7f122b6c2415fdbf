"""Requests as other providers' libraries sent them on 2026-11-29: they are charged, or refused with advice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from aumos_governance.gateway.configuration.providers import read_providers
from tests.gateway.gateway_server import PROVIDER_KEY, GatewayServer
from tests.gateway.raw import requested
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

MESSAGES = [{"role": "user", "content": "What is six times seven?"}]
USED = {"input_tokens": 11, "output_tokens": 7}


@dataclass(frozen=True)
class Sent:
    """The request of one library for a chat completion."""

    path: str
    model: str
    seller: str
    arrives: str
    body: dict[str, Any] = field(default_factory=dict)


CHATS = {
    # groq 1.7.0
    "groq": Sent("/llm/groq/openai/v1/chat/completions", "llama-3.1-8b-instant", "groq", "/openai/v1/chat/completions"),
    # together 3.1.1
    "together": Sent(
        "/llm/together/v1/chat/completions",
        "meta-llama/Llama-3.3-70B-Instruct-Turbo",
        "together",
        "/v1/chat/completions",
    ),
    # mistralai 3.7.0, which states in each request whether it streams
    "mistral": Sent(
        "/llm/mistral/v1/chat/completions",
        "mistral-small-latest",
        "mistral",
        "/v1/chat/completions",
        {"stream": False},
    ),
    # huggingface_hub 2.4.0, as well
    "huggingface": Sent(
        "/llm/huggingface/v1/chat/completions",
        "openai/gpt-oss-20b",
        "huggingface_groq",
        "/v1/chat/completions",
        {"stream": False},
    ),
    # openai 3.57.0
    "cohere": Sent(
        "/llm/cohere/compatibility/v1/chat/completions",
        "command-r7b",
        "cohere",
        "/compatibility/v1/chat/completions",
    ),
}
OTHERS = {
    # cohere 7.3.0
    "cohere": (
        ("/llm/cohere/v2/chat", {"model": "command-r7b", "messages": MESSAGES, "stream": False}),
        ("/llm/cohere/v2/embed", {"model": "embed-v4.0", "texts": ["a"], "input_type": "search_query"}),
        ("/llm/cohere/v1/chat", {"message": "Hi", "model": "command-r7b", "stream": False}),
    ),
    # ollama 0.6.3
    "ollama": (
        ("/llm/ollama/api/chat", {"model": "llama3.2", "messages": MESSAGES, "tools": [], "stream": True}),
        ("/llm/ollama/api/generate", {"model": "llama3.2", "prompt": "Hi", "stream": False}),
    ),
    # huggingface_hub 2.4.0
    "huggingface": (("/llm/huggingface/v1", {"inputs": "Hi", "parameters": {}}),),
}
BASES = {"cohere": "/cohere/compatibility/v1", "ollama": "/ollama/v1", "huggingface": "/huggingface/v1"}


@pytest.fixture
def server(endpoint: Endpoint) -> Iterator[GatewayServer]:
    key: dict[str, Any] = {"key_env": "TEAM_KEY"}
    providers = {
        "groq": key | {"base_url": f"{endpoint.url}/openai/v1"},
        "together": key | {"base_url": f"{endpoint.url}/v1"},
        "mistral": key | {"base_url": f"{endpoint.url}/v1"},
        "huggingface": key | {"base_url": f"{endpoint.url}/v1", "provider": "huggingface_groq"},
        "cohere": key | {"base_url": f"{endpoint.url}/compatibility/v1"},
        "ollama": {"base_url": f"{endpoint.url}/v1", "cost": "0.01"},
    }
    with GatewayServer(endpoint, given=read_providers(providers, {"TEAM_KEY": PROVIDER_KEY})) as server:
        yield server


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", CHATS)
def test_a_librarys_chat_costs_what_it_used(server: GatewayServer, name: str, *, streamed: bool) -> None:
    sent = CHATS[name]
    body = {
        "model": sent.model,
        "messages": MESSAGES,
        "max_tokens": 50,
        **sent.body,
        **({"stream": True} if streamed else {}),
    }
    response = requested(server, json.dumps(body).encode(), path=sent.path)
    assert response.status == 200, response.body
    assert server.spent == priced(sent.model, USED, provider=sent.seller)
    assert server.events() == ["hold", "settle"]
    [exchange] = server.endpoint.exchanges
    assert (exchange.received.path, exchange.received.headers["authorization"]) == (
        sent.arrives,
        f"Bearer {PROVIDER_KEY}",
    )


@pytest.mark.parametrize("name", OTHERS)
def test_an_api_of_a_providers_own_is_refused_with_the_one_that_is_served(server: GatewayServer, name: str) -> None:
    for path, body in OTHERS[name]:
        response = requested(server, json.dumps(body).encode(), path=path)
        assert (response.status, response.headers["x-aumos-code"]) == (400, "METHOD_UNKNOWN")
        message = response.json["error"]["message"]
        assert message.endswith(f"at the base URL $AUMOS_GOVERNANCE_GATEWAY{BASES[name]}.")
    assert server.spent == 0
    assert server.endpoint.count == 0
