"""The example provider, which is one module and one line in the table of libraries, is governed like the others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from openai import Stream

from aumos_governance import ConfigurationError, GovernanceDeniedError, govern
from aumos_governance.integrations.guarding.libraries import LIBRARIES, Library
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.example import provider
from tests.integrations.example.library import PACKAGE, AsyncExample, Example
from tests.integrations.till import Till, priced

MODEL = "llama-3.3-70b-versatile"
REQUEST: dict[str, Any] = {
    "model": MODEL,
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "What is six times seven?"}],
}
COST = priced(MODEL, {"input_tokens": 11, "output_tokens": 7}, provider="groq")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the provider, as its line in `LIBRARIES` would."""
    monkeypatch.setitem(LIBRARIES, PACKAGE, Library("Example", provider.__name__))


@pytest.fixture
def client(endpoint: Endpoint, till: Till) -> Iterator[Any]:
    with govern(Example(endpoint.openai_url), engine=till.engine, budget_category="llm") as client:
        yield client


def test_its_calls_are_charged_what_they_cost(client: Any, till: Till) -> None:
    response = client.post("/chat/completions", body=REQUEST, cast_to=object)
    assert response["choices"][0]["message"]["content"]
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


def test_its_asynchronous_calls_are_charged_what_they_cost(endpoint: Endpoint, till: Till) -> None:
    async def call() -> None:
        async with govern(AsyncExample(endpoint.openai_url), engine=till.engine, budget_category="llm") as client:
            await client.post("/chat/completions", body=REQUEST, cast_to=object)

    asyncio.run(call())
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


def test_its_streams_are_charged_what_they_cost(client: Any, till: Till) -> None:
    body = {**REQUEST, "stream": True, "stream_options": {"include_usage": True}}
    stream = client.post("/chat/completions", body=body, cast_to=object, stream=True, stream_cls=Stream[object])
    assert len(list(stream)) > 2
    assert (till.events(), till.spent) == (["hold", "settle"], COST)


def test_its_free_methods_hold_nothing(client: Any, till: Till) -> None:
    assert client.post("/responses/input_tokens", body={"input": "x"}, cast_to=object)["input_tokens"]
    client.get("/models", cast_to=object)
    assert till.events() == []


def test_what_it_does_not_know_is_refused(client: Any, endpoint: Endpoint) -> None:
    with pytest.raises(ConfigurationError, match="POST /images was not sent"):
        client.post("/images", body={}, cast_to=object)
    assert endpoint.count == 0


def test_a_call_that_does_not_fit_is_denied(client: Any, endpoint: Endpoint) -> None:
    with pytest.raises(GovernanceDeniedError):
        client.post("/chat/completions", body={**REQUEST, "max_tokens": 10**9}, cast_to=object)
    assert endpoint.count == 0


def test_refusals_of_other_objects_name_it() -> None:
    with pytest.raises(ValueError, match=r"takes a client of OpenAI's, Anthropic's.* or Example's library"):
        govern(object())
