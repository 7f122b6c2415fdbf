"""A second paid request within one call is held and charged by itself, by the model that it names."""

from __future__ import annotations

import asyncio
import gc
import json
from decimal import Decimal
from typing import Any

import anthropic
import pytest
from anthropic import APIConnectionError, InternalServerError
from openai import OpenAI

from aumos_governance import GovernanceEngine, govern
from aumos_governance.integrations.guarding.attempts import Attempt, Call
from aumos_governance.integrations.guarding.charge import Charge
from tests.integrations.chats import chat, plain
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.guarding.attempting import HAIKU, OPUS, REQUEST, Provider, cost, message, refusing, to_opus
from tests.integrations.till import Till, priced
from tests.integrations.wire import feature, http


@pytest.fixture
def provider() -> Provider:
    return Provider()


# ---- the library's own fallback, which sends the second request while the caller reads the first one's stream


def test_a_refused_stream_and_its_fallback_are_two_charges(provider: Provider, till: Till) -> None:
    provider.response = refusing
    client = provider.client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))
    with anthropic.BetaFallbackState(), client.beta.messages.stream(**REQUEST) as stream:
        assert stream.get_final_message().model == OPUS
    assert provider.models == [HAIKU, OPUS]
    assert till.spent == cost(HAIKU, 1) + cost(OPUS)
    assert till.events() == ["hold", "hold", "settle", "settle"] or till.events() == ["hold", "settle"] * 2
    assert [record.tool for record in till.records("hold")] == [HAIKU, OPUS]


def test_a_refused_response_and_its_fallback_are_two_charges(provider: Provider, till: Till) -> None:
    provider.response = refusing
    client = provider.client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))
    with anthropic.BetaFallbackState():
        assert client.beta.messages.create(**REQUEST).model == OPUS
    assert (till.spent, till.events()) == (cost(HAIKU, 1) + cost(OPUS), ["hold", "settle"] * 2)


def test_an_awaited_refused_stream_and_its_fallback_are_two_charges(provider: Provider, till: Till) -> None:
    provider.response = refusing

    async def streamed() -> str:
        client = provider.async_client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))
        with anthropic.BetaFallbackState():
            async with client.beta.messages.stream(**REQUEST) as stream:
                return (await stream.get_final_message()).model

    assert asyncio.run(streamed()) == OPUS
    assert till.spent == cost(HAIKU, 1) + cost(OPUS)
    assert len(till.records("hold")) == 2


def test_a_fallback_that_does_not_fit_is_not_sent(provider: Provider) -> None:
    provider.response = refusing
    # The first one's hold fits, the fallback's does not.
    with GovernanceEngine() as engine:
        till = Till(engine, limit=0.02)
        client = provider.client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))
        with anthropic.BetaFallbackState(), client.beta.messages.stream(**REQUEST) as stream:
            assert stream.get_final_message().model == HAIKU
        assert provider.models == [HAIKU]
        assert (till.spent, till.held) == (cost(HAIKU, 1), Decimal(0))


# ---- other middleware


def test_each_stream_of_one_call_is_charged(provider: Provider, till: Till) -> None:
    def twice(request: Any, go: Any) -> Any:
        for _ in go(request).parse():
            pass
        return go(request)

    with provider.client(till, twice).messages.stream(**REQUEST) as stream:
        stream.get_final_message()
    assert len(provider.models) == 2
    assert (till.spent, len(till.records("hold"))) == (2 * cost(HAIKU), 2)


def test_a_stream_that_middleware_closes_is_charged_beside_the_next(provider: Provider, till: Till) -> None:
    def twice(request: Any, go: Any) -> Any:
        go(request).parse().close()
        return go(request)

    with provider.client(till, twice).messages.stream(**REQUEST) as stream:
        stream.get_final_message()
    assert till.held == 0
    assert sorted(till.events()) == ["estimated", "hold", "hold", "settle"]
    assert till.spent > cost(HAIKU)


def test_another_model_after_an_error_is_held_in_place_of_the_first(provider: Provider) -> None:
    def falling_back(request: Any, go: Any) -> Any:
        response = go(request)
        return response if response.http_response.is_success else go(to_opus(request))

    provider.response = lambda body, number: http.Response(529, json={}) if number == 1 else message(body)
    with GovernanceEngine() as engine:
        # Either one fits, both do not.
        till = Till(engine, limit=0.027)
        assert provider.client(till, falling_back).messages.create(**REQUEST).model == OPUS
        assert (till.spent, till.held) == (cost(OPUS), Decimal(0))
        assert [record.tool for record in till.records("hold")] == [HAIKU, OPUS]


def test_another_model_after_a_failed_connection(provider: Provider, till: Till) -> None:
    def falling_back(request: Any, go: Any) -> Any:
        try:
            return go(request)
        except APIConnectionError:
            return go(to_opus(request))

    def response(body: dict[str, Any], number: int) -> Any:
        if body["model"] == HAIKU:
            raise http.ConnectError("refused") if number == 1 else http.ReadTimeout("late")
        return message(body)

    provider.response = response
    client = provider.client(till, falling_back)
    client.messages.create(**REQUEST)
    assert (till.events(), till.spent) == (["hold", "release", "hold", "settle"], cost(OPUS))
    client.messages.create(**REQUEST)
    # What timed out may have been paid for.
    assert till.events()[4:] == ["hold", "estimated", "hold", "settle"]


def test_a_router_is_held_at_the_model_that_it_chooses(provider: Provider, till: Till) -> None:
    client = provider.client(till, lambda request, go: go(to_opus(request)))
    client.messages.create(**REQUEST)
    (held,) = till.records("hold")
    assert (held.tool, till.spent) == (OPUS, cost(OPUS))


def test_middleware_that_sends_nothing_holds_nothing(provider: Provider, till: Till) -> None:
    client = provider.client(till, lambda request, go: "cached")
    assert client.messages.create(**REQUEST) == "cached"
    assert till.events() == []


def test_the_same_content_is_tried_again_with_the_same_hold(provider: Provider, till: Till) -> None:
    provider.response = lambda body, number: http.Response(500, json={}) if number < 2 else message(body)
    for client in (
        provider.client(till, lambda request, go: go(request), max_retries=1),
        provider.client(till, max_retries=1),
    ):
        provider.models.clear()
        client.messages.create(**REQUEST)
        assert len(provider.models) == 2
    assert till.events() == ["hold", "settle"] * 2
    provider.response = lambda *_: http.Response(500, json={})
    with pytest.raises(InternalServerError):
        provider.client(till, lambda request, go: go(request)).messages.create(**REQUEST)
    assert till.events()[4:] == ["hold", "release"]


# ---- a client whose own class changes its requests


class Upgrading(OpenAI):
    def _prepare_options(self, options: Any) -> Any:
        options.json_data = {**options.json_data, "model": "gpt-4"}
        return super()._prepare_options(options)


def test_what_a_subclass_sends_is_what_is_held(till: Till) -> None:
    def response(request: http.Request) -> http.Response:
        reported = {"id": "c", "object": "chat.completion", "created": 1, "model": json.loads(request.content)["model"]}
        choice = {"index": 0, "message": {"role": "assistant", "content": "42"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        return http.Response(200, json={**reported, "choices": [choice], "usage": usage})

    responding = http.Client(transport=http.MockTransport(response))
    client = govern(
        Upgrading(api_key="k", http_client=responding, max_retries=0), engine=till.engine, budget_category="llm"
    )
    assert chat(client).model == "gpt-4"
    assert [record.tool for record in till.records("hold")][-1] == "gpt-4"
    assert till.spent == priced("gpt-4", {"input_tokens": 1000, "output_tokens": 100})


# ---- afterwards


def test_a_call_leaves_nothing_to_the_garbage_collector(endpoint: Endpoint, till: Till) -> None:
    def kept() -> int:
        return sum(type(each) in (Call, Attempt, Charge) for each in gc.get_objects())

    client = govern(plain(endpoint), engine=till.engine)
    chat(client)
    gc.collect()
    gc.disable()
    try:
        before = kept()
        for _ in range(5):
            chat(client)
        assert kept() == before
    finally:
        gc.enable()
