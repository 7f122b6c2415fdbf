"""LiteLLM's completions by Anthropic's and Google's models."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance.integrations.litellm import GovernedLiteLLM
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced
from tests.litellm.calls import (
    EACH_WAY,
    Call,
    complete,
    request,
    stream,
)

# LiteLLM uses deprecated attributes of pydantic, and leaves event loops and sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore")


OPUS, FLASH = "claude-opus-4-6", "gemini-2.5-flash"
ANTHROPIC_USAGE = {"input_tokens": 1000, "output_tokens": 300}
ANTHROPIC_COST = priced(OPUS, ANTHROPIC_USAGE, provider="anthropic")


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
