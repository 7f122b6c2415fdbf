"""What a call of OpenAI's shape used, and what it may use beside text."""

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

__all__ = ["broken", "extras_of", "require_kinds", "used_of"]

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
_OPENROUTER_SEARCH: Final = Decimal("0.05")
"""The most that a request's search in a provider's own engine costs there, at the largest context."""
_XAI_SOURCE: Final = Decimal("0.025")
"""USD for a source of xAI's live search: https://docs.x.ai/docs/guides/live-search. At most 20 where not stated."""


def used_of(
    rates: Rates, response: Mapping[str, Any], shape: str, seen: Seen | None, *, output: bool = True
) -> tuple[Mapping[str, Any], bool]:
    """The counts to charge of a response's usage, and whether they are an estimate. Raises UsageMissingError."""
    usage = response.get("usage")
    report = rates.reading(shape).report(usage) if isinstance(usage, Mapping) else None
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
    """What a response that broke off can have cost: as far as it was reported, else the bound of the output as seen.

    Where some of the output may be hidden, or sound or images arrived, it is charged up to its ``limit``. ``bound``
    gives the most that the call costs with so many tokens of output.
    """
    with suppress(UsageMissingError):
        return Cost(rates.cost(used_of(rates, response, shape, seen)[0], {}), estimated=True)
    # No text has more tokens than bytes.
    shown = seen.visible + seen.reasoning
    output = limit if seen.media or (seen.hidden and not seen.reasoning) else min(shown, limit)
    return Cost(bound(output), estimated=True)


def require_kinds(rates: Rates, inputs: Collection[str], outputs: Collection[str]) -> None:
    """Refuse what has no price of its own. Raises ConfigurationError.

    An image in the input is charged as its tokens of text where a model has no price for it, by the price lists of
    OpenAI, Google, xAI and those that serve open models.
    """
    if rates.flat is not None or not (inputs or outputs):
        return
    wanted = [f"input_{kind}_mtok" for kind in inputs if kind != "image"]
    if rates.seller == "google":
        # https://ai.google.dev/gemini-api/docs/pricing: one price for text, image and video.
        wanted = [key for key in wanted if key != "input_video_mtok"]
    wanted += [f"output_{kind}_mtok" for kind in outputs]
    missing = [key for key in wanted if not rates.has(key)]
    if missing:
        raise unknown_price(rates.model, keys=missing)


def extras_of(request: Mapping[str, Any], rates: Rates, size: Size) -> Decimal:
    """The most that a chat's extras at its seller cost beside tokens; what they find is marked in ``size``.

    Raises ConfigurationError for one whose price is not known.
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
    return fees


def _web_plugins(request: Mapping[str, Any], rates: Rates) -> Iterable[int]:
    plugins = request.get("plugins")
    found = [each for each in plugins if isinstance(each, Mapping)] if isinstance(plugins, list) else []
    web = [each for each in found if each.get("id") == "web"]
    if rates.searches or (request.get("web_search_options") is not None and not web):
        web = web or [{}]
    for each in web:
        most = each.get("max_results")
        yield most if type(most) is int and most > 0 else _OPENROUTER_RESULTS
