"""Published rules for prices that depend on more than the model's name."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, AnthropicVertex, AsyncAnthropicVertex
from genai_prices.data_snapshot import get_snapshot

from aumos_governance.integrations.pricing.price_terms import (
    address_of,
    billed_model,
    geo_multiplier,
    has_geography,
    lookups,
    seller_at,
    service_tiers,
)
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.wire import feature, needs_parameter

PROXY = "http://127.0.0.1:8080/"
VERTEX = {
    "global": "https://aiplatform.googleapis.com/v1",
    "us": "https://aiplatform.us.rep.googleapis.com/v1",
    "us-east5": "https://us-east5-aiplatform.googleapis.com/v1",
}


class TestAddresses:
    @pytest.mark.parametrize(
        ("seller", "model", "address", "multiplier"),
        [
            ("google", "claude-sonnet-4-5@20250929", VERTEX["us-east5"], "1.1"),
            ("google", "claude-opus-5-5", VERTEX["us"], "1.1"),
            ("google", "claude-opus-5-5", VERTEX["global"], "1"),
            ("google", "claude-sonnet-4@20250514", VERTEX["us-east5"], "1"),
            ("google", "claude-opus-4-1@20250805", VERTEX["us"], "1"),
            ("google", "claude-3-5-haiku@20241022", VERTEX["us-east5"], "1"),
            ("google", "gemini-3.8-flash", VERTEX["us-east5"], "1.1"),
            ("google", "google/gemini-3.8-flash", VERTEX["global"], "1"),
            ("google", "gemini-2.5-flash", VERTEX["us-east5"], "1"),
            ("google", "claude-of-tomorrow", VERTEX["us-east5"], "1.1"),
            ("google", "llama-4", VERTEX["us-east5"], "1"),
            ("google", "gemini-3.8-flash", "https://generativelanguage.googleapis.com/v1beta/openai", "1"),
            ("openai", "gpt-5.4", "https://eu.api.openai.com/v1/", "1.1"),
            ("openai", "gpt-5.4-2026-03-05", "https://us.api.openai.com/v1", "1.1"),
            ("openai", "gpt-6.1-terra", "https://ae.api.openai.com/v1", "1.1"),
            ("openai", "gpt-5.4", "https://api.openai.com/v1", "1"),
            ("openai", "gpt-5.3-codex", "https://eu.api.openai.com/v1", "1"),
            ("openai", "gpt-5", "https://eu.api.openai.com/v1", "1"),
            ("openai", "gpt-4o-2024-08-06", "https://eu.api.openai.com/v1", "1"),
            ("openai", "o3", "https://eu.api.openai.com/v1", "1"),
            ("openai", "text-embedding-3-small", "https://eu.api.openai.com/v1", "1"),
            ("openai", "gpt-image-2", "https://eu.api.openai.com/v1", "1.1"),
            ("together", "zai-org/GLM-5.3", "https://us-api.together.ai/v1", "1.25"),
            ("together", "zai-org/GLM-5.3", "https://api.together.xyz/v1", "1"),
            ("anthropic", "claude-opus-5", "https://api.anthropic.com", "1"),
        ],
    )
    def test_multiply(self, seller: str, model: str, address: str, multiplier: str) -> None:
        (found,) = lookups(seller, model, address)
        assert (found.model, found.multiplier) == (model, Decimal(multiplier))

    @pytest.mark.parametrize(
        ("address", "seller"),
        [
            ("https://claude.googleapis.com/v1/projects/p/locations/global", "anthropic"),
            ("https://aws-external-anthropic.us-west-2.api.aws", "anthropic"),
            ("https://mine.services.ai.azure.com/anthropic/", "anthropic"),
            ("https://mine.services.ai.azure.com/openai/v1/", None),
            ("https://bedrock-mantle.eu-west-1.api.aws/anthropic", "aws"),
            ("https://bedrock-runtime.us-east-1.amazonaws.com", "aws"),
            ("https://eu.api.openai.com/v1", "openai"),
            ("https://ca-api.together.ai/v1", "together"),
            ("https://us-east-1.api.x.ai/v1", "x-ai"),
            ("https://api.anthropic.com", None),
            ("https://claude.googleapis.com.example.org", None),
            ("http://127.0.0.1:8000", None),
            ("", None),
        ],
    )
    def test_name_the_seller(self, address: str, seller: str | None) -> None:
        assert seller_at(address) == seller


class TestBedrockNames:
    def test_an_arn_is_looked_up_by_the_profile_that_it_ends_with(self) -> None:
        profile = "us.anthropic.claude-opus-5"
        arn = f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/{profile}"
        assert lookups("aws", arn) == lookups("aws", profile)
        assert lookups("aws", arn)[0].model == profile

    def test_a_global_profile_has_no_other_name(self) -> None:
        assert [found.model for found in lookups("aws", "global.anthropic.claude-opus-5")] == [
            "global.anthropic.claude-opus-5"
        ]

    @pytest.mark.parametrize(
        ("model", "multiplier"),
        [("eu.anthropic.claude-fable-5-1", "1.1"), ("eu.anthropic.claude-3-haiku-20240307-v1:0", "1")],
    )
    def test_a_regional_profile_that_is_not_listed_costs_more_than_the_global_one(
        self, model: str, multiplier: str
    ) -> None:
        last = lookups("aws", model)[-1]
        assert (last.model, last.multiplier) == (f"global.{model[3:]}", Decimal(multiplier))


def _bedrock() -> dict[str, Any]:
    (seller,) = (provider for provider in get_snapshot().providers if provider.id == "aws")
    return {model.id: model for model in seller.models}


class TestTheData:
    """The rules agree with what genai-prices has of both sides."""

    @pytest.mark.parametrize(
        "name",
        [
            name.removeprefix("regional.")
            for name in _bedrock()
            if name.startswith("regional.") and f"global.{name.removeprefix('regional.')}" in _bedrock()
        ],
    )
    def test_a_regional_profile_costs_a_tenth_more_than_the_global_one(self, name: str) -> None:
        regional, globally = (_bedrock()[f"{kind}.{name}"] for kind in ("regional", "global"))
        now = datetime.now(timezone.utc)
        (found,) = (lookup for lookup in lookups("aws", f"xx.{name}") if lookup.model == f"global.{name}")
        prices = [vars(model.get_prices(now))["output_mtok"] for model in (regional, globally)]
        lowest = [getattr(price, "base", price) for price in prices]
        assert lowest[0] == lowest[1] * found.multiplier

    @pytest.mark.parametrize("name", [name for name in _bedrock() if ".anthropic." in name])
    def test_each_claude_of_bedrock_is_found_by_its_profiles(self, name: str) -> None:
        kind, _, bare = name.partition(".")
        rates = Prices().rates(bare if kind == "regional" else name, provider="aws")
        assert rates.seller == "aws"
        assert rates.multiplier == 1
        arn = f"arn:aws:bedrock:us-east-1:1:inference-profile/us.{bare}"
        assert Prices().rates(arn, provider="aws").bound(1000, 1000) >= rates.bound(1000, 1000)


class TestGeography:
    @pytest.mark.parametrize(
        ("model", "priced"),
        [
            ("claude-opus-4-6", True),
            ("claude-sonnet-4-6", True),
            ("claude-fable-5-2", True),
            ("claude-opus-5-20260724", True),
            ("claude-of-tomorrow", True),
            ("claude-opus-4-5-20251101", False),
            ("claude-haiku-4-5", False),
            ("claude-opus-4-20250514", False),
            ("claude-3-7-sonnet-latest", False),
        ],
    )
    def test_prices_models_from_claude_4_6_on(self, model: str, priced: bool) -> None:
        assert has_geography(model) is priced

    @pytest.mark.parametrize(
        ("geo", "multiplier"), [(None, "1"), ("global", "1"), ("not_available", "1"), ("us", "1.1"), ("eu", None)]
    )
    def test_multiplies(self, geo: str | None, multiplier: str | None) -> None:
        assert geo_multiplier(geo) == (None if multiplier is None else Decimal(multiplier))


class TestServiceTiers:
    @pytest.mark.parametrize(
        ("seller", "requested", "tiers"),
        [
            ("openai", None, {"priority"}),
            ("openai", "auto", {"priority"}),
            ("openai", "flex", {"flex"}),
            ("openai", "priority", {"priority"}),
            ("google", "flex", {"flex"}),
            ("google", None, set()),
            (None, None, set()),
        ],
    )
    def test_that_a_request_leaves_open(self, seller: str | None, requested: str | None, tiers: set[str]) -> None:
        contexts = service_tiers(seller, requested)
        assert contexts[0] == {}
        assert {context["service_tier"] for context in contexts[1:]} == tiers


class TestTheBilledName:
    @pytest.mark.parametrize(
        ("requested", "responded", "billed"),
        [
            # A bare name does not replace a more exact one.
            ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929"),
            ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5", "claude-sonnet-4-5@20250929"),
            (
                "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "claude-sonnet-4-5-20250929",
                "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
            ),
            ("eu.anthropic.claude-opus-5", "claude-opus-5", "eu.anthropic.claude-opus-5"),
            ("eu.anthropic.claude-opus-5", "claude-opus-5-20260724", "eu.anthropic.claude-opus-5"),
            (
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5",
                "claude-opus-5",
                "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-opus-5",
            ),
            ("gpt-4o-2024-05-13", "gpt-4o", "gpt-4o-2024-05-13"),
            ("vendor/model:online", "vendor/model", "vendor/model:online"),
            # A more exact name, and another model, do.
            ("gpt-4o", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
            ("claude-opus-4-5", "claude-opus-4-5-20251101", "claude-opus-4-5-20251101"),
            ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06", "gpt-4o-2024-08-06"),
            ("my-deployment", "gpt-5.4-2026-03-05", "gpt-5.4-2026-03-05"),
            ("claude-fable-5", "claude-opus-4-8", "claude-opus-4-8"),
            # At the profile that was requested.
            ("us.anthropic.claude-fable-5", "claude-opus-4-8", "us.anthropic.claude-opus-4-8"),
            ("global.anthropic.claude-fable-5", "claude-opus-4-8", "global.anthropic.claude-opus-4-8"),
            # No name at all.
            ("claude-opus-5", None, "claude-opus-5"),
            ("claude-opus-5", "", "claude-opus-5"),
            ("claude-opus-5", 3, "claude-opus-5"),
        ],
    )
    def test_is_that_of_the_response_and_never_less_exact_than_the_requested_one(
        self, requested: str, responded: object, billed: str
    ) -> None:
        assert billed_model(requested, responded) == billed


class TestTheAddressOfAClient:
    """Which a base URL of the user's own, such as a proxy's, does not hide."""

    def test_is_its_base_url(self) -> None:
        assert address_of(Anthropic(api_key="k", base_url=PROXY)) == PROXY
        assert address_of(object()) == ""

    @pytest.mark.parametrize("region", ["global", "us", "us-east5"])
    @pytest.mark.parametrize("kind", [AnthropicVertex, AsyncAnthropicVertex])
    def test_is_the_cloud_s_of_its_region(self, kind: Any, region: str) -> None:
        client = kind(region=region, project_id="p", access_token="t", base_url=PROXY)
        own = kind(region=region, project_id="p", access_token="t")
        assert address_of(client) == VERTEX[region]
        # Earlier libraries send those of "us" to another address of the same region.
        assert address_of(own).rstrip("/") in {VERTEX[region], f"https://{region}-aiplatform.googleapis.com/v1"}

    @pytest.mark.parametrize("name", ["AnthropicBedrock", "AnthropicBedrockMantle"])
    def test_is_the_other_cloud_s(self, name: str) -> None:
        kind = feature(anthropic, name)
        needs_parameter(kind, "api_key")
        client = kind(aws_region="eu-west-1", api_key="k", base_url=PROXY)
        assert (
            seller_at(address_of(client)) == seller_at(address_of(kind(aws_region="eu-west-1", api_key="k"))) == "aws"
        )
