"""OpenAI's paid calls for text: chat completions, responses, completions and embeddings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ...errors import ConfigurationError
from ..guarding.calls import ApiRequest, Cost, Meter
from ..pricing.price_terms import service_tiers
from ..pricing.rates import Rates, UnusableUsageError, unknown_price
from ..pricing.seen import Seen
from ..pricing.sizes import Size, size_of
from .events import EventMeter, ResponseMeter
from .seen import see_chat, see_response, shows_all
from .usage import broken, extras_of, require_kinds, researches, used_of

OUTPUT_TOKENS: Final = 16_384
"""The output tokens held for a request without a limit. A longer response is charged in full, flagged as an overrun."""
CONTEXT_TOKENS: Final = 200_000
"""The tokens held for input that the request does not show, if the model's context window is not known."""
_TOOL_TOKENS: Final = 4_096
"""The tokens held for each hosted tool, for the description of the tool that the provider gives to the model."""
_MARGIN: Final = 64
"""The tokens held for the text that the provider adds around an input."""
_SEARCHES: Final = 10
"""The number of searches whose cost is held for a request that sets no limit."""

_SEARCH_UNITS: Final = {"web_search": "web_searches", "file_search": "storage_searches"}
_SEARCH_PRICES: Final = {"web_searches": "web_searches_kcount", "storage_searches": "storage_searches_kcount"}
_PRICED_BY_TOKENS: Final = frozenset(
    {"function", "custom", "namespace", "mcp", "computer", "computer_use_preview", "local_shell", "apply_patch"}
    | {"tool_search", *_SEARCH_UNITS}
)
"""The tools of the Responses API that need no fee stated by the user, since the response shows all that they cost."""


class ChatCall:
    """A paid call of ``chat.completions``: ``create``, ``parse`` or ``stream``."""

    name = "chat.completions"
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest) -> None:
        self.model = str(request.body.get("model") or "unknown")
        self.body: Mapping[str, Any] | None = None
        self._request = request.body
        self.retrievable = request.body.get("store") is True
        self._streamed = request.streamed or request.body.get("stream") is True
        options = request.body.get("stream_options")
        requested = isinstance(options, Mapping) and bool(options.get("include_usage"))
        self._added = self._streamed and not requested and not request.bare
        if self._added:
            added = {**(options if isinstance(options, Mapping) else {}), "include_usage": True}
            self.body = {**request.body, "stream_options": added}

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost, at the prices of the dearest model that may respond."""
        # OpenRouter may fall back on any of these models: https://openrouter.ai/docs/features/model-routing.
        if rates.seller != "openrouter":
            return self._worst(rates, self._limit(rates))
        others = self._request.get("models")
        names = [str(name) for name in others] if isinstance(others, (list, tuple)) else []
        return max(self._worst(each, self._limit(each)) for each in (rates, *map(rates.of, names)))

    def _limit(self, rates: Rates) -> int:
        """Return the most output tokens of all choices together."""
        request = self._request
        output = _output_bound(_first_count(request, "max_completion_tokens", "max_tokens"), rates) * _count_or_one(
            request.get("n")
        )
        if researches(rates):
            # Its reasoning is charged in addition to the output, and no field limits it.
            output += rates.context_window or CONTEXT_TOKENS
        # The tokens of a prediction that the model does not use are charged as output.
        return output + (size_of(request.get("prediction")).tokens if request.get("prediction") else 0)

    def _worst(self, rates: Rates, output: int) -> Decimal:
        request = self._request
        size = size_of({name: value for name, value in request.items() if name not in _NO_INPUT})
        modalities = request.get("modalities") or ()
        outputs = [kind for kind in ("audio", "image") if kind in modalities]
        kinds = {"cache_write", *size.kinds, *outputs}
        for kind in _tool_kinds(request.get("tools")):
            if kind not in ("function", "custom", "None"):
                _require_fee(rates, kind)
        fees = extras_of(request, rates, size)
        if self._searches() and rates.seller not in ("openrouter", "perplexity"):
            fees += _search_fee(rates, "web_searches", 1)
        require_kinds(rates, size.kinds, outputs)
        return fees + _bound(rates, request, size, output, kinds)

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost according to the reported usage or, if the response broke off, to the part that arrived.

        Raises UsageMissingError as `Paid.cost` does.
        """
        if seen is None:
            seen = Seen(whole=True)
            see_chat(response, seen)
        if not seen.whole:
            limit = self._limit(rates)
            return broken(rates, response, seen, "chat", lambda output: self._worst(rates, output), limit)
        used, estimated = self._used(rates, response, seen)
        if self._searches():
            used = {**used, "web_searches": max(1, used.get("web_searches", 0))}
        return Cost(rates.cost(used, _price_context(response)), estimated)

    def _used(self, rates: Rates, response: Mapping[str, Any], seen: Seen) -> tuple[Mapping[str, int | float], bool]:
        """Return the counts to charge for the response's usage, and whether they are an estimate. Raises as `cost`."""
        return used_of(rates, response, "chat", seen)

    def meter(self) -> Meter:
        """Return a new meter for the stream of this call's response."""
        return EventMeter(swallow=self._added, hidden=not shows_all(self.model))

    def _searches(self) -> bool:
        return self._request.get("web_search_options") is not None or "-search-" in self.model


class CompletionCall(ChatCall):
    """A paid call of ``completions``, OpenAI's API before chat completions."""

    name = "completions"

    def _limit(self, rates: Rates) -> int:
        request = self._request
        prompts = request.get("prompt")
        count = len(prompts) if isinstance(prompts, list) and prompts and not isinstance(prompts[0], int) else 1
        limit = _first_count(request, "max_tokens")
        # This API returns at most 16 tokens by default.
        output = (
            (16 if limit is None else limit)
            * max(_count_or_one(request.get("n")), _count_or_one(request.get("best_of")))
            * count
        )
        return output + (self._input() if request.get("echo") else 0)

    def _worst(self, rates: Rates, output: int) -> Decimal:
        return rates.bound(self._input(), output)

    def _input(self) -> int:
        return _tokens_of(self._request.get("prompt")) + size_of(self._request.get("suffix") or "").tokens


class EmbeddingCall:
    """A paid call of ``embeddings.create``."""

    name = "embeddings"
    body = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest) -> None:
        self.model = str(request.body.get("model") or "unknown")
        self._request = request.body

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost, computed from the size of the input."""
        return rates.bound(_tokens_of(self._request.get("input")), 0)

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost of the usage that the response reports. Raises UsageMissingError as `Paid.cost` does."""
        used, estimated = used_of(rates, response, "embeddings", None, output=False)
        return Cost(rates.cost({"input_tokens": used["input_tokens"]}), estimated)


class ResponseCall:
    """A paid call of ``responses``: ``create``, ``parse``, ``stream`` or ``compact``.

    The first response to a call in the background has no usage yet, so the held amount is charged as an estimate. The
    response that the caller retrieves later corrects the charge.
    """

    name = "responses"
    body = None
    quoted: Rates | None = None

    def __init__(self, request: ApiRequest) -> None:
        self.model = str(request.body.get("model") or "unknown")
        self._request = request.body
        self.retrievable = request.body.get("store") is not False
        self._tools = tuple(_tool_kinds(request.body.get("tools")))

    def worst(self, rates: Rates) -> Decimal:
        """Return the most USD that the call can cost, with all the searches that the request allows."""
        return self._worst(rates, _output_bound(_first_count(self._request, "max_output_tokens"), rates))

    def _worst(self, rates: Rates, output: int) -> Decimal:
        request = self._request
        for kind in self._tools:
            if kind not in _PRICED_BY_TOKENS:
                _require_fee(rates, kind)
        size = size_of({name: value for name, value in request.items() if name not in _NO_INPUT})
        size.tokens += _TOOL_TOKENS * sum(kind not in ("function", "custom") for kind in self._tools)
        searches = [_SEARCH_UNITS[kind] for kind in self._tools if kind in _SEARCH_UNITS]
        if searches or "mcp" in self._tools or request.get("model") is None:
            # The results of these tools, and the text of a stored prompt, become input.
            size.unseen = True
        limit = _first_count(request, "max_tool_calls")
        fees = [_search_fee(rates, unit, _SEARCHES if limit is None else limit) for unit in searches]
        kinds = size.kinds | {"cache_write"}
        require_kinds(rates, size.kinds, ())
        return _bound(rates, request, size, output, kinds) + sum(fees, Decimal(0))

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost according to the reported usage or, if the response broke off, to the part that arrived.

        Raises UsageMissingError as `Paid.cost` does.
        """
        if seen is not None and not seen.whole and not response:
            limit = _output_bound(_first_count(self._request, "max_output_tokens"), rates)
            return broken(rates, response, seen, "responses", lambda output: self._worst(rates, output), limit)
        # The last event of a stream has the whole response, so it is measured like an unstreamed body.
        seen = Seen(whole=True)
        see_response(response, seen)
        counts, estimated = used_of(rates, response, "responses", seen)
        used = dict(counts)
        for item in response.get("output") or ():
            unit = _search_unit(item)
            if unit is not None:
                used[unit] = used.get(unit, 0) + 1
        return Cost(rates.cost(used, _price_context(response)), estimated)

    def meter(self) -> Meter:
        """Return a new meter for the stream of this call's response."""
        return ResponseMeter(hidden=not shows_all(self.model))


_NO_INPUT: Final = frozenset({"prediction", "metadata", "stream_options", "user", "model", "safety_identifier"})
"""Fields of a request that are not part of the model's input."""


def _first_count(request: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = request.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None


def _count_or_one(value: object) -> int:
    return max(1, value) if isinstance(value, int) else 1


def _output_bound(limit: int | None, rates: Rates) -> int:
    if limit is not None:
        return limit
    return OUTPUT_TOKENS if rates.context_window is None else min(OUTPUT_TOKENS, rates.context_window)


def _input_bound(size: Any, rates: Rates) -> int:
    window = rates.context_window
    if size.unseen:
        return window or CONTEXT_TOKENS
    # An input that exceeds the context window gets an error response, which costs nothing.
    tokens = int(size.tokens) + _MARGIN
    return tokens if window is None else min(tokens, window)


def _tokens_of(value: object) -> int:
    if isinstance(value, list) and value and isinstance(value[0], int):
        return len(value)
    if isinstance(value, list) and value and isinstance(value[0], list):
        return sum(len(member) for member in value)
    return size_of(value or "").tokens


def _bound(rates: Rates, request: Mapping[str, Any], size: Size, output: int, kinds: Iterable[str]) -> Decimal:
    """Return the most USD that the tokens of a request can cost, at the dearest service tier that may serve it.

    ``size`` is the size of the input, ``output`` the most output tokens, and ``kinds`` are as in `Rates.bound`.
    """
    tiers = service_tiers(rates.seller, request.get("service_tier"))
    return rates.bound(_input_bound(size, rates), output, kinds=kinds, contexts=tiers)


def _price_context(body: Mapping[str, Any]) -> dict[str, str]:
    tier = body.get("service_tier")
    return {"service_tier": tier} if isinstance(tier, str) else {}


def _require_fee(rates: Rates, tool: str) -> None:
    """Raise ConfigurationError unless the user has stated a price or a fee per call.

    A hosted tool, which runs at the provider, may cost more than the usage shows; only such a price covers this.
    """
    if rates.flat is None and not rates.fee:
        cause = f"The call was not sent: the hosted tool {tool!r} costs more than the usage that the response reports"
        raise ConfigurationError(
            f"{cause}, so state what to add to each call with govern(client, fee=...), or what each call costs with"
            " cost=...",
            cause=cause,
        )


def _search_fee(rates: Rates, unit: str, count: int) -> Decimal:
    """Return the USD that ``count`` searches cost, 0 if the user's fee or price per call covers them.

    ``unit`` is genai-prices' unit of the searches. Raises ConfigurationError if the price of a search is not known.
    """
    if rates.fee and not rates.has(_SEARCH_PRICES[unit]):
        return Decimal(0)  # The user's fee for each call covers the searches.
    if not rates.has(_SEARCH_PRICES[unit]):
        raise unknown_price(rates.model, keys=[_SEARCH_PRICES[unit]])
    try:
        return rates.cost({unit: count}) if rates.flat is None else Decimal(0)
    except UnusableUsageError:
        raise unknown_price(rates.model, keys=[_SEARCH_PRICES[unit]]) from None


def _tool_kinds(tools: object) -> Iterable[str]:
    for tool in tools if isinstance(tools, (list, tuple)) else ():
        kind = tool.get("type") if isinstance(tool, Mapping) else getattr(tool, "type", None)
        kind = str(kind)
        yield "web_search" if kind.startswith("web_search") else kind


def _search_unit(item: object) -> str | None:
    if not isinstance(item, Mapping):
        return None
    kind = item.get("type")
    if kind == "web_search_call":
        action = item.get("action")
        # Opening a page that a search found is free.
        searched = not isinstance(action, Mapping) or action.get("type", "search") == "search"
        return "web_searches" if searched else None
    return "storage_searches" if kind == "file_search_call" else None
