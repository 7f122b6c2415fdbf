"""Calls through the server's gateway are charged there, and a governed client passes them on unchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from openai import OpenAI

from aumos_governance import govern
from aumos_governance.integrations.langchain import GovernedCalls
from aumos_governance.integrations.pricing.gateway_address import address_in_environment, at_gateway
from aumos_governance.wire.provider_keys import GATEWAY_ENV
from tests.integrations.chats import chat, plain
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till

MESSAGES = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def gateway(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> str:
    """The endpoint at the address of the gateway."""
    monkeypatch.setenv(GATEWAY_ENV, endpoint.url)
    return endpoint.url


def test_an_address_is_the_gateways_below_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "http://127.0.0.1:4321/llm"
    monkeypatch.delenv(GATEWAY_ENV, raising=False)
    assert not at_gateway(f"{address}/openai/v1/")
    assert not at_gateway("")
    monkeypatch.setenv(GATEWAY_ENV, address)
    assert at_gateway(address)
    assert at_gateway(f"{address}/openai/v1/")
    for other in ("", "http://127.0.0.1:43210/llm/openai", f"{address}2/openai", "https://api.openai.com/v1"):
        assert not at_gateway(other)


def test_the_environment_names_the_gateway_for_a_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(GATEWAY_ENV, "http://127.0.0.1:4321/llm")
    monkeypatch.delenv("ANTHROPIC_API_BASE", raising=False)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:4321/llm/anthropic")
    monkeypatch.setenv("MISTRAL_API_BASE", "https://elsewhere.example/v1")
    assert address_in_environment("anthropic") == "http://127.0.0.1:4321/llm/anthropic"
    assert address_in_environment("mistral") == ""
    assert address_in_environment("deepseek") == ""


def test_a_governed_client_of_the_gateway_holds_nothing(endpoint: Endpoint, till: Till, gateway: str) -> None:
    with govern(plain(endpoint), engine=till.engine, budget_category="llm") as client:
        assert chat(client).choices
        assert list(chat(client, stream=True))
        assert client.models.with_raw_response.list
        assert repr(client) == f"<OpenAI, charged by the gateway at {client.base_url}>"
        assert client.with_options(timeout=3).base_url == client.base_url
        chat(client.with_options(timeout=3))
    assert endpoint.count == 3
    assert (till.spent, till.held) == (0, 0)


def test_so_does_an_awaited_one(gateway: str, till: Till, run: Callable[..., Any]) -> None:
    async def work(client: Any) -> Any:
        return await client.chat.completions.create(model="gpt-4o-mini", max_tokens=50, messages=MESSAGES)

    assert run(work).choices
    assert till.spent == 0


def test_a_copy_for_another_address_is_governed_here(endpoint: Endpoint, till: Till, gateway: str) -> None:
    with govern(plain(endpoint), engine=till.engine, budget_category="llm") as client:
        other = client.with_options(base_url=endpoint.openai_url.replace("127.0.0.1", "localhost"))
        assert "charged by the gateway" not in repr(other)
        chat(other)
    assert till.spent > 0


def test_a_client_of_another_address_is_governed_here(endpoint: Endpoint, till: Till, client: OpenAI) -> None:
    chat(client)
    assert till.spent > 0


def test_langchains_calls_through_the_gateway_hold_nothing(endpoint: Endpoint, till: Till, gateway: str) -> None:
    callback = GovernedCalls(engine=till.engine, budget_category="llm")
    model = ChatOpenAI(model="gpt-4o-mini", base_url=endpoint.openai_url, api_key="key", callbacks=[callback])
    assert model.invoke("Hello").content
    assert (till.spent, till.held) == (0, 0)
