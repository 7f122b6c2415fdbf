"""Reads the counts of tokens, or the cost itself, from the responses of sellers (the vendors whose price lists apply).

Each seller names its counts in its own way. A path leads to one count in a usage report, for example
``("prompt_tokens_details", "cached_tokens")``. genai-prices has the paths of its providers; a count that it has no path
for is read at the path of OpenAI's or Gemini's API. The shape of a report is the API that it comes from: ``chat``,
``responses``, ``embeddings`` or ``gemini``. A unit is genai-prices' name for a kind of count, such as
``cache_read_tokens``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from .usage import Report

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
"""For Gemini's reports, if genai-prices has no paths for the provider: further counts to add to the main count of a
unit, as pairs of unit and path."""
_ROOTS: Final = {"gemini": "usageMetadata"}
"""By API, the field of a response that holds its usage; for all other APIs it is ``usage``."""
_TOTALS: Final = {"gemini": "totalTokenCount"}
"""By API, the field of a usage report with the sum of all tokens; for all other APIs it is ``total_tokens``."""
_COUNTED: Final = re.compile(
    r"search|citation|quer(?:y|ies)|num_sources|audio|video|pages|documents?$|invocation|executions?|session|container",
    re.IGNORECASE,
)
"""Matches the names of unknown counts that sellers charge in addition to text, such as searches. Other unknown counts
are parts of sums, or durations."""
STATE_COSTS: Final = frozenset({"openrouter", "perplexity", "x-ai"})
"""The ids in genai-prices of vendors whose responses state the charged cost; see `stated_cost`."""
_SUMS: Final = frozenset({"total_tokens", "text_tokens", "prompt_tokens", "completion_tokens"})
"""Names of sums and of counts of text, which are never charged separately; they are skipped to save time."""
_TICKS_A_DOLLAR: Final = Decimal(10**10)
_TOTAL_OF_TEXT: Final = frozenset({"perplexity"})
"""Vendors whose ``total_tokens`` leave out reasoning and citations, by the examples in their API reference."""


class UsagePaths:
    """The places of the counts in one vendor's usage reports from one API; `report` reads the counts."""

    def __init__(
        self,
        paths: Iterable[tuple[str, tuple[Any, ...]]],
        beside: Iterable[tuple[Any, ...]] = (),
        *,
        total: str = "total_tokens",
        total_covers_all: bool = True,
    ) -> None:
        """Prepare the paths for `report`.

        ``paths`` are pairs of a unit and the path of a count in a usage report; all counts of the same unit are added
        up. ``beside`` are the paths of output tokens that the seller does not include in its count of the output, such
        as Gemini's thoughts. ``total`` is the field with the sum of all tokens, and ``total_covers_all`` whether this
        sum includes everything that is charged as output.
        """
        self.paths = tuple(paths)
        self._total = total
        self.beside = tuple(beside)
        self._total_covers_all = total_covers_all
        # A path of genai-prices may have a step that computes a count from a list.
        self._computed = tuple((unit, path) for unit, path in self.paths if not _is_named(path))
        self._fields = _Fields()
        for unit, path in self.paths:
            if _is_named(path):
                self._fields.at(path).units += (unit,)

    def report(self, usage: Mapping[str, Any]) -> Report | None:
        """Return the counts of a usage report, or None if the value of a known field is not a number of 0 or more."""
        counts: dict[str, int | float] = {}
        unpriced: list[str] = []
        try:
            self._fields.read(usage, "", counts, unpriced)
            for unit, path in self._computed:
                if (value := _value_at(usage, path)) is not None:
                    counts[unit] = counts.get(unit, 0) + _count(value)
        except ValueError:
            return None
        beside = sum([_value_at(usage, path) or 0 for path in self.beside]) if self.beside else 0
        total = usage.get(self._total)
        return Report(counts, total if _is_count(total) else None, beside, self._total_covers_all, tuple(unpriced))


class _Fields:
    """A node in the tree of the known fields of a usage report.

    The root is the report itself. Another node is a field of it, which holds a count or further fields.
    """

    def __init__(self) -> None:
        self.units: tuple[str, ...] = ()
        """The units that this field's count is added to; empty if the field holds further fields."""
        self._parts: dict[str, _Fields] = {}

    def at(self, path: tuple[str, ...]) -> _Fields:
        """Return the node at a path that begins at this node; create the nodes that are missing."""
        return self._parts.setdefault(path[0], _Fields()).at(path[1:]) if path else self

    def read(
        self, usage: Mapping[str, Any], above: str, counts: dict[str, int | float], unpriced: list[str] | None
    ) -> None:
        """Add the values of known fields to ``counts``, and the paths of unknown counts with a charge to ``unpriced``.

        ``usage`` is the report, or the part of it at this node, and ``above`` the path of this part, such as
        ``prompt_tokens_details.``. ``unpriced`` is None if no unknown count of this part is charged. Raises ValueError
        if the value of a known field is not a number of 0 or more.
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
                # `type` is checked first, since to check for any mapping takes several times as long.
                charged = None if name in _SUMS or "cost" in name else unpriced
                (known or _NONE_KNOWN).read(value, f"{above}{name}.", counts, charged)
            elif value and unpriced is not None and name not in _SUMS and _is_count(value):
                whole = above + name
                if _COUNTED.search(whole) and "cost" not in whole:
                    unpriced.append(whole)


_NONE_KNOWN: Final = _Fields()


def usage_paths_of(provider: Any, shape: str) -> UsagePaths:
    """Return where the counts are in the usage reports of a provider, for reports of one shape.

    ``provider`` is an object of genai-prices, or None for a provider that genai-prices does not know. ``shape`` is
    ``chat``, ``responses``, ``embeddings`` or ``gemini``, the API that the report comes from.
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
    return UsagePaths(paths, beside, total=total, total_covers_all=seller not in _TOTAL_OF_TEXT)


def stated_cost(seller: str | None, response: Mapping[str, Any]) -> Decimal | None:
    """Return the cost in USD that a response states, or None if it states none.

    ``seller`` is the id in genai-prices of the vendor whose price list applies.

    - OpenRouter: ``usage.cost`` is charged to the account. With the user's own key at a provider (``is_byok``), that
      provider charges ``cost_details.upstream_inference_cost`` in addition.
      https://openrouter.ai/docs/use-cases/usage-accounting
    - Perplexity: ``usage.cost.total_cost``. https://docs.perplexity.ai/api-reference/chat-completions-post
    - xAI: ``usage.cost_in_usd_ticks``; 10^10 ticks are a dollar. https://docs.x.ai/developers/cost-tracking
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
        # A provider's default extractor may be for the responses of another API.
        if extractor is not None and extractor.root in (root, [root]):
            mappings: Sequence[Any] = extractor.mappings
            if any(each.dest == "input_tokens" and _steps(each.path) == input_path for each in mappings):
                return mappings
    return ()


def _steps(path: Any) -> tuple[Any, ...]:
    return (path,) if isinstance(path, str) else tuple(path)


def _is_named(path: tuple[Any, ...]) -> bool:
    return all(isinstance(step, str) for step in path)


def _value_at(usage: Mapping[str, Any], path: tuple[Any, ...]) -> Any:
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
