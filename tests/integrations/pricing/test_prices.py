"""Prices are found, stated or bounded from above, and a missing price is never taken as 0."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from genai_prices import calc_price
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ClauseEquals, ConditionalPrice, ModelInfo, ModelPrice, StartDateConstraint, Usage
from hypothesis import given, settings
from hypothesis import strategies as st

from aumos_governance import ConfigurationError
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.pricing import prices as prices_module
from aumos_governance.integrations.pricing import rates as rates_module
from aumos_governance.integrations.pricing.prices import Prices, address_seller
from aumos_governance.integrations.pricing.rates import Rates, UnusableUsageError
from aumos_governance.integrations.pricing.sizes import IMAGE_TOKENS, size_of

STATED = {
    "input_mtok": 1,
    "output_mtok": 2,
    "cache_write_mtok": 3,
    "cache_write_1h_mtok": 4,
    "cache_read_mtok": "0.1",
    "input_audio_mtok": 50,
    "output_audio_mtok": 60,
}


def rates(model: str = "gpt-4o", **stated: Any) -> Rates:
    return Prices(**stated).rates(model, provider="openai")


def worst(model: str, **body: Any) -> Decimal:
    paid = PROVIDER.paid(ApiRequest("post", "/chat/completions", {"model": model, "service_tier": "default", **body}))
    assert paid is not None
    return paid.worst(rates(model))


def test_the_address_states_whose_prices_count() -> None:
    def at(model: str, base_url: str) -> Decimal:
        found = Prices().rates(model, provider="openai", base_url=base_url)
        return found.cost({"input_tokens": 1_000_000})

    assert at("gpt-4o", "https://api.openai.com/v1/") == Decimal("2.5")
    assert at("gpt-4o", "https://mine.openai.azure.com/openai/") == Decimal("2.5")
    assert at("openai/gpt-oss-20b", "https://api.groq.com/openai/v1/") != at("gpt-oss-20b", "http://localhost:8000/v1")
    with pytest.raises(ConfigurationError, match="not known"):
        at("gpt-4o", "https://api.groq.com/openai/v1/")


@pytest.mark.parametrize(
    ("base_url", "seller"),
    [
        ("https://api.openai.com/v1", "openai"),
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://eu.api.openai.com/v1", "openai"),
        ("https://claude.googleapis.com", "anthropic"),
        ("https://nowhere.example", None),
    ],
)
def test_a_seller_is_known_by_its_address(base_url: str, seller: str | None) -> None:
    assert address_seller(base_url) == seller


def snapshot(prices: Any) -> DataSnapshot:
    """Price data in which OpenAI sells one model."""
    openai = next(seller for seller in get_snapshot().providers if seller.id == "openai")
    model = ModelInfo(id="gpt-next", match=ClauseEquals("gpt-next"), prices=prices)
    return DataSnapshot([replace(openai, models=[model])], from_auto_update=True)


def test_new_price_data_applies_from_the_next_call_on() -> None:
    earlier, later = (snapshot(ModelPrice(input_mtok=Decimal(price))) for price in (3, 5))
    prices, data = Prices(), (earlier, earlier, later, later, earlier)
    found = [prices.rates("gpt-next", provider="openai", snapshot=each) for each in data]
    assert [each.cost({"input_tokens": 1_000_000}) for each in found] == [3, 3, 5, 5, 3]


def test_a_price_applies_from_the_day_on_that_the_data_states(monkeypatch: pytest.MonkeyPatch) -> None:
    day = date(2026, 11, 30)
    usual, raised = ModelPrice(input_mtok=Decimal(3)), ModelPrice(input_mtok=Decimal(5))
    since = ConditionalPrice(constraint=StartDateConstraint(day), prices=raised)
    data = snapshot([ConditionalPrice(prices=usual), since])
    prices, costs, held = Prices(), [], []
    for hours in (-25, -1, 0, 23):
        now = datetime(day.year, day.month, day.day, tzinfo=timezone.utc) + timedelta(hours=hours)
        monkeypatch.setattr(prices_module, "_now", lambda now=now: now)
        monkeypatch.setattr(rates_module, "datetime", SimpleNamespace(now=lambda _, now=now: now))
        costs.append(prices.rates("gpt-next", provider="openai", snapshot=data).cost({"input_tokens": 1_000_000}))
        held.append(Prices().rates("gpt-next", provider="openai", snapshot=data))
    assert costs == [3, 3, 5, 5]
    # A call keeps the prices of the day on which it began.
    for tokens in (1_000_000, 1_000_000.0):
        assert [each.cost({"input_tokens": tokens}) for each in held] == costs
    assert [each.bound(1_000_000, 0) for each in held] == costs


@pytest.mark.parametrize("model", ["my-model", "moderation", ""])
def test_a_model_without_a_price_is_refused(model: str) -> None:
    with pytest.raises(ConfigurationError, match=r"price=.*default_cost=.*cost=0"):
        rates(model)
    assert rates(model, default_cost="0.5").cost({"input_tokens": 10**9}) == Decimal("0.5")


def test_a_provider_that_the_data_does_not_have_needs_stated_prices() -> None:
    with pytest.raises(ConfigurationError, match="not known"):
        Prices().rates("gpt-4o", provider="nowhere")
    stated = Prices(price={"input_mtok": 7}).rates("gpt-4o", provider="nowhere")
    assert (stated.cost({"input_tokens": 1_000_000}), stated.seller) == (7, None)
    # The address of a known seller counts before the provider's name.
    at_openai = Prices().rates("gpt-4o", provider="nowhere", base_url="https://api.openai.com/v1")
    assert (at_openai.cost({"input_tokens": 1_000_000}), at_openai.seller) == (Decimal("2.5"), "openai")


def test_a_model_that_is_free_is_known() -> None:
    free = Prices(price={"input_mtok": 0, "output_mtok": 0}).rates("mine", provider="openai")
    assert free.bound(10, 10) == free.cost({"input_tokens": 10, "output_tokens": 10}) == 0


def test_usage_that_has_no_price_is_not_nothing() -> None:
    for usage in ({"audio_seconds": 5}, {"input_characters": 5}, {"input_tokens": -1}, {"output_tokens": float("nan")}):
        with pytest.raises(UnusableUsageError):
            rates().cost(usage)
    with pytest.raises(UnusableUsageError):
        rates("text-embedding-3-small").cost({"input_tokens": 1, "output_tokens": 1})
    for tokens in ((10, 10), (10, 0), (0, 10)):
        with pytest.raises(ConfigurationError):
            rates("tts-1").bound(*tokens)


def test_groq_bills_a_recording_for_ten_seconds_at_least() -> None:
    found = Prices().rates("whisper-large-v3", provider="groq")
    assert found.cost({"audio_seconds": 3}) == found.cost({"audio_seconds": 10}) < found.cost({"audio_seconds": 11})


SOLD = [(provider.id, model.id) for provider in get_snapshot().providers for model in provider.models]
COUNTS = st.integers(0, 300_000)


@settings(deadline=None)
@given(st.sampled_from(SOLD), COUNTS, COUNTS, COUNTS, COUNTS, COUNTS)
def test_every_model_of_every_provider_costs_what_the_library_says(
    sold: tuple[str, str], text: int, read: int, written: int, output: int, reasoning: int
) -> None:
    usage = {
        "input_tokens": text + read + written,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": output + reasoning,
        "output_reasoning_tokens": reasoning,
    }
    try:
        found = Prices().rates(sold[1], provider=sold[0])
        ours = found.cost(usage)
    except (ConfigurationError, UnusableUsageError):
        return
    assert ours == calc_price(Usage(**usage), sold[1], provider_id=sold[0]).total_price


def test_a_bound_takes_the_dearest_price_that_may_apply() -> None:
    stated = rates("mine", price=STATED)
    million = 1_000_000
    assert stated.bound(million, million) == 3
    assert stated.bound(million, million, kinds=("cache_write",)) == 5
    assert stated.bound(million, million, kinds=("cache_write_1h",)) == 6
    assert stated.bound(million, million, kinds=("audio",)) == 110


def test_a_bound_takes_the_tier_of_long_inputs() -> None:
    model = next(
        model
        for provider in get_snapshot().providers
        if provider.id == "openai"
        for model in provider.models
        if hasattr(model.prices, "input_mtok") and hasattr(model.prices.input_mtok, "tiers")
    )
    found, start = rates(model.id), model.prices.input_mtok.tiers[0].start
    assert found.bound(start + 1, 100) >= found.cost({"input_tokens": start + 1, "output_tokens": 100})
    assert found.bound(start + 1, 0) > 1.5 * float(found.bound(start, 0))


@pytest.mark.parametrize(
    "content",
    ["plain words", "Grüße, 世界, 👩‍👩‍👧‍👦" * 50, " " * 1_000, "a" * 5_000, "\n\t{}[]" * 100, "0123456789" * 100],
)
def test_no_text_has_more_tokens_than_bytes(content: str) -> None:
    assert size_of(content).tokens >= len(content.encode())
    messages = [{"role": "user", "content": content}]
    assert size_of(messages).tokens >= len(content.encode()) + 10


def test_what_the_request_does_not_show_is_bounded_by_the_context_window() -> None:
    window = rates().context_window
    assert window is not None
    whole = rates().bound(window, 100)
    unseen = [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]
    assert worst("gpt-4o", messages=unseen, max_tokens=100) == whole
    long = [{"role": "user", "content": "x" * 10_000_000}]
    assert worst("gpt-4o", messages=long, max_tokens=100) == whole


def test_images_count_by_their_number_and_not_by_their_text() -> None:
    def picture(url: str) -> dict[str, Any]:
        return {"type": "image_url", "image_url": {"url": url}}

    small = size_of([picture("https://example.org/a.png")])
    large = size_of([picture("data:image/png;base64," + "A" * 1_000_000)])
    assert (small.kinds, large.kinds) == ({"image"}, {"image"})
    assert IMAGE_TOKENS < small.tokens == large.tokens < IMAGE_TOKENS + 100


def test_limits_and_counts_set_the_output() -> None:
    def output(**body: Any) -> Decimal:
        return worst("gpt-4o", messages=[], **body) - worst("gpt-4o", messages=[], **(body | {"max_tokens": 0}))

    price = Decimal(10) / 1_000_000
    assert output(max_tokens=100) == 100 * price
    assert output(max_tokens=100, n=3) == 300 * price
    assert worst("gpt-4o", messages=[], max_completion_tokens=50) < worst("gpt-4o", messages=[], max_tokens=60)
    assert worst("gpt-4o", messages=[]) - worst("gpt-4o", messages=[], max_tokens=16_384) < Decimal("0.0001")
    assert worst("gpt-4o", messages=[], max_tokens=5, prediction={"content": "y" * 500}) > 500 * price


def test_importing_the_package_loads_no_prices() -> None:
    program = (
        "import sys, aumos_governance; from aumos_governance import govern;"
        "print([name for name in ('genai_prices', 'openai', 'anthropic', 'httpx', 'pydantic') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
