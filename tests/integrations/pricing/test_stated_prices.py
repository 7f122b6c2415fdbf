"""Prices that a caller states: alone, for each of several models, or beside known prices; invalid ones are refused."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data_snapshot import get_snapshot

from aumos_governance import ConfigurationError
from aumos_governance.integrations.pricing import prices as prices_module
from aumos_governance.integrations.pricing.prices import Prices, Rates

MILLION = 1_000_000
FREE = "deepseek/deepseek-r1:free"
BY_THE_HOUR = "deepseek-reasoner"


def rates(model: str, provider: str = "openai", base_url: str = "", **stated: Any) -> Rates:
    return Prices(**stated).rates(model, provider=provider, base_url=base_url)


def input_price(found: Rates) -> Decimal:
    return found.cost({"input_tokens": MILLION})


def test_each_model_has_its_own_and_an_exact_name_counts_before_a_pattern() -> None:
    stated = {"llama*": {"input_mtok": 1}, "*": {"input_mtok": 2}, "llama-3": {"input_mtok": 3}}
    prices = Prices(price=stated)
    found = {name: input_price(prices.rates(name, provider="openai")) for name in ("llama-3", "llama-4", "mine")}
    assert found == {"llama-3": 3, "llama-4": 1, "mine": 2}
    only = Prices(price={"llama*": {"input_mtok": 1}})
    assert input_price(only.rates("gpt-4o", provider="openai")) == Decimal("2.5")
    with pytest.raises(ConfigurationError):
        only.rates("mine", provider="openai")


def test_a_price_beside_the_known_ones_keeps_those() -> None:
    known, added = rates("gpt-4o"), rates("gpt-4o", price={"output_audio_mtok": 80})
    assert input_price(added) == input_price(known) == Decimal("2.5")
    assert added.cost({"output_tokens": 2 * MILLION, "output_audio_tokens": MILLION}) == 10 + 80
    # What a user states is true for the model that was requested; no other name leads to other prices.
    assert (known.found, added.found) == (True, False)


def test_a_stated_price_is_that_of_every_address_and_a_known_one_is_not() -> None:
    here, region = "https://api.openai.com/v1", "https://eu.api.openai.com/v1"
    known = rates("gpt-5.4", base_url=here)
    assert input_price(rates("gpt-5.4", base_url=region)) == input_price(known) * Decimal("1.1")
    for address in (here, region):
        assert input_price(rates("gpt-5.4", base_url=address, price={"input_mtok": 7})) == 7
    # What is added counts beside the known prices, which stay those of the address.
    added = rates("gpt-5.4", base_url=region, price={"output_audio_mtok": 80})
    assert input_price(added) == input_price(known) * Decimal("1.1")
    for name in ("mine", "gpt-5.4"):
        assert rates(name, base_url=region, price={"input_mtok": 7}).multiplier == 1


def test_what_is_published_of_audio_counts_where_the_library_has_none() -> None:
    used = {"output_tokens": MILLION, "output_audio_tokens": MILLION}
    costs = [rates(model).cost(used) for model in ("gpt-4o-audio-preview", "gpt-4o-mini-audio-preview")]
    assert costs == [80, 20]
    stated = rates("gpt-4o-audio-preview", price={"output_audio_mtok": 90})
    assert stated.cost(used) == 90
    assert stated.cost({"input_tokens": MILLION, "input_audio_tokens": MILLION, "output_tokens": 0}) == 40


def test_a_model_that_is_given_away_costs_nothing_unless_a_price_is_stated() -> None:
    free = rates(FREE, "openrouter")
    assert (free.found, free.seller, free.multiplier) == (True, "openrouter", 1)
    assert free.apply_at(datetime.now(timezone.utc))
    assert free.cost({"input_tokens": MILLION, "output_tokens": MILLION}) == 0
    assert free.bound(MILLION, MILLION) == 0
    for price in ({"input_mtok": 7, "output_mtok": 1}, {"input_mtok": 7}):
        assert input_price(rates(FREE, "openrouter", price=price)) == 7
    # Whatever is reported of it.
    assert free.cost({"input_tokens": 5.5, "input_audio_tokens": 2, "web_searches": 0}) == 0
    assert rates(FREE, "openrouter", price={"web_searches_kcount": 5}).cost({"web_searches": 1_000}) == 5
    with pytest.raises(ConfigurationError):
        rates("unheard-of/model", "openrouter")


def test_a_fee_is_added_to_whatever_a_call_costs() -> None:
    assert rates("gpt-4o").fee == rates("gpt-4o", cost=2).fee == 0
    for stated in ({}, {"cost": 2}, {"price": {"input_mtok": 1}}):
        assert rates("gpt-4o", fee="0.5", **stated).fee == Decimal("0.5")
    assumed = rates("unheard-of", default_cost="0.25", fee="0.5")
    assert (assumed.flat, assumed.fee, assumed.assumed) == (Decimal("0.25"), Decimal("0.5"), True)
    # A price that is known counts before what is only assumed, and a cost that is stated before all.
    assert rates("gpt-4o", default_cost="0.25").flat is None
    assert rates("gpt-4o", cost=2, default_cost="0.25").flat == 2
    assert not rates("gpt-4o", cost=2).assumed


def test_the_price_by_the_hour_is_that_of_now_and_is_bounded_by_the_dearest(monkeypatch: pytest.MonkeyPatch) -> None:
    (model,) = (
        model
        for seller in get_snapshot().providers
        for model in seller.models
        if model.id == BY_THE_HOUR and seller.id == "deepseek"
    )
    prices, requested = Prices(), {"input_tokens": MILLION, "output_tokens": 0}
    seen, earlier = set(), []
    for hour in (0, 12, 20):
        now = datetime(2026, 8, 3, hour, 5, tzinfo=timezone.utc)
        monkeypatch.setattr(prices_module, "_now", lambda now=now: now)
        found = prices.rates(BY_THE_HOUR, provider="deepseek")
        expected = model.get_prices(now).input_mtok
        # A request that was made at another hour costs what it costs when it is completed.
        earlier.append(found)
        for usage in (requested, {"input_tokens": float(MILLION)}):
            assert [each.cost(usage) for each in earlier] == [expected] * len(earlier)
        assert found.bound(MILLION, 0) == Decimal("0.55")
        beside = Prices(price={"web_searches_kcount": 10}).rates(BY_THE_HOUR, provider="deepseek")
        assert beside.cost(requested) == expected
        seen.add(expected)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "price",
    [
        {},
        [],
        "5",
        {"input_mtok": -1},
        {"input_mtok": "-0.000001"},
        {"input_mtok": True},
        {"input_mtok": "nan"},
        {"input_mtok": "inf"},
        {"input_mtok": "much"},
        {"input_mtok": 10**9 + 1},
        {"input_mtok": None},
        {"input_tokens": 1},
        {"mine": {}},
        {"mine": {"input_mtok": "x"}},
        {"mine": {"input_mtok": 1}, "output_mtok": 2},
    ],
)
def test_what_is_no_price_is_refused(price: Any) -> None:
    with pytest.raises(ValueError, match="price"):
        Prices(price=price)


def test_a_price_may_be_nothing_and_as_much_as_an_amount_can_be() -> None:
    assert input_price(rates("mine", price={"input_mtok": 0})) == 0
    assert input_price(rates("mine", price={"input_mtok": 10**9})) == 10**9
    assert input_price(rates("mine", price={"input_mtok": " $2.50 "})) == Decimal("2.5")


@pytest.mark.parametrize("name", ["cost", "default_cost", "fee"])
def test_what_is_no_amount_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Prices(**{name: -1})
