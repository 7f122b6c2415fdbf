"""The prices of one model: what usage costs by them, and what it costs at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

__all__ = ["Pricing", "Rates", "UnusableUsageError", "unknown_price"]

_MODALITIES: Final = frozenset({"audio", "image", "video"})
_PER: Final = 1_000_000


class UnusableUsageError(Exception):
    """Figures that contradict each other, or have no price. It never reaches a caller."""


class Pricing(Protocol):
    """Where the prices of one model come from."""

    context_window: int | None
    found: bool
    """They come from the installed data, and were not stated by the caller."""

    def prices(self, context: Mapping[str, str]) -> ModelPrice: ...

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str]) -> Decimal: ...


class Rates:
    """The prices of one model, in USD."""

    def __init__(
        self,
        model: str,
        *,
        flat: Decimal | None = None,
        pricing: Pricing | None = None,
        seller: str | None = None,
        multiplier: Decimal = Decimal(1),
        others: Callable[[str], Rates] | None = None,
    ) -> None:
        self.model = model
        self.seller = seller
        """genai-prices' id of whose price list it is; None for stated prices."""
        self.multiplier = multiplier
        """By what the prices of tokens are multiplied, such as at a regional address."""
        self._others = others
        self.flat = flat
        """What every call costs, whatever it uses; None: what it uses is priced."""
        self._pricing = pricing

    @property
    def found(self) -> bool:
        """Whether the prices come from the installed data, and were not stated by the caller."""
        return self._pricing is not None and self._pricing.found

    @property
    def context_window(self) -> int | None:
        """The most tokens that a request may have, where it is known."""
        return None if self._pricing is None else self._pricing.context_window

    def of(self, model: str) -> Rates:
        """Another model's prices at the same place. Raises ConfigurationError when they are not known."""
        return self if self._others is None else self._others(model)

    def times(self, multiplier: Decimal) -> Rates:
        """The same with the prices of tokens multiplied once more."""
        other = copy(self)
        other.multiplier = self.multiplier * multiplier
        return other

    def varies(self, context: Mapping[str, str]) -> bool:
        """Whether the data has prices for these terms, such as ``{"speed": "fast"}``."""
        if self._pricing is None:
            return False
        try:
            return vars(self._pricing.prices(context)) != vars(self._pricing.prices({}))
        except TypeError:
            # Versions of genai-prices before 0.2 know no terms.
            return False

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str] | None = None) -> Decimal:
        """What the usage costs: counts under the names of genai-prices' units, such as ``cache_read_tokens``.

        ``context`` says under what terms, such as ``{"service_tier": "flex"}``. Raises UnusableUsageError for counts
        that are none, that contradict each other, or that have no price.
        """
        if self._pricing is None:
            return self.flat or Decimal(0)
        used = {unit: count for unit, count in usage.items() if count}
        if self.multiplier == 1:
            return self._cost(used, context)
        # What is counted otherwise, such as searches, has a fee of its own.
        tokens = {unit: count for unit, count in used.items() if unit.endswith("_tokens")}
        others = {unit: count for unit, count in used.items() if unit not in tokens}
        return self._cost(tokens, context) * self.multiplier + self._cost(others, context)

    def _cost(self, used: Mapping[str, Any], context: Mapping[str, str] | None) -> Decimal:
        assert self._pricing is not None
        prices = vars(self._pricing.prices(context or {}))
        for unit, names in _PRICED_AS.items():
            if unit in used and all(prices.get(name) is None for name in names):
                raise UnusableUsageError(f"{self.model} has no price for {unit}")
        plain = _plain_cost(used, prices)
        if plain is not None:
            return plain
        try:
            return self._pricing.cost(used, context or {})
        except (ValueError, TypeError, ArithmeticError) as error:
            raise UnusableUsageError(str(error)) from None

    def has(self, *names: str, context: Mapping[str, str] | None = None) -> bool:
        """Whether one of genai-prices' prices, such as ``web_searches_kcount``, is known."""
        if self._pricing is None:
            return True
        prices = vars(self._pricing.prices(context or {}))
        return any(prices.get(name) is not None for name in names)

    def bound(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        kinds: Iterable[str] = (),
        context: Mapping[str, str] | None = None,
    ) -> Decimal:
        """The most that so many tokens can cost, each one at the dearest price that may apply to it.

        ``kinds`` are what there may be beside plain text: ``audio``, ``image``, ``video``, ``cache_write``,
        ``cache_write_1h``. Raises ConfigurationError when there is no price for either side.
        """
        if self._pricing is None:
            return self.flat or Decimal(0)
        prices = {name: price for name, price in vars(self._pricing.prices(context or {})).items() if price is not None}
        wanted = frozenset(kinds)
        total = Decimal(0)
        for tokens, sides in ((input_tokens, ("input", "cache")), (output_tokens, ("output",))):
            rates = [
                _dearest(price, input_tokens)
                for name, price in prices.items()
                if name.startswith(sides) and name.endswith("_mtok") and _applies(name, wanted)
            ]
            if tokens and not rates:
                raise unknown_price(self.model)
            total += Decimal(tokens) * max(rates, default=Decimal(0)) / _PER
        return total * self.multiplier


_PRICED_AS: Final = {
    "input_tokens": ("input_mtok", "input_text_mtok"),
    "output_tokens": ("output_mtok", "output_text_mtok"),
    "audio_seconds": ("audio_hours", "input_audio_hours"),
    "input_characters": ("input_mchars",),
    "web_searches": ("web_searches_kcount",),
    "storage_searches": ("storage_searches_kcount",),
}
"""Which prices must be known for a unit: without one it would count as nothing."""


_PLAIN_PRICES: Final = {
    "cache_read_tokens": "cache_read_mtok",
    "cache_write_tokens": "cache_write_mtok",
    "output_tokens": "output_mtok",
}
_PLAIN_UNITS: Final = frozenset({"input_tokens", "output_reasoning_tokens", *_PLAIN_PRICES})
_UNCOUNTED: Final = frozenset(
    {"web_searches_kcount", "storage_searches_kcount", "cache_write_1h_mtok", "input_mtok", *_PLAIN_PRICES.values()}
)


def _plain_cost(used: Mapping[str, Any], prices: Mapping[str, Any]) -> Decimal | None:
    """What genai-prices computes of text at prices without tiers, in a tenth of its time; None: it is to be asked."""
    if not used.keys() <= _PLAIN_UNITS or not all(type(count) is int and count > 0 for count in used.values()):
        return None
    if not all(price is None or (name in _UNCOUNTED and type(price) is Decimal) for name, price in prices.items()):
        return None
    text, total = used.get("input_tokens", 0), Decimal(0)
    for unit, name in _PLAIN_PRICES.items():
        price = prices.get(name)
        if price is not None:
            total += used.get(unit, 0) * price
            # What the cache served is part of the input, at a price of its own.
            text -= 0 if unit == "output_tokens" else used.get(unit, 0)
    price = prices.get("input_mtok")
    # More from the cache than there was input is a contradiction, which is for the library to say.
    return None if text < 0 or (price is None and text) else (total + text * (price or 0)) / _PER


def _applies(name: str, kinds: frozenset[str]) -> bool:
    words = set(name.removesuffix("_mtok").split("_"))
    if not words & _MODALITIES <= kinds:
        return False
    if "cache" not in words:
        return True
    if "write" not in words:
        return False
    return "cache_write_1h" in kinds if "1h" in words else bool(kinds & {"cache_write", "cache_write_1h"})


def _dearest(price: Any, input_tokens: int) -> Decimal:
    if isinstance(price, Decimal):
        return price
    tiers: list[Decimal] = [tier.price for tier in price.tiers if input_tokens > tier.start]
    dearest: Decimal = max([price.base, *tiers])
    return dearest


def unknown_price(model: str) -> ConfigurationError:
    """Says that a model cannot be governed without a stated price."""
    return ConfigurationError(
        f"The price of {model!r} is not known, so nothing was sent: state it with govern(client, price=...) per million"
        " tokens, default_cost=... USD a call, or cost=0 for a model of your own that costs nothing."
    )
