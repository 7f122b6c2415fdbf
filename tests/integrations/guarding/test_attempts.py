"""Whatever sends a second paid request within one call: it is held and charged by itself, at the model it names."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import anthropic
import pytest
from anthropic import (
    Anthropic,
    APIConnectionError,
    AsyncAnthropic,
    InternalServerError,
)
from openai import APIConnectionError as OpenAIConnectionError
from openai import OpenAI

from aumos_governance import GovernanceDeniedError, GovernanceEngine, govern
from aumos_governance.integrations.guarding.attempts import SENDING, Sending
from aumos_governance.integrations.guarding.leftovers import leftovers
from tests.integrations.chats import chat
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced
from tests.integrations.wire import feature, http, needs_parameter
from tests.interrupting import PACKAGE, interrupted

HAIKU, OPUS = "claude-haiku-4-5", "claude-opus-4-5"
ASK: Any = {"model": HAIKU, "max_tokens": 1000, "messages": [{"role": "user", "content": "Hello"}]}
OURS = (PACKAGE / "integrations", *PACKAGE.glob("*.py"))


def cost(model: str, output: int = 100) -> Decimal:
    return priced(model, {"input_tokens": 1000, "output_tokens": output}, provider="anthropic")


def chained(middleware: Sequence[Any]) -> dict[str, Any]:
    """The option of a client with this middleware; skips the test where the library's clients have none."""
    if not middleware:
        return {}
    needs_parameter(Anthropic, "middleware")
    return {"middleware": middleware}


class Provider:
    """Answers what it is sent by a function of the request's body and its number, counted from 1."""

    def __init__(self) -> None:
        self.models: list[str] = []
        self.answer: Callable[[dict[str, Any], int], Any] = lambda body, _: message(body)

    def __call__(self, request: http.Request) -> http.Response:
        body = json.loads(request.content)
        self.models.append(body["model"])
        answer = self.answer(body, len(self.models))
        return answer if isinstance(answer, http.Response) else http.Response(200, json=answer)

    async def awaited(self, request: http.Request) -> http.Response:
        return self(request)

    def client(self, till: Till, *middleware: Any, **options: Any) -> Anthropic:
        answering = http.Client(transport=http.MockTransport(self))
        plain = Anthropic(api_key="k", http_client=answering, **{"max_retries": 0} | options | chained(middleware))
        return govern(plain, engine=till.engine, budget_category="llm")

    def async_client(self, till: Till, *middleware: Any) -> AsyncAnthropic:
        answering = http.AsyncClient(transport=http.MockTransport(self.awaited))
        plain = AsyncAnthropic(api_key="k", http_client=answering, max_retries=0, **chained(middleware))
        return govern(plain, engine=till.engine, budget_category="llm")


def message(body: dict[str, Any], reason: str = "end_turn", output: int = 100) -> Any:
    told: dict[str, Any] = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "stop_reason": reason,
        "stop_sequence": None,
        "content": [{"type": "text", "text": "hi"}],
        "usage": {"input_tokens": 1000, "output_tokens": output},
    }
    if not body.get("stream"):
        return told
    begun = {**told, "content": [], "stop_reason": None, "usage": {"input_tokens": 1000, "output_tokens": 1}}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "hi"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": output},
        },
        {"type": "message_stop"},
    ]
    if reason == "refusal":
        del events[1:4]
    sent = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    return http.Response(200, headers={"content-type": "text/event-stream"}, content=sent.encode())


@pytest.fixture
def provider() -> Provider:
    return Provider()


def refusing(body: dict[str, Any], number: int) -> Any:
    return message(body, "refusal", 1) if number == 1 else message(body)


# ---- the library's own fallback, which sends the second request while the caller reads the first one's stream


def test_a_refused_stream_and_its_fallback_are_two_charges(provider: Provider, till: Till) -> None:
    provider.answer = refusing
    client = provider.client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))
    with anthropic.BetaFallbackState(), client.beta.messages.stream(**ASK) as stream:
        assert stream.get_final_message().model == OPUS
    assert provider.models == [HAIKU, OPUS]
    assert till.spent == cost(HAIKU, 1) + cost(OPUS)
    assert till.events() == ["hold", "hold", "settle", "settle"] or till.events() == ["hold", "settle"] * 2
    assert [record.tool for record in till.records("hold")] == [HAIKU, OPUS]


def test_a_refused_answer_and_its_fallback_are_two_charges(provider: Provider, till: Till) -> None:
    provider.answer = refusing
    client = provider.client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))
    with anthropic.BetaFallbackState():
        assert client.beta.messages.create(**ASK).model == OPUS
    assert (till.spent, till.events()) == (cost(HAIKU, 1) + cost(OPUS), ["hold", "settle"] * 2)


def test_an_awaited_refused_stream_and_its_fallback_are_two_charges(provider: Provider, till: Till) -> None:
    provider.answer = refusing

    async def streamed() -> str:
        client = provider.async_client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))
        with anthropic.BetaFallbackState():
            async with client.beta.messages.stream(**ASK) as stream:
                return (await stream.get_final_message()).model

    assert asyncio.run(streamed()) == OPUS
    assert till.spent == cost(HAIKU, 1) + cost(OPUS)
    assert len(till.records("hold")) == 2


def test_a_fallback_that_does_not_fit_is_not_sent(provider: Provider) -> None:
    provider.answer = refusing
    # The first one's hold fits, the fallback's does not.
    with GovernanceEngine() as engine:
        till = Till(engine, limit=0.02)
        client = provider.client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))
        with anthropic.BetaFallbackState(), client.beta.messages.stream(**ASK) as stream:
            assert stream.get_final_message().model == HAIKU
        assert provider.models == [HAIKU]
        assert (till.spent, till.held) == (cost(HAIKU, 1), Decimal(0))


# ---- other middleware


def test_each_stream_of_one_call_is_charged(provider: Provider, till: Till) -> None:
    def twice(request: Any, go: Any) -> Any:
        for _ in go(request).parse():
            pass
        return go(request)

    with provider.client(till, twice).messages.stream(**ASK) as stream:
        stream.get_final_message()
    assert len(provider.models) == 2
    assert (till.spent, len(till.records("hold"))) == (2 * cost(HAIKU), 2)


def test_a_stream_that_middleware_closes_is_charged_beside_the_next(provider: Provider, till: Till) -> None:
    def twice(request: Any, go: Any) -> Any:
        go(request).parse().close()
        return go(request)

    with provider.client(till, twice).messages.stream(**ASK) as stream:
        stream.get_final_message()
    assert till.held == 0
    assert sorted(till.events()) == ["estimated", "hold", "hold", "settle"]
    assert till.spent > cost(HAIKU)


def to_opus(request: Any) -> Any:
    return request.copy(body={**request.json, "model": OPUS})


def test_another_model_after_an_error_is_held_in_place_of_the_first(provider: Provider) -> None:
    def falling_back(request: Any, go: Any) -> Any:
        response = go(request)
        return response if response.http_response.is_success else go(to_opus(request))

    provider.answer = lambda body, number: http.Response(529, json={}) if number == 1 else message(body)
    with GovernanceEngine() as engine:
        # Either one fits, both do not.
        till = Till(engine, limit=0.027)
        assert provider.client(till, falling_back).messages.create(**ASK).model == OPUS
        assert (till.spent, till.held) == (cost(OPUS), Decimal(0))
        assert [record.tool for record in till.records("hold")] == [HAIKU, OPUS]


def test_another_model_after_a_failed_connection(provider: Provider, till: Till) -> None:
    def falling_back(request: Any, go: Any) -> Any:
        try:
            return go(request)
        except APIConnectionError:
            return go(to_opus(request))

    def answer(body: dict[str, Any], number: int) -> Any:
        if body["model"] == HAIKU:
            raise http.ConnectError("refused") if number == 1 else http.ReadTimeout("late")
        return message(body)

    provider.answer = answer
    client = provider.client(till, falling_back)
    client.messages.create(**ASK)
    assert (till.events(), till.spent) == (["hold", "release", "hold", "settle"], cost(OPUS))
    client.messages.create(**ASK)
    # What timed out may have been paid for.
    assert till.events()[4:] == ["hold", "estimated", "hold", "settle"]


def test_a_router_is_held_at_the_model_that_it_chooses(provider: Provider, till: Till) -> None:
    client = provider.client(till, lambda request, go: go(to_opus(request)))
    client.messages.create(**ASK)
    (held,) = till.records("hold")
    assert (held.tool, till.spent) == (OPUS, cost(OPUS))


def test_middleware_that_sends_nothing_holds_nothing(provider: Provider, till: Till) -> None:
    client = provider.client(till, lambda request, go: "cached")
    assert client.messages.create(**ASK) == "cached"
    assert till.events() == []


def test_the_same_content_is_tried_again_with_the_same_hold(provider: Provider, till: Till) -> None:
    provider.answer = lambda body, number: http.Response(500, json={}) if number < 2 else message(body)
    for client in (
        provider.client(till, lambda request, go: go(request), max_retries=1),
        provider.client(till, max_retries=1),
    ):
        provider.models.clear()
        client.messages.create(**ASK)
        assert len(provider.models) == 2
    assert till.events() == ["hold", "settle"] * 2
    provider.answer = lambda *_: http.Response(500, json={})
    with pytest.raises(InternalServerError):
        provider.client(till, lambda request, go: go(request)).messages.create(**ASK)
    assert till.events()[4:] == ["hold", "release"]


# ---- side by side


def test_requests_side_by_side_are_each_charged(provider: Provider, till: Till) -> None:
    both = threading.Barrier(2)

    def hedging(request: Any, go: Any) -> Any:
        # Neither thread has this one's context.
        with ThreadPoolExecutor(2) as pool:
            sent = [pool.submit(go, one) for one in (request, to_opus(request))]
            return next(one.result() for one in sent)

    def answer(body: dict[str, Any], _: int) -> Any:
        both.wait(10)
        return message(body)

    provider.answer = answer
    assert provider.client(till, hedging).messages.create(**ASK).model == HAIKU
    assert till.held == 0
    assert till.spent == cost(HAIKU) + cost(OPUS)


def test_a_request_that_outlives_its_call_is_charged(provider: Provider, till: Till) -> None:
    late, pool = threading.Event(), ThreadPoolExecutor(1)

    def hedging(request: Any, go: Any) -> Any:
        slow = pool.submit(go, to_opus(request))
        slower.append(slow)
        return go(request)

    def answer(body: dict[str, Any], _: int) -> Any:
        if body["model"] == OPUS:
            late.wait(10)
        return message(body)

    slower: list[Any] = []
    provider.answer = answer
    provider.client(till, hedging).messages.create(**ASK)
    late.set()
    slower[0].result(10)
    pool.shutdown()
    assert (till.held, till.spent) == (Decimal(0), cost(HAIKU) + cost(OPUS))


def test_awaited_side_by_side_the_slower_one_is_an_estimate_when_it_is_cancelled(till: Till) -> None:
    provider, opus_sent = Provider(), asyncio.Event()

    async def answer(request: http.Request) -> http.Response:
        if json.loads(request.content)["model"] == OPUS:
            opus_sent.set()
            await asyncio.Event().wait()
        await opus_sent.wait()
        return provider(request)

    async def hedging(request: Any, go: Any) -> Any:
        sent = [asyncio.create_task(go(one)) for one in (request, to_opus(request))]
        done, slow = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        for task in slow:
            task.cancel()
        await asyncio.wait(slow)
        return done.pop().result()

    async def hedged() -> None:
        answering = http.AsyncClient(transport=http.MockTransport(answer))
        plain = AsyncAnthropic(api_key="k", http_client=answering, max_retries=0, **chained([hedging]))
        client = govern(plain, engine=till.engine, budget_category="llm")
        assert (await client.messages.create(**ASK)).model == HAIKU

    asyncio.run(hedged())
    assert till.held == 0
    assert sorted(till.events()) == ["estimated", "hold", "hold", "settle"]
    (opus,) = [record for record in till.records("hold") if record.tool == OPUS]
    assert till.spent == cost(HAIKU) + Decimal(opus.amount).scaleb(-9)


def test_of_requests_side_by_side_the_one_that_does_not_fit_is_denied(provider: Provider) -> None:
    def hedging(request: Any, go: Any) -> Any:
        first = go(request)
        with ThreadPoolExecutor(1) as pool, pytest.raises(GovernanceDeniedError):
            pool.submit(go, to_opus(request)).result()
        return first

    with GovernanceEngine() as engine:
        till = Till(engine, limit=0.02)
        provider.client(till, hedging).messages.create(**ASK)
        assert (provider.models, till.spent, till.held) == ([HAIKU], cost(HAIKU), Decimal(0))


# ---- a client whose own class has a say in what is sent


class Upgrading(OpenAI):
    def _prepare_options(self, options: Any) -> Any:
        options.json_data = {**options.json_data, "model": "gpt-4"}
        return super()._prepare_options(options)


def test_what_a_subclass_sends_is_what_is_held(till: Till) -> None:
    def answer(request: http.Request) -> http.Response:
        told = {"id": "c", "object": "chat.completion", "created": 1, "model": json.loads(request.content)["model"]}
        choice = {"index": 0, "message": {"role": "assistant", "content": "42"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        return http.Response(200, json={**told, "choices": [choice], "usage": usage})

    answering = http.Client(transport=http.MockTransport(answer))
    client = govern(
        Upgrading(api_key="k", http_client=answering, max_retries=0), engine=till.engine, budget_category="llm"
    )
    assert chat(client).model == "gpt-4"
    assert [record.tool for record in till.records("hold")][-1] == "gpt-4"
    assert till.spent == priced("gpt-4", {"input_tokens": 1000, "output_tokens": 100})


# ---- interrupts


def test_what_an_interrupt_left_behind_is_taken_for_nothing(endpoint: Endpoint, client: OpenAI, till: Till) -> None:
    # An interrupt may come just before the context is put back. OpenAI's library has no function that sets it anew.
    left = SENDING.set(Sending(streamed=False))
    try:
        endpoint.default = Reply(break_after=0)
        with pytest.raises(OpenAIConnectionError):
            chat(client)
        assert (till.held, till.events()) == (Decimal(0), ["hold", "estimated"])
    finally:
        SENDING.reset(left)


@pytest.fixture(params=[False, True], ids=["answer", "stream"])
def streamed(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def falling_back(provider: Provider, till: Till, streamed: bool) -> Callable[[], object]:
    """A call whose middleware sends two requests, the second one perhaps while the caller reads."""
    client = provider.client(till, feature(anthropic, "BetaRefusalFallbackMiddleware")([{"model": OPUS}]))

    def call() -> object:
        provider.models.clear()
        with anthropic.BetaFallbackState():
            if not streamed:
                return client.beta.messages.create(**ASK)
            with client.beta.messages.stream(**ASK) as stream:
                return stream.get_final_message()

    provider.answer = refusing
    return call


def given_back(till: Till) -> bool:
    if till.held:
        # A stream that the interrupt kept from its reader is found by the garbage collector.
        gc.collect()
    deadline = time.monotonic() + 10
    while till.held:
        if time.monotonic() > deadline:
            return False
    return True


# One that comes while Python runs a generator's finalizer is lost, and told of.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_line_of_two_attempts_leaves_no_hold(
    falling_back: Callable[[], object], till: Till, streamed: bool
) -> None:
    till.engine.budget.set_limit("llm", 10_000)
    falling_back()
    at = 1
    while where := interrupted(falling_back, at, *OURS):
        assert given_back(till), where
        # A stream goes through the same lines with each of its events.
        at += 3 if streamed else 1
    assert at > 200
    spent = till.spent
    leftovers.finish()
    assert (till.spent, till.held) == (spent, Decimal(0))
