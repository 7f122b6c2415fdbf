"""Computes a call's worst case and its true cost by the prices of one model.

A seller is the vendor whose price list applies. A unit is what genai-prices counts and prices, such as
``cache_read_tokens``. A context holds terms of a call that change its price, such as ``{"service_tier": "flex"}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...errors import ConfigurationError
from .seen import Seen
from .sellers import UsagePaths, usage_paths_of
from .token_prices import Sides, dearest, dearest_sides, greatest_of, plain_prices, sides
from .usage import least_tokens

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

_PER: Final = 1_000_000


class UnusableUsageError(Exception):
    """Raised when the counts of a usage report contradict each other or have no price.

    The package catches this error and charges the held amount as an estimate; the client's caller never sees it.
    """


class Pricing(Protocol):
    """The interface of a source of one model's prices, which may depend on the time and on the terms of a call.

    The prices are objects of genai-prices. ``context`` holds the terms, such as ``{"service_tier": "flex"}``.
    """

    context_window: int | None
    """The most tokens that the model accepts as input; None if this limit is not known."""
    found: bool
    """Whether all prices come from genai-prices, and none from the user."""
    hourly: bool
    """Whether the prices depend on the hour of the day."""

    def prices(self, context: Mapping[str, str], at: datetime) -> ModelPrice:
        """Return the prices that apply to a call at the time ``at``."""
        ...

    def dearest(self, context: Mapping[str, str], at: datetime) -> list[ModelPrice]:
        """Return all prices that may apply to a call that begins at the time ``at``.

        There is more than one if the prices may change before the call is completed.
        """
        ...

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str], at: datetime) -> Decimal:
        """Return the cost in USD of a call at the time ``at``; ``usage`` has its counts by unit."""
        ...


class Rates:
    """The prices of one model at one seller, in USD, as returned by `Prices.rates`.

    Either ``flat`` or ``pricing`` determines them. ``others`` returns the prices of another model at the same address,
    and ``usage_paths`` the paths for a shape of reports. The other arguments are the attributes of the same names.
    """

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
        usage_paths: Callable[[str], UsagePaths] | None = None,
        searches: bool = False,
        assumed: bool = False,
    ) -> None:
        self.model = model
        self.seller = seller
        """The id in genai-prices of the vendor whose price list applies at the client's address; None if not known."""
        self.fee = fee
        """The USD that are added to the cost of each call, as the user stated to `govern`."""
        self.searches = searches
        """Whether the model's id requests a web search with every call, as ``:online`` does at OpenRouter."""
        self.assumed = assumed
        """Whether `flat` is the user's ``default_cost``, used because the model's price is not known.

        A cost that the response states may still replace it (see `cost_of`).
        """
        self._usage_paths = usage_paths
        self._at = datetime.now(timezone.utc)
        self.multiplier = multiplier
        """The factor for the prices of tokens, for example at a regional address."""
        self._others = others
        self.flat = flat
        """The USD that each call costs, however much it uses; None if the cost depends on the usage."""
        self._pricing = pricing
        self._bounds: dict[object, list[Sides]] = {}
        self._usual: ModelPrice | None = None

    @property
    def found(self) -> bool:
        """Whether all prices come from genai-prices, and none from the user."""
        return self._pricing is not None and self._pricing.found

    @property
    def context_window(self) -> int | None:
        """The most tokens that the model accepts as input; None if this limit is not known."""
        return None if self._pricing is None else self._pricing.context_window

    def apply_at(self, time: datetime) -> bool:
        """Whether the prices still apply at ``time``, that is, on the day (UTC) on which they were looked up.

        Prices that depend on the hour of the day must be looked up for each call.
        """
        hourly = self._pricing is not None and self._pricing.hourly
        return not hourly and time.toordinal() == self._at.toordinal()

    def of(self, model: str) -> Rates:
        """Return another model's prices at the same address. Raises ConfigurationError when they are not known."""
        return self if self._others is None else self._others(model)

    def usage_paths(self, shape: str) -> UsagePaths:
        """Return where the counts are in the vendor's usage reports; ``shape`` is as in `usage_paths_of`."""
        return usage_paths_of(None, shape) if self._usage_paths is None else self._usage_paths(shape)

    def times(self, multiplier: Decimal) -> Rates:
        """Return a copy with all prices of tokens multiplied by ``multiplier``, in addition to earlier factors."""
        other = copy(self)
        other.multiplier = self.multiplier * multiplier
        return other

    def varies(self, context: Mapping[str, str]) -> bool:
        """Whether the model has other prices than usual under the terms ``context``, such as ``{"speed": "fast"}``."""
        if self._pricing is None:
            return False
        return vars(self._pricing.prices(context, self._at)) != vars(self._pricing.prices({}, self._at))

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str] | None = None) -> Decimal:
        """Return the cost in USD of ``usage``, counts by genai-prices' units such as ``cache_read_tokens``.

        ``context`` are the terms of the call, such as ``{"service_tier": "flex"}``. Raises UnusableUsageError for
        counts that are not valid, that contradict each other, or that have no price.
        """
        if self._pricing is None:
            return self.flat or Decimal(0)
        used = {unit: count for unit, count in usage.items() if count or unit in _NEEDED_AT_ZERO}
        if self.multiplier == 1:
            return self._cost(used, context)
        # Units other than tokens, such as searches, have fees that are not multiplied.
        tokens = {unit: count for unit, count in used.items() if unit.endswith("_tokens")}
        others = {unit: count for unit, count in used.items() if unit not in tokens}
        return self._cost(tokens, context) * self.multiplier + self._cost(others, context)

    def least_cost(self, seen: Seen | None) -> Decimal:
        """Return the least USD that the output that arrived can have cost, judged by its size.

        This may be more than the held amount if a server ignored the request's limit of output tokens.
        """
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
        """Whether the model has at least one of the prices with these names, such as ``web_searches_kcount``.

        Also true if each call costs the same amount (`flat`), since no further price is needed then.
        """
        if self._pricing is None:
            return True
        prices = vars(self._prices(self._pricing, context))
        return any(prices.get(name) is not None for name in names)

    def _prices(self, pricing: Pricing, context: Mapping[str, str] | None) -> ModelPrice:
        """Return the prices under the terms ``context``.

        The prices without terms are cached, unless they depend on the hour of the day.
        """
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
        """Return the most USD that these numbers of tokens can cost, each at the dearest price that may apply to it.

        ``kinds`` are the kinds of tokens that may occur besides plain text: ``audio``, ``image``, ``video``,
        ``cache_write``, ``cache_write_1h``. ``contexts`` are all terms that may apply; the dearest determine the
        result. Raises ConfigurationError if the input or the output has tokens, and their price is not known.
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
        # Perplexity charges a fee for each request in addition to its tokens; its price is per 1,000 requests.
        request_fee = dearest(requests, input_tokens) / 1_000 if requests is not None else 0
        return (total if self.multiplier == 1 else total * self.multiplier) + request_fee


_PRICED_AS: Final = {
    "input_tokens": ("input_mtok", "input_text_mtok"),
    "output_tokens": ("output_mtok", "output_text_mtok"),
    "audio_seconds": ("audio_hours", "input_audio_hours"),
    "input_characters": ("input_mchars",),
    "web_searches": ("web_searches_kcount",),
    "storage_searches": ("storage_searches_kcount",),
}
"""For each unit, the names of the prices that it may be charged at. At least one of them must be known, because
genai-prices charges nothing for a unit without a price."""


_NEEDED_AT_ZERO: Final = frozenset({"cache_audio_read_tokens", "cache_image_read_tokens", "cache_video_read_tokens"})
"""Units that must be passed to genai-prices even if they are 0: it needs them if some input is audio, images or video,
and other input comes from the cache."""
_CACHE_PRICES: Final = {"cache_read_tokens": "cache_read_mtok", "cache_write_tokens": "cache_write_mtok"}
_PLAIN_UNITS: Final = frozenset({"input_tokens", "output_tokens", "output_reasoning_tokens", *_CACHE_PRICES})


def _plain_cost(used: Mapping[str, Any], prices: ModelPrice) -> Decimal | None:
    """Return the cost in USD if the usage is plain text and its prices have no tiers; otherwise None.

    This takes a tenth of the time that genai-prices takes, which must compute the cost of any other usage.
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
            # Cached tokens are part of the reported input and have their own price.
            text -= used[unit]
    price = known.get("input_mtok")
    # More cached tokens than input tokens is a contradiction; genai-prices then raises the error.
    return None if text < 0 or (price is None and text) else (total + text * (price or 0)) / _PER


def unknown_price(
    model: str, seller: str | None = None, *, local: bool = False, keys: Iterable[str] = ()
) -> ConfigurationError:
    """Return the exception to raise for a call of a model without a known price; it names the ways to state a price.

    ``keys`` are the names of the missing prices, such as ``input_audio_mtok``, if only some prices of the model are
    missing. ``local`` is whether the client's address is on this machine or in a private network.
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
