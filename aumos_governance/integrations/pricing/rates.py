"""The prices of one model: what usage costs by them, and what it costs at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...errors import ConfigurationError
from .seen import Seen
from .sellers import Reading, reading_of
from .token_prices import Sides, dearest, dearest_sides, greatest_of, plain_prices, sides
from .usage import least_tokens

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

__all__ = ["Pricing", "Rates", "UnusableUsageError", "unknown_price"]

_PER: Final = 1_000_000


class UnusableUsageError(Exception):
    """Figures that contradict each other, or have no price. It never reaches a caller."""


class Pricing(Protocol):
    """The source of one model's prices."""

    context_window: int | None
    found: bool
    """They come from the installed data, and were not stated by the caller."""
    hourly: bool
    """They may change within a day."""

    def prices(self, context: Mapping[str, str], at: datetime) -> ModelPrice: ...

    def dearest(self, context: Mapping[str, str], at: datetime) -> list[ModelPrice]:
        """All prices that may count until a call is done."""
        ...

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str], at: datetime) -> Decimal: ...


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
        fee: Decimal = Decimal(0),
        reading: Callable[[str], Reading] | None = None,
        searches: bool = False,
        assumed: bool = False,
    ) -> None:
        self.model = model
        self.seller = seller
        """genai-prices' id of the seller at the client's address; None where it is not known."""
        self.fee = fee
        """What is added to each call."""
        self.searches = searches
        """The model's id means a web search with every request."""
        self.assumed = assumed
        """``flat`` stands in for a price that is not known, until a response says what it cost."""
        self._reading = reading
        self._at = datetime.now(timezone.utc)
        self.multiplier = multiplier
        """By what the prices of tokens are multiplied, such as at a regional address."""
        self._others = others
        self.flat = flat
        """What every call costs, whatever it uses; None: what it uses is priced."""
        self._pricing = pricing
        self._bounds: dict[object, list[Sides]] = {}
        self._usual: ModelPrice | None = None

    @property
    def found(self) -> bool:
        """Whether the prices come from the installed data, and were not stated by the caller."""
        return self._pricing is not None and self._pricing.found

    @property
    def context_window(self) -> int | None:
        """The most tokens that a request may have, where it is known."""
        return None if self._pricing is None else self._pricing.context_window

    def count_at(self, time: datetime) -> bool:
        """Whether the prices are those of this time too: of the same day, where they do not change by the hour."""
        hourly = self._pricing is not None and self._pricing.hourly
        return not hourly and time.toordinal() == self._at.toordinal()

    def of(self, model: str) -> Rates:
        """Another model's prices at the same place. Raises ConfigurationError when they are not known."""
        return self if self._others is None else self._others(model)

    def reading(self, shape: str) -> Reading:
        """How the seller reports the usage of a kind of response, as `reading_of` names it."""
        return reading_of(None, shape) if self._reading is None else self._reading(shape)

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
            return vars(self._pricing.prices(context, self._at)) != vars(self._pricing.prices({}, self._at))
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
        used = {unit: count for unit, count in usage.items() if count or unit in _SAID_AT_ZERO}
        if self.multiplier == 1:
            return self._cost(used, context)
        # What is counted otherwise, such as searches, has a fee of its own.
        tokens = {unit: count for unit, count in used.items() if unit.endswith("_tokens")}
        others = {unit: count for unit, count in used.items() if unit not in tokens}
        return self._cost(tokens, context) * self.multiplier + self._cost(others, context)

    def least_cost(self, seen: Seen | None) -> Decimal:
        """What the visible output costs at least, in USD: a server may ignore the limit for which was held."""
        if seen is None or not seen.anything:
            return Decimal(0)
        try:
            return self.cost({"output_tokens": least_tokens(seen)})
        except UnusableUsageError:
            return Decimal(0)

    def _cost(self, used: Mapping[str, Any], context: Mapping[str, str] | None) -> Decimal:
        assert self._pricing is not None
        prices = self._prices(self._pricing, context)
        plain = _plain_cost(used, prices)
        if plain is not None:
            return plain
        known = vars(prices)
        for unit in used:
            names = _PRICED_AS.get(unit)
            if names is not None and all(known.get(name) is None for name in names):
                raise UnusableUsageError(f"{self.model} has no price for {unit}")
        try:
            return self._pricing.cost(used, context or {}, self._at)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise UnusableUsageError(str(error)) from None

    def has(self, *names: str, context: Mapping[str, str] | None = None) -> bool:
        """Whether one of genai-prices' prices, such as ``web_searches_kcount``, is known."""
        if self._pricing is None:
            return True
        prices = vars(self._prices(self._pricing, context))
        return any(prices.get(name) is not None for name in names)

    def _prices(self, pricing: Pricing, context: Mapping[str, str] | None) -> ModelPrice:
        """The prices under these terms; without terms they stay the same, but for those that change by the hour."""
        if context or pricing.hourly:
            return pricing.prices(context or {}, self._at)
        if self._usual is None:
            self._usual = pricing.prices({}, self._at)
        return self._usual

    def bound(
        self,
        input_tokens: int,
        output_tokens: int,
        *,
        kinds: Iterable[str] = (),
        contexts: Sequence[Mapping[str, str]] = ({},),
    ) -> Decimal:
        """The most that so many tokens can cost, each one at the dearest price that may apply to it.

        ``kinds`` are what there may be beside plain text: ``audio``, ``image``, ``video``, ``cache_write``,
        ``cache_write_1h``. ``contexts`` are the terms of which any may count. Raises ConfigurationError when there is
        no price for either side.
        """
        if self._pricing is None:
            return self.flat or Decimal(0)
        wanted = frozenset(kinds)
        key = wanted, *[tuple(context.items()) for context in contexts]
        every = self._bounds.get(key)
        if every is None:
            found = [prices for context in contexts for prices in self._pricing.dearest(context, self._at)]
            every = self._bounds[key] = dearest_sides([sides(prices, wanted) for prices in found])
        return max([self._bound(input_tokens, output_tokens, each) for each in every])

    def _bound(self, input_tokens: int, output_tokens: int, prices: Sides) -> Decimal:
        inputs, outputs, requests = prices
        if (input_tokens and not inputs) or (output_tokens and not outputs):
            raise unknown_price(self.model)
        total = (
            input_tokens * greatest_of(inputs, input_tokens) + output_tokens * greatest_of(outputs, input_tokens)
        ) / _PER
        # Perplexity charges each request beside its tokens.
        more = dearest(requests, input_tokens) / 1_000 if requests is not None else 0
        return (total if self.multiplier == 1 else total * self.multiplier) + more


_PRICED_AS: Final = {
    "input_tokens": ("input_mtok", "input_text_mtok"),
    "output_tokens": ("output_mtok", "output_text_mtok"),
    "audio_seconds": ("audio_hours", "input_audio_hours"),
    "input_characters": ("input_mchars",),
    "web_searches": ("web_searches_kcount",),
    "storage_searches": ("storage_searches_kcount",),
}
"""Which prices must be known for a unit: without one it would count as nothing."""


_SAID_AT_ZERO: Final = frozenset({"cache_audio_read_tokens", "cache_image_read_tokens", "cache_video_read_tokens"})
"""Units that genai-prices must be given, also as 0, where a part of the input is of this kind and another is cached."""
_CACHE_PRICES: Final = {"cache_read_tokens": "cache_read_mtok", "cache_write_tokens": "cache_write_mtok"}
_PLAIN_UNITS: Final = frozenset({"input_tokens", "output_tokens", "output_reasoning_tokens", *_CACHE_PRICES})


def _plain_cost(used: Mapping[str, Any], prices: ModelPrice) -> Decimal | None:
    """What genai-prices computes of text at prices without tiers, in a tenth of its time; None: it must compute them
    itself.
    """
    for unit, count in used.items():
        if unit not in _PLAIN_UNITS or type(count) is not int or count <= 0:
            return None
    known = plain_prices(prices)
    if known is None:
        return None
    text, price, total = used.get("input_tokens", 0), known.get("output_mtok"), Decimal(0)
    if "output_tokens" in used:
        if price is None:
            return None
        total += used["output_tokens"] * price
    for unit, name in _CACHE_PRICES.items():
        if unit in used and (price := known.get(name)) is not None:
            total += used[unit] * price
            # What the cache served is part of the input, at a price of its own.
            text -= used[unit]
    price = known.get("input_mtok")
    # More from the cache than there was input is a contradiction, which is for the library to say.
    return None if text < 0 or (price is None and text) else (total + text * (price or 0)) / _PER


def unknown_price(
    model: str, seller: str | None = None, *, local: bool = False, keys: Iterable[str] = ()
) -> ConfigurationError:
    """Says that a model cannot be governed without a stated price.

    ``keys``: the only prices that are missing. ``local``: its address is of this machine or network.
    """
    missing = tuple(keys)
    if missing:
        example = ", ".join(f"{key!r}: ..." for key in missing)
        return ConfigurationError(
            f"The price of {model!r} is not known for all that the call may use, so nothing was sent: state it with"
            f" govern(client, price={{{model!r}: {{{example}}}}}), or fee=... or cost=... USD a call.",
            cause=f"The price of {model!r} is not known for all that the call may use ({', '.join(missing)}), so"
            " nothing was sent",
        )
    cause = f"The price of {model!r} is not known, so nothing was sent"
    if seller == "azure":
        return ConfigurationError(
            f"{cause}: on Azure a deployment's name does not say its"
            f" model, so state its prices with govern(client, price={{{model!r}: {{'input_mtok': ..., 'output_mtok':"
            " ...}}), default_cost=... USD a call, or cost=0.",
            cause=cause,
        )
    if seller == "openrouter":
        return ConfigurationError(
            f"{cause}: state what is held for a call with"
            " govern(client, default_cost=... USD), after which OpenRouter's own figure is charged, or price=... per"
            " million tokens, or cost=0.",
            cause=cause,
        )
    mine = " For a server of your own, use cost=0." if local else ""
    return ConfigurationError(
        f"{cause}: state it with govern(client, price=...) per million"
        f" tokens, default_cost=... USD a call, or cost=0 for a model of your own that costs nothing.{mine}",
        cause=cause,
    )
