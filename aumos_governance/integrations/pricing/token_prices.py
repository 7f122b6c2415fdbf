"""The prices of a model sorted by what they apply to, once for all calls that look them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

__all__ = ["Sides", "dearest", "dearest_sides", "greatest_of", "plain_prices", "sides"]

_MODALITIES: Final = frozenset({"audio", "image", "video"})
_UNCOUNTED: Final = frozenset(
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


T = TypeVar("T")
Sides = tuple[tuple[Any, ...], tuple[Any, ...], Any]
"""The prices that may apply to a token of the input, to one of the output, and to each request."""
_MOST_SORTED: Final = 1_000


class _Sorted(Generic[T]):
    """What is made of a model's prices and kept, since the same ones are looked up for every call."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, object], tuple[ModelPrice, T]] = {}

    def get(self, prices: ModelPrice, key: object, make: Callable[[], T]) -> T:
        found = self._made.get((id(prices), key))
        # The prices are kept beside, so that no others can have their id.
        if found is not None and found[0] is prices:
            return found[1]
        if len(self._made) >= _MOST_SORTED:
            self._made.clear()
        made = make()
        self._made[id(prices), key] = prices, made
        return made


_SIDES: Final[_Sorted[Sides]] = _Sorted()
_PLAIN: Final[_Sorted[dict[str, Decimal] | None]] = _Sorted()


def plain_prices(prices: ModelPrice) -> dict[str, Decimal] | None:
    """The prices of a model that has only some for text, without tiers; None for any other."""

    def made() -> dict[str, Decimal] | None:
        known = {name: price for name, price in vars(prices).items() if price is not None}
        plain = all(name in _UNCOUNTED and type(price) is Decimal for name, price in known.items())
        return known if plain else None

    return _PLAIN.get(prices, None, made)


def sides(prices: ModelPrice, wanted: frozenset[str]) -> Sides:
    """The prices that may apply to a token of the input, to one of the output, and to each request."""

    def made() -> Sides:
        known = {name: price for name, price in vars(prices).items() if price is not None}
        inputs, outputs = (
            _greatest(price for name, price in known.items() if name.startswith(side) and _per_token(name, wanted))
            for side in (("input", "cache"), ("output",))
        )
        return inputs, outputs, known.get("requests_kcount")

    return _SIDES.get(prices, wanted, made)


def dearest_sides(every: list[Sides]) -> list[Sides]:
    """Those that can give the greatest cost: without one of which another has no smaller price."""
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
    """The greatest price that a token may have in a request with so many tokens of input; 0 where there is none."""
    if len(prices) == 1 and isinstance(prices[0], Decimal):
        return prices[0]
    return max((dearest(price, input_tokens) for price in prices), default=Decimal(0))


def dearest(price: Any, input_tokens: int) -> Decimal:
    """The dearest tier of a price that a request with so many tokens of input may reach."""
    if isinstance(price, Decimal):
        return price
    tiers: list[Decimal] = [tier.price for tier in price.tiers if input_tokens > tier.start]
    return max([price.base, *tiers])  # type: ignore[no-any-return]


def _greatest(prices: Iterable[Any]) -> tuple[Any, ...]:
    """The greatest of the plain prices, and all that have tiers."""
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
