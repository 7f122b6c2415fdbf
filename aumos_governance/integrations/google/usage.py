"""Reads the counts of Google's usage reports, and checks them against each other and against the visible output."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from ..guarding.calls import UsageMissingError
from ..pricing.rates import Rates
from ..pricing.seen import Seen
from ..pricing.usage import DoubtError, Report, checked
from .fields import mapping_of
from .models import speaks

_KINDS: Final = ("audio", "image", "video")
_OUTPUTS: Final = tuple(f"output_{kind}_tokens" for kind in _KINDS)
_TRAFFIC: Final = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
}
"""The service tiers by Vertex AI's names for them: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/priority-paygo."""


def counts_of(
    rates: Rates, model: str, response: Mapping[str, Any], seen: Seen | None, *, output: bool = True
) -> tuple[dict[str, int | float], bool]:
    """Return the counts to charge for a response by genai-prices' units, and whether they are an estimate.

    ``seen`` is the measure of the output that arrived; the counts are checked against it. ``output`` is whether the
    call produces output that is charged. Raises UsageMissingError if the usage is missing, not credible, or has no
    price.
    """
    usage = response.get("usageMetadata")
    report = rates.usage_paths("gemini").report(usage) if isinstance(usage, Mapping) else None
    if report is None:
        raise UsageMissingError("The response has no usage, or a value in it is no count.", rates.least_cost(seen))
    try:
        counts, estimated = checked(_with_zeros(report), seen, output=output)
    except DoubtError as doubt:
        raise UsageMissingError(str(doubt), rates.least_cost(seen)) from None
    if any(counts.get(name) and not _has_price(rates, model, name) for name in _OUTPUTS):
        raise UsageMissingError("A kind of output has no price of its own.", rates.least_cost(seen))
    if rates.flat is None:
        more = [_split_media(rates, counts, seen), _split_cached(rates, counts, report.counts)]
        estimated = estimated or any(more)
    return counts, estimated


def tier_of(response: Mapping[str, Any]) -> str | None:
    """Return the service tier that served a call, by ``usageMetadata.serviceTier`` or Vertex AI's ``trafficType``.

    None is returned if the response states no tier.
    """
    usage = mapping_of(response, "usageMetadata")
    tier, traffic = usage.get("serviceTier"), usage.get("trafficType")
    if isinstance(tier, str) and tier:
        name = tier.lower().removeprefix("service_tier_")
        return None if name == "unspecified" else name
    if isinstance(traffic, str) and traffic not in ("", "TRAFFIC_TYPE_UNSPECIFIED"):
        return _TRAFFIC.get(traffic, traffic.lower())
    return None


def _with_zeros(report: Report) -> Report:
    """Return the report; if the input is the total, add a count of 0 output tokens, which Google's JSON leaves out."""
    counts = report.counts
    if "output_tokens" not in counts and report.total == counts.get("input_tokens"):
        return replace(report, counts={**counts, "output_tokens": 0})
    return report


def _has_price(rates: Rates, model: str, unit: str) -> bool:
    price = unit.replace("_tokens", "_mtok")
    return rates.has(price) or (unit == "output_audio_tokens" and speaks(model))


def _split_media(rates: Rates, counts: dict[str, int | float], seen: Seen | None) -> bool:
    """Change ``counts`` so that all output counts as media, if media arrived and the report counts none.

    Return whether ``counts`` was changed. Thoughts are not counted as media.
    """
    if seen is None or not seen.media or any(counts.get(name) for name in _OUTPUTS):
        return False
    kind = next((name for name in _OUTPUTS if rates.has(name.replace("_tokens", "_mtok"))), None)
    if kind is None:
        return False
    counts[kind] = counts["output_tokens"] - counts.get("output_reasoning_tokens", 0)
    return True


def _split_cached(rates: Rates, counts: dict[str, int | float], reported: Mapping[str, int | float]) -> bool:
    """Change ``counts`` so that the cached input is divided by kinds of media, as genai-prices requires.

    Return whether the division is an estimate. Cached tokens of an unknown kind are taken to be of the kind whose price
    the cache reduces least.
    """
    cached = counts.get("cache_read_tokens", 0)
    stated = sum(reported.get(f"cache_{kind}_read_tokens", 0) for kind in (*_KINDS, "text"))
    open_still = max(0, cached - stated)
    doubtful = False
    for kind in _KINDS:
        name, own = f"cache_{kind}_read_tokens", counts.get(f"input_{kind}_tokens", 0)
        if cached and own and rates.has(f"cache_{kind}_read_mtok"):
            counts.setdefault(name, max(0, open_still - (counts["input_tokens"] - own)))
            doubtful = doubtful or open_still > 0
    return doubtful
