"""LiteLLM's completions, and its loggers."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

# Otherwise it would fetch its prices, which these tests do not need.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import pytest

with warnings.catch_warnings():
    # Versions up to 1.108 use a deprecated function at the import.
    warnings.simplefilter("ignore", DeprecationWarning)
    import litellm

from aumos_governance import ConfigurationError, GovernanceDeniedError, GovernanceEngine, TrustLevel
from aumos_governance.integrations.litellm import GovernanceLogger, GovernedLiteLLM
from aumos_governance.wire.provider_keys import GATEWAY_ENV
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced

# LiteLLM uses deprecated attributes of pydantic, and leaves event loops and sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore")

MESSAGES: Any = [{"role": "user", "content": "What is the answer?"}]
TEXT = Reply().text
TOKENS = Tokens(input=1000, output=300, cached=400)
COST = priced("gpt-4o", {"input_tokens": 1000, "output_tokens": 300, "cache_read_tokens": 400})


OPUS, FLASH = "claude-opus-4-6", "gemini-2.5-flash"
ANTHROPIC_USAGE = {"input_tokens": 1000, "output_tokens": 300}
ANTHROPIC_COST = priced(OPUS, ANTHROPIC_USAGE, provider="anthropic")


@pytest.fixture(scope="module", autouse=True)
def nothing_left_over() -> Iterator[None]:
    """Collect LiteLLM's garbage while its warnings are ignored, and not during the next module's tests."""
    yield
    gc.collect()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        endpoint.default = Reply(usage=TOKENS)
        yield endpoint


@pytest.fixture
def till() -> Iterator[Till]:
    with GovernanceEngine() as engine:
        yield Till(engine)


@pytest.fixture
def governed(till: Till) -> GovernedLiteLLM:
    return GovernedLiteLLM(engine=till.engine, budget_category="llm")


def request(endpoint: Endpoint, **options: Any) -> dict[str, Any]:
    requested = {"model": "openai/gpt-4o", "messages": MESSAGES, "api_base": endpoint.openai_url, "api_key": "key"}
    return {**requested, "max_retries": 0, **options}


def text_of(chunks: list[Any]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def denied(till: Till) -> list[tuple[str | None, str | None]]:
    """Return the code and the model of each recorded denial."""
    return [(entry.code, entry.tool) for entry in till.engine.audit.entries() if entry.outcome == "deny"]


def complete(governed: GovernedLiteLLM, requested: dict[str, Any]) -> str:
    return str(governed.completion(**requested).choices[0].message.content)


def stream(governed: GovernedLiteLLM, requested: dict[str, Any]) -> str:
    chunks = list(governed.completion(**requested, stream=True))
    assert all(getattr(chunk, "usage", None) is None for chunk in chunks)
    return text_of(chunks)


def awaited(governed: GovernedLiteLLM, requested: dict[str, Any]) -> str:
    return str(asyncio.run(governed.acompletion(**requested)).choices[0].message.content)


def streamed_awaited(governed: GovernedLiteLLM, requested: dict[str, Any]) -> str:
    async def main() -> list[Any]:
        return [chunk async for chunk in await governed.acompletion(**requested, stream=True)]

    return text_of(asyncio.run(main()))


EACH_WAY = pytest.mark.parametrize("call", [complete, stream, awaited, streamed_awaited])
Call = Callable[[GovernedLiteLLM, dict[str, Any]], str]


class TestTheLogger:
    # These tests come first, since LiteLLM logs calls in threads of its own, possibly so late that an earlier test's
    # call would be charged to the next one's till.

    @pytest.fixture(autouse=True)
    def _logged(self, till: Till) -> Iterator[None]:
        litellm.callbacks = [GovernanceLogger(engine=till.engine, budget_category="llm")]
        yield
        # LiteLLM copies its callbacks from the first list into each of the others, and keeps them there.
        for kind in ("", "input_", "success_", "failure_", "_async_input_", "_async_success_", "_async_failure_"):
            setattr(litellm, f"{kind}callback" if kind else "callbacks", [])

    @pytest.mark.parametrize("streamed", [False, True])
    def test_charges_what_was_called_without_a_hold(self, endpoint: Endpoint, till: Till, streamed: bool) -> None:
        options = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
        response = litellm.completion(**request(endpoint), **options)
        if streamed:
            list(response)
        _until(lambda: till.spent > 0)
        assert till.spent == COST

    def test_charges_awaited_calls_once(self, endpoint: Endpoint, till: Till) -> None:
        async def main() -> None:
            await litellm.acompletion(**request(endpoint))
            await asyncio.to_thread(_until, lambda: till.spent > 0)

        asyncio.run(main())
        assert till.spent == COST

    def test_cannot_stop_a_call(self, endpoint: Endpoint, till: Till) -> None:
        till.engine.trust.set_level("agent", TrustLevel.L0_OBSERVER)
        litellm.completion(**request(endpoint))
        _until(lambda: bool(denied(till)))
        assert (endpoint.count, till.spent) == (1, 0)

    @pytest.mark.parametrize("awaits", [False, True])
    def test_records_what_it_cannot_charge_for(self, endpoint: Endpoint, till: Till, awaits: bool) -> None:
        requested, recorded = (
            request(endpoint, model="openai/ours"),
            lambda: denied(till) == [("PRICE_UNKNOWN", "ours")],
        )

        async def main() -> None:
            await litellm.acompletion(**requested)
            await asyncio.to_thread(_until, recorded)

        if awaits:
            asyncio.run(main())
        else:
            litellm.completion(**requested)
            _until(recorded)
        assert (endpoint.count, till.spent, till.held) == (1, 0, 0)

    def test_charges_the_worst_case_of_a_response_without_usage(self, endpoint: Endpoint, till: Till) -> None:
        endpoint.default = Reply(usage={"prompt_tokens": -1, "completion_tokens": 1, "total_tokens": 0})
        litellm.completion(**request(endpoint, max_tokens=50))
        _until(lambda: till.spent > Decimal(10) * 50 / 1_000_000)
        assert till.events() == ["hold", "estimated"]


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


@pytest.mark.parametrize("streamed", [False, True])
def test_another_providers_cache_is_priced_as_its_own(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, streamed: bool
) -> None:
    endpoint.default = Reply(usage=Tokens(input=1000, output=300, cached=400, cache_written=20, cache_written_1h=5))
    requested = request(endpoint, model="anthropic/claude-sonnet-5-5", api_base=endpoint.anthropic_url)
    (stream if streamed else complete)(governed, requested)
    cached = {"cache_read_tokens": 400, "cache_write_tokens": 25, "cache_write_1h_tokens": 5}
    usage = {"input_tokens": 1425, "output_tokens": 300, **cached}
    assert till.spent == priced("claude-sonnet-5-5", usage, provider="anthropic")


def to_anthropic(endpoint: Endpoint, **options: Any) -> dict[str, Any]:
    stated = {"model": f"anthropic/{OPUS}", "api_base": endpoint.anthropic_url, "max_tokens": 500}
    return request(endpoint, **{**stated, **options})


def to_google(endpoint: Endpoint, **options: Any) -> dict[str, Any]:
    stated = {"model": f"gemini/{FLASH}", "api_base": f"{endpoint.google_url}/v1beta", "max_tokens": 500}
    return request(endpoint, **{**stated, **options})


@EACH_WAY
def test_anthropics_terms_and_searches_are_charged(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, call: Call
) -> None:
    endpoint.default = Reply(usage={**ANTHROPIC_USAGE, "server_tool_use": {"web_search_requests": 1}})
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 1}
    call(governed, to_anthropic(endpoint, inference_geo="us", tools=[search]))
    # Processed in the United States, which costs a tenth more.
    assert till.spent == ANTHROPIC_COST * Decimal("1.1") + Decimal("0.01")
    assert till.events() == ["hold", "settle"]


@EACH_WAY
def test_a_search_that_litellm_adds_for_anthropic_is_charged(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, call: Call
) -> None:
    endpoint.default = Reply(usage={**ANTHROPIC_USAGE, "server_tool_use": {"web_search_requests": 2}})
    call(governed, to_anthropic(endpoint, web_search_options={}))
    assert (till.spent, till.events()) == (ANTHROPIC_COST + Decimal("0.02"), ["hold", "settle"])


def test_an_image_to_anthropic_is_held_as_one(endpoint: Endpoint, till: Till, governed: GovernedLiteLLM) -> None:
    endpoint.default = Reply(usage=ANTHROPIC_USAGE)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}
    for content in ([{"type": "text", "text": "What is it?"}], [{"type": "text", "text": "What is it?"}, image]):
        complete(governed, to_anthropic(endpoint, messages=[{"role": "user", "content": content}]))
    without, held = (entry.amount for entry in till.records("hold"))
    assert held - without > priced(OPUS, {"input_tokens": 4_000}, provider="anthropic") * 10**9


@EACH_WAY
def test_googles_calls_cost_what_their_tokens_cost(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, call: Call
) -> None:
    endpoint.default = Reply(usage=Tokens(input=1000, output=300, cached=400, reasoning=100))
    call(governed, to_google(endpoint))
    usage = {"input_tokens": 1000, "output_tokens": 400, "cache_read_tokens": 400}
    assert (till.spent, till.events()) == (priced(FLASH, usage, provider="google"), ["hold", "settle"])


@pytest.mark.parametrize("options", [{"tools": [{"googleSearch": {}}]}, {"web_search_options": {}}])
def test_googles_searches_are_held_and_charged(
    endpoint: Endpoint, till: Till, governed: GovernedLiteLLM, options: dict[str, Any]
) -> None:
    found = {"webSearchQueries": ["six"], "groundingChunks": [{"web": {"uri": "https://example.com", "title": "e"}}]}
    content = {"role": "model", "parts": [{"text": "Forty-two."}]}
    candidate = {"content": content, "finishReason": "STOP", "index": 0, "groundingMetadata": found}
    kinds = [{"modality": "AUDIO", "tokenCount": 900}, {"modality": "TEXT", "tokenCount": 100}]
    counts = {"promptTokenCount": 1000, "promptTokensDetails": kinds, "candidatesTokenCount": 300}
    response = {"candidates": [candidate], "usageMetadata": {**counts, "totalTokenCount": 1300}, "modelVersion": FLASH}
    endpoint.script(Reply(body=json.dumps(response).encode()))
    complete(governed, to_google(endpoint, **options))
    usage = {"input_tokens": 1000, "input_audio_tokens": 900, "output_tokens": 300}
    assert till.spent == priced(FLASH, usage, provider="google") + Decimal("0.035")
    # A stream does not say what was searched.
    stream(governed, to_google(endpoint, **options))
    held = till.records("hold")[1].amount
    assert till.events() == ["hold", "settle", "hold", "estimated"]
    assert till.records("settle")[1].amount == held


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


def _until(happened: Callable[[], bool]) -> None:
    # LiteLLM logs in a thread whose end cannot be awaited.
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


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
