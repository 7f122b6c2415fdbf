"""What usage costs, by the prices that genai-prices ships: nothing is fetched.

A program that starts genai-prices' own `UpdatePrices` gets the prices that this has fetched, as it asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from .. import money
from ..errors import ConfigurationError, InvalidRequestError
from .price_terms import lookups, seller_at
from .rates import Rates, UnusableUsageError, unknown_price

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

__all__ = ["Amount", "Prices", "Rates", "UnusableUsageError", "unknown_price"]

Amount = float | int | str | Decimal
"""USD."""


class Prices:
    """Finds a model's prices: those stated here first, then the installed data of genai-prices.

    ``cost`` is what every call costs. ``price`` states prices per unit under genai-prices' names, ``{"input_mtok": 2.5,
    "output_mtok": 10}`` in USD per million tokens, or such a mapping for each of several models. ``default_cost`` is
    what a call costs whose model has no price otherwise. Raises ValueError for what is none of these.
    """

    def __init__(
        self,
        *,
        cost: Amount | None = None,
        price: Mapping[str, Any] | None = None,
        default_cost: Amount | None = None,
    ) -> None:
        self._cost = None if cost is None else money.to_decimal(money.parse(cost, what="cost"))
        self._default = (
            None if default_cost is None else money.to_decimal(money.parse(default_cost, what="default_cost"))
        )
        self._stated, self._stated_by_model = _read_prices(price)
        self._found: dict[tuple[str, str, str], tuple[Any, _Known | None]] = {}

    def rates(self, model: str, *, provider: str, base_url: str = "") -> Rates:
        """The model's prices at this address, else at ``provider``. Raises ConfigurationError when none is known."""
        if self._cost is not None:
            return Rates(model, flat=self._cost)

        def others(name: str) -> Rates:
            return self.rates(name, provider=provider, base_url=base_url)

        stated = self._stated_by_model.get(model, self._stated)
        if stated is not None:
            return Rates(model, pricing=stated, others=others)
        known = self._known(model, provider, base_url)
        if known is not None:
            return Rates(model, pricing=known, seller=known.seller, multiplier=known.multiplier, others=others)
        if self._default is not None:
            return Rates(model, flat=self._default)
        raise unknown_price(model)

    def _known(self, model: str, provider: str, base_url: str) -> _Known | None:
        snapshot = _library("data_snapshot").get_snapshot()
        place = (model, provider, base_url)
        found = self._found.get(place)
        if found is None or found[0] is not snapshot:
            found = self._found[place] = snapshot, _known(snapshot, model, provider, base_url)
        return found[1]


class _Stated:
    """Prices that the caller stated."""

    found = False
    context_window: int | None = None

    def __init__(self, prices: Mapping[str, Any]) -> None:
        model_price = _library("types").ModelPrice
        read: dict[str, Decimal] = {}
        for name, value in prices.items():
            try:
                getattr(model_price(), name)
            except AttributeError:
                raise InvalidRequestError(
                    f"price has no {name!r}; it is given as, for example, {{'input_mtok': 2.5, 'output_mtok': 10}}."
                ) from None
            # Finer than a nano-dollar is no amount, but may be a price.
            read[name] = _price(name, value)
        if not read:
            raise InvalidRequestError("price must state at least one price, for example {'input_mtok': 2.5}.")
        self._prices = model_price(**read)

    def prices(self, context: Mapping[str, str]) -> ModelPrice:
        return self._prices  # type: ignore[no-any-return]

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str]) -> Decimal:
        return cast("Decimal", self._prices.calc_price(_library("types").Usage(**usage))["total_price"])


class _Known:
    """Prices that genai-prices knows."""

    found = True

    def __init__(self, provider: Any, model: Any, multiplier: Decimal) -> None:
        self.seller: str = provider.id
        self.multiplier = multiplier
        self._provider = provider
        self._model = model
        self.context_window: int | None = model.context_window

    def prices(self, context: Mapping[str, str]) -> ModelPrice:
        now = datetime.now(timezone.utc)
        return self._model.get_prices(now, context) if context else self._model.get_prices(now)  # type: ignore[no-any-return]

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str]) -> Decimal:
        priced = self._model.calc_price(
            _library("types").Usage(**usage), self._provider, price_context=dict(context) or None
        )
        return cast("Decimal", priced.total_price)


def _known(snapshot: Any, model: str, provider: str, base_url: str) -> _Known | None:
    # At an address that sells models, its prices count alone. Any other one is taken for a way to the client's own.
    named = seller_at(base_url)
    seller = _seller(snapshot, named, None if named else base_url) or _seller(snapshot, provider, None)
    if seller is None:
        return None
    for lookup in lookups(seller.id, model, base_url):
        try:
            found, priced = snapshot.find_provider_model(lookup.model, seller, None, None)
        except LookupError:
            continue
        prices = priced.get_prices(datetime.now(timezone.utc))
        if any(price is not None for price in vars(prices).values()):
            return _Known(found, priced, lookup.multiplier)
    return None


def _seller(snapshot: Any, provider: str | None, base_url: str | None) -> Any:
    try:
        return snapshot.find_provider(None, provider, base_url)
    except LookupError:
        return None


def _read_prices(price: Mapping[str, Any] | None) -> tuple[_Stated | None, dict[str, _Stated]]:
    if price is None:
        return None, {}
    if not price or not hasattr(price, "values"):
        raise InvalidRequestError("price must be a mapping, for example {'input_mtok': 2.5, 'output_mtok': 10}.")
    if all(isinstance(value, Mapping) for value in price.values()):
        return None, {model: _Stated(prices) for model, prices in price.items()}
    return _Stated(price), {}


def _price(name: str, value: object) -> Decimal:
    try:
        read = Decimal(str(value).strip().removeprefix("$")) if not isinstance(value, bool) else Decimal("nan")
    except ArithmeticError:
        read = Decimal("nan")
    if not read.is_finite() or read < 0 or read > money.NANO_PER_USD:
        raise InvalidRequestError(f"price[{name!r}] must be an amount of US dollars, not {value!r}.")
    return read


@cache
def _library(module: str) -> Any:
    try:
        return import_module(f"genai_prices.{module}")
    except ImportError:
        raise ConfigurationError(
            "govern() needs genai-prices for the models' prices: pip install 'aumos-governance[openai]', or state what"
            " each call costs with cost=."
        ) from None
