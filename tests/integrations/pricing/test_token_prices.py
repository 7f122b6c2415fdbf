"""The prices that may apply to a token, and those of several prices that can be the highest."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot
from genai_prices.types import ModelPrice, Tier, TieredPrices

from aumos_governance import ConfigurationError
from aumos_governance.integrations.pricing import prices
from aumos_governance.integrations.pricing.prices import Prices, Rates
from aumos_governance.integrations.pricing.token_prices import (
    Sides,
    dearest,
    dearest_sides,
    greatest_of,
    plain_prices,
    sides,
)
from tests.integrations.till import needs_prices_of_0_2

ONE, TWO, THREE, FOUR, FIVE = map(Decimal, range(1, 6))
TIERED = TieredPrices(base=TWO, tiers=[Tier(start=100, price=FOUR), Tier(start=200, price=THREE)])


def pair(into: Any, out: Any, requests: Any = None) -> Sides:
    return (into,), (out,), requests


@pytest.mark.parametrize(
    ("every", "kept"),
    [
        ([pair(ONE, TWO)], [0]),
        ([pair(ONE, TWO), pair(TWO, THREE)], [1]),
        ([pair(TWO, THREE), pair(ONE, TWO)], [0]),
        ([pair(ONE, TWO), pair(ONE, THREE)], [1]),
        ([pair(ONE, TWO), pair(TWO, TWO)], [1]),
        ([pair(ONE, TWO), pair(ONE, TWO)], [0]),
        ([pair(ONE, TWO), pair(TWO, ONE)], [0, 1]),
        ([pair(ONE, TWO), pair(TWO, ONE), pair(TWO, TWO)], [2]),
        ([pair(ONE, ONE), pair(ONE, THREE), pair(THREE, ONE)], [1, 2]),
        # What has a fee for each request, tiers, or one side alone is compared with nothing.
        ([pair(ONE, TWO, ONE), pair(TWO, THREE)], [0, 1]),
        ([pair(ONE, TWO), pair(TWO, THREE, ONE)], [0, 1]),
        ([pair(TIERED, TWO), pair(FIVE, FIVE)], [0, 1]),
        ([pair(FIVE, FIVE), pair(TWO, TIERED)], [0, 1]),
        ([((ONE, TIERED), (ONE,), None), pair(FIVE, FIVE)], [0, 1]),
        ([((ONE,), (ONE, TIERED), None), pair(FIVE, FIVE)], [0, 1]),
        ([((ONE,), (), None), pair(FIVE, FIVE)], [0, 1]),
        ([((), (ONE,), None), pair(FIVE, FIVE)], [0, 1]),
    ],
)
def test_prices_are_kept_that_can_be_the_dearest(every: list[Sides], kept: list[int]) -> None:
    found = dearest_sides(every)
    assert [next(place for place, one in enumerate(every) if one is each) for each in found] == kept


@pytest.mark.parametrize(
    ("known", "plain"),
    [
        ({"input_mtok": ONE, "output_mtok": TWO}, True),
        ({"input_mtok": ONE, "cache_read_mtok": TWO, "cache_write_mtok": TWO, "web_searches_kcount": ONE}, True),
        ({}, True),
        ({"input_mtok": ONE, "input_audio_mtok": TWO}, False),
        ({"input_mtok": ONE, "output_image_mtok": TWO}, False),
        ({"input_mtok": ONE, "requests_kcount": TWO}, False),
        ({"input_mtok": TIERED, "output_mtok": TWO}, False),
        ({"input_mtok": ONE, "output_mtok": TIERED}, False),
    ],
)
def test_only_prices_of_text_without_tiers_are_plain(known: dict[str, Any], plain: bool) -> None:
    stated = ModelPrice(**known)
    assert plain_prices(stated) == (known if plain else None)
    assert plain_prices(stated) is plain_prices(stated)


@pytest.mark.parametrize(
    ("kinds", "into", "out"),
    [
        ((), (ONE,), (TWO,)),
        (("audio",), (FOUR,), (FIVE,)),
        (("image",), (ONE,), (TWO,)),
        (("cache_write",), (THREE,), (TWO,)),
        (("cache_write_1h",), (FIVE,), (TWO,)),
    ],
)
def test_a_price_applies_where_its_kind_may_be(kinds: tuple[str, ...], into: Any, out: Any) -> None:
    stated = ModelPrice(
        input_mtok=ONE,
        output_mtok=TWO,
        cache_read_mtok=Decimal(9),
        cache_write_mtok=THREE,
        cache_write_1h_mtok=FIVE,
        input_audio_mtok=FOUR,
        output_audio_mtok=FIVE,
        requests_kcount=ONE,
    )
    assert sides(stated, frozenset(kinds)) == (into, out, ONE)
    found = sides(stated, frozenset(kinds))
    sides(ModelPrice(input_mtok=ONE), frozenset(kinds))
    assert sides(stated, frozenset(kinds)) is found


def test_prices_that_are_no_longer_used_are_not_kept_for_ever() -> None:
    first = ModelPrice(input_mtok=ONE)
    gone = weakref.ref(first)
    sides(first, frozenset())
    plain_prices(first)
    del first
    for _ in range(2_000):
        later = ModelPrice(input_mtok=TWO)
        assert sides(later, frozenset()) == ((TWO,), (), None)
        assert plain_prices(later) == {"input_mtok": TWO}
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(("tokens", "price"), [(0, 2), (100, 2), (101, 4), (200, 4), (201, 4), (10**9, 4)])
def test_a_tier_counts_from_beyond_its_start(tokens: int, price: int) -> None:
    assert dearest(TIERED, tokens) == price
    assert greatest_of((ONE, TIERED), tokens) == price
    assert greatest_of((THREE, TIERED), tokens) == max(3, price)


def test_without_a_price_a_token_costs_nothing() -> None:
    assert greatest_of((), 5) == 0
    assert greatest_of((THREE,), 5) == 3


# ---- the terms that the data knows


def rates(model: str, **stated: Any) -> Rates:
    return Prices(**stated).rates(model, provider="openai")


@needs_prices_of_0_2
@pytest.mark.parametrize("more", [{}, {"web_searches": 1_000}])
def test_a_cost_is_that_of_its_terms(more: dict[str, int]) -> None:
    found = rates("gpt-5", price={"web_searches_kcount": 10})
    usage = {"input_tokens": 1_000_000, **more}
    usual = found.cost(usage)
    assert found.varies({"service_tier": "priority"})
    assert found.cost(usage, {"service_tier": "priority"}) > usual
    # The same, when it is requested the second time.
    assert found.cost(usage, {}) == found.cost(usage) == usual


@needs_prices_of_0_2
def test_terms_count_where_the_data_computes_the_cost() -> None:
    found = rates("gpt-5.4")
    usage = {"input_tokens": 300_000, "output_tokens": 10}
    assert found.cost(usage, {"service_tier": "flex"}) < found.cost(usage)


@pytest.mark.parametrize("provider", ["openai", "azure"])
@pytest.mark.parametrize(
    ("model", "into", "out"), [("gpt-4o-audio-preview", 40, 80), ("gpt-4o-mini-audio-preview", 10, 20)]
)
def test_published_prices_count_beside_the_data_s_own(provider: str, model: str, into: int, out: int) -> None:
    audio = Prices().rates(model, provider=provider)
    million = 1_000_000
    assert audio.cost({"input_tokens": million, "input_audio_tokens": million}) == into
    assert audio.cost({"output_tokens": million, "output_audio_tokens": million}) == out
    assert not Prices().rates("gpt-4o", provider=provider).has("input_audio_mtok")


def test_what_openai_publishes_is_not_the_price_of_another_seller() -> None:
    (openai,) = (seller for seller in get_snapshot().providers if seller.id == "openai")
    other = DataSnapshot([replace(openai, id="other", name="Other")], from_auto_update=True)
    found = Prices().rates("gpt-4o-audio-preview", provider="other", snapshot=other)
    assert found.seller == "other"
    assert not found.has("input_audio_mtok", "output_audio_mtok")


def test_prices_that_a_caller_adds_count_beside_the_known_ones() -> None:
    added = rates("gpt-4o", price={"web_searches_kcount": 10})
    assert not added.found
    assert added.cost({"web_searches": 1_000}) == 10
    assert added.cost({"input_tokens": 1_000_000}) == rates("gpt-4o").cost({"input_tokens": 1_000_000})
    assert added.context_window == rates("gpt-4o").context_window


def test_all_prices_that_a_caller_states_count_alone() -> None:
    stated = rates("gpt-4o", price={"input_mtok": 1})
    assert stated.cost({"input_tokens": 1_000_000}) == 1
    assert not stated.has("output_mtok")
    assert rates("mine", price={"web_searches_kcount": 10}).cost({"web_searches": 1_000}) == 10


def test_stated_prices_are_none_of_the_data_s_and_do_not_change() -> None:
    stated = rates("gpt-4o", price={"input_mtok": 1, "output_mtok": 1})
    assert not stated.found
    assert rates("gpt-4o").found
    assert stated.apply_at(datetime.now(timezone.utc))


def test_without_the_data_a_cost_must_be_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    prices._library.cache_clear()
    monkeypatch.setattr(prices, "import_module", missing)
    try:
        with pytest.raises(ConfigurationError, match="genai-prices"):
            rates("gpt-4o")
        assert rates("gpt-4o", cost=1).flat == 1
    finally:
        prices._library.cache_clear()
