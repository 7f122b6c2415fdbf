"""A governed client is used like the original one: its class, its methods, its copies, at any provider's address."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from google import genai
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI

from aumos_governance import ConfigurationError, GovernanceDeniedError, govern
from aumos_governance.engine import register_default_engine
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced

REQUEST: Any = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 50}
COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})


@pytest.fixture
def plain(endpoint: Endpoint) -> Iterator[OpenAI]:
    with OpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0) as plain:
        yield plain


def test_it_is_of_the_original_s_class(plain: OpenAI, till: Till) -> None:
    governed = govern(plain, engine=till.engine)
    assert isinstance(governed, OpenAI)
    assert type(governed).__name__ == "OpenAI"
    assert set(dir(plain)) <= set(dir(governed))
    assert inspect.signature(governed.chat.completions.create) == inspect.signature(plain.chat.completions.create)
    assert type(governed.chat.completions) is type(plain.chat.completions)
    assert (governed.api_key, governed.base_url) == (plain.api_key, plain.base_url)
    assert isinstance(govern(AsyncOpenAI(api_key="key"), engine=till.engine), AsyncOpenAI)


def test_the_original_is_unchanged(plain: OpenAI, till: Till) -> None:
    govern(plain, engine=till.engine, budget_category="llm")
    plain.chat.completions.create(**REQUEST)
    assert (type(plain), till.records()) == (OpenAI, [])


def test_resources_that_were_used_before_are_governed_too(plain: OpenAI, till: Till) -> None:
    plain.chat.completions.create(**REQUEST)
    govern(plain, engine=till.engine, budget_category="llm").chat.completions.create(**REQUEST)
    assert till.spent == COST


def test_copies_stay_governed(plain: OpenAI, till: Till, endpoint: Endpoint) -> None:
    governed = govern(plain, engine=till.engine, budget_category="llm")
    for copied in (governed.copy(), governed.with_options(max_retries=3).with_options(timeout=9)):
        copied.chat.completions.create(**REQUEST)
    assert till.spent == 2 * COST
    with pytest.raises(ConfigurationError, match="not known"):
        governed.with_options(base_url="https://api.groq.com/openai/v1").chat.completions.create(**REQUEST)


def test_governed_again_is_charged_once_and_as_stated_last(plain: OpenAI, till: Till) -> None:
    till.engine.budget.create_budget("mail", 1)
    first = govern(plain, engine=till.engine, budget_category="mail")
    govern(first, engine=till.engine, budget_category="llm", agent_id="planner").chat.completions.create(**REQUEST)
    assert till.spent == COST
    assert till.engine.budget.balance("mail").spent == 0
    assert {record.agent_id for record in till.records()} == {"planner"}


def test_who_acts_is_the_engine_s_agent_unless_stated(plain: OpenAI, till: Till) -> None:
    govern(plain, engine=till.engine).chat.completions.create(**REQUEST)
    assert {record.agent_id for record in till.records()} == {"agent"}


def test_the_level_of_the_agent_counts(plain: OpenAI, till: Till, endpoint: Endpoint) -> None:
    governed = govern(plain, engine=till.engine, agent_id="planner", required_trust_level=2)
    with pytest.raises(GovernanceDeniedError, match="needs L2"):
        governed.chat.completions.create(**REQUEST)
    till.engine.trust.set_level("planner", 2)
    governed.chat.completions.create(**REQUEST)
    assert endpoint.count == 1


def test_without_an_engine_it_is_the_notebook_s(plain: OpenAI, till: Till) -> None:
    with pytest.raises(ConfigurationError, match="load_ext"):
        govern(plain)
    register_default_engine(lambda: till.engine)
    try:
        govern(plain, budget_category="llm").chat.completions.create(**REQUEST)
    finally:
        register_default_engine(None)
    assert till.spent == COST


def test_other_things_are_not_governed(till: Till) -> None:
    for other in (object(), "client", OpenAI):
        with pytest.raises(ValueError, match=r"takes a client of OpenAI's.* Anthropic's.* library"):
            govern(other, engine=till.engine)


def test_googles_client_is_governed_by_the_gateway(till: Till) -> None:
    client = genai.Client(api_key="key")
    for part in (client, client.models, client.aio, client.chats):
        with pytest.raises(ValueError, match="not Google's: the gateway governs its calls,"):
            govern(part, engine=till.engine)


def test_azure(endpoint: Endpoint, till: Till) -> None:
    options: Any = {"azure_endpoint": endpoint.url, "api_version": "2024-10-21", "api_key": "key"}
    with AzureOpenAI(**options) as azure:
        governed = govern(azure, engine=till.engine, budget_category="llm")
        assert isinstance(governed, AzureOpenAI)
        governed.chat.completions.create(**REQUEST)
        assert "/deployments/gpt-4o/" in endpoint.exchange(0).received.path
        assert till.spent == COST
        with pytest.raises(ConfigurationError, match="'my-deployment' is not known"):
            governed.chat.completions.create(**REQUEST | {"model": "my-deployment"})
        half = govern(azure, engine=till.engine, price={"output_mtok": 10})
        with pytest.raises(ConfigurationError):
            half.chat.completions.create(**REQUEST)
        price = {"my-deployment": {"input_mtok": "2.5", "output_mtok": 10}}
        stated = govern(azure, engine=till.engine, budget_category="llm", price=price)
        stated.chat.completions.create(**REQUEST | {"model": "my-deployment"})
        assert till.spent == 2 * COST

    async def awaited() -> None:
        async with govern(AsyncAzureOpenAI(**options), engine=till.engine, budget_category="llm") as client:
            async for _ in await client.chat.completions.create(**REQUEST, stream=True):
                pass

    asyncio.run(awaited())
    assert till.spent == 3 * COST


def test_a_local_server_that_states_the_usage_with_every_event(plain: OpenAI, till: Till, endpoint: Endpoint) -> None:
    def event(number: int) -> bytes:
        usage = {"prompt_tokens": 5, "completion_tokens": number, "total_tokens": 5 + number}
        choice = {"index": 0, "delta": {"content": "x"}, "finish_reason": None}
        return f"data: {json.dumps({'id': 'c', 'model': 'mine', 'choices': [choice], 'usage': usage})}\r\n\r\n".encode()

    body = b": a comment\r\n\r\n" + b"".join(event(number) for number in (1, 2, 3)) + b"data: [DONE]\r\n\r\n"
    endpoint.script(Reply(body=body))
    governed = govern(
        plain, engine=till.engine, budget_category="llm", price={"input_mtok": 1_000, "output_mtok": 2_000}
    )
    chunks = list(governed.chat.completions.create(**REQUEST | {"model": "mine"}, stream=True))
    assert [chunk.usage.completion_tokens for chunk in chunks if chunk.usage] == [1, 2, 3]
    assert till.spent == Decimal("0.011")


def test_what_a_call_needs_is_held_while_it_runs(plain: OpenAI, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage=Tokens(input=10, output=5))
    stream = govern(plain, engine=till.engine, budget_category="llm").chat.completions.create(**REQUEST, stream=True)
    held = till.engine.budget.balance("llm").held
    assert held >= priced("gpt-4o", {"input_tokens": 10, "output_tokens": 50})
    list(stream)
    assert till.spent == priced("gpt-4o", {"input_tokens": 10, "output_tokens": 5})
