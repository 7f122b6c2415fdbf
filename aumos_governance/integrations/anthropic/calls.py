"""The paid calls of Anthropic's API: their worst cases, and their costs by their responses.

`PROVIDER` decides which requests are paid calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigurationError
from ..guarding.calls import ApiRequest, Cost, Meter, Paid, UsageMissingError, is_free, unknown_method
from ..guarding.later import Later
from ..pricing.price_terms import LIST_PRICE, billed_model, geo_multiplier, has_geography, same_model, thinks_by_default
from ..pricing.rates import Rates, unknown_price
from ..pricing.seen import Seen
from . import later as anthropic_later
from .events import CompletionMeter, MessageMeter, seen_in
from .paths import FREE_POSTS
from .sizes import Size, size_of
from .usage import Units, has_unpriced_counts, is_implausible, other_iterations, units_of

if TYPE_CHECKING:
    from ..guarding.guard import Guard

_ANY_CONTEXT: Final = 1_000_000
"""The most input tokens of a request to a model whose context window is not known."""
_FAST: Final = {"speed": "fast"}
_BATCH: Final = {"processing": "batch"}
_FAST_AT_LIST_PRICE: Final = "claude-opus-4-6"
"""The model that runs at standard speed and standard prices even if fast mode is requested:
https://platform.claude.com/docs/en/about-claude/pricing#fast-mode-pricing."""
_NO_GEOGRAPHY: Final = (None, "", "not_available")
_BATCH_MULTIPLIER: Final = Decimal("0.5")
"""The factor for all token prices in a batch: https://platform.claude.com/docs/en/about-claude/pricing#batch-processing."""


class AnthropicProvider:
    """The adapter for Anthropic's API.

    Anthropic's clients for Bedrock, Vertex and Foundry change the paths of their requests only after this adapter has
    read them, so it reads the same paths of all clients.
    """

    price_id = "anthropic"

    def paid(self, request: ApiRequest) -> Paid | None:
        """Implement `Provider.paid`: return the paid call of a request, or None for a free request."""
        path = request.plain_path
        if is_free(request, FREE_POSTS):
            return None
        if path == "/v1/messages":
            return _Message(request)
        if path == "/v1/complete":
            return _Completion(request)
        if path == "/v1/messages/batches":
            return anthropic_later.batch_of(request, self.paid)
        # For example a session, which is billed by its tokens and its running time.
        raise unknown_method(request)

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        """Implement `Provider.later`: return a reader for a response that states an earlier call's cost, or None."""
        return anthropic_later.later(request, guard)


PROVIDER: Final = AnthropicProvider()


class _Message:
    """A paid call of ``messages.create`` or its beta, streamed or not."""

    name = "messages"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest) -> None:
        self._request = _without_unset(request.body)
        self.model = str(self._request.get("model") or "")
        self._size: Size | None = None

    # ---- the worst case

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost: the longest output, one input token per byte, the dearest prices.

        Raises ConfigurationError if the call may use something, such as a web search, whose price is not known.
        """
        size = self._measured()
        if size.runs_code and rates.flat is None and not rates.fee:
            raise ConfigurationError(
                f"{self.model} with code execution is billed by the hour of its container, which no response states, so"
                " nothing was sent: add web_search_20260209, web_fetch_20260209 or later to the tools, which makes code"
                " execution free, or state what to add to each call with govern(client, fee=...), or what each call"
                " costs with cost=...",
                cause=f"{self.model} with code execution is billed by the hour of its container, which no response"
                " states, so nothing was sent (web_search_20260209, web_fetch_20260209 or later among the tools makes"
                " it free)",
            )
        attempts = [self._attempt(rates, size, self._request), *self._fallbacks(rates, size)]
        return sum(attempts, self._searches(rates, size)) + self._advisors(rates, size)

    def _attempt(self, rates: Rates, size: Size, request: Mapping[str, Any]) -> Decimal:
        """Return the most USD that one attempt with one model can cost.

        It includes the compaction before it: the provider may have the model summarize a long conversation first.
        """
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
            # A further request of the provider makes the summary.
            cost += rates.bound(tokens, longest, kinds=kinds, contexts=(context,))
        return cost

    def _dearest(self, rates: Rates, speed: object) -> tuple[Rates, Mapping[str, str]]:
        """Return the prices for the dearest terms that may apply to the request, and these terms for genai-prices.

        The terms are the speed and the place where the model runs. Raises ConfigurationError for terms without a
        published price.
        """
        if not _at_anthropic(rates):
            return rates, {}
        context: Mapping[str, str] = {}
        if speed == "fast" and not rates.model.startswith(_FAST_AT_LIST_PRICE):
            context = _FAST
            if not rates.varies(context):
                raise unknown_price(f"{rates.model} with speed='fast'")
        geo = self._request.get("inference_geo")
        if geo is None:
            # The workspace's default applies, and the request does not show it.
            geo = "us" if has_geography(rates.model) else "global"
        multiplier = geo_multiplier(geo)
        if multiplier is None:
            raise unknown_price(f"{rates.model} with inference_geo={geo!r}")
        return rates.times(multiplier), context

    def _fallbacks(self, rates: Rates, size: Size) -> Iterator[Decimal]:
        """Yield the worst case in USD of each fallback model, which responds if the model before it declines.

        A model may decline after a part of its response. That part is billed, so all worst cases are held.
        """
        fallbacks = self._request.get("fallbacks")
        if fallbacks == "default":
            # The server chooses a model that the request does not show; the published ones cost no more than this one.
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

    def _advisors(self, rates: Rates, size: Size) -> Decimal:
        """Return the most USD that all advisors can cost.

        An advisor is another model that the model may consult; it reads the conversation and the output so far.
        """
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
                " 1,000 searches, in addition to the prices of tokens, with govern(client,"
                " price={'web_searches_kcount': ...}).",
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

    # ---- the cost by the response

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost according to the reported usage or, if the response broke off, to the part that arrived.

        Raises UsageMissingError as `Paid.cost` does, and also if no price is published for the terms of the call.
        """
        usage = response.get("usage")
        if not isinstance(usage, Mapping):
            raise UsageMissingError
        if has_unpriced_counts(usage, code_is_free=not self._measured().runs_code or bool(rates.fee)):
            raise UsageMissingError
        model = str(response.get("model") or "")
        if rates.found and model and not same_model(rates.model, model):
            # Another model responded, and its price is not known.
            raise UsageMissingError
        seen = seen or seen_in(response, hidden=False)
        if not seen.whole and usage.get("output_tokens") is None:
            return self._broken_off(rates, usage, seen)
        main = units_of(usage, hour_cache=self._measured().cached_1h)
        others = list(other_iterations(usage, model, main))
        if is_implausible(main, seen) and not (_is_empty(main, seen) and others):
            if response.get("stop_reason") == "refusal" and _is_empty(main, seen):
                # The model declined before it wrote anything, so the provider bills nothing.
                return Cost(Decimal(0))
            raise UsageMissingError
        cost = self._priced(rates, usage, main)
        for other in others:
            cost += self._priced(
                rates if other.model is None else self._rates_of(rates, other.model), usage, other.units
            )
        return Cost(cost, main.doubtful or not seen.whole or _is_repriced(usage))

    def _priced(self, rates: Rates, usage: Mapping[str, Any], units: Units) -> Decimal:
        """Return the cost in USD of ``units`` at the speed, service tier and geography that the usage states.

        Raises UsageMissingError if no price is published for these terms.
        """
        if not _at_anthropic(rates):
            return rates.cost(units.counts)
        speed, tier = usage.get("speed") or self._request.get("speed"), usage.get("service_tier")
        geo = usage.get("inference_geo")
        # If the usage states no geography, the requested geography is assumed to have served the request.
        multiplier = geo_multiplier(self._request.get("inference_geo") if geo in _NO_GEOGRAPHY else geo)
        if multiplier is None or tier not in (None, "standard", "batch"):
            # The prices of priority capacity are negotiated and not published.
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
        """Return the estimated cost of a stream that broke off: of its reported input and of the output that arrived.

        If the model may have written more than the stream shows, the longest output is charged. Raises
        UsageMissingError if the cost cannot be estimated; the held amount is then charged.
        """
        if self._measured().served or self._request.get("fallbacks"):
            # The server's own requests for the call have not been reported yet.
            raise UsageMissingError
        longest = self._request.get("max_tokens")
        if type(longest) is not int:
            raise UsageMissingError
        # A text has at most as many tokens as bytes.
        output = longest if self._may_hide(seen) else min(longest, max(1, seen.visible + seen.reasoning))
        units = units_of(usage, hour_cache=self._measured().cached_1h, output=output)
        if not units.input:
            raise UsageMissingError
        return Cost(self._priced(rates, usage, units), estimated=True)

    def _may_hide(self, seen: Seen) -> bool:
        """Whether the model may have written more than the stream shows, since thinking may only be summarized."""
        if seen.hidden:
            return True
        thinking = self._request.get("thinking")
        kind = thinking.get("type") if isinstance(thinking, Mapping) else None
        return kind != "disabled" and (kind is not None or thinks_by_default(self.model))

    def meter(self) -> Meter:
        """Return a new meter for the stream of this call's response."""
        return MessageMeter(seen=Seen(hidden=False))


class _Completion:
    """A paid call of ``completions.create``, the legacy interface. Its responses never report their usage."""

    name = "completions"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest) -> None:
        self._request = _without_unset(request.body)
        self.model = str(self._request.get("model") or "")

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost, with the longest output that the request allows."""
        tokens, output = _input_bound(size_of(self._request), rates), self._request.get("max_tokens_to_sample")
        return rates.bound(tokens, output if isinstance(output, int) else tokens)

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the price per call that the user stated.

        Raises UsageMissingError without such a price; the held amount is then charged.
        """
        if rates.flat is None:
            raise UsageMissingError
        return Cost(rates.flat)

    def meter(self) -> Meter:
        """Return a new meter for the stream of this call's response."""
        return CompletionMeter(seen=Seen(hidden=False))


def _without_unset(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body without the fields that the caller did not set, which Anthropic's library does not send."""
    return {name: value for name, value in body.items() if type(value).__name__ not in ("Omit", "NotGiven")}


def _at_anthropic(rates: Rates) -> bool:
    """Whether the prices are those of Anthropic's own list, and not the user's, Bedrock's or Google's.

    Only then do Anthropic's rules for speed, tier and geography apply.
    """
    return rates.found and rates.seller == "anthropic"


def _is_empty(units: Units, seen: Seen) -> bool:
    """Whether the usage counts no tokens and no output arrived, as when a request only summarizes the conversation."""
    return not (units.input or units.output or seen.anything)


def _is_repriced(usage: Mapping[str, Any]) -> bool:
    # With a redeemed credit, cache writes are billed as reads; it is not documented which counts that changes.
    credit = usage.get("fallback_credit")
    status = credit.get("status") if isinstance(credit, Mapping) else None
    return isinstance(status, Mapping) and status.get("type") == "redeemed"


def _input_bound(size: Size, rates: Rates) -> int:
    window = rates.context_window
    if size.unbounded:
        return window or _ANY_CONTEXT
    return size.tokens if window is None else min(size.tokens, window)
