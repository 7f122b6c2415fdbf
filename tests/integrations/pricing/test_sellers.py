"""The counts, stated costs and model ids of each seller with OpenAI's API are read by that seller's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot
from openai import AzureOpenAI, OpenAI

from aumos_governance import ConfigurationError, govern
from aumos_governance.integrations.pricing.model_names import is_local, parse_model_id
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.integrations.pricing.sellers import stated_cost, usage_paths_of
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till
from tests.integrations.wire import http

XAI = "https://api.x.ai/v1"
OPENAI = "https://api.openai.com/v1"
GOOGLE = "https://generativelanguage.googleapis.com/v1beta/openai/"
UNKNOWN = "https://llm.example.com/v1"
MESSAGES: Any = [{"role": "user", "content": "hello"}]
Make = Callable[..., OpenAI]
OPENROUTER = "https://openrouter.ai/api/v1"


@pytest.fixture
def at(endpoint: Endpoint, till: Till) -> Iterator[Make]:
    """Makes a governed client with any address, whose requests are sent to the endpoint."""
    own = http.URL(endpoint.openai_url)

    class Here(http.HTTPTransport):
        def handle_request(self, request: http.Request) -> http.Response:
            path = own.path.rstrip("/") + "/" + request.url.path.partition("/chat/")[1].strip("/")
            path += "/" + request.url.path.partition("/chat/")[2] if "/chat/" in request.url.path else ""
            request.url = own.copy_with(path=path if "/chat/" in request.url.path else request.url.path)
            return super().handle_request(request)

    with http.Client(transport=Here()) as sender:

        def make(base_url: str, **options: Any) -> OpenAI:
            plain = OpenAI(api_key="key", base_url=base_url, http_client=sender, max_retries=0)
            return govern(plain, engine=till.engine, budget_category="llm", **options)

        yield make


def usd(*parts: tuple[int, str]) -> Decimal:
    return sum((count * Decimal(price) for count, price in parts), Decimal(0)) / 10**6


def counts(into: int, output: int, total: int | None = None, **more: Any) -> dict[str, Any]:
    return {
        "prompt_tokens": into,
        "completion_tokens": output,
        "total_tokens": into + output if total is None else total,
        **more,
    }


REASONING = {"completion_tokens_details": {"reasoning_tokens": 400}}
BYOK = {"cost": 0.95, "is_byok": True, "cost_details": {"upstream_inference_cost": 19}}
COSTS: dict[str, tuple[str, str, Mapping[str, Any], Decimal, str]] = {
    "xAI, reasoning beside": (
        XAI,
        "grok-3-mini",
        counts(32, 9, 441, **REASONING),
        usd((32, ".3"), (409, ".5")),
        "settle",
    ),
    "xAI, reasoning within": (
        XAI,
        "grok-3-mini",
        counts(32, 409, **REASONING),
        usd((32, ".3"), (409, ".5")),
        "settle",
    ),
    "xAI, states its cost": (
        XAI,
        "grok-3-mini",
        counts(32, 9, cost_in_usd_ticks=37_756_000),
        Decimal("0.0037756"),
        "settle",
    ),
    "Gemini, thoughts in the total": (
        GOOGLE,
        "gemini-2.5-flash",
        counts(8, 9, 430),
        usd((8, ".3"), (422, "2.5")),
        "estimated",
    ),
    "OpenRouter, a dearer route": (
        OPENROUTER,
        "meta-llama/llama-3.3-70b-instruct",
        counts(100, 100, cost=0.000312),
        Decimal("0.000312"),
        "settle",
    ),
    "OpenRouter, free": (
        OPENROUTER,
        "meta-llama/llama-3.3-70b-instruct:free",
        counts(100, 100, cost=0),
        Decimal(0),
        "settle",
    ),
    "OpenRouter, online": (
        OPENROUTER,
        "openai/gpt-4o:online",
        counts(1000, 100, cost=0.0235),
        Decimal("0.0235"),
        "settle",
    ),
    "OpenRouter, fastest": (
        OPENROUTER,
        "openai/gpt-4o:nitro",
        counts(10, 10, cost=0.000125),
        Decimal("0.000125"),
        "settle",
    ),
    "OpenRouter, own key": (OPENROUTER, "openai/gpt-4o", counts(194, 9, **BYOK), Decimal("19.95"), "settle"),
    "Perplexity": (
        "https://api.perplexity.ai",
        "sonar",
        counts(10, 20, cost={"total_cost": 0.00603}),
        Decimal("0.00603"),
        "settle",
    ),
    "Perplexity, searches": (
        "https://api.perplexity.ai",
        "sonar-deep-research",
        counts(19, 498, citation_tokens=2847, reasoning_tokens=10_000, num_search_queries=18),
        usd((19, "2"), (498, "8"), (2847, "2"), (10_000, "3")) + 18 * Decimal(".005"),
        "settle",
    ),
    "Groq": (
        "https://api.groq.com/openai/v1",
        "llama-3.3-70b-versatile",
        counts(10, 20, queue_time=0.2),
        usd((10, ".59"), (20, ".79")),
        "settle",
    ),
    "Hugging Face": (
        "https://router.huggingface.co/v1",
        "openai/gpt-oss-120b:groq",
        counts(10, 20),
        usd((10, ".15"), (20, ".75")),
        "settle",
    ),
    "Google's name": (
        GOOGLE,
        "models/gemini-2.5-flash",
        counts(8, 9),
        usd((8, ".3"), (9, "2.5")),
        "settle",
    ),
    "a fine-tuned model": (
        OPENAI,
        "ft:gpt-4o-2024-08-06:org::x",
        counts(10, 20),
        usd((10, "3.75"), (20, "15")),
        "settle",
    ),
    "an unknown server's cost": (
        UNKNOWN,
        "gpt-4o",
        counts(10, 20, cost=0.5),
        Decimal("0.5"),
        "settle",
    ),
    "an unknown server's low cost": (
        UNKNOWN,
        "gpt-4o",
        counts(10, 20, cost=0),
        usd((10, "2.5"), (20, "10")),
        "estimated",
    ),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("case", COSTS)
def test_a_call_costs_what_its_seller_says(at: Make, till: Till, endpoint: Endpoint, case: str, streamed: bool) -> None:
    base_url, model, usage, cost, event = COSTS[case]
    endpoint.default = Reply(usage=usage)
    till.engine.budget.set_limit("llm", 100)
    response = at(base_url).chat.completions.create(model=model, messages=MESSAGES, max_tokens=50_000, stream=streamed)
    if streamed:
        list(response)
    assert till.spent == cost
    assert till.events() == ["hold", event]


def test_a_cost_above_the_hold_is_charged_in_full_and_flagged(at: Make, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage=counts(100, 100, cost=2))
    at(OPENROUTER).chat.completions.create(model="openai/gpt-4o", messages=MESSAGES, max_tokens=10)
    (settled,) = till.records("settle")
    assert (till.spent, settled.detail.get("overrun")) == (2, True)


def test_a_default_cost_gives_way_to_what_the_response_says(at: Make, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage=counts(10, 20, cost=0.0001), model="openai/gpt-4o")
    client = at(OPENROUTER, default_cost="0.05")
    client.chat.completions.create(model="openrouter/auto", messages=MESSAGES)
    assert till.spent == Decimal("0.0001")
    endpoint.default = Reply(usage=counts(10, 20), model="gpt-4o-2024-08-06")
    at("https://mine.openai.azure.com/openai/v1", default_cost="0.05").chat.completions.create(
        model="my-deployment", messages=MESSAGES
    )
    assert till.spent == Decimal("0.0001") + usd((10, "2.5"), (20, "10"))


def test_a_fee_is_added_to_the_hold_and_the_charge(at: Make, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage=counts(10, 20))
    request: Any = {"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 50}
    at(OPENAI).chat.completions.create(**request)
    at(OPENAI, fee="0.03").chat.completions.create(**request)
    at(OPENAI, fee="0.03", cost="0.01").chat.completions.create(**request)
    plain, more, flat = (entry.amount for entry in till.records("hold"))
    assert (more - plain, flat) == (30_000_000, 40_000_000)
    assert [entry.amount for entry in till.records("settle")] == [225_000, 30_225_000, 40_000_000]


VIDEO = {"type": "video_url", "video_url": {"url": "x"}}
SOUND = {"type": "input_audio", "input_audio": {"data": "AA"}}
REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "auto": (OPENROUTER, {"model": "openrouter/auto"}, "default_cost="),
    "deployment": ("https://mine.openai.azure.com/openai/v1", {"model": "mine"}, "deployment's name.*price="),
    "local": ("http://127.0.0.1:8000/v1", {"model": "llama3"}, "cost=0?"),
    "searches": (OPENAI, {"model": "gpt-4o-search-preview"}, "web_searches_kcount"),
    "sound out": (
        OPENAI,
        {"model": "gpt-4o", "modalities": ["text", "audio"]},
        "output_audio_mtok",
    ),
    "sound in": (
        OPENAI,
        {"model": "gpt-4o", "messages": [{"role": "user", "content": [SOUND]}]},
        "input_audio_mtok",
    ),
    "video in": (
        OPENAI,
        {"model": "gpt-4o", "messages": [{"role": "user", "content": [VIDEO]}]},
        "input_video_mtok",
    ),
    "hosted tool": (OPENROUTER, {"model": "openai/gpt-4o", "tools": [{"type": "openrouter:web_search"}]}, "fee="),
    "image out": (OPENROUTER, {"model": "openai/gpt-4o", "modalities": ["image", "text"]}, "output_image_mtok"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_price_is_refused_with_the_keyword_that_states_it(
    at: Make, till: Till, endpoint: Endpoint, case: str
) -> None:
    base_url, requested, words = REFUSED[case]
    with pytest.raises(ConfigurationError, match=words):
        at(base_url).chat.completions.create(**{"messages": MESSAGES, **requested})
    assert (endpoint.count, till.spent) == (0, 0)


def test_the_dearest_of_the_models_to_fall_back_on_is_held(at: Make, till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(usage=counts(10, 20, cost=0.001))
    client = at(OPENROUTER)
    for more in ({}, {"models": ["anthropic/claude-sonnet-4.5"]}):
        client.chat.completions.create(
            model="meta-llama/llama-3.3-70b-instruct", messages=MESSAGES, max_tokens=1000, extra_body=more
        )
    alone, several = (entry.amount for entry in till.records("hold"))
    assert several >= 15_000_000 > alone


def test_prices_are_added_to_the_known_ones(at: Make, till: Till, endpoint: Endpoint) -> None:
    details = {"prompt_tokens_details": {"audio_tokens": 0}, "completion_tokens_details": {"audio_tokens": 5}}
    endpoint.default = Reply(usage=counts(10, 20, **details))
    client = at(OPENAI, price={"gpt-4*": {"output_audio_mtok": 80}})
    client.chat.completions.create(model="gpt-4o", messages=MESSAGES, modalities=["text", "audio"], max_tokens=50)
    assert till.spent == usd((10, "2.5"), (15, "10"), (5, "80"))


def test_audio_is_charged_at_its_published_price(at: Make, till: Till, endpoint: Endpoint) -> None:
    details = {"prompt_tokens_details": {"audio_tokens": 900}, "completion_tokens_details": {"audio_tokens": 800}}
    endpoint.default = Reply(usage=counts(1000, 1000, **details), model="gpt-4o-audio-preview-2025-06-03")
    at(OPENAI).chat.completions.create(
        model="gpt-4o-audio-preview", messages=MESSAGES, modalities=["text", "audio"], max_tokens=1000
    )
    assert till.spent == usd((100, "2.5"), (900, "40"), (200, "10"), (800, "80"))


def test_new_price_data_changes_no_call_that_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Prices().rates("gpt-4o", provider="openai")
    monkeypatch.setattr("genai_prices.data_snapshot.get_snapshot", lambda: pytest.fail("looked up anew"))
    assert held.cost({"input_tokens": 10**6}) == Decimal("2.5")
    assert held.of("gpt-4o-mini").cost({"input_tokens": 10**6}) == Decimal("0.15")


def test_prices_by_the_hour_are_held_at_their_dearest() -> None:
    (model,) = (model for provider, model in SOLD if (provider, model.id) == ("deepseek", "deepseek-reasoner"))
    day = [datetime.now(timezone.utc) + timedelta(hours=hours) for hours in range(24)]
    prices = {model.get_prices(hour).output_mtok for hour in day}
    assert Prices().rates("deepseek-reasoner", provider="deepseek").bound(0, 10**6) == max(prices)


SOLD = [(provider.id, model) for provider in get_snapshot().providers for model in provider.models]
SHAPES = {"chat": "prompt_tokens", "responses": "input_tokens", "embeddings": "prompt_tokens"}
EXTRACTED = [
    (provider, extractor)
    for provider in get_snapshot().providers
    for extractor in provider.extractors or ()
    if extractor.api_flavor in SHAPES and extractor.root == "usage"
]


@pytest.mark.parametrize(
    ("provider", "extractor"), EXTRACTED, ids=lambda each: getattr(each, "id", None) or each.api_flavor
)
def test_every_provider_s_own_extractor_is_followed(provider: Any, extractor: Any) -> None:
    usage: dict[str, Any] = {}
    for number, mapping in enumerate(extractor.mappings, 1):
        *steps, last = [mapping.path] if isinstance(mapping.path, str) else list(mapping.path)
        place = usage
        for step in steps:
            place = place.setdefault(step, {})
        place.setdefault(last, 1_000 - number)
    report = usage_paths_of(provider, extractor.api_flavor).report(usage)
    assert report is not None
    _, expected = provider.extract_usage({"usage": usage}, api_flavor=extractor.api_flavor)
    for mapping in extractor.mappings:
        assert report.counts[mapping.dest] == getattr(expected, mapping.dest)
    assert not report.unpriced


@pytest.mark.parametrize("value", [True, -1, float("nan"), float("inf"), "much", None, [], {"total_cost": "x"}, 10**30])
def test_a_cost_that_is_no_amount_is_none(value: object) -> None:
    assert stated_cost("openrouter", {"usage": {"cost": value}}) is None


def test_ids_are_understood_where_the_seller_s_rule_is_known() -> None:
    assert parse_model_id("openrouter", "A/B:free:online").searches
    assert parse_model_id("openrouter", "a/b:free").free
    assert parse_model_id("openai", "a:free").model == "a:free"
    assert parse_model_id("fireworks", "accounts/fireworks/models/deepseek-v3").model == "deepseek-v3"
    for address in (
        "http://localhost:1/v1",
        "http://10.0.0.2",
        "http://[::1]:8",
        "http://ollama:11434/v1",
        "http://a.local",
    ):
        assert is_local(address)
    assert not is_local(OPENAI)
    assert not is_local("")


def test_azure_is_known_by_its_address(till: Till) -> None:
    plain = AzureOpenAI(api_key="k", azure_endpoint="https://mine.openai.azure.com", api_version="2024-10-21")
    client = govern(plain, engine=till.engine, budget_category="llm")
    with pytest.raises(ConfigurationError, match="deployment"):
        client.chat.completions.create(model="mine", messages=MESSAGES)


def test_an_error_while_a_request_is_measured_refuses_it(at: Make, endpoint: Endpoint) -> None:
    client = at(OPENAI)
    cyclic: dict[str, Any] = {}
    cyclic["self"] = cyclic
    with pytest.raises(ConfigurationError, match="RecursionError"):
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES, extra_body={"metadata2": cyclic})
    assert endpoint.count == 0
