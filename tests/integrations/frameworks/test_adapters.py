"""The same calls through each way of calling OpenAI's API are charged the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib import import_module
from typing import Any

import openai
import pytest
from agents import Agent, OpenAIChatCompletionsModel, Runner, set_tracing_disabled
from langchain_openai import ChatOpenAI
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aumos_governance import govern
from aumos_governance.integrations.langchain import GovernedCalls
from aumos_governance.integrations.openai_wrapper import GovernedOpenAIClient
from tests.integrations.chats import MESSAGES
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till

set_tracing_disabled(True)
LIMIT = 1000


def http_client(kind: Any, endpoint: Endpoint) -> Any:
    """An HTTP client that sends requests to any seller's address to the endpoint."""
    base = next(each for each in kind.__mro__ if not each.__module__.startswith("openai"))
    library = import_module(base.__module__.partition(".")[0])
    to = library.URL(endpoint.url)

    def here(request: Any) -> None:
        request.url = request.url.copy_with(scheme=to.scheme, host=to.host, port=to.port)

    class Here(library.HTTPTransport):  # type: ignore[misc,name-defined]
        def handle_request(self, request: Any) -> Any:
            here(request)
            return super().handle_request(request)

    class AsyncHere(library.AsyncHTTPTransport):  # type: ignore[misc,name-defined]
        async def handle_async_request(self, request: Any) -> Any:
            here(request)
            return await super().handle_async_request(request)

    return kind(transport=AsyncHere() if "Async" in kind.__name__ else Here())


def client(endpoint: Endpoint, url: str) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", base_url=url, http_client=http_client(openai.DefaultHttpxClient, endpoint))


def async_client(endpoint: Endpoint, url: str) -> openai.AsyncOpenAI:
    http = http_client(openai.DefaultAsyncHttpxClient, endpoint)
    return openai.AsyncOpenAI(api_key="k", base_url=url, http_client=http)


def by_govern(endpoint: Endpoint, till: Till, url: str, model: str) -> None:
    with client(endpoint, url) as plain:
        governed = govern(plain, engine=till.engine, budget_category="llm")
        governed.chat.completions.create(model=model, messages=MESSAGES, max_tokens=LIMIT)


def by_langchain(endpoint: Endpoint, till: Till, url: str, model: str) -> None:
    with http_client(openai.DefaultHttpxClient, endpoint) as http:
        chat = ChatOpenAI(model=model, base_url=url, api_key="k", max_tokens=LIMIT, http_client=http)  # type: ignore[arg-type,call-arg]
        calls = GovernedCalls(engine=till.engine, budget_category="llm")
        chat.invoke("x", config={"callbacks": [calls]})


def by_agents(endpoint: Endpoint, till: Till, url: str, model: str) -> None:
    async def main() -> None:
        async with async_client(endpoint, url) as plain:
            governed = govern(plain, engine=till.engine, budget_category="llm")
            agent = Agent("clerk", model=OpenAIChatCompletionsModel(model, governed))
            await Runner.run(agent, "x")

    asyncio.run(main())


def by_pydantic_ai(endpoint: Endpoint, till: Till, url: str, model: str) -> None:
    async def main() -> None:
        async with async_client(endpoint, url) as plain:
            governed = govern(plain, engine=till.engine, budget_category="llm")
            agent = PydanticAgent(OpenAIChatModel(model, provider=OpenAIProvider(openai_client=governed)))
            await agent.run("x")

    asyncio.run(main())


def by_earlier_client(endpoint: Endpoint, till: Till, url: str, model: str) -> None:
    with client(endpoint, url) as plain:
        governed = GovernedOpenAIClient(plain, till.engine, "agent", budget_category="llm", default_cost=1)
        governed.governed_chat_completion(model, MESSAGES, max_tokens=LIMIT)


WAYS = {each.__name__: each for each in (by_govern, by_langchain, by_agents, by_pydantic_ai, by_earlier_client)}


def counts(into: int, out: int, **more: Any) -> dict[str, Any]:
    return {"prompt_tokens": into, "completion_tokens": out, "total_tokens": into + out, **more}


OPENROUTER = "https://openrouter.ai/api/v1"
SITUATIONS: dict[str, tuple[str, str, Mapping[str, Any], str]] = {
    "a seller's own price": ("https://api.cerebras.ai/v1", "gpt-oss-120b", counts(1000, 1000), "0.0011"),
    "a dated price": (OPENROUTER, "openai/gpt-4o", counts(1000, 1000), "0.0125"),
    "a stated cost": (OPENROUTER, "openai/gpt-4o", counts(1000, 100, cost=0.0235), "0.0235"),
    "reasoning beside": (
        "https://api.x.ai/v1",
        "grok-3-mini",
        counts(32, 9, total_tokens=441, completion_tokens_details={"reasoning_tokens": 400}),
        "0.0002141",
    ),
    "a region": ("https://eu.api.openai.com/v1", "gpt-5.4", counts(1000, 1000), "0.01925"),
}


def responded(model: str, usage: Mapping[str, Any] | None) -> Reply:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}
    return Reply(body=json.dumps(body).encode())


@pytest.mark.parametrize(("url", "model", "usage", "right"), SITUATIONS.values(), ids=SITUATIONS)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_each_way_charges_the_same(
    endpoint: Endpoint, till: Till, way: Callable[..., None], url: str, model: str, usage: Mapping[str, Any], right: str
) -> None:
    endpoint.default = responded(model, usage)
    way(endpoint, till, url, model)
    assert (endpoint.count, till.spent, till.held) == (1, Decimal(right), Decimal(0))


@pytest.mark.parametrize("usage", [None, counts(0, 0), counts(10, 0)], ids=str)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_is_left_in_doubt_is_charged_as_held(
    endpoint: Endpoint, till: Till, way: Callable[..., None], usage: Mapping[str, Any] | None
) -> None:
    endpoint.default = responded("gpt-4o", usage)
    way(endpoint, till, "https://api.openai.com/v1", "gpt-4o")
    (held,) = till.records("hold")
    assert (till.spent, till.events()) == (Decimal(held.amount) / 10**9, ["hold", "estimated"])
