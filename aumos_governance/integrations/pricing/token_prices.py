"""Groups the prices of a model by input, output and request, for the worst case of a call (`Rates.bound`).

The groups are cached. A price of genai-prices is in USD per million tokens, or has tiers: higher prices for requests
with more than some number of input tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

_MODALITIES: Final = frozenset({"audio", "image", "video"})
_TEXT_PRICES: Final = frozenset(
    {
        "web_searches_kcount",
        "storage_searches_kcount",
        "cache_write_1h_mtok",
        "input_mtok",
        "output_mtok",
        "cache_read_mtok",
        "cache_write_mtok",
    }
)
"""Names of prices. If a model has no others, the cost of plain text can be computed without genai-prices."""


T = TypeVar("T")
Sides = tuple[tuple[Any, ...], tuple[Any, ...], Any]
"""The prices that may apply to an input token, those that may apply to an output token, and the price of 1,000 requests
(None if requests cost nothing by themselves)."""
_MOST_CACHED: Final = 1_000


class _PriceCache(Generic[T]):
    """A cache of values that were computed from the prices of a model; each call of the model needs the same values."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, object], tuple[ModelPrice, T]] = {}

    def get(self, prices: ModelPrice, key: object, make: Callable[[], T]) -> T:
        found = self._made.get((id(prices), key))
        if found is not None:
            return found[1]
        if len(self._made) >= _MOST_CACHED:
            self._made.clear()
        made = make()
        # The entry holds the prices themselves, so that their id is not reused for other prices.
        self._made[id(prices), key] = prices, made
        return made


_SIDES: Final[_PriceCache[Sides]] = _PriceCache()
_PLAIN: Final[_PriceCache[dict[str, Decimal] | None]] = _PriceCache()


def plain_prices(prices: ModelPrice) -> dict[str, Decimal] | None:
    """Return a model's prices by name if they are all in `_TEXT_PRICES` and have no tiers, otherwise None."""

    def made() -> dict[str, Decimal] | None:
        known = {name: price for name, price in vars(prices).items() if price is not None}
        plain = all(name in _TEXT_PRICES and type(price) is Decimal for name, price in known.items())
        return known if plain else None

    return _PLAIN.get(prices, None, made)


def sides(prices: ModelPrice, wanted: frozenset[str]) -> Sides:
    """Return the prices that may apply to input tokens, to output tokens and to each request.

    ``wanted`` are the kinds of tokens that may occur besides plain text, as in `Rates.bound`.
    """

    def made() -> Sides:
        known = {name: price for name, price in vars(prices).items() if price is not None}
        inputs, outputs = (
            _greatest(price for name, price in known.items() if name.startswith(side) and _per_token(name, wanted))
            for side in (("input", "cache"), ("output",))
        )
        return inputs, outputs, known.get("requests_kcount")

    return _SIDES.get(prices, wanted, made)


def dearest_sides(every: list[Sides]) -> list[Sides]:
    """Return the groups of prices that may lead to the highest cost of a call.

    A group is left out if another group's prices are all at least as high.
    """
    kept: list[Sides] = []
    for each in every:
        if not any(_covers(other, each) for other in kept):
            kept = [*(other for other in kept if not _covers(each, other)), each]
    return kept


def _covers(one: Sides, other: Sides) -> bool:
    return all(
        requests is None and len(inputs) == len(outputs) == 1 and type(inputs[0]) is type(outputs[0]) is Decimal
        for inputs, outputs, requests in (one, other)
    ) and (one[0] >= other[0] and one[1] >= other[1])


def greatest_of(prices: tuple[Any, ...], input_tokens: int) -> Decimal:
    """Return the highest of ``prices`` in a request with so many input tokens; 0 if ``prices`` is empty."""
    if len(prices) == 1 and isinstance(prices[0], Decimal):
        # Nearly every governed call has one untiered price for its input and one for its output.
        return prices[0]
    return max((dearest(price, input_tokens) for price in prices), default=Decimal(0))


def dearest(price: Any, input_tokens: int) -> Decimal:
    """Return the highest tier of one price that applies if a request has up to so many input tokens.

    A price without tiers is returned itself.
    """
    if isinstance(price, Decimal):
        return price
    tiers: list[Decimal] = [tier.price for tier in price.tiers if input_tokens > tier.start]
    return max([price.base, *tiers])  # type: ignore[no-any-return]


def _greatest(prices: Iterable[Any]) -> tuple[Any, ...]:
    """Return the highest of the prices without tiers, and all prices with tiers.

    Prices with tiers can only be compared when the size of the request is known.
    """
    every = list(prices)
    plain = [price for price in every if isinstance(price, Decimal)]
    return (*([max(plain)] if plain else []), *(price for price in every if not isinstance(price, Decimal)))


def _per_token(name: str, wanted: frozenset[str]) -> bool:
    return name.endswith("_mtok") and _applies(name, wanted)


@cache
def _applies(name: str, kinds: frozenset[str]) -> bool:
    words = set(name.removesuffix("_mtok").split("_"))
    if not words & _MODALITIES <= kinds:
        return False
    if "cache" not in words:
        return True
    if "write" not in words:
        return False
    return "cache_write_1h" in kinds if "1h" in words else bool(kinds & {"cache_write", "cache_write_1h"})
