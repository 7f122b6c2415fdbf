"""LiteLLM's completions: what is held and charged, and which calls are refused."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from decimal import Decimal
from pathlib import Path

import litellm
import pytest

from aumos_governance import ConfigurationError, GovernanceDeniedError, TrustLevel
from aumos_governance.integrations.litellm import GovernanceLogger, GovernedLiteLLM
from aumos_governance.wire.provider_keys import GATEWAY_ENV
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced
from tests.litellm.calls import (
    COST,
    EACH_WAY,
    MESSAGES,
    TEXT,
    Call,
    awaited,
    complete,
    denied,
    request,
    stream,
    streamed_awaited,
    text_of,
)

# LiteLLM uses deprecated attributes of pydantic, and leaves event loops and sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore")


@EACH_WAY
def test_a_call_costs_what_its_tokens_cost(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, call: Call
) -> None:
    assert call(governed, request(endpoint)) == TEXT
    assert (till.spent, till.held, till.events()) == (COST, 0, ["hold", "settle"])


def test_a_stream_shows_its_usage_to_a_client_that_requests_it(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM
) -> None:
    chunks = list(governed.completion(**request(endpoint), stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].usage.prompt_tokens == 1000
    assert till.spent == COST


@pytest.mark.parametrize("stated", [True, False])
def test_a_dearer_service_tier_is_charged_also_where_the_response_does_not_name_it(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, stated: bool
) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Forty-two."}, "finish_reason": "stop"}
    counts = {"prompt_tokens": 1000, "completion_tokens": 300, "total_tokens": 1300}
    response = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-5", "choices": [choice]}
    named = {"service_tier": "priority"}
    endpoint.default = Reply(body=json.dumps({**response, "usage": counts, **(named if stated else {})}).encode())
    complete(governed, request(endpoint, model="openai/gpt-5", max_tokens=500, **named))
    assert till.spent == priced("gpt-5", {"input_tokens": 1000, "output_tokens": 300}, tier="priority")


@EACH_WAY
def test_a_denied_call_is_not_sent(endpoint: Endpoint, till: Till, call: Call) -> None:
    till.engine.budget.create_budget("small", "0.001")
    small = GovernedLiteLLM(engine=till.engine, budget_category="small")
    with pytest.raises(GovernanceDeniedError, match="small"):
        call(small, request(endpoint))
    assert endpoint.count == 0


@EACH_WAY
def test_a_level_that_is_too_low_stops_the_call(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, call: Call
) -> None:
    till.engine.trust.set_level("agent", TrustLevel.L0_OBSERVER)
    with pytest.raises(GovernanceDeniedError, match="L0"):
        call(governed, request(endpoint))
    assert (endpoint.count, till.spent) == (0, 0)


@EACH_WAY
@pytest.mark.parametrize(
    ("fault", "end"),
    [
        (Reply(status=429), "release"),
        (Reply(status=500), "release"),
        (Reply(status=400), "release"),
        (Reply(break_after=0), "estimated"),
    ],
)
def test_an_error_response_costs_nothing_and_the_rest_is_an_estimate(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, call: Call, fault: Reply, end: str
) -> None:
    # A refused stream is tried once more without `stream_options`, which requests the usage.
    times = 2 if fault.status == 400 and call in (stream, streamed_awaited) else 1
    endpoint.script(*[fault] * times)
    with pytest.raises(Exception, match=r"(?i)error|refused|limit"):
        call(governed, request(endpoint))
    assert (till.held, till.events()) == (0, ["hold", end] * times)


@pytest.mark.parametrize("call", [stream, streamed_awaited])
def test_a_server_that_refuses_stream_options_is_served(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, call: Call
) -> None:
    refusal = Reply(status=400, body=b'{"error": {"message": "Extra inputs are not permitted"}}')
    endpoint.script(refusal, Reply(usage=None), Reply(usage=None))
    model = f"openai/gpt-4o{'-mini' if call is stream else ''}"
    for _ in range(2):
        assert call(governed, request(endpoint, model=model)) == TEXT
    assert ["stream_options" in each.received.json for each in endpoint.exchanges] == [True, False, False]
    assert till.events()[:2] == ["hold", "release"]
    assert till.held == 0


def test_zeros_and_missing_usage_are_charged_as_held(endpoint: Endpoint, till: Till, governed: GovernedLiteLLM) -> None:
    endpoint.script(Reply(usage=None), Reply(usage=Tokens(input=0, output=0)), Reply(usage=Tokens(input=9, output=0)))
    for number in range(1, 4):
        complete(governed, request(endpoint))
        assert till.events()[-2:] == ["hold", "estimated"]
        assert till.spent == sum(entry.amount for entry in till.records("hold")) / Decimal(10**9), number


def test_the_address_decides_whose_prices_count(till: Till) -> None:
    requested = {
        "model": "openai/gpt-oss-120b",
        "messages": MESSAGES,
        "api_base": "https://api.cerebras.ai/v1",
        "max_tokens": 9,
    }
    guard, paid = GovernedLiteLLM(engine=till.engine)._call(requested)
    assert (guard.rates(paid.model).seller, guard.base_url) == ("cerebras", "https://api.cerebras.ai/v1")


def test_responses_and_embeddings(endpoint: Endpoint, till: Till, governed: GovernedLiteLLM) -> None:
    to = {"api_base": endpoint.openai_url, "api_key": "key"}
    governed.responses("x", model="openai/gpt-4o", max_output_tokens=50, **to)
    assert till.spent == COST
    governed.embedding(model="openai/text-embedding-3-small", input=["x"], **to)
    assert till.spent == COST + priced("text-embedding-3-small", {"input_tokens": 1000})
    asyncio.run(governed.aresponses("x", model="openai/gpt-4o", max_output_tokens=50, **to))
    assert till.spent == 2 * COST + priced("text-embedding-3-small", {"input_tokens": 1000})
    with pytest.raises(ConfigurationError, match="leave stream= out"):
        governed.responses("x", model="openai/gpt-4o", stream=True, **to)
    assert (endpoint.count, till.held) == (3, 0)


def test_awaited_embeddings(endpoint: Endpoint, till: Till, governed: GovernedLiteLLM) -> None:
    to = {"api_base": endpoint.openai_url, "api_key": "key"}
    asyncio.run(governed.aembedding(model="openai/text-embedding-3-small", input=["x"], **to))
    assert till.spent == priced("text-embedding-3-small", {"input_tokens": 1000})


@pytest.mark.parametrize("reply", [Reply(pause_after=0), Reply(pause_after=3)])
def test_a_call_whose_task_is_cancelled_is_an_estimate(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, reply: Reply
) -> None:
    endpoint.script(reply)

    async def consume() -> None:
        async for _ in await governed.acompletion(**request(endpoint), stream=True):
            received.set()

    async def main() -> None:
        task = asyncio.create_task(consume())
        await (received.wait() if reply.pause_after else asyncio.to_thread(endpoint.wait_received, 1))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    received = asyncio.Event()
    asyncio.run(main())
    assert (till.held, till.events()) == (0, ["hold", "estimated"])


def test_what_was_never_sent_costs_nothing(till: Till, endpoint: Endpoint, governed: GovernedLiteLLM) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = "http://{}:{}/v1".format(*unused.getsockname())
        # The port is bound, but nothing listens on it, so no other program can respond there.
        with pytest.raises(litellm.InternalServerError):
            governed.completion(**request(endpoint, api_base=address))
    assert (till.held, till.events()) == (0, ["hold", "release"])


def test_a_stream_that_breaks_or_is_left_is_an_estimate(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM
) -> None:
    endpoint.script(Reply(break_after=3))
    with pytest.raises(Exception, match=r"(?i)error"):
        list(governed.completion(**request(endpoint), stream=True))
    chunks = governed.completion(**request(endpoint), stream=True)
    next(chunks)
    del chunks
    assert till.held == 0
    assert sorted(till.events()) == ["estimated", "estimated", "hold", "hold"]


def test_fallbacks_and_models_without_a_price_are_refused(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM
) -> None:
    for call in (complete, awaited):
        with pytest.raises(ConfigurationError, match="fallbacks"):
            call(governed, request(endpoint, fallbacks=["gpt-4o-mini"]))
        with pytest.raises(ConfigurationError, match="'ours'"):
            call(governed, request(endpoint, model="openai/ours"))
    assert denied(till) == [("CANNOT_BE_HELD", "gpt-4o"), ("PRICE_UNKNOWN", "ours")] * 2
    free = GovernedLiteLLM(engine=till.engine, budget_category="llm", cost=0)
    assert complete(free, request(endpoint, model="openai/ours")) == TEXT
    assert (endpoint.count, till.spent) == (1, 0)


def test_the_page_prints_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], endpoint: Endpoint
) -> None:
    endpoint.default = Reply()
    monkeypatch.setenv("OPENAI_BASE_URL", endpoint.openai_url)
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    page = (Path(__file__).parents[2] / "docs" / "frameworks" / "litellm.md").read_text()
    stated: dict[str, list[str]] = {"python": [], "text": []}
    for language, text in re.findall(r"^```(python|text)\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        stated[language].append(text)
    # The last program only names a logger, which the tests below use.
    exec(stated["python"][0], {})
    assert capsys.readouterr().out == stated["text"][0]
    assert "GovernanceLogger(engine=engine" in stated["python"][1]


def test_calls_through_the_gateway_hold_nothing(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The endpoint stands in for the gateway, which charges the calls.
    monkeypatch.setenv(GATEWAY_ENV, endpoint.url)
    assert governed.completion(**request(endpoint)).choices[0].message.content == TEXT
    assert text_of(list(governed.completion(**request(endpoint, stream=True)))) == TEXT
    logger = GovernanceLogger(engine=till.engine, budget_category="llm")
    logger.log_success_event(request(endpoint), litellm.completion(**request(endpoint)), None, None)
    assert (till.spent, till.held, endpoint.count) == (0, 0, 3)
