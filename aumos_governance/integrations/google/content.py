"""The paid calls of Google's API that generate content: ``generateContent`` and ``streamGenerateContent``."""

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

_KINDS: Final = ("audio", "image", "video")
_MODALITIES: Final = {2: "image", 3: "audio", 4: "video"}
"""The modalities of a response by their numbers; protobuf's JSON takes the numbers as well as the names."""
_MEDIA_OUTPUT: Final = 4_096
"""An upper bound of the tokens of a generated image, whatever limit of the output the request sets:
https://ai.google.dev/gemini-api/docs/image-generation."""
_TIERS: Final = {
    "standard": LIST_PRICE,
    # https://ai.google.dev/gemini-api/docs/optimization: "75% to 100% more than standard", and half for flex.
    "priority": Decimal(2),
    "flex": Decimal("0.5"),
}
"""The factor for token prices of each service tier."""
_ROUNDED: Final = 1_000_000
"""The rounded context window that genai-prices states for models with 1,048,576 tokens."""
_SURE: Final = frozenset({"standard", "flex"})
"""The service tiers with one published factor for all models. The factor of ``priority`` differs by model, so a cost at
this tier is an estimate."""


class GenerateCall:
    """A paid call of ``generateContent`` or ``streamGenerateContent``."""

    name = "generateContent"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest, target: Target) -> None:
        self.model = target.model
        self.streamed = target.method == "streamGenerateContent"
        self.sends_array = self.streamed and "sse" not in parse_qs(request.path.partition("?")[2]).get("alt", ())
        """Whether the response is a stream in the form of a JSON array, and not of server-sent events."""
        self._request = request.body
        self._location = target.location
        self._config = mapping_of(request.body, "generationConfig")
        self._tools = Tools(request.body)
        self._size: Size | None = None

    # ---- the worst case

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost.

        Raises ConfigurationError if something in the request has no known price.
        """
        return self._worst(rates, self._limit(rates)) + self._tools.worst(rates)

    def _worst(self, rates: Rates, output: int) -> Decimal:
        size = self._measured()
        outputs = self._outputs(rates)
        tier = self._tier()
        # If a tier has no capacity, the standard tier serves the request. So the half price of flex is not certain
        # before the response states it.
        dearest = max(LIST_PRICE, LIST_PRICE if tier is None else _TIERS[tier])
        rates = self._at_location(rates).times(dearest)
        return rates.bound(input_bound(size, rates), output, kinds=size.kinds | outputs)

    def _limit(self, rates: Rates) -> int:
        """Return the most output tokens of all candidates, thoughts included."""
        stated = whole_of(self._config, "maxOutputTokens")
        # Google treats a limit of 0 as no limit.
        limit = stated or output_tokens(self.model)
        if self._outputs(rates):
            limit = max(limit, _MEDIA_OUTPUT)
        return limit * (whole_of(self._config, "candidateCount") or 1)

    def _outputs(self, rates: Rates) -> set[str]:
        """Return the kinds of media that the output may have. Raises ConfigurationError for a kind without a price."""
        requested = {_modality(each) for each in listed(field_of(self._config, "responseModalities"))}
        if rates.flat is not None or speaks(self.model):
            return set()
        priced = {kind for kind in _KINDS if rates.has(f"output_{kind}_mtok")}
        missing = requested - priced - {"text"}
        if missing:
            raise unknown_price(rates.model, keys=sorted(f"output_{kind}_mtok" for kind in missing))
        # A model that can make images may make them without being requested to: https://ai.google.dev/gemini-api/docs/image-generation.
        return priced if not requested else requested - {"text"}

    def _tier(self) -> str | None:
        """Return the requested service tier or None. Raises ConfigurationError for a tier without a published price."""
        given = field_of(self._request, "serviceTier")
        tier = str(given).lower().removeprefix("service_tier_") if given is not None else "unspecified"
        if tier == "unspecified":
            return None
        if tier not in _TIERS:
            raise unknown_price(f"{self.model} with serviceTier={given!r}")
        return tier

    def _at_location(self, rates: Rates) -> Rates:
        """Return the prices at the location that the request's path names, such as ``europe-west4``.

        If the client's address is regional, ``rates`` are the prices there already, and are returned unchanged.
        """
        if rates.seller != "google" or not rates.found or rates.multiplier != LIST_PRICE:
            return rates
        multiplier = google_location_multiplier(self._location, self.model)
        return rates if multiplier == LIST_PRICE else rates.times(multiplier)

    def _measured(self) -> Size:
        if self._size is None:
            self._size = size_of(self._request, self.model)
            self._tools.measure(self._size)
        return self._size

    # ---- the cost by the response

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost according to the reported usage or, if the response broke off, to the part that arrived.

        Raises UsageMissingError as `Paid.cost` does.
        """
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
        multiplier, unsure = self._tier_multiplier(own, response)
        fees, guessed = self._tools.cost(own, grounding)
        return Cost(own.times(multiplier).cost(counts) + fees, estimated or unsure or guessed)

    def _own_rates(self, rates: Rates, response: Mapping[str, Any]) -> Rates:
        """Return the prices of the model that responded if they are known, otherwise the requested model's prices."""
        billed = billed_model(self.model, response.get("modelVersion"))
        if rates.found and billed != self.model:
            with suppress(ConfigurationError):
                rates = rates.of(billed)
        return self._at_location(rates)

    def _tier_multiplier(self, rates: Rates, response: Mapping[str, Any]) -> tuple[Decimal, bool]:
        """Return the factor for token prices in the tier that served the call, and whether it is an estimate."""
        if not rates.found or rates.seller != "google":
            return LIST_PRICE, False
        served, requested = tier_of(response), self._tier()
        if served is None:
            # If the response states no tier, the requested tier applies only if it is dearer than the standard tier.
            return max(LIST_PRICE, _TIERS[requested or "standard"]), requested not in (None, "standard")
        if served in _TIERS:
            return _TIERS[served], served not in _SURE
        # Other values are provisioned capacity or off-peak hours, which cost no more than the list price.
        return LIST_PRICE, True

    def _broken_off(self, rates: Rates, response: Mapping[str, Any], seen: Seen) -> Cost:
        """Return the estimated cost of a stream that broke off.

        If visible output has arrived, the usage reported so far is charged. Otherwise the estimate is the worst case
        with the most output that the model can have written. Raises UsageMissingError if the input is not known; the
        held amount is then charged.
        """
        if self._measured().unseen:
            # Only the end of a stream reports the input that the provider has added.
            raise UsageMissingError
        limit = self._limit(rates)
        if seen.media or (seen.hidden and not seen.visible):
            output = limit
        else:
            # A text has at most as many tokens as bytes. Only the usage counts the thoughts before it.
            try:
                counts, _ = counts_of(self._own_rates(rates, response), self.model, response, seen)
            except UsageMissingError:
                output = limit if seen.hidden else min(seen.visible + seen.reasoning, limit)
            else:
                multiplier = self._tier_multiplier(rates, response)[0]
                return Cost(self._own_rates(rates, response).times(multiplier).cost(counts), estimated=True)
        return Cost(self._worst(rates, output), estimated=True)

    def _may_hide(self) -> bool:
        """Whether the model may think; thoughts are charged as output, and the response does not show them."""
        thinking = mapping_of(self._config, "thinkingConfig")
        return thinks(self.model) and whole_of(thinking, "thinkingBudget") != 0

    def meter(self) -> Meter:
        """Return a new meter for the stream of this call's response."""
        return ResponseMeter(hidden=self._may_hide())


def input_bound(size: Size, rates: Rates) -> int:
    """Return the most input tokens that can be charged for an input of this size.

    This is at most the model's context window: a longer input gets an error response, which costs nothing.
    """
    window = rates.context_window
    if window is None or window >= _ROUNDED:
        window = max(window or 0, CONTEXT_TOKENS)
    return window if size.unseen else min(size.tokens, window)


def _modality(value: object) -> str:
    if isinstance(value, str):
        return value.lower()
    return _MODALITIES.get(value, "text") if isinstance(value, int) else "text"
