"""Every seller that genai-prices names has its own prices, by its id and by the address of its API."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import Usage

from aumos_governance import ConfigurationError
from aumos_governance.integrations.pricing.prices import Prices
from aumos_governance.integrations.pricing.rates import UnusableUsageError
from tests.integrations.till import needs_prices_of_0_2

pytestmark = needs_prices_of_0_2
ELSEWHERE = "https://llm.example.com/v1"
ADDRESSES = {
    "anthropic": "https://api.anthropic.com",
    "arcee": "https://api.arcee.ai/v1",
    "avian": "https://api.avian.io/v1",
    "aws": "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1",
    "azure": "https://mine.openai.azure.com/openai/v1",
    "baseten": "https://inference.baseten.co/v1",
    "cerebras": "https://api.cerebras.ai/v1",
    "cloudflare": "https://api.cloudflare.com/client/v4/accounts/mine/ai/v1",
    "cohere": "https://api.cohere.ai/compatibility/v1",
    "databricks": "https://mine.cloud.databricks.com/serving-endpoints",
    "deepseek": "https://api.deepseek.com/v1",
    "fireworks": "https://api.fireworks.ai/inference/v1",
    "google": "https://generativelanguage.googleapis.com/v1beta/openai",
    "groq": "https://api.groq.com/openai/v1",
    "huggingface_groq": "https://router.huggingface.co/groq/openai/v1",
    "minimax": "https://api.minimax.io/v1",
    "mistral": "https://api.mistral.ai/v1",
    "moonshotai": "https://api.moonshot.ai/v1",
    "novita": "https://api.novita.ai/v3/openai",
    "openai": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "ovhcloud": "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
    "perplexity": "https://api.perplexity.ai",
    "together": "https://api.together.xyz/v1",
    "x-ai": "https://api.x.ai/v1",
    "zai": "https://api.z.ai/api/paas/v4",
}
USED: dict[str, Any] = {"input_tokens": 1000, "output_tokens": 100}


def _listed(seller: str) -> Iterator[tuple[str, Decimal]]:
    """The models of a seller, and the costs that genai-prices computes for the usage."""
    for provider in get_snapshot().providers:
        for model in provider.models if provider.id == seller else ():
            name = f"accounts/fireworks/models/{model.id}" if seller == "fireworks" else model.id
            try:
                priced = calc_price(Usage(**USED), name, provider_id=seller).total_price
            except (LookupError, ValueError):
                continue
            yield name, priced


@pytest.mark.parametrize("how", ["by its address", "by its id"])
@pytest.mark.parametrize("seller", ADDRESSES)
def test_a_model_costs_what_its_seller_charges(seller: str, how: str) -> None:
    provider, base_url = ("openai", ADDRESSES[seller]) if how == "by its address" else (seller, ELSEWHERE)
    prices, found, refused = Prices(), 0, []
    for model, priced in _listed(seller):
        try:
            cost = prices.rates(model, provider=provider, base_url=base_url).cost(USED)
        except (ConfigurationError, UnusableUsageError):
            # It has no price for one of the two, as an embedding has none for output.
            refused.append(model)
            continue
        assert (model, cost) == (model, priced)
        found += 1
    assert found > len(refused), refused


@pytest.mark.parametrize("base_url", [ELSEWHERE, "http://localhost:11434/v1", "http://127.0.0.1:8000/v1"])
def test_a_model_of_an_unknown_server_has_no_price(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not known"):
        Prices().rates("qwen2.5-coder:7b", provider="openai", base_url=base_url)
    assert Prices(cost=0).rates("qwen2.5-coder:7b", provider="openai", base_url=base_url).flat == 0


def test_gemma_is_free_where_google_gives_it_away() -> None:
    gemini = "https://generativelanguage.googleapis.com"
    for name in ("gemma-3-27b-it", "gemma-4-31b-it", "models/gemma-4-31b-it"):
        assert Prices().rates(name, provider="google", base_url=gemini).cost(USED) == 0
        with pytest.raises(ConfigurationError):
            Prices().rates(name, provider="google", base_url="https://aiplatform.googleapis.com/v1")
