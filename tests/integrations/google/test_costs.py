"""The cost of a call to Gemini by its response: the prices of genai-prices, with fees and terms from the response."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aumos_governance.integrations.google.calls import PROVIDER
from aumos_governance.integrations.guarding.calls import ApiRequest, Cost, UsageMissingError
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.google.gemini import (
    ADDRESS,
    MILLION,
    MODEL,
    PRO,
    THREE,
    USED,
    cost,
    generate,
    listed,
    rates,
    response,
)
from tests.integrations.till import needs_prices_of_0_2


def tokens(modality: str, count: int) -> dict[str, Any]:
    return {"modality": modality, "tokenCount": count}


REPORTS: dict[str, tuple[str, dict[str, Any]]] = {
    "text": (MODEL, USED),
    "thoughts": (MODEL, {**USED, "thoughtsTokenCount": 400, "totalTokenCount": 1500}),
    "tools": (MODEL, {**USED, "toolUsePromptTokenCount": 250, "totalTokenCount": 1350}),
    "cached": (MODEL, {**USED, "cachedContentTokenCount": 900}),
    "long": (PRO, {"promptTokenCount": 250_000, "candidatesTokenCount": 100, "totalTokenCount": 250_100}),
    "sound": (MODEL, {**USED, "promptTokensDetails": [tokens("TEXT", 200), tokens("AUDIO", 800)]}),
    "sound at one price": (PRO, {**USED, "promptTokensDetails": [tokens("TEXT", 200), tokens("AUDIO", 800)]}),
    "film": (MODEL, {**USED, "promptTokensDetails": [tokens("VIDEO", 700), tokens("AUDIO", 300)]}),
    "document": (THREE, {**USED, "promptTokensDetails": [tokens("DOCUMENT", 700), tokens("TEXT", 300)]}),
    "cached sound": (
        MODEL,
        {
            **USED,
            "cachedContentTokenCount": 900,
            "cacheTokensDetails": [tokens("TEXT", 400), tokens("AUDIO", 500)],
            "promptTokensDetails": [tokens("TEXT", 500), tokens("AUDIO", 500)],
        },
    ),
    "cached sound at one price": (
        PRO,
        {
            **USED,
            "cachedContentTokenCount": 900,
            "promptTokensDetails": [tokens("TEXT", 200), tokens("AUDIO", 800)],
        },
    ),
    "image": (
        "gemini-2.5-flash-image",
        {
            "promptTokenCount": 1000,
            "candidatesTokenCount": 1390,
            "totalTokenCount": 2390,
            "candidatesTokensDetails": [tokens("TEXT", 100), tokens("IMAGE", 1290)],
        },
    ),
    "speech": (
        "gemini-2.5-flash-preview-tts",
        {**USED, "candidatesTokensDetails": [tokens("AUDIO", 100)]},
    ),
}


@needs_prices_of_0_2
@pytest.mark.parametrize("name", REPORTS)
def test_a_consistent_report_costs_what_genai_prices_makes_of_it(name: str) -> None:
    model, usage = REPORTS[name]
    assert cost(usage, model) == Cost(listed(usage, model))


def test_cached_text_beside_sound_is_charged_though_genai_prices_needs_more_fields() -> None:
    usage = {
        **USED,
        "cachedContentTokenCount": 300,
        "cacheTokensDetails": [tokens("TEXT", 300)],
        "promptTokensDetails": [tokens("TEXT", 600), tokens("AUDIO", 400)],
    }
    expected = (300 * Decimal("0.3") + 400 + 300 * Decimal("0.03") + 100 * Decimal("2.5")) / MILLION
    assert cost(usage) == Cost(expected)
    # Where the report does not break it down, it counts as text, for which the cache reduces the price least.
    del usage["cacheTokensDetails"]
    assert cost(usage) == Cost(expected, estimated=True)


def test_cached_tokens_that_the_text_cannot_hold_are_of_the_sound() -> None:
    usage = {
        **USED,
        "cachedContentTokenCount": 900,
        "promptTokensDetails": [tokens("TEXT", 200), tokens("AUDIO", 800)],
    }
    cached = 200 * Decimal("0.03") + 700 * Decimal("0.1")
    assert cost(usage) == Cost((cached + 100 * 1 + 100 * Decimal("2.5")) / MILLION, estimated=True)


def test_one_cached_token_of_an_unknown_kind_is_a_doubt() -> None:
    usage = {
        **USED,
        "cachedContentTokenCount": 1,
        "promptTokensDetails": [tokens("TEXT", 600), tokens("AUDIO", 400)],
    }
    cached = 599 * Decimal("0.3") + Decimal("0.03") + 400
    assert cost(usage) == Cost((cached + 100 * Decimal("2.5")) / MILLION, estimated=True)


def test_cached_sound_at_one_price_is_charged_as_cached_text() -> None:
    usage = {
        **REPORTS["cached sound at one price"][1],
        "cacheTokensDetails": [tokens("TEXT", 150), tokens("AUDIO", 750)],
    }
    expected = rates(PRO).cost({"input_tokens": 1000, "cache_read_tokens": 900, "output_tokens": 100})
    assert cost(usage, PRO) == Cost(expected)


def test_a_flat_cost_is_no_estimate() -> None:
    flat = Prices(cost="0.5").rates(MODEL, provider="google")
    image = [{"inlineData": {"mimeType": "image/png", "data": "x" * 400}}]
    for usage, parts in ((USED, image), ({**REPORTS["cached sound"][1], "cacheTokensDetails": []}, None)):
        assert generate().cost(flat, response(usage, parts=parts)) == Cost(Decimal("0.5"))


@pytest.mark.parametrize("thoughts", [0, 200])
def test_an_image_that_the_report_does_not_break_down_is_charged_as_one(thoughts: int) -> None:
    image = [{"inlineData": {"mimeType": "image/png", "data": "x" * 4000}}]
    usage = {"promptTokenCount": 1000, "candidatesTokenCount": 1290, "totalTokenCount": 2290 + thoughts}
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    expected = (1000 * Decimal("0.3") + 1290 * 30 + thoughts * Decimal("2.5")) / MILLION
    found = cost(usage, "gemini-2.5-flash-image", parts=image)
    assert found == Cost(expected, estimated=True)


def test_an_image_that_the_report_breaks_down_is_charged_as_it_says() -> None:
    image = [{"inlineData": {"mimeType": "image/png", "data": "x" * 4000}}]
    model, usage = REPORTS["image"]
    assert cost(usage, model, parts=image) == Cost(listed(usage, model))


def test_speech_that_the_report_does_not_break_down_has_the_price_of_all_output() -> None:
    model, sound = "gemini-2.5-flash-preview-tts", [{"inlineData": {"mimeType": "audio/L16", "data": "x" * 4000}}]
    assert cost(USED, model, parts=sound) == Cost(listed(USED, model))


class TestModels:
    def test_the_model_that_an_alias_stands_for_is_charged(self) -> None:
        found = cost(USED, "gemini-flash-latest", modelVersion="gemini-2.5-flash")
        assert found == Cost(listed(USED, "gemini-2.5-flash"))

    def test_a_bare_name_of_the_same_model_changes_nothing(self) -> None:
        assert cost(USED, MODEL, modelVersion="models/gemini-2.5-flash") == Cost(listed(USED))

    def test_an_unknown_name_of_the_response_changes_nothing(self) -> None:
        assert cost(USED, MODEL, modelVersion="gemini-of-tomorrow") == Cost(listed(USED))

    def test_stated_prices_are_those_of_each_location(self) -> None:
        stated = Prices(price={"input_mtok": 1, "output_mtok": 2}).rates(THREE, provider="google")
        path = f"/v1/projects/p/locations/europe-west4/publishers/google/models/{THREE}:generateContent"
        assert generate(THREE, path=path).cost(stated, response(USED)) == Cost((1000 + 200) / MILLION)

    def test_stated_prices_stay(self) -> None:
        stated = Prices(price={"input_mtok": 1, "output_mtok": 2}).rates("mine", provider="google", base_url=ADDRESS)
        found = generate("mine").cost(stated, response(USED, modelVersion="gemini-2.5-pro"))
        assert found == Cost((1000 + 200) / MILLION)

    def test_a_price_that_is_stated_for_the_requested_model_stays(self) -> None:
        stated = Prices(price={"mine": {"input_mtok": 1, "output_mtok": 2}}).rates("mine", provider="google")
        found = generate("mine").cost(stated, response(USED, modelVersion="gemini-2.5-pro"))
        assert found == Cost((1000 + 200) / MILLION)


class TestTiers:
    @pytest.mark.parametrize(
        ("stated", "requested", "times", "estimated"),
        [
            ({}, None, 1, False),
            ({"serviceTier": "standard"}, None, 1, False),
            ({"serviceTier": "standard"}, "priority", 1, False),
            ({"trafficType": "ON_DEMAND"}, "priority", 1, False),
            ({"serviceTier": "flex"}, "flex", Decimal("0.5"), False),
            ({"trafficType": "ON_DEMAND_FLEX"}, "flex", Decimal("0.5"), False),
            ({"serviceTier": "priority"}, "priority", 2, True),
            ({"trafficType": "ON_DEMAND_PRIORITY"}, None, 2, True),
            ({}, "priority", 2, True),
            ({}, "flex", 1, True),
            ({}, "standard", 1, False),
            ({"trafficType": "PROVISIONED_THROUGHPUT"}, None, 1, True),
            ({"trafficType": "ON_DEMAND_OFFPEAK"}, None, 1, True),
            ({"serviceTier": "SERVICE_TIER_UNSPECIFIED"}, None, 1, False),
            ({"serviceTier": "", "trafficType": "ON_DEMAND_FLEX"}, None, Decimal("0.5"), False),
            ({"trafficType": "TRAFFIC_TYPE_UNSPECIFIED"}, None, 1, False),
            ({"trafficType": ""}, "priority", 2, True),
            ({"trafficType": 3}, None, 1, False),
            ({"serviceTier": 3}, None, 1, False),
        ],
    )
    def test_the_tier_that_served_it_decides(self, stated: Any, requested: Any, times: Any, estimated: bool) -> None:
        body = {} if requested is None else {"serviceTier": requested}
        assert cost({**USED, **stated}, body=body) == Cost(listed(USED) * times, estimated)

    @pytest.mark.parametrize("terms", [{"serviceTier": "priority"}, {"serviceTier": "flex"}, {"serviceTier": "new"}])
    def test_a_stated_price_is_that_of_every_tier(self, terms: Any) -> None:
        stated = Prices(price={"input_mtok": 1, "output_mtok": 10}).rates(MODEL, provider="google", base_url=ADDRESS)
        assert generate().cost(stated, response({**USED, **terms})) == Cost((1000 + 100 * Decimal(10)) / MILLION)

    def test_the_terms_of_google_are_not_those_of_another_seller(self) -> None:
        model = "google/gemini-3-flash-preview"
        other = Prices().rates(model, provider="openrouter")
        path = f"/v1/projects/p/locations/europe-west4/publishers/google/models/{THREE}:generateContent"
        expected = Cost(other.cost({"input_tokens": 1000, "output_tokens": 100}))
        for terms in ({}, {"serviceTier": "priority"}, {"trafficType": "ON_DEMAND_FLEX"}):
            assert generate(model, path=path).cost(other, response({**USED, **terms})) == expected

    def test_a_location_of_vertex_costs_a_tenth_more_since_gemini_3(self) -> None:
        regional = rates(THREE, "https://europe-west4-aiplatform.googleapis.com")
        assert generate(THREE).cost(regional, response(USED)) == Cost(listed(USED, THREE) * Decimal("1.1"))
        path = f"/v1/projects/p/locations/europe-west4/publishers/google/models/{THREE}:generateContent"
        found = generate(THREE, path=path).cost(rates(THREE, "https://aiplatform.googleapis.com"), response(USED))
        assert found == Cost(listed(USED, THREE) * Decimal("1.1"))


class TestEmbeddings:
    def embed(self, method: str, stated: Any) -> Cost:
        paid = PROVIDER.paid(ApiRequest("post", f"/v1beta/models/gemini-embedding-001:{method}", {}))
        assert paid is not None
        return paid.cost(rates("gemini-embedding-001"), stated)

    def test_the_usage_of_a_response_is_charged(self) -> None:
        expected = 200 * Decimal("0.15") / MILLION
        for usage in ({"promptTokenCount": 200}, {"promptTokenCount": 200, "totalTokenCount": 200}):
            assert self.embed("embedContent", {"embedding": {}, "usageMetadata": usage}) == Cost(expected)
        doubtful = self.embed(
            "batchEmbedContents", {"usageMetadata": {"promptTokenCount": 150, "totalTokenCount": 200}}
        )
        assert doubtful == Cost(expected, estimated=True)

    def test_the_statistics_of_vertex_are_charged(self) -> None:
        each = {"embeddings": {"values": [], "statistics": {"token_count": 100.0, "truncated": False}}}
        assert self.embed("predict", {"predictions": [each, each]}) == Cost(200 * Decimal("0.15") / MILLION)

    @pytest.mark.parametrize("method", ["embedContent", "batchEmbedContents", "predict"])
    def test_without_usage_what_was_held_is_charged(self, method: str) -> None:
        with pytest.raises(UsageMissingError):
            self.embed(method, {"embedding": {"values": [0.1]}, "predictions": [{"embeddings": {"values": []}}]})
