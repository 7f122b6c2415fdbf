"""What Anthropic's calls may cost at worst, and what they say that they used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigurationError
from ..guarding.calls import ApiRequest, Cost, Meter, Paid, UsageMissingError, is_free, unknown_method
from ..guarding.later import Later
from ..pricing.price_terms import LIST_PRICE, billed_model, geo_multiplier, has_geography, same_model, thinks_by_default
from ..pricing.prices import Rates, unknown_price
from ..pricing.seen import Seen
from . import later as anthropic_later
from .events import CompletionMeter, MessageMeter, seen_in
from .paths import FREE_POSTS
from .sizes import Size, size_of
from .usage import Units, has_unpriced_counts, is_implausible, other_iterations, units_of

if TYPE_CHECKING:
    from ..guarding.guard import Guard

__all__ = ["PROVIDER"]

_ANY_CONTEXT: Final = 1_000_000
"""The most tokens of a request to a model whose context window is not known."""
_FAST: Final = {"speed": "fast"}
_BATCH: Final = {"processing": "batch"}
_FAST_AT_LIST_PRICE: Final = "claude-opus-4-6"
"""It runs at standard speed, at standard rates, where fast mode is requested:
https://platform.claude.com/docs/en/about-claude/pricing#fast-mode-pricing."""
_NO_GEOGRAPHY: Final = (None, "", "not_available")
_BATCH_MULTIPLIER: Final = Decimal("0.5")
"""https://platform.claude.com/docs/en/about-claude/pricing#batch-processing: half of all token prices."""


class AnthropicProvider:
    """Knows Anthropic's paths, also those of its clients for Bedrock, Vertex and Foundry, which begin as the same."""

    price_id = "anthropic"

    def paid(self, request: ApiRequest) -> Paid | None:
        """The call that a request makes; None for one that costs nothing. Raises ConfigurationError."""
        path = request.plain_path
        if is_free(request, FREE_POSTS):
            return None
        if path == "/v1/messages":
            return _Message(request)
        if path == "/v1/complete":
            return _Completion(request)
        if path == "/v1/messages/batches":
            return anthropic_later.batch_of(request, self.paid)
        # Such as a session, which is billed by its tokens and its running time.
        raise unknown_method(request)

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        """As `Provider.later`."""
        return anthropic_later.later(request, guard)


PROVIDER: Final = AnthropicProvider()


class _Message:
    """One message, streamed or not, of the beta interface too."""

    name = "messages"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest) -> None:
        self._request = _given(request.body)
        self.model = str(self._request.get("model") or "")
        self._size: Size | None = None

    # ---- before it is sent

    def worst(self, rates: Rates) -> Decimal:
        """As long a response as it allows, to an input that is all text of one byte a token, at its dearest price."""
        size = self._measured()
        if size.runs_code and rates.flat is None and not rates.fee:
            raise ConfigurationError(
                f"{self.model} with code execution is billed by the hour of its container, which no response states, so"
                " nothing was sent: add web_search_20260209, web_fetch_20260209 or later to the tools, with which it is"
                " free, or state what to add to each call with govern(client, fee=...), or what it costs with"
                " cost=....",
                cause=f"{self.model} with code execution is billed by the hour of its container, which no response"
                " states, so nothing was sent (with web_search_20260209, web_fetch_20260209 or later among the tools it"
                " is free)",
            )
        attempts = [self._attempt(rates, size, self._request), *self._fallbacks(rates, size)]
        return sum(attempts, self._searches(rates, size)) + self._advice(rates, size)

    def _attempt(self, rates: Rates, size: Size, request: Mapping[str, Any]) -> Decimal:
        """One sampling of one model, and what precedes it."""
        rates, context = self._dearest(rates, request.get("speed"))
        tokens, output = _input_bound(size, rates), request.get("max_tokens")
        longest = output if type(output) is int and output >= 0 else tokens
        kinds = [
            kind
            for kind, size_of_kind in (("cache_write", size.cached), ("cache_write_1h", size.cached_1h))
            if size_of_kind
        ]
        cost = rates.bound(tokens, longest, kinds=kinds, contexts=(context,))
        if size.compacted_at is not None and (size.unbounded or tokens > size.compacted_at):
            # The summary is made by a request of its own.
            cost += rates.bound(tokens, longest, kinds=kinds, contexts=(context,))
        return cost

    def _dearest(self, rates: Rates, speed: object) -> tuple[Rates, Mapping[str, str]]:
        """The prices at the dearest terms that the request leaves open. Raises ConfigurationError for unknown ones."""
        if not _at_anthropic(rates):
            return rates, {}
        context: Mapping[str, str] = {}
        if speed == "fast" and not rates.model.startswith(_FAST_AT_LIST_PRICE):
            context = _FAST
            if not rates.varies(context):
                raise unknown_price(f"{rates.model} with speed='fast'")
        geo = self._request.get("inference_geo")
        if geo is None:
            # The workspace's default counts, which the request does not show.
            geo = "us" if has_geography(rates.model) else "global"
        multiplier = geo_multiplier(geo)
        if multiplier is None:
            raise unknown_price(f"{rates.model} with inference_geo={geo!r}")
        return rates.times(multiplier), context

    def _fallbacks(self, rates: Rates, size: Size) -> Iterator[Decimal]:
        """Other models that take over where the first declines, perhaps after a part of its response, which is
        billed.
        """
        fallbacks = self._request.get("fallbacks")
        if fallbacks == "default":
            # The server's own choice, which the request does not show; those published cost no more than the model.
            yield self._attempt(rates, size, self._request)
            return
        for entry in fallbacks if isinstance(fallbacks, (list, tuple)) else ():
            if isinstance(entry, Mapping):
                overrides = {name: value for name, value in entry.items() if value is not None}
                request = {
                    "max_tokens": self._request.get("max_tokens"),
                    "speed": self._request.get("speed"),
                    **overrides,
                }
                other = self._rates_of(rates, str(entry.get("model") or ""))
                if request["speed"] == "fast" and "speed" not in overrides and not other.varies(_FAST):
                    request["speed"] = None
                yield self._attempt(other, size, request)

    def _advice(self, rates: Rates, size: Size) -> Decimal:
        """The advisor reads the conversation so far, and what the model has written until then."""
        cost, output = Decimal(0), self._request.get("max_tokens")
        for advisor in size.advisors:
            other, context = self._dearest(self._rates_of(rates, advisor.model), None)
            tokens = _input_bound(size, other) + (output if type(output) is int else 0)
            cost += advisor.uses * other.bound(tokens, advisor.output, kinds=("cache_write_1h",), contexts=(context,))
        return cost

    def _searches(self, rates: Rates, size: Size) -> Decimal:
        if not size.searches or rates.flat is not None:
            return Decimal(0)
        if not rates.has("web_searches_kcount"):
            raise ConfigurationError(
                f"The price of web searches by {self.model!r} is not known, so nothing was sent: state it in USD per"
                " 1,000 searches, beside the prices of tokens, with govern(client, price={'web_searches_kcount':"
                " ...}).",
                cause=f"The price of web searches by {self.model!r} (web_searches_kcount) is not known, so nothing was"
                " sent",
            )
        return rates.cost({"web_searches": size.searches})

    def _rates_of(self, rates: Rates, model: str) -> Rates:
        return rates.of(billed_model(self.model, model))

    def _measured(self) -> Size:
        if self._size is None:
            self._size = size_of(self._request)
        return self._size

    # ---- by its response

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """By the usage of the response. Raises UsageMissingError, also for terms that have no published price."""
        usage = response.get("usage")
        if not isinstance(usage, Mapping):
            raise UsageMissingError
        if has_unpriced_counts(usage, code_is_free=not self._measured().runs_code or bool(rates.fee)):
            raise UsageMissingError
        model = str(response.get("model") or "")
        if rates.found and model and not same_model(rates.model, model):
            # Another model responded, whose price is not known.
            raise UsageMissingError
        seen = seen or seen_in(response, hidden=False)
        if not seen.whole and usage.get("output_tokens") is None:
            return self._broken_off(rates, usage, seen)
        main = units_of(usage, hour_cache=self._measured().cached_1h)
        others = list(other_iterations(usage, model, main))
        if is_implausible(main, seen) and not (_is_empty(main, seen) and others):
            if response.get("stop_reason") == "refusal" and _is_empty(main, seen):
                # Declined before it began, which is not billed.
                return Cost(Decimal(0))
            raise UsageMissingError
        cost = self._priced(rates, usage, main)
        for other in others:
            cost += self._priced(
                rates if other.model is None else self._rates_of(rates, other.model), usage, other.units
            )
        return Cost(cost, main.doubtful or not seen.whole or _is_repriced(usage))

    def _priced(self, rates: Rates, usage: Mapping[str, Any], units: Units) -> Decimal:
        """What the counts cost at the terms that the report names. Raises UsageMissingError for unknown ones."""
        if not _at_anthropic(rates):
            return rates.cost(units.counts)
        speed, tier = usage.get("speed") or self._request.get("speed"), usage.get("service_tier")
        geo = usage.get("inference_geo")
        # Where the response does not say, it is taken to be served as requested.
        multiplier = geo_multiplier(self._request.get("inference_geo") if geo in _NO_GEOGRAPHY else geo)
        if multiplier is None or tier not in (None, "standard", "batch"):
            # The prices of priority capacity are agreed on, and not published.
            raise UsageMissingError
        context: Mapping[str, str] = {}
        if tier == "batch":
            context, multiplier = (_BATCH, multiplier) if rates.varies(_BATCH) else ({}, multiplier * _BATCH_MULTIPLIER)
        elif speed == "fast" and rates.varies(_FAST):
            context = _FAST
        elif usage.get("speed") == "fast":
            raise UsageMissingError
        return (rates if multiplier == LIST_PRICE else rates.times(multiplier)).cost(units.counts, context)

    def _broken_off(self, rates: Rates, usage: Mapping[str, Any], seen: Seen) -> Cost:
        """The input as reported; the output as far as it arrived, or as long as it may be where not all is shown."""
        if self._measured().served or self._request.get("fallbacks"):
            # What the server did meanwhile is not reported yet.
            raise UsageMissingError
        longest = self._request.get("max_tokens")
        if type(longest) is not int:
            raise UsageMissingError
        # A token is at least one byte of text.
        output = longest if self._may_hide(seen) else min(longest, max(1, seen.visible + seen.reasoning))
        units = units_of(usage, hour_cache=self._measured().cached_1h, output=output)
        if not units.input:
            raise UsageMissingError
        return Cost(self._priced(rates, usage, units), estimated=True)

    def _may_hide(self, seen: Seen) -> bool:
        """Whether the model may have written what the stream does not show: its thinking comes as a summary, or not."""
        if seen.hidden:
            return True
        thinking = self._request.get("thinking")
        kind = thinking.get("type") if isinstance(thinking, Mapping) else None
        return kind != "disabled" and (kind is not None or thinks_by_default(self.model))

    def meter(self) -> Meter:
        """For its stream."""
        return MessageMeter(seen=Seen(hidden=False))


class _Completion:
    """One legacy text completion. Its responses never say what they used."""

    name = "completions"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest) -> None:
        self._request = _given(request.body)
        self.model = str(self._request.get("model") or "")

    def worst(self, rates: Rates) -> Decimal:
        """As long a response as it allows."""
        tokens, output = _input_bound(size_of(self._request), rates), self._request.get("max_tokens_to_sample")
        return rates.bound(tokens, output if isinstance(output, int) else tokens)

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """What every call costs, where that was stated. Raises UsageMissingError otherwise."""
        if rates.flat is None:
            raise UsageMissingError
        return Cost(rates.flat)

    def meter(self) -> Meter:
        """For its stream."""
        return CompletionMeter(seen=Seen(hidden=False))


def _given(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what the library leaves out of the request."""
    return {name: value for name, value in body.items() if type(value).__name__ not in ("Omit", "NotGiven")}


def _at_anthropic(rates: Rates) -> bool:
    """Whether Anthropic's own price list counts, and its terms: not a stated price, nor Bedrock's or Google's."""
    return rates.found and rates.seller == "anthropic"


def _is_empty(units: Units, seen: Seen) -> bool:
    """Whether the sums are of nothing, and nothing arrived: such as of a request that only compacts."""
    return not (units.input or units.output or seen.anything)


def _is_repriced(usage: Mapping[str, Any]) -> bool:
    # A redeemed credit bills cache writes as reads; which counts that changes is not documented.
    credit = usage.get("fallback_credit")
    status = credit.get("status") if isinstance(credit, Mapping) else None
    return isinstance(status, Mapping) and status.get("type") == "redeemed"


def _input_bound(size: Size, rates: Rates) -> int:
    window = rates.context_window
    if size.unbounded:
        return window or _ANY_CONTEXT
    return size.tokens if window is None else min(size.tokens, window)
