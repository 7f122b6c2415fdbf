"""How each seller's usage is read, and the cost that it states, by its base URL or name.

The paths of the counts are genai-prices' own for each provider; what these leave out is read as OpenAI reports it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from .usage import Report

__all__ = ["STATE_COSTS", "Reading", "reading_of", "stated_cost"]

_CHAT: Final = {
    "input_tokens": ("prompt_tokens",),
    "cache_read_tokens": ("prompt_tokens_details", "cached_tokens"),
    "cache_write_tokens": ("prompt_tokens_details", "cache_write_tokens"),
    "input_audio_tokens": ("prompt_tokens_details", "audio_tokens"),
    "output_tokens": ("completion_tokens",),
    "output_audio_tokens": ("completion_tokens_details", "audio_tokens"),
    "output_image_tokens": ("completion_tokens_details", "image_tokens"),
    "output_reasoning_tokens": ("completion_tokens_details", "reasoning_tokens"),
}
_RESPONSES: Final = {
    "input_tokens": ("input_tokens",),
    "cache_read_tokens": ("input_tokens_details", "cached_tokens"),
    "cache_write_tokens": ("input_tokens_details", "cache_write_tokens"),
    "output_tokens": ("output_tokens",),
    "output_reasoning_tokens": ("output_tokens_details", "reasoning_tokens"),
}
_EMBEDDINGS: Final = {"input_tokens": ("prompt_tokens",)}
_SHAPES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "chat": _CHAT,
    "responses": _RESPONSES,
    "embeddings": _EMBEDDINGS,
}
_COUNTED: Final = re.compile(
    r"search|citation|quer(?:y|ies)|num_sources|audio|video|pages|documents?$|invocation|executions?|session|container",
    re.IGNORECASE,
)
"""The names of counts that are charged beside text; others are parts of the sums, or times."""
STATE_COSTS: Final = frozenset({"openrouter", "perplexity", "x-ai"})
"""Sellers whose responses state what was charged; see `stated_cost`."""
_SUMS: Final = frozenset({"total_tokens", "text_tokens", "prompt_tokens", "completion_tokens"})
"""Counts of which none is an extra; they are only left out to spare time."""
_TICKS_A_DOLLAR: Final = Decimal(10**10)
_TOTAL_OF_TEXT: Final = frozenset({"perplexity"})
"""Sellers whose total leaves out reasoning and citations, by the examples of their API reference."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Where one seller reports what, in the usage of one kind of response."""

    paths: tuple[tuple[str, tuple[Any, ...]], ...]
    """A unit of genai-prices, and the path of a count that is part of it, within ``usage``."""
    beside: tuple[tuple[Any, ...], ...]
    """The paths of what is added to the seller's own count of the output."""
    known: frozenset[tuple[Any, ...]]
    total_covers_all: bool = True

    def report(self, usage: Mapping[str, Any]) -> Report | None:
        """The counts of a usage report; None where one of them is no count."""
        counts: dict[str, int | float] = {}
        for unit, path in self.paths:
            value = _at(usage, path)
            if value is None:
                continue
            if not _is_count(value):
                return None
            counts[unit] = counts[unit] + value if unit in counts else value
        beside: int | float = 0
        for path in self.beside:
            beside += _at(usage, path) or 0
        total = usage.get("total_tokens")
        unpriced = tuple(_unknown(usage, (), self.known))
        return Report(counts, total if _is_count(total) else None, beside, self.total_covers_all, unpriced)


def reading_of(provider: Any, shape: str) -> Reading:
    """How a provider of genai-prices, or None for one that it does not know, reports the usage of a kind of response.

    ``shape``: ``chat``, ``responses`` or ``embeddings``.
    """
    usual = _SHAPES[shape]
    mappings = _mappings(provider, shape, usual["input_tokens"])
    paths = [(mapping.dest, _steps(mapping.path)) for mapping in mappings]
    units = {unit for unit, _ in paths}
    own = usual.get("output_tokens")
    beside = tuple(path for unit, path in paths if unit == "output_tokens" and path != own)
    paths += [(unit, path) for unit, path in usual.items() if unit not in units]
    seller = getattr(provider, "id", None)
    known = frozenset(path for _, path in paths)
    return Reading(tuple(paths), beside, known, seller not in _TOTAL_OF_TEXT)


def stated_cost(seller: str | None, answer: Mapping[str, Any]) -> Decimal | None:
    """The cost in USD that a seller states in its response; None where it states none.

    - OpenRouter: ``usage.cost``, what is charged to the account. With the user's own key at a provider (``is_byok``)
      that provider charges ``cost_details.upstream_inference_cost`` besides.
      https://openrouter.ai/docs/use-cases/usage-accounting
    - Perplexity: ``usage.cost.total_cost``. https://docs.perplexity.ai/api-reference/chat-completions-post
    - xAI: ``usage.cost_in_usd_ticks``, 10^10 of which are a dollar. https://docs.x.ai/developers/cost-tracking
    """
    usage = answer.get("usage")
    if not isinstance(usage, Mapping):
        return None
    ticks = _amount(usage.get("cost_in_usd_ticks"))
    if ticks is not None:
        return ticks / _TICKS_A_DOLLAR
    stated = usage.get("cost")
    if isinstance(stated, Mapping):
        return _amount(stated.get("total_cost"))
    cost = _amount(stated)
    if cost is None or seller != "openrouter":
        return cost
    details = usage.get("cost_details")
    upstream = _amount(details.get("upstream_inference_cost")) if isinstance(details, Mapping) else None
    own_key = usage.get("is_byok")
    if upstream is not None and (own_key is True or (own_key is None and upstream > cost)):
        return cost + upstream
    return cost


def _mappings(provider: Any, shape: str, input_path: tuple[str, ...]) -> Sequence[Any]:
    extractors = {extractor.api_flavor: extractor for extractor in getattr(provider, "extractors", None) or ()}
    for flavor in (shape, "default"):
        extractor = extractors.get(flavor)
        # A provider's default may be the shape of another API.
        if extractor is not None and extractor.root in ("usage", ["usage"]):
            mappings: Sequence[Any] = extractor.mappings
            if any(each.dest == "input_tokens" and _steps(each.path) == input_path for each in mappings):
                return mappings
    return ()


def _steps(path: Any) -> tuple[Any, ...]:
    return (path,) if isinstance(path, str) else tuple(path)


def _at(usage: Mapping[str, Any], path: tuple[Any, ...]) -> Any:
    value: Any = usage
    for step in path:
        # JSON gives dictionaries; to check for any mapping takes several times as long.
        if type(value) is dict or (isinstance(value, Mapping) and isinstance(step, str)):
            value = value.get(step)
        elif isinstance(value, (list, tuple)) and not isinstance(step, str):
            value = step.extract(value)
        else:
            return None
    return value


def _unknown(usage: Mapping[str, Any], above: tuple[str, ...], known: frozenset[tuple[Any, ...]]) -> list[str]:
    found: list[str] = []
    for name, value in usage.items():
        if not value or name in _SUMS:
            continue
        path = (*above, name)
        if type(value) is dict or isinstance(value, Mapping):
            if "cost" not in name:
                found += _unknown(value, path, known)
        elif path not in known and _is_count(value):
            whole = ".".join(path)
            if _COUNTED.search(whole) and "cost" not in whole:
                found.append(whole)
    return found


def _is_count(value: object) -> bool:
    return (type(value) is int or type(value) is float) and 0 <= value < 1e12


def _amount(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10**9 * _TICKS_A_DOLLAR else None
