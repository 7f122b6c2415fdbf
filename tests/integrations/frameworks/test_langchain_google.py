"""What LangChain's models of Google hold and cost: the same as calls of Google's own client."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_google_genai import ChatGoogleGenerativeAI

from aumos_governance import ConfigurationError
from tests.integrations.endpoint.replies import Reply, Tokens, ToolCall
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.frameworks.langchain_runs import Call, config, each_way, invoke, stream
from tests.integrations.till import Till, priced

FLASH = "gemini-2.5-flash"
USED = Tokens(input=1000, output=300, cached=400, reasoning=100)
COST = priced(FLASH, {"input_tokens": 1000, "output_tokens": 400, "cache_read_tokens": 400}, provider="google")
SEARCH = [{"google_search": {}}]
SEARCH_COST = Decimal("0.035")
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


@pytest.fixture
def model(endpoint: Endpoint) -> ChatGoogleGenerativeAI:
    endpoint.default = Reply(usage=USED)
    return gemini(endpoint)


def gemini(endpoint: Endpoint, name: str = FLASH, **options: Any) -> ChatGoogleGenerativeAI:
    stated = {"base_url": endpoint.google_url, "google_api_key": "key", "max_retries": 1, "max_output_tokens": 500}
    return ChatGoogleGenerativeAI(model=name, **{**stated, **options})


def body(*parts: Any, queries: tuple[str, ...] = (), model: str = FLASH, **usage: Any) -> Reply:
    grounding = {"webSearchQueries": queries, "groundingChunks": [{"web": {"uri": "https://example.com"}}]}
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": "STOP", "index": 0}
    counts = {"promptTokenCount": 1000, "candidatesTokenCount": 300, "totalTokenCount": 1300, **usage}
    response = {"candidates": [candidate | ({"groundingMetadata": grounding} if queries else {})]}
    return Reply(body=json.dumps({**response, "usageMetadata": counts, "modelVersion": model}).encode())


@each_way
def test_a_call_costs_what_its_tokens_cost(till: Till, model: ChatGoogleGenerativeAI, call: Call) -> None:
    call(model, till)
    assert (till.spent, till.events()) == (COST, ["hold", "settle"])


@each_way
def test_the_functions_of_the_program_cost_nothing_more(
    endpoint: Endpoint, till: Till, model: ChatGoogleGenerativeAI, call: Call
) -> None:
    def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    endpoint.default = Reply(usage=USED, tool_calls=(ToolCall("add", {"a": 6, "b": 7}),))
    call(model.bind_tools([add]), till)
    assert (till.spent, till.events()) == (COST, ["hold", "settle"])


def test_a_search_is_held_and_charged_where_there_was_one(
    endpoint: Endpoint, till: Till, model: ChatGoogleGenerativeAI
) -> None:
    searching = model.bind_tools(SEARCH)
    text = {"text": "Forty-two."}
    endpoint.script(body(text), body(text, queries=("six times seven", "forty-two")))
    tokens = priced(FLASH, {"input_tokens": 1000, "output_tokens": 300}, provider="google")
    for spent in (tokens, 2 * tokens + SEARCH_COST):
        invoke(searching, till)
        assert till.spent == spent
    assert till.events() == ["hold", "settle"] * 2
    assert all(entry.amount > SEARCH_COST * 10**9 for entry in till.records("hold"))


def test_an_image_in_the_output_costs_what_images_cost(endpoint: Endpoint, till: Till) -> None:
    name = "gemini-2.5-flash-image"
    endpoint.default = body({"inlineData": {"mimeType": "image/png", "data": PIXEL}}, model=name)
    invoke(gemini(endpoint, name, response_modalities=["TEXT", "IMAGE"]), till)
    # LangChain does not pass on how much of the output was an image.
    usage = {"input_tokens": 1000, "output_tokens": 300, "output_image_tokens": 300}
    assert (till.spent, till.events()) == (priced(name, usage, provider="google"), ["hold", "estimated"])


@pytest.mark.parametrize(
    ("block", "end", "usage"),
    [
        ({"type": "image", "base64": PIXEL, "mime_type": "image/png"}, "settle", {}),
        ({"type": "file", "base64": "QUJD", "mime_type": "application/pdf"}, "settle", {}),
        ({"type": "audio", "base64": "QUJD", "mime_type": "audio/wav"}, "estimated", {"input_audio_tokens": 1000}),
        ({"type": "video", "base64": "QUJD", "mime_type": "video/mp4"}, "estimated", {"input_audio_tokens": 1000}),
    ],
)
def test_media_are_held_and_what_may_be_sound_costs_what_sound_does(
    endpoint: Endpoint, till: Till, block: dict[str, Any], end: str, usage: dict[str, int]
) -> None:
    endpoint.default = body({"text": "Forty-two."})
    text = {"type": "text", "text": "What is it?"}
    invoke(gemini(endpoint), till, [HumanMessage(content=[text, block])])
    assert till.events() == ["hold", end]
    assert till.spent == priced(FLASH, {"input_tokens": 1000, "output_tokens": 300, **usage}, provider="google")


@pytest.mark.parametrize("call", [invoke, stream])
def test_a_call_without_usage_is_an_estimate(
    endpoint: Endpoint, till: Till, model: ChatGoogleGenerativeAI, call: Call
) -> None:
    endpoint.default = Reply(usage=None)
    call(model, till)
    assert till.events() == ["hold", "estimated"]


def test_another_providers_own_tools_are_refused_until_a_fee_is_stated(till: Till) -> None:
    class Llama(FakeListChatModel):
        def _get_ls_params(self, stop: Any = None, **kwargs: Any) -> Any:
            return {"ls_provider": "groq", "ls_model_name": "llama-3.3-70b-versatile", "ls_model_type": "chat"}

    model = Llama(responses=["an answer"]).bind(tools=[{"type": "browser_search"}])
    with pytest.raises(ConfigurationError, match="a tool that its provider runs"):
        invoke(model, till)
    assert [entry.code for entry in till.engine.audit.entries() if entry.outcome == "deny"] == ["PRICE_UNKNOWN"]
    model.invoke("x", config=config(till, fee="0.01"))
    assert till.events() == ["hold", "estimated"]
    assert till.spent > Decimal("0.01")
