"""The provider of the examples: used by the real client, offline."""

from __future__ import annotations

import asyncio

import pytest
from openai import NotFoundError, OpenAI

from aumos_governance import govern
from aumos_governance.integrations.fake_provider import fake_async_openai, fake_openai
from tests.integrations.till import Till, priced


@pytest.fixture
def client(till: Till) -> OpenAI:
    return govern(fake_openai(), engine=till.engine, budget_category="llm")


def test_it_responds_to_chats(client: OpenAI, till: Till) -> None:
    response = client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Say something"}])
    assert response.choices[0].message.content == "This is what a model could say to 'Say something'."
    assert till.spent == priced("gpt-4o", {"input_tokens": 2, "output_tokens": 10})
    stream = client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": [{"type": "text", "text": "Hi there"}]}], stream=True
    )
    stated = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert stated == "This is what a model could say to 'Hi there'."
    assert till.spent == 2 * priced("gpt-4o", {"input_tokens": 2, "output_tokens": 10})


def test_it_responds_to_responses_and_embeddings(client: OpenAI, till: Till) -> None:
    response = client.responses.create(model="gpt-4o", input="Hi there")
    assert response.output_text == "This is what a model could say to 'Hi there'."
    with client.responses.stream(model="gpt-4o", input=[{"role": "user", "content": "Hi there"}]) as stream:
        assert stream.get_final_response().output_text == response.output_text
    once = priced("gpt-4o", {"input_tokens": 2, "output_tokens": 10})
    assert till.spent == 2 * once
    assert len(client.embeddings.create(model="text-embedding-3-small", input=["a b", "c"]).data) == 2
    assert till.spent == 2 * once + priced("text-embedding-3-small", {"input_tokens": 3})


def test_it_knows_nothing_else(client: OpenAI) -> None:
    with pytest.raises(NotFoundError, match="chat, responses and embeddings"):
        client.models.list()


def test_it_can_be_awaited(till: Till) -> None:
    async def call() -> str | None:
        async with govern(fake_async_openai(), engine=till.engine, budget_category="llm") as client:
            response = await client.chat.completions.create(
                model="gpt-4o", messages=[{"role": "user", "content": "Hi"}]
            )
            return response.choices[0].message.content

    assert asyncio.run(call()) == "This is what a model could say to 'Hi'."
    assert till.spent == priced("gpt-4o", {"input_tokens": 1, "output_tokens": 9})
