"""Looks up the prices of a model: first those that the user stated to `govern`, then those of genai-prices.

The prices of genai-prices are the installed ones or, if newer, those that the user has fetched (`price_data`). In a
program that starts genai-prices' own `UpdatePrices`, the prices that it fetches apply. A seller is the vendor whose
price list applies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from ... import money
from ...errors import ConfigurationError, InvalidRequestError
from . import price_data
from .model_names import ParsedModelId, is_local, parse_model_id
from .price_terms import lookups, seller_at
from .rates import Rates, unknown_price
from .sellers import UsagePaths, usage_paths_of

if TYPE_CHECKING:
    from genai_prices.types import ModelPrice

Amount = float | int | str | Decimal
"""An amount in USD."""


class Prices:
    """The source of models' prices: first the prices that the user states, then genai-prices. All amounts are in USD.

    ``cost`` is the price of every call. ``price`` states prices per unit under genai-prices' names, as ``{"input_mtok":
    2.5, "output_mtok": 10}`` per million tokens, or maps models' names, which may have wildcards (``"llama*"``), to
    mappings of this form. If ``price`` states neither ``input_mtok`` nor ``output_mtok``, its prices are added to the
    known prices of the model; otherwise they replace them. ``default_cost`` is the price of a call of a model without a
    known price, unless the response states a cost. ``fee`` is added to every call. Raises InvalidRequestError for an
    argument that is no valid price.
    """

    def __init__(
        self,
        *,
        cost: Amount | None = None,
        price: Mapping[str, Any] | None = None,
        default_cost: Amount | None = None,
        fee: Amount | None = None,
    ) -> None:
        self._cost = None if cost is None else money.to_decimal(money.parse(cost, what="cost"))
        self._default = (
            None if default_cost is None else money.to_decimal(money.parse(default_cost, what="default_cost"))
        )
        self._fee = Decimal(0) if fee is None else money.to_decimal(money.parse(fee, what="fee"))
        self._stated, self._stated_by_model = _read_prices(price)
        self._found: dict[tuple[str, str, str], tuple[Any, _Place]] = {}

    def rates(self, model: str, *, provider: str, base_url: str = "", snapshot: Any = None) -> Rates:
        """Return a model's prices at the vendor with the address ``base_url`` or, if it is not known, at ``provider``.

        A vendor is known if genai-prices has its price list. ``provider`` is an id in genai-prices, such as ``openai``.
        ``snapshot`` is the price data to use; None means `price_data.snapshot`. Raises ConfigurationError if the model
        has no known price.
        """
        if self._cost is not None:
            return Rates(model, flat=self._cost, fee=self._fee)
        if snapshot is None:
            snapshot = price_data.snapshot(_library("data_snapshot"))
        place = self._place(snapshot, model, provider, base_url)
        rates = place.rates
        if rates is None or not rates.apply_at(_now()):

            def others(name: str) -> Rates:
                return self.rates(name, provider=provider, base_url=base_url, snapshot=snapshot)

            rates = place.rates = self._rates(model, place, base_url, others)
        return rates

    def _rates(self, model: str, place: _Place, base_url: str, others: Callable[[str], Rates]) -> Rates:
        pricing: _Stated | _Known | _Free | None = place.known
        stated = self._stated_for(model)
        if stated is not None:
            pricing = stated if stated.complete or place.known is None else place.known.with_prices(stated)
        elif pricing is None and self._default is not None:
            return Rates(model, flat=self._default, fee=self._fee, seller=place.seller, assumed=True, others=others)
        if pricing is None:
            raise unknown_price(model, place.seller, local=is_local(base_url))
        return Rates(
            model,
            pricing=pricing,
            fee=self._fee,
            seller=place.seller,
            usage_paths=place.usage_paths,
            searches=place.parsed.searches,
            multiplier=Decimal(1) if pricing is stated or place.known is None else place.known.multiplier,
            others=others,
        )

    def _stated_for(self, model: str) -> _Stated | None:
        exact = self._stated_by_model.get(model)
        if exact is not None:
            return exact
        for pattern, stated in self._stated_by_model.items():
            if fnmatchcase(model, pattern):
                return stated
        return self._stated

    def _place(self, snapshot: Any, model: str, provider: str, base_url: str) -> _Place:
        key = (model, provider, base_url)
        found = self._found.get(key)
        if found is None or found[0] is not snapshot:
            found = self._found[key] = snapshot, _Place(snapshot, model, provider, base_url)
        return found[1]


class _Stated:
    """A `Pricing` with the prices that the caller of `govern` stated for a model."""

    found = False
    hourly = False
    context_window: int | None = None

    def __init__(self, prices: Mapping[str, Any]) -> None:
        model_price = _library("types").ModelPrice
        read: dict[str, Decimal] = {}
        for name, value in prices.items():
            try:
                getattr(model_price(), name)
            except AttributeError:
                raise InvalidRequestError(
                    f"genai-prices has no price named {name!r}; name the prices as in {{'input_mtok': 2.5,"
                    " 'output_mtok': 10}."
                ) from None
            # A price per unit may be finer than 1 nano-USD, so `money.parse` cannot read it.
            read[name] = _price(name, value)
        if not read:
            raise InvalidRequestError("price must state at least one price, for example {'input_mtok': 2.5}.")
        self.complete = bool(read.keys() & {"input_mtok", "output_mtok"})
        """Whether these prices replace the known prices of the model; otherwise they are added to the known prices."""
        self._prices = model_price(**read)

    def prices(self, context: Mapping[str, str], at: datetime) -> ModelPrice:
        return self._prices  # type: ignore[no-any-return]

    def dearest(self, context: Mapping[str, str], at: datetime) -> list[ModelPrice]:
        return [self._prices]

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str], at: datetime) -> Decimal:
        return cast("Decimal", self._prices.calc_price(_library("types").Usage(**usage))["total_price"])


class _Known:
    """A `Pricing` with the prices that genai-prices has for a model.

    ``provider`` and ``model`` are objects of genai-prices. ``multiplier`` is the factor for the prices of tokens.
    ``more`` are further prices by name, which are added to those of genai-prices or replace them.
    """

    found = True

    def __init__(self, provider: Any, model: Any, multiplier: Decimal, more: Mapping[str, Any] | None = None) -> None:
        self.multiplier = multiplier
        self._provider = provider
        self._model = model
        self._more = more or _published(provider.id, model.id)
        self.context_window: int | None = model.context_window
        conditions = [each.constraint for each in model.prices] if isinstance(model.prices, list) else []
        self._resolved: dict[Any, ModelPrice] = {}
        self.hourly = any(hasattr(condition, "start_time") for condition in conditions)

    def with_prices(self, stated: _Stated) -> _Known:
        """Return a copy that also has the prices stated by the user; they replace prices of the same names."""
        added = {name: price for name, price in vars(stated.prices({}, _now())).items() if price is not None}
        other = _Known(self._provider, self._model, self.multiplier, {**self._more, **added})
        other.found = False
        return other

    def prices(self, context: Mapping[str, str], at: datetime) -> ModelPrice:
        # By the hour, the price at the time when a request is completed applies to DeepSeek's models:
        # https://api-docs.deepseek.com/quick_start/pricing. All other conditions of prices are days.
        key = (tuple(context.items()), at.toordinal())
        resolved = None if self.hourly else self._resolved.get(key)
        if resolved is not None:
            return resolved
        time = _now() if self.hourly else at
        prices: ModelPrice = self._model.get_prices(time, context)
        if self._more:
            prices = copy(prices)
            vars(prices).update(self._more)
        self._resolved[key] = prices
        return prices

    def dearest(self, context: Mapping[str, str], at: datetime) -> list[ModelPrice]:
        if not self.hourly:
            return [self.prices(context, at)]
        return [self._model.get_prices(at + timedelta(hours=hours)) for hours in range(24)]

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str], at: datetime) -> Decimal:
        used = _library("types").Usage(**usage)
        if self._more:
            return self.prices(context, at).calc_price(used)["total_price"]
        time = _now() if self.hourly else at
        priced = self._model.calc_price(used, self._provider, genai_request_timestamp=time, price_context=context)
        return cast("Decimal", priced.total_price)


class _Free:
    """A `Pricing` for a model that its seller charges nothing for."""

    found = True
    hourly = False
    multiplier = Decimal(1)
    context_window: int | None = None

    def __init__(self) -> None:
        self._prices = _library("types").ModelPrice(input_mtok=Decimal(0), output_mtok=Decimal(0))

    def with_prices(self, stated: _Stated) -> _Stated:
        return stated

    def prices(self, context: Mapping[str, str], at: datetime) -> ModelPrice:
        return self._prices  # type: ignore[no-any-return]

    def dearest(self, context: Mapping[str, str], at: datetime) -> list[ModelPrice]:
        return [self._prices]

    def cost(self, usage: Mapping[str, Any], context: Mapping[str, str], at: datetime) -> Decimal:
        return Decimal(0)


class _Place:
    """The result of a lookup in genai-prices: the vendor that sells a model at an address, and the prices if known.

    `Prices` keeps one for each model and address until genai-prices has other data.
    """

    def __init__(self, snapshot: Any, model: str, provider: str, base_url: str) -> None:
        # At the address of a known seller only that seller's prices apply. Any other address is taken for a proxy of
        # the client's own provider.
        seller = _seller(snapshot, seller_at(base_url), base_url) or _seller(snapshot, provider, None)
        self.parsed: ParsedModelId = parse_model_id(getattr(seller, "id", None), model, base_url)
        if self.parsed.seller is not None:
            seller = _seller(snapshot, self.parsed.seller, None)
        self.seller: str | None = getattr(seller, "id", None)
        self.known = None if seller is None else _known(snapshot, seller, model, self.parsed, base_url)
        self.rates: Rates | None = None
        """The rates that `Prices.rates` returned last for this model and address, kept since each call needs them."""
        self._provider = seller
        self._usage_paths: dict[str, UsagePaths] = {}

    def usage_paths(self, shape: str) -> UsagePaths:
        """Return where the counts are in the vendor's usage reports; ``shape`` is as in `usage_paths_of`."""
        found = self._usage_paths.get(shape)
        if found is None:
            found = self._usage_paths[shape] = usage_paths_of(self._provider, shape)
        return found


def address_seller(base_url: str) -> str | None:
    """Return the id in genai-prices of the vendor whose price list applies at an address, or None if none is known."""
    found = seller_at(base_url)
    if found is not None:
        return found
    return getattr(_seller(price_data.snapshot(_library("data_snapshot")), None, base_url), "id", None)


def _known(snapshot: Any, seller: Any, model: str, name: ParsedModelId, base_url: str) -> _Known | _Free | None:
    names = dict.fromkeys((model, name.model))
    for lookup in (lookup for each in names for lookup in lookups(seller.id, each, base_url)):
        try:
            found, priced = snapshot.find_provider_model(lookup.model, seller, None, None)
        except LookupError:
            continue
        prices = priced.get_prices(_now())
        if any(price is not None for price in vars(prices).values()):
            return _Known(found, priced, lookup.multiplier)
    return _Free() if name.free else None


def _published(seller: str, model: str) -> dict[str, Decimal]:
    """Return published prices that genai-prices lacks, in USD per million tokens, by genai-prices' names of prices.

    These are the prices of audio tokens of two of OpenAI's models; the mapping is empty for all other models.
    https://platform.openai.com/docs/models/gpt-4o-audio-preview,
    https://platform.openai.com/docs/models/gpt-4o-mini-audio-preview
    """
    if seller not in ("openai", "azure"):
        return {}
    audio = {"gpt-4o-audio-preview": (40, 80), "gpt-4o-mini-audio-preview": (10, 20)}.get(model)
    return (
        {} if audio is None else dict(zip(("input_audio_mtok", "output_audio_mtok"), map(Decimal, audio), strict=True))
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)


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
        read = Decimal(str(value).strip().removeprefix("$"))
    except ArithmeticError:
        read = Decimal("nan")
    if not read.is_finite() or read < 0 or read > money.NANO_PER_USD:
        raise InvalidRequestError(f"price[{name!r}] must be an amount of US dollars, 0 or more, not {value!r}.")
    return read


@cache
def _library(module: str) -> Any:
    try:
        return import_module(f"genai_prices.{module}")
    except ImportError:
        raise ConfigurationError(
            "govern() needs genai-prices for the models' prices: pip install 'aumos-governance[openai]', or state what"
            " each call costs with cost=... USD.",
            cause="The models' prices are not installed (pip install 'aumos-governance[openai]')",
        ) from None
