"""How each seller's usage is read, and the cost that it states, by its base URL or name.

The paths of the counts are genai-prices' own for each provider; what these leave out is read as OpenAI reports it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
_GEMINI: Final = {
    "input_tokens": ("promptTokenCount",),
    "cache_read_tokens": ("cachedContentTokenCount",),
    "output_tokens": ("candidatesTokenCount",),
    "output_reasoning_tokens": ("thoughtsTokenCount",),
}
_SHAPES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "chat": _CHAT,
    "responses": _RESPONSES,
    "embeddings": _EMBEDDINGS,
    "gemini": _GEMINI,
}
_ADDED: Final[Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "gemini": (("input_tokens", ("toolUsePromptTokenCount",)), ("output_tokens", ("thoughtsTokenCount",)))
}
"""Counts that are part of a unit beside its usual one, where the provider's own paths are not known."""
_ROOTS: Final = {"gemini": "usageMetadata"}
"""The field of a response that holds its usage, where it is not ``usage``."""
_TOTALS: Final = {"gemini": "totalTokenCount"}
"""The sum of all tokens, where it is not ``total_tokens``."""
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


class Reading:
    """Where one seller reports what, in the usage of one kind of response."""

    def __init__(
        self,
        paths: Iterable[tuple[str, tuple[Any, ...]]],
        beside: Iterable[tuple[Any, ...]] = (),
        *,
        total: str = "total_tokens",
        total_covers_all: bool = True,
    ) -> None:
        """``paths``: a unit of genai-prices, and the path of a count that is part of it, within ``usage``.

        ``beside``: the paths of what is added to the seller's own count of the output. ``total``: the field that sums
        up all tokens.
        """
        self.paths = tuple(paths)
        self._total = total
        self.beside = tuple(beside)
        self._total_covers_all = total_covers_all
        # genai-prices may also say how a count is found in a list.
        self._computed = tuple((unit, path) for unit, path in self.paths if not _is_named(path))
        self._fields = _Fields()
        for unit, path in self.paths:
            if _is_named(path):
                self._fields.at(path).units += (unit,)

    def report(self, usage: Mapping[str, Any]) -> Report | None:
        """The counts of a usage report; None where one of them is no count."""
        counts: dict[str, int | float] = {}
        unpriced: list[str] = []
        try:
            self._fields.read(usage, "", counts, unpriced)
            for unit, path in self._computed:
                if (value := _at(usage, path)) is not None:
                    counts[unit] = counts.get(unit, 0) + _count(value)
        except ValueError:
            return None
        beside = sum([_at(usage, path) or 0 for path in self.beside]) if self.beside else 0
        total = usage.get(self._total)
        return Report(counts, total if _is_count(total) else None, beside, self._total_covers_all, tuple(unpriced))


class _Fields:
    """The fields of a usage report, or of one of its parts, that are known."""

    def __init__(self) -> None:
        self.units: tuple[str, ...] = ()
        """The units that the field itself counts."""
        self._parts: dict[str, _Fields] = {}

    def at(self, path: tuple[str, ...]) -> _Fields:
        """What is known of the field at a path, from here."""
        return self._parts.setdefault(path[0], _Fields()).at(path[1:]) if path else self

    def read(
        self, usage: Mapping[str, Any], above: str, counts: dict[str, int | float], unpriced: list[str] | None
    ) -> None:
        """Add to ``counts`` what is known, and to ``unpriced`` the paths of counts that have no unit.

        ``unpriced`` None: of these none has a price. Raises ValueError where something that is known is no count.
        """
        for name, value in usage.items():
            if value is None:
                continue
            known = self._parts.get(name)
            if known is not None and known.units:
                count = _count(value)
                for unit in known.units:
                    counts[unit] = counts[unit] + count if unit in counts else count
            elif type(value) is dict or isinstance(value, Mapping):
                # JSON gives dictionaries; to check for any mapping takes several times as long.
                charged = None if name in _SUMS or "cost" in name else unpriced
                (known or _NONE_KNOWN).read(value, f"{above}{name}.", counts, charged)
            elif value and unpriced is not None and name not in _SUMS and _is_count(value):
                whole = above + name
                if _COUNTED.search(whole) and "cost" not in whole:
                    unpriced.append(whole)


_NONE_KNOWN: Final = _Fields()


def reading_of(provider: Any, shape: str) -> Reading:
    """How a provider of genai-prices, or None for one that it does not know, reports the usage of a kind of response.

    ``shape``: ``chat``, ``responses``, ``embeddings`` or ``gemini``.
    """
    usual = _SHAPES[shape]
    mappings = _mappings(provider, shape, usual["input_tokens"])
    paths = [(mapping.dest, _steps(mapping.path)) for mapping in mappings]
    units = {unit for unit, _ in paths}
    own = usual.get("output_tokens")
    beside = tuple(path for unit, path in paths if unit == "output_tokens" and path != own)
    paths += [(unit, path) for unit, path in usual.items() if unit not in units]
    if not mappings and shape in _ADDED:
        paths += _ADDED[shape]
        beside = tuple(path for unit, path in _ADDED[shape] if unit == "output_tokens")
    seller = getattr(provider, "id", None)
    total = _TOTALS.get(shape, "total_tokens")
    return Reading(paths, beside, total=total, total_covers_all=seller not in _TOTAL_OF_TEXT)


def stated_cost(seller: str | None, response: Mapping[str, Any]) -> Decimal | None:
    """The cost in USD that a seller states in its response; None where it states none.

    - OpenRouter: ``usage.cost``, what is charged to the account. With the user's own key at a provider (``is_byok``)
      that provider charges ``cost_details.upstream_inference_cost`` besides.
      https://openrouter.ai/docs/use-cases/usage-accounting
    - Perplexity: ``usage.cost.total_cost``. https://docs.perplexity.ai/api-reference/chat-completions-post
    - xAI: ``usage.cost_in_usd_ticks``, 10^10 of which are a dollar. https://docs.x.ai/developers/cost-tracking
    """
    usage = response.get("usage")
    if not isinstance(usage, Mapping) or ("cost" not in usage and "cost_in_usd_ticks" not in usage):
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
    root = _ROOTS.get(shape, "usage")
    for flavor in (shape, "default"):
        extractor = extractors.get(flavor)
        # A provider's default may be the shape of another API.
        if extractor is not None and extractor.root in (root, [root]):
            mappings: Sequence[Any] = extractor.mappings
            if any(each.dest == "input_tokens" and _steps(each.path) == input_path for each in mappings):
                return mappings
    return ()


def _steps(path: Any) -> tuple[Any, ...]:
    return (path,) if isinstance(path, str) else tuple(path)


def _is_named(path: tuple[Any, ...]) -> bool:
    return all(isinstance(step, str) for step in path)


def _at(usage: Mapping[str, Any], path: tuple[Any, ...]) -> Any:
    value: Any = usage
    for step in path:
        if isinstance(value, Mapping) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, (list, tuple)) and not isinstance(step, str):
            value = step.extract(value)
        else:
            return None
    return value


def _count(value: Any) -> int | float:
    if not _is_count(value):
        raise ValueError
    return value  # type: ignore[no-any-return]


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
