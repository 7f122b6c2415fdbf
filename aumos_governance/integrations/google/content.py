"""``generateContent`` and ``streamGenerateContent``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

from ...errors import ConfigurationError
from ..guarding.calls import ApiRequest, Cost, Meter, UsageMissingError
from ..pricing.price_terms import LIST_PRICE, billed_model, google_location_multiplier
from ..pricing.rates import Rates, unknown_price
from ..pricing.seen import Seen
from .events import ResponseMeter
from .fields import field_of, listed, mapping_of, whole_of
from .models import CONTEXT_TOKENS, output_tokens, speaks, thinks
from .paths import Target
from .seen import see
from .sizes import Size, size_of
from .tools import Grounding, Tools
from .usage import counts_of, tier_of

__all__ = ["GenerateCall", "input_bound"]

_KINDS: Final = ("audio", "image", "video")
_MODALITIES: Final = {2: "image", 3: "audio", 4: "video"}
"""By their numbers, which protobuf's JSON takes as well as their names."""
_MEDIA_OUTPUT: Final = 4_096
"""More tokens than the largest image that a model makes, which no limit makes smaller:
https://ai.google.dev/gemini-api/docs/image-generation."""
_TIERS: Final = {
    "standard": LIST_PRICE,
    # https://ai.google.dev/gemini-api/docs/optimization: "75% to 100% more than standard", and half of it.
    "priority": Decimal(2),
    "flex": Decimal("0.5"),
}
_ROUNDED: Final = 1_000_000
"""What genai-prices has in place of 1,048,576."""
_SURE: Final = frozenset({"standard", "flex"})
"""Tiers with one published price for all models."""


class GenerateCall:
    """One response of a model, streamed or not."""

    name = "generateContent"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest, target: Target) -> None:
        self.model = target.model
        self.streamed = target.method == "streamGenerateContent"
        self.sends_array = self.streamed and "sse" not in parse_qs(request.path.partition("?")[2]).get("alt", ())
        """Its stream is a JSON array, and no server-sent events."""
        self._request = request.body
        self._location = target.location
        self._config = mapping_of(request.body, "generationConfig")
        self._tools = Tools(request.body)
        self._size: Size | None = None

    # ---- before it is sent

    def worst(self, rates: Rates) -> Decimal:
        """As `Paid.worst`."""
        return self._worst(rates, self._limit(rates)) + self._tools.worst(rates)

    def _worst(self, rates: Rates, output: int) -> Decimal:
        size = self._measured()
        outputs = self._outputs(rates)
        tier = self._tier()
        # A tier that is full is served as the standard one; half the price is certain only when the response says so.
        dearest = max(LIST_PRICE, LIST_PRICE if tier is None else _TIERS[tier])
        rates = self._at_location(rates).times(dearest)
        return rates.bound(input_bound(size, rates), output, kinds=size.kinds | outputs)

    def _limit(self, rates: Rates) -> int:
        """The most tokens of output, thoughts included."""
        stated = whole_of(self._config, "maxOutputTokens")
        # 0 is the same as no limit.
        limit = stated or output_tokens(self.model)
        if self._outputs(rates):
            limit = max(limit, _MEDIA_OUTPUT)
        return limit * (whole_of(self._config, "candidateCount") or 1)

    def _outputs(self, rates: Rates) -> set[str]:
        """What there may be in the output beside text. Raises ConfigurationError for what has no price."""
        requested = {_modality(each) for each in listed(field_of(self._config, "responseModalities"))}
        if rates.flat is not None or speaks(self.model):
            return set()
        priced = {kind for kind in _KINDS if rates.has(f"output_{kind}_mtok")}
        missing = requested - priced - {"text"}
        if missing:
            raise unknown_price(rates.model, keys=sorted(f"output_{kind}_mtok" for kind in missing))
        # A model that can make images does so without a request for it: https://ai.google.dev/gemini-api/docs/image-generation.
        return priced if not requested else requested - {"text"}

    def _tier(self) -> str | None:
        """The requested service tier; None for none. Raises ConfigurationError for one without a published price."""
        given = field_of(self._request, "serviceTier")
        tier = str(given).lower().removeprefix("service_tier_") if given is not None else "unspecified"
        if tier == "unspecified":
            return None
        if tier not in _TIERS:
            raise unknown_price(f"{self.model} with serviceTier={given!r}")
        return tier

    def _at_location(self, rates: Rates) -> Rates:
        """The prices at the location that a path names, where the address does not name it."""
        if rates.seller != "google" or not rates.found or rates.multiplier != LIST_PRICE:
            return rates
        multiplier = google_location_multiplier(self._location, self.model)
        return rates if multiplier == LIST_PRICE else rates.times(multiplier)

    def _measured(self) -> Size:
        if self._size is None:
            self._size = size_of(self._request, self.model)
            self._tools.measure(self._size)
        return self._size

    # ---- by its response

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """As `Paid.cost`."""
        grounding = response.get("grounding")
        if seen is None:
            seen = Seen(hidden=self._may_hide(), whole=True)
            see(response, seen)
        if not isinstance(grounding, Grounding):
            grounding = Grounding()
            grounding.see(response)
        if not seen.whole or response.get("finished") is False:
            return self._broken_off(rates, response, seen)
        own = self._own_rates(rates, response)
        counts, estimated = counts_of(own, self.model, response, seen)
        multiplier, unsure = self._served(own, response)
        fees, guessed = self._tools.cost(own, grounding)
        return Cost(own.times(multiplier).cost(counts) + fees, estimated or unsure or guessed)

    def _own_rates(self, rates: Rates, response: Mapping[str, Any]) -> Rates:
        """The prices of the model that responded, where its name is the more exact one and they are known."""
        billed = billed_model(self.model, response.get("modelVersion"))
        if rates.found and billed != self.model:
            with suppress(ConfigurationError):
                rates = rates.of(billed)
        return self._at_location(rates)

    def _served(self, rates: Rates, response: Mapping[str, Any]) -> tuple[Decimal, bool]:
        """By what the tokens' list price is multiplied, and whether that is an estimate."""
        if not rates.found or rates.seller != "google":
            return LIST_PRICE, False
        served, requested = tier_of(response), self._tier()
        if served is None:
            # Half the price must be confirmed; twice the price may have been charged.
            return max(LIST_PRICE, _TIERS[requested or "standard"]), requested not in (None, "standard")
        if served in _TIERS:
            return _TIERS[served], served not in _SURE
        # Capacity that was bought before, or off-peak hours: no dearer than the list.
        return LIST_PRICE, True

    def _broken_off(self, rates: Rates, response: Mapping[str, Any], seen: Seen) -> Cost:
        """What it can have cost until a stream broke off: as reported, once the visible output has begun."""
        if self._measured().unseen:
            # What was searched and read is reported at the end.
            raise UsageMissingError
        limit = self._limit(rates)
        if seen.media or (seen.hidden and not seen.visible):
            output = limit
        else:
            # No text has more tokens than bytes; what it thought before is in the report alone.
            try:
                counts, _ = counts_of(self._own_rates(rates, response), self.model, response, seen)
            except UsageMissingError:
                output = limit if seen.hidden else min(seen.visible + seen.reasoning, limit)
            else:
                multiplier = self._served(rates, response)[0]
                return Cost(self._own_rates(rates, response).times(multiplier).cost(counts), estimated=True)
        return Cost(self._worst(rates, output), estimated=True)

    def _may_hide(self) -> bool:
        """Whether the model may have thought: thoughts are output that the response does not show."""
        thinking = mapping_of(self._config, "thinkingConfig")
        return thinks(self.model) and whole_of(thinking, "thinkingBudget") != 0

    def meter(self) -> Meter:
        """As `StreamedPaid.meter`."""
        return ResponseMeter(hidden=self._may_hide())


def input_bound(size: Size, rates: Rates) -> int:
    """The most tokens of an input: a longer one gets an error response, which costs nothing."""
    window = rates.context_window
    if window is None or window >= _ROUNDED:
        window = max(window or 0, CONTEXT_TOKENS)
    return window if size.unseen else min(size.tokens, window)


def _modality(given: object) -> str:
    if isinstance(given, str):
        return given.lower()
    return _MODALITIES.get(given, "text") if isinstance(given, int) else "text"
