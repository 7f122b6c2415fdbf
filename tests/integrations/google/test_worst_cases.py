"""The amount held for a call to Gemini: an upper bound of its input, output, tools and terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from aumos_governance.integrations.google.calls import PROVIDER
from aumos_governance.integrations.google.models import CONTEXT_TOKENS
from aumos_governance.integrations.google.sizes import size_of
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.google.gemini import HELLO, MILLION, MODEL, PRO, THREE, generate, held, rates

LIMITED: dict[str, Any] = {"generationConfig": {"maxOutputTokens": 1000}}
INPUT = size_of({"contents": HELLO, **LIMITED}, MODEL).tokens


def limited(**config: Any) -> dict[str, Any]:
    return {"generationConfig": {"maxOutputTokens": 1000, **config}}


def test_text_is_bounded_by_its_bytes_and_the_output_by_its_limit() -> None:
    assert 0 < INPUT < 150
    assert held(**LIMITED) == (INPUT * Decimal("0.3") + 1000 * Decimal("2.5")) / MILLION


@pytest.mark.parametrize(
    "body",
    [
        {"generationConfig": {"max_output_tokens": 1000}},
        {"generation_config": {"maxOutputTokens": "1000"}},
        {"generation_config": {"max_output_tokens": 1e3}},
    ],
)
def test_a_field_is_read_in_each_spelling_that_google_takes(body: Any) -> None:
    assert abs(held(**body) - held(**LIMITED)) < Decimal("0.0001")


def test_two_spellings_of_a_limit_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="maxOutputTokens and max_output_tokens"):
        held(generationConfig={"maxOutputTokens": 10, "max_output_tokens": 60_000})


@pytest.mark.parametrize(("model", "output"), [(MODEL, 65_536), (PRO, 65_536), ("gemini-2.0-flash", 8_192)])
def test_without_a_limit_a_response_may_be_as_long_as_the_model_can_make_it(model: str, output: int) -> None:
    price = {MODEL: "2.5", PRO: "10", "gemini-2.0-flash": "0.4"}[model]
    # The longer number of a limit that is stated is a byte of the input.
    stated = held(model, generationConfig={"maxOutputTokens": output})
    assert abs(held(model) - stated) < Decimal("0.0002")
    assert held(model) > output * Decimal(price) / MILLION


def test_thoughts_are_within_the_limit() -> None:
    thinking = limited(thinkingConfig={"thinkingBudget": 24_000})
    assert held(**thinking) - held(**LIMITED) < Decimal("0.0001")


def test_each_candidate_may_be_as_long() -> None:
    assert held(**limited(candidateCount=4)) - held(**LIMITED) >= 3000 * Decimal("2.5") / MILLION


def test_a_long_input_is_held_at_the_tier_that_it_may_reach() -> None:
    text = [{"parts": [{"text": "word " * 60_000}]}]
    assert held(PRO, contents=text, **LIMITED) > (300_000 * Decimal("2.5") + 1000 * 15) / MILLION


def test_an_input_is_no_longer_than_the_context() -> None:
    text = [{"parts": [{"text": "x" * 3_000_000}]}]
    assert held(contents=text, **LIMITED) == (CONTEXT_TOKENS * Decimal("0.3") + 1000 * Decimal("2.5")) / MILLION


def test_an_input_is_no_longer_than_the_context_of_its_model() -> None:
    model, price = "gemini-2.5-flash-tts", Decimal("0.5")
    window = rates(model).context_window
    assert window == 8_192
    expected = (window * price + 1000 * 10) / MILLION
    assert held(model, contents=[{"parts": [{"text": "x" * 10_000}]}], **LIMITED) == expected
    assert held(model, cachedContent="cachedContents/x", **LIMITED) == expected


@pytest.mark.parametrize("body", [{"cachedContent": "cachedContents/x"}, {"continuationToken": "abc"}])
def test_input_that_is_kept_elsewhere_is_bounded_by_the_context(body: Any) -> None:
    assert held(**body, **LIMITED) == (CONTEXT_TOKENS + 1000 * Decimal("2.5")) / MILLION


class TestOutputs:
    def test_a_model_that_makes_images_is_held_at_their_price_without_a_request_for_them(self) -> None:
        model = "gemini-2.5-flash-image"
        assert held(model, generationConfig={"maxOutputTokens": 8_000}) > 8_000 * 30 / MILLION
        text = held(model, generationConfig={"maxOutputTokens": 8_000, "responseModalities": ["TEXT"]})
        assert text < 8_000 * 3 / MILLION

    @pytest.mark.parametrize("kind", ["IMAGE", "image", 2])
    def test_an_image_is_not_made_smaller_by_a_limit(self, kind: Any) -> None:
        def with_limit(limit: int) -> Decimal:
            config = {"maxOutputTokens": limit, "responseModalities": ["TEXT", kind]}
            return held("gemini-2.5-flash-image", generationConfig=config)

        assert with_limit(1_000) == with_limit(4_096)
        assert with_limit(4_097) - with_limit(4_096) == Decimal(30) / MILLION

    @pytest.mark.parametrize(
        ("given", "kind"), [("AUDIO", "audio"), ("IMAGE", "image"), (2, "image"), (3, "audio"), (4, "video")]
    )
    def test_a_kind_without_a_price_is_refused(self, given: Any, kind: str) -> None:
        with pytest.raises(ConfigurationError, match=f"'output_{kind}_mtok'"):
            held(**limited(responseModalities=[given]))

    def test_speech_has_the_price_of_its_models_output(self) -> None:
        assert held("gemini-2.5-flash-preview-tts", **limited(responseModalities=["AUDIO"])) > 1000 * 10 / MILLION


class TestTerms:
    def test_a_priority_request_may_cost_twice_the_list_price(self) -> None:
        assert held(serviceTier="priority", **LIMITED) == 2 * held(**LIMITED)
        assert held(service_tier="SERVICE_TIER_PRIORITY", **LIMITED) == 2 * held(**LIMITED)

    @pytest.mark.parametrize("tier", ["flex", "standard", "unspecified"])
    def test_other_tiers_are_held_at_the_list_price(self, tier: str) -> None:
        assert held(serviceTier=tier, **LIMITED) == held(**LIMITED)

    def test_an_unknown_tier_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="serviceTier='express'"):
            held(serviceTier="express", **LIMITED)

    def test_a_location_of_vertex_costs_a_tenth_more_since_gemini_3(self) -> None:
        for model, more in ((MODEL, 1), (THREE, Decimal("1.1"))):
            path = f"/v1/projects/p/locations/europe-west4/publishers/google/models/{model}:generateContent"
            paid = generate(model, path=path, **LIMITED)
            assert paid.worst(rates(model, "https://aiplatform.googleapis.com")) == more * held(model, **LIMITED)
            regional = rates(model, "https://europe-west4-aiplatform.googleapis.com")
            assert paid.worst(regional) == more * held(model, **LIMITED)


class TestEmbeddings:
    def embedding(self, method: str, **body: Any) -> Decimal:
        paid = PROVIDER.paid(ApiRequest("post", f"/v1beta/models/gemini-embedding-001:{method}", body))
        assert paid is not None
        return paid.worst(rates("gemini-embedding-001"))

    def test_each_content_is_input(self) -> None:
        content = {"parts": [{"text": "x" * 1000}]}
        one = self.embedding("embedContent", content=content)
        assert 1000 * Decimal("0.15") / MILLION < one < 1100 * Decimal("0.15") / MILLION
        request = {"model": "models/gemini-embedding-001", "content": content}
        assert self.embedding("batchEmbedContents", requests=[request] * 3) == 3 * one

    def test_instances_of_vertex_are_input(self) -> None:
        one = self.embedding("predict", instances=[{"content": "x" * 1000}])
        assert 1000 * Decimal("0.15") / MILLION < one < 1100 * Decimal("0.15") / MILLION

    @pytest.mark.parametrize("method", ["predict", "predictLongRunning"])
    def test_what_is_priced_by_the_image_needs_a_stated_cost(self, method: str) -> None:
        paid = PROVIDER.paid(
            ApiRequest("post", f"/v1beta/models/imagen-4.0-generate-001:{method}", {"instances": [{}]})
        )
        assert paid is not None
        assert paid.worst(Prices(cost="0.04").rates("imagen-4.0-generate-001", provider="google")) == Decimal("0.04")
        with pytest.raises(ConfigurationError):
            Prices().rates("imagen-4.0-generate-001", provider="google")
        stated = Prices(price={"input_mtok": 1}).rates("imagen-4.0-generate-001", provider="google")
        with pytest.raises(ConfigurationError, match="imagen"):
            paid.worst(stated)


def test_a_modality_of_no_known_form_is_text() -> None:
    assert abs(held(**limited(responseModalities=[["AUDIO"]])) - held(**LIMITED)) < Decimal("0.0001")
