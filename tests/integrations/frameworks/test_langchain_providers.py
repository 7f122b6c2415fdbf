"""What LangChain's own models for OpenAI's Responses API and for Anthropic hold and cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage
from langchain_openai import ChatOpenAI, OpenAI

from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.frameworks.langchain_runs import Call, each_way, invoke, stream
from tests.integrations.till import Till, priced

SONNET = "claude-sonnet-5-5"
GEOGRAPHIC = "claude-opus-4-6"
"""A model whose tokens cost a tenth more where they are processed in the United States."""
CACHED = Tokens(input=100, output=30, cached=400, cache_written=200)
CACHED_USAGE = {"input_tokens": 700, "output_tokens": 30, "cache_read_tokens": 400, "cache_write_tokens": 200}
SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "six"}}
SEARCH_COST = Decimal("0.01")
WEB_SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 1}


def claude(endpoint: Endpoint, **options: Any) -> ChatAnthropic:
    stated = {
        "model": SONNET,
        "base_url": endpoint.anthropic_url,
        "api_key": "key",
        "max_retries": 0,
        "max_tokens": 500,
    }
    return ChatAnthropic(**{**stated, **options})


def responses(endpoint: Endpoint, **options: Any) -> ChatOpenAI:
    stated = {"model": "gpt-4o", "base_url": endpoint.openai_url, "api_key": "key", "max_retries": 0}
    return ChatOpenAI(**{**stated, "use_responses_api": True, **options})


def with_output(*items: Any, **terms: Any) -> Reply:
    """A response of the Responses API with 1,000 tokens of input, 400 of them cached, and 300 of output."""
    usage = {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 400},
        "output_tokens": 300,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1300,
    }
    text = {"type": "output_text", "text": "Forty-two.", "annotations": []}
    message = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [text]}
    body: dict[str, Any] = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed"}
    body |= {"model": "gpt-4o", "output": [*items, message], "parallel_tool_calls": True, "tool_choice": "auto"}
    return Reply(body=json.dumps({**body, "tools": [], "usage": usage, **terms}).encode())


COST = priced("gpt-4o", {"input_tokens": 1000, "output_tokens": 300, "cache_read_tokens": 400})


@each_way
def test_a_message_of_anthropics_costs_what_its_tokens_cost(endpoint: Endpoint, till: Till, call: Call) -> None:
    endpoint.default = Reply(usage=CACHED)
    call(claude(endpoint), till)
    assert till.spent == priced(SONNET, CACHED_USAGE, provider="anthropic")
    assert till.events() == ["hold", "settle"]


@pytest.mark.parametrize(("call", "last"), [(invoke, "settle"), (stream, "estimated")])
def test_what_is_cached_for_an_hour_costs_that_also_where_a_stream_does_not_say(
    endpoint: Endpoint, till: Till, call: Call, last: str
) -> None:
    # langchain-anthropic passes on from a stream how much was cached, and not for how long.
    endpoint.default = Reply(usage=Tokens(input=100, output=30, cached=400, cache_written_1h=200))
    call(claude(endpoint, model_kwargs={"cache_control": {"type": "ephemeral", "ttl": "1h"}}), till)
    assert till.spent == priced(SONNET, {**CACHED_USAGE, "cache_write_1h_tokens": 200}, provider="anthropic")
    assert till.events() == ["hold", last]


@each_way
def test_terms_of_the_models_constructor_count(endpoint: Endpoint, till: Till, call: Call) -> None:
    endpoint.default = Reply(usage=CACHED)
    geography = {"inference_geo": "us"}
    # Versions before langchain-anthropic 1.3 have no argument of this name.
    options = geography if "inference_geo" in ChatAnthropic.model_fields else {"model_kwargs": geography}
    call(claude(endpoint, model=GEOGRAPHIC, **options), till)
    at_list_price = priced(GEOGRAPHIC, CACHED_USAGE, provider="anthropic")
    assert till.spent == at_list_price * Decimal("1.1")


def test_a_search_of_anthropics_is_charged_and_a_streams_is_estimated(endpoint: Endpoint, till: Till) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 300, "server_tool_use": {"web_search_requests": 1}}
    endpoint.default = Reply(usage=usage)
    model = claude(endpoint).bind_tools([WEB_SEARCH])
    invoke(model, till)
    assert (
        till.spent == priced(SONNET, {"input_tokens": 1000, "output_tokens": 300}, provider="anthropic") + SEARCH_COST
    )
    stream(model, till)
    # LangChain does not pass on from a stream how often the provider searched.
    assert till.events() == ["hold", "settle", "hold", "estimated"]
    held, settled = (entry.amount for entry in till.records("hold", "settle")[2:])
    assert settled == held


@each_way
def test_a_stream_that_may_have_been_compacted_is_estimated(endpoint: Endpoint, till: Till, call: Call) -> None:
    endpoint.default = Reply(usage=CACHED)
    edits = {"edits": [{"type": "compact_20260112"}]}
    call(claude(endpoint, model=GEOGRAPHIC, context_management=edits, betas=["compact-2026-01-12"]), till)
    assert till.events() == ["hold", "settle" if call is invoke else "estimated"]


@each_way
def test_a_message_about_a_document_costs_what_its_tokens_cost(endpoint: Endpoint, till: Till, call: Call) -> None:
    endpoint.default = Reply(usage=CACHED)
    document = {"type": "file", "base64": "QUJD", "mime_type": "application/pdf"}
    call(claude(endpoint), till, [HumanMessage(content=[{"type": "text", "text": "What is it?"}, document])])
    assert till.spent == priced(SONNET, CACHED_USAGE, provider="anthropic")


def test_a_message_without_any_tokens_is_estimated(endpoint: Endpoint, till: Till) -> None:
    endpoint.script(Reply(usage=Tokens(input=0, output=0)), Reply(usage=Tokens(input=0, output=0)))
    invoke(claude(endpoint), till)
    stream(claude(endpoint), till)
    assert till.events() == ["hold", "estimated", "hold", "estimated"]


@each_way
def test_a_response_of_openais_costs_what_its_tokens_cost(endpoint: Endpoint, till: Till, call: Call) -> None:
    endpoint.default = Reply(usage=Tokens(input=1000, output=300, cached=400))
    call(responses(endpoint), till)
    assert (till.spent, till.events()) == (COST, ["hold", "settle"])


@pytest.mark.parametrize("version", ["v0", "responses/v1", "v1"])
def test_a_search_is_charged_in_each_form_in_which_langchain_returns_it(
    endpoint: Endpoint, till: Till, version: str
) -> None:
    opened = {**SEARCH, "id": "ws_2", "action": {"type": "open_page", "url": "https://example.com"}}
    called = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "add", "arguments": "{}"}
    reasoned = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Six and seven."}]}
    endpoint.default = with_output(SEARCH, reasoned, opened, called)
    invoke(responses(endpoint, output_version=version).bind_tools([{"type": "web_search"}]), till)
    assert (till.spent, till.events()) == (COST + SEARCH_COST, ["hold", "settle"])


def test_cached_tokens_count_in_every_service_tier(endpoint: Endpoint, till: Till) -> None:
    endpoint.default = with_output(service_tier="flex", model="o3")
    invoke(responses(endpoint, model="o3", service_tier="flex"), till)
    usage = {"input_tokens": 1000, "output_tokens": 300, "cache_read_tokens": 400}
    assert till.spent == priced("o3", usage, tier="flex")
    assert till.spent < priced("o3", usage)


def test_what_the_provider_keeps_of_a_conversation_is_held_as_input(endpoint: Endpoint, till: Till) -> None:
    endpoint.default = with_output()
    invoke(responses(endpoint), till)
    invoke(responses(endpoint).bind(previous_response_id="resp_0"), till)
    alone, continued = (entry.amount for entry in till.records("hold"))
    assert continued - alone > priced("gpt-4o", {"input_tokens": 120_000}) * 10**9


def test_a_text_completion_costs_what_its_tokens_cost(endpoint: Endpoint, till: Till) -> None:
    endpoint.default = Reply(usage=Tokens(input=50, output=30))
    model = OpenAI(model="gpt-3.5-turbo-instruct", base_url=endpoint.openai_url, api_key="key", max_retries=0)  # type: ignore[arg-type]
    invoke(model, till)
    assert till.spent == priced("gpt-3.5-turbo-instruct", {"input_tokens": 50, "output_tokens": 30})


@pytest.mark.parametrize("make", [claude, responses])
@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": "QUJD", "mime_type": "image/png"},
        {"type": "file", "base64": "QUJD", "mime_type": "application/pdf", "filename": "a.pdf"},
    ],
)
def test_media_are_held_as_such_and_not_by_their_bytes(
    endpoint: Endpoint, till: Till, make: Callable[[Endpoint], BaseChatModel], block: dict[str, Any]
) -> None:
    endpoint.default = Reply(usage=None)
    model = make(endpoint)
    for content in ([{"type": "text", "text": "What is it?"}], [{"type": "text", "text": "What is it?"}, block]):
        invoke(model, till, [HumanMessage(content=content)])  # type: ignore[arg-type]
    without, held = (entry.amount for entry in till.records("hold"))
    assert held - without > priced("gpt-4o", {"input_tokens": 1000}) * 10**9
