"""What several paid calls of OpenAI's APIs need to compute their worst cases and costs.

The functions read usage reports, estimate the cost of responses that broke off, and price media and searches.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final

from ..guarding.calls import Cost, UsageMissingError
from ..pricing.rates import Rates, unknown_price
from ..pricing.seen import Seen
from ..pricing.sizes import Size
from ..pricing.usage import DoubtError, checked

_PRICE_KEYS: Final = {
    "input_audio_tokens": "input_audio_mtok",
    "input_image_tokens": "input_image_mtok",
    "input_video_tokens": "input_video_mtok",
    "output_audio_tokens": "output_audio_mtok",
    "output_image_tokens": "output_image_mtok",
}
_OPENROUTER_RESULT: Final = Decimal("0.004")
"""USD for one search result of OpenRouter's web plugin: https://openrouter.ai/docs/features/web-search."""
_OPENROUTER_RESULTS: Final = 5
"""The number of search results that OpenRouter adds to a request that states no number."""
_OPENROUTER_SEARCH: Final = Decimal("0.05")
"""The most USD that OpenRouter charges for a request's search with a provider's own engine, at the largest context."""
_XAI_SOURCE: Final = Decimal("0.025")
"""USD for one source of xAI's live search; a request that states no number of sources gets at most 20:
https://docs.x.ai/docs/guides/live-search."""
_RESEARCH_SEARCHES: Final = 30
"""The searches held for a request to Perplexity's deep research, whose number no request bounds. It is that of the
example of a long one at https://openrouter.ai/perplexity/sonar-deep-research."""


def used_of(
    rates: Rates, response: Mapping[str, Any], shape: str, seen: Seen | None, *, output: bool = True
) -> tuple[Mapping[str, Any], bool]:
    """Return the counts to charge for a response's usage, and whether they are an estimate.

    ``shape`` is as in `usage_paths_of`. ``seen`` is the measure of the output that arrived; the counts are checked
    against it. ``output`` is whether the call produces output that is charged. Raises UsageMissingError if the usage is
    missing, not credible, or has no price.
    """
    usage = response.get("usage")
    report = rates.usage_paths(shape).report(usage) if isinstance(usage, Mapping) else None
    if report is None:
        raise UsageMissingError("The response has no usage, or a value in it is no count.", rates.least_cost(seen))
    try:
        counts, estimated = checked(report, seen, output=output)
    except DoubtError as doubt:
        raise UsageMissingError(str(doubt), rates.least_cost(seen)) from None
    for unit in counts.keys() & _PRICE_KEYS.keys():
        if counts[unit] and not rates.has(_PRICE_KEYS[unit]):
            raise UsageMissingError(f"{unit} have no price of their own.", rates.least_cost(seen))
    return counts, estimated


def broken(
    rates: Rates, response: Mapping[str, Any], seen: Seen, shape: str, bound: Callable[[int], Decimal], limit: int
) -> Cost:
    """Return the most that a broken-off response can have cost, as an estimate.

    If the response has reported its usage, this usage is charged; ``shape`` is as in `usage_paths_of`. Otherwise the
    result is ``bound`` of the output tokens: the most USD that the call costs with them. They are as many as the bytes
    of visible output or, if some output may be hidden or sound or images arrived, ``limit``, the most that the request
    allows.
    """
    with suppress(UsageMissingError):
        return Cost(rates.cost(used_of(rates, response, shape, seen)[0], {}), estimated=True)
    # A text has at most as many tokens as bytes.
    shown = seen.visible + seen.reasoning
    output = limit if seen.media or (seen.hidden and not seen.reasoning) else min(shown, limit)
    return Cost(bound(output), estimated=True)


def require_kinds(rates: Rates, inputs: Collection[str], outputs: Collection[str]) -> None:
    """Raise ConfigurationError unless the model has a price for each kind of media in the input and the output.

    Images in the input need no separate price: OpenAI, Google, xAI and the servers of open models charge the tokens of
    images as text if their price lists have no price for images.
    """
    wanted = [f"input_{kind}_mtok" for kind in inputs if kind != "image"]
    if rates.seller == "google":
        # https://ai.google.dev/gemini-api/docs/pricing: one price for text, image and video.
        wanted = [key for key in wanted if key != "input_video_mtok"]
    wanted += [f"output_{kind}_mtok" for kind in outputs]
    missing = [key for key in wanted if not rates.has(key)]
    if missing:
        raise unknown_price(rates.model, keys=missing)


def extras_of(request: Mapping[str, Any], rates: Rates, size: Size) -> Decimal:
    """Return the most USD that the web searches of a chat at OpenRouter, xAI or Perplexity cost besides the tokens.

    The results of a search become input, so `Size.unseen` of ``size``, the size of the request, is set.
    """
    if rates.flat is not None:
        return Decimal(0)
    fees = Decimal(0)
    if rates.seller == "openrouter":
        for results in _web_plugins(request, rates):
            size.unseen = True
            fees += max(results * _OPENROUTER_RESULT, _OPENROUTER_SEARCH)
    search = request.get("search_parameters")
    if rates.seller == "x-ai" and isinstance(search, Mapping) and search.get("mode") != "off":
        size.unseen = True
        most = search.get("max_search_results")
        fees += (most if type(most) is int else 20) * _XAI_SOURCE
    if researches(rates):
        size.unseen = True
        fees += rates.cost({"web_searches": _RESEARCH_SEARCHES})
    return fees


def researches(rates: Rates) -> bool:
    """Whether this is a model of Perplexity that searches and reasons as often as it decides itself.

    Such a model has a price for each search. Other models of Perplexity have one fee for all searches of a request.
    """
    return rates.seller == "perplexity" and rates.flat is None and rates.has("web_searches_kcount")


def _web_plugins(request: Mapping[str, Any], rates: Rates) -> Iterable[int]:
    """Return, for each web search that OpenRouter makes for a request, the most results that it may have."""
    plugins = request.get("plugins")
    found = [each for each in plugins if isinstance(each, Mapping)] if isinstance(plugins, list) else []
    web = [each for each in found if each.get("id") == "web"]
    if rates.searches or request.get("web_search_options") is not None:
        web = web or [{}]
    for each in web:
        most = each.get("max_results")
        yield most if type(most) is int else _OPENROUTER_RESULTS
