"""LangChain's models, governed by a callback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.language_models import FakeListLLM
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI

from aumos_governance import ConfigurationError, GovernanceDeniedError, GovernanceEngine, govern
from aumos_governance.integrations.langchain import GovernedCalls
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced

QUESTION = "What is the answer?"
TEXT = Reply().text
TOKENS = Tokens(input=1000, output=300, cached=400, reasoning=100)
USAGE = {"input_tokens": 1000, "output_tokens": 300, "cache_read_tokens": 400, "output_reasoning_tokens": 100}
COST = priced("gpt-4o", USAGE)


@pytest.fixture
def till() -> Iterator[Till]:
    with GovernanceEngine() as engine:
        yield Till(engine)


@pytest.fixture
def model(endpoint: Endpoint) -> ChatOpenAI:
    endpoint.default = Reply(usage=TOKENS)
    return ChatOpenAI(model="gpt-4o", base_url=endpoint.openai_url, api_key="key", stream_usage=True, max_retries=0)  # type: ignore[arg-type]


def config(till: Till, **options: Any) -> Any:
    return {"callbacks": [GovernedCalls(engine=till.engine, budget_category="llm", **options)]}


def invoke(model: ChatOpenAI, governed: Any) -> str:
    return str(model.invoke(QUESTION, config=governed).content)


def stream(model: ChatOpenAI, governed: Any) -> str:
    return "".join(str(chunk.content) for chunk in model.stream(QUESTION, config=governed))


def in_a_chain(model: ChatOpenAI, governed: Any) -> str:
    chain = RunnableLambda(lambda text: text) | model
    return str(chain.invoke(QUESTION, config=governed).content)


def awaited(model: ChatOpenAI, governed: Any) -> str:
    async def main() -> str:
        async with AsyncOpenAI(base_url=model.openai_api_base, api_key="key", max_retries=0) as client:
            return str((await _over(client, model).ainvoke(QUESTION, config=governed)).content)

    return asyncio.run(main())


def streamed_awaited(model: ChatOpenAI, governed: Any) -> str:
    async def main() -> str:
        async with AsyncOpenAI(base_url=model.openai_api_base, api_key="key", max_retries=0) as client:
            chunks = _over(client, model).astream(QUESTION, config=governed)
            return "".join([str(chunk.content) async for chunk in chunks])

    return asyncio.run(main())


def _over(client: AsyncOpenAI, model: ChatOpenAI) -> ChatOpenAI:
    """The model's own asynchronous client outlives the loop of a test."""
    return model.model_copy(update={"root_async_client": client, "async_client": client.chat.completions})


@pytest.mark.parametrize("call", [invoke, stream, in_a_chain, awaited, streamed_awaited])
def test_each_way_of_calling_costs_what_its_tokens_cost(
    till: Till, model: ChatOpenAI, call: Callable[[ChatOpenAI, Any], str]
) -> None:
    assert call(model, config(till)) == TEXT
    assert (till.spent, till.held, till.events()) == (COST, 0, ["hold", "settle"])


def test_a_batch_is_a_call_for_each(till: Till, model: ChatOpenAI) -> None:
    model.batch([QUESTION, QUESTION, QUESTION], config=config(till))
    assert (till.spent, till.held) == (3 * COST, 0)


@pytest.mark.parametrize("call", [invoke, stream, awaited, streamed_awaited])
def test_a_denied_call_is_not_sent(
    endpoint: Endpoint, till: Till, model: ChatOpenAI, call: Callable[[ChatOpenAI, Any], str]
) -> None:
    till.engine.budget.create_budget("small", "0.001")
    governed = {"callbacks": [GovernedCalls(engine=till.engine, budget_category="small")]}
    with pytest.raises(GovernanceDeniedError, match="small"):
        call(model, governed)
    assert (endpoint.count, till.held) == (0, 0)


@pytest.mark.parametrize("call", [invoke, awaited, stream, streamed_awaited])
def test_an_error_response_costs_nothing_and_the_rest_is_an_estimate(
    endpoint: Endpoint, till: Till, model: ChatOpenAI, call: Callable[[ChatOpenAI, Any], str]
) -> None:
    endpoint.script(Reply(status=500), Reply(break_after=0))
    for _ in range(2):
        with pytest.raises(Exception, match="error"):
            call(model, config(till))
    assert till.events() == ["hold", "release", "hold", "estimated"]
    assert till.held == 0


def test_a_stream_that_is_left_is_an_estimate(till: Till, model: ChatOpenAI) -> None:
    chunks = model.stream(QUESTION, config=config(till))
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]
    assert till.held == 0
    assert till.events() == ["hold", "estimated"]


def test_a_call_whose_task_is_cancelled_is_an_estimate(endpoint: Endpoint, till: Till, model: ChatOpenAI) -> None:
    endpoint.script(Reply(pause_after=0))

    async def main() -> None:
        async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
            task = asyncio.create_task(_over(client, model).ainvoke(QUESTION, config=config(till)))
            await asyncio.to_thread(endpoint.wait_received, 1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert till.held == 0
    assert till.events() == ["hold", "estimated"]


def test_a_response_without_usage_is_an_estimate(endpoint: Endpoint, till: Till, model: ChatOpenAI) -> None:
    endpoint.script(Reply(usage=None))
    invoke(model, config(till))
    assert till.events() == ["hold", "estimated"]


def test_a_response_from_langchains_cache_costs_nothing(till: Till, model: ChatOpenAI) -> None:
    cached = model.model_copy(update={"cache": InMemoryCache()})
    assert [invoke(cached, config(till)) for _ in range(2)] == [TEXT] * 2
    assert (till.spent, till.events()) == (COST, ["hold", "settle", "hold", "release"])


def test_the_limit_and_the_price_count_for_what_is_held(till: Till, model: ChatOpenAI) -> None:
    for limit in (100, 1100):
        invoke(model.model_copy(update={"max_tokens": limit}), config(till))
    short, longer = (entry.amount for entry in till.records("hold"))
    # The dearest service tier that a project may set by default.
    assert longer - short == priced("gpt-4o", {"output_tokens": 1000}, tier="priority") * 10**9


def test_a_model_without_a_price_is_refused_until_one_is_stated(till: Till) -> None:
    model = FakeListChatModel(responses=["an answer"])
    with pytest.raises(ConfigurationError, match="not known"):
        model.invoke(QUESTION, config=config(till))
    assert [entry.code for entry in till.records("evaluate")] == ["PRICE_UNKNOWN"]
    assert model.invoke(QUESTION, config=config(till, cost="0.25")).content == "an answer"
    assert (till.spent, till.held) == (Decimal("0.25"), 0)


def test_several_prompts_in_one_call_are_refused(till: Till) -> None:
    model = FakeListLLM(responses=["one", "two"])
    with pytest.raises(ConfigurationError, match="max_concurrency"):
        model.batch([QUESTION, QUESTION], config=config(till, cost="0.25"))
    assert till.held == 0
    assert [entry.code for entry in till.records("evaluate")] == ["CANNOT_BE_HELD"]
    model.batch([QUESTION, QUESTION], config={**config(till, cost="0.25"), "max_concurrency": 1})
    assert (till.spent, till.held) == (Decimal("0.5"), 0)


def test_or_the_client_of_a_model_is_governed(endpoint: Endpoint, till: Till, model: ChatOpenAI) -> None:
    client = govern(model.root_client, engine=till.engine, budget_category="llm")
    governed = ChatOpenAI(model="gpt-4o", root_client=client, client=client.chat.completions, api_key="key")  # type: ignore[arg-type]
    assert governed.invoke(QUESTION).content == TEXT
    assert (till.spent, till.held) == (COST, 0)
