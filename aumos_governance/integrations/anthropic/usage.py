"""Reads the counts of Anthropic's usage reports, and checks them against each other and against the visible output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..guarding.calls import UsageMissingError, whole_number
from ..pricing.price_terms import same_model
from ..pricing.seen import Seen

_MOST_BYTES_PER_TOKEN: Final = 64
"""The most bytes of a token on average; no tokenizer in use has longer tokens."""
_KNOWN: Final = frozenset(
    {"input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "total_tokens"}
    | {"prompt_tokens", "completion_tokens", "cost"}
)
"""Fields of the usage that need no further price; ``cost`` is stated by other sellers that offer Anthropic's API."""
_KNOWN_CACHE: Final = frozenset({"ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"})
_SEARCHES: Final = "web_search_requests"
# https://platform.claude.com/docs/en/about-claude/pricing#web-fetch-tool: "no additional charges".
_FREE_SERVER_TOOLS: Final = frozenset({"web_fetch_requests"})
_CODE: Final = "code_execution_requests"


@dataclass(slots=True)
class Units:
    """Counts by genai-prices' units; ``input_tokens`` includes the tokens read from the cache and written to it."""

    counts: dict[str, int]
    doubtful: bool = False
    """Whether the report contradicts itself; `counts` then has the larger of the possible counts."""

    @property
    def input(self) -> int:
        """All input tokens."""
        return self.counts["input_tokens"]

    @property
    def output(self) -> int:
        """All output tokens."""
        return self.counts["output_tokens"]


@dataclass(frozen=True, slots=True)
class Iteration:
    """A run of a model that is charged in addition to the sums of the usage report, with its own counts."""

    model: str | None
    """The name of the model; None for the model that responded."""
    units: Units


def units_of(usage: Mapping[str, Any], *, hour_cache: bool = False, output: int | None = None) -> Units:
    """Return the counts of a usage report, or of one of its iterations.

    ``hour_cache`` is whether the request writes to the cache for an hour. ``output`` replaces the reported output.
    Raises UsageMissingError if counts are missing or impossible.
    """
    created, details = _mapping(usage, "cache_creation"), _mapping(usage, "output_tokens_details")
    written, read = _count(usage, "cache_creation_input_tokens"), _count(usage, "cache_read_input_tokens")
    five, hour = (_count(created, f"ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h"))
    if five + hour > written:
        raise UsageMissingError
    doubtful = False
    if hour_cache and five + hour < written:
        # Writing for an hour is dearer. The report does not show how much of this there was, so the most is taken.
        hour, doubtful = written - five, True
    total_in = _count(usage, "input_tokens", needed=True) + written + read
    total_out = _count(usage, "output_tokens", needed=True) if output is None else output
    thinking = _count(details, "thinking_tokens")
    if thinking > total_out:
        # Thinking is documented as part of the output. If there is more of it, the output does not include it.
        total_out, doubtful = total_out + thinking, True
    for name, larger in (("prompt_tokens", total_in), ("completion_tokens", total_out)):
        # Servers that also have OpenAI's API report both APIs' counts; the larger count is taken.
        doubtful |= _count(usage, name) > larger
    total_in = max(total_in, _count(usage, "prompt_tokens"))
    total_out = max(total_out, _count(usage, "completion_tokens"))
    unexplained = _count(usage, "total_tokens") - total_in - total_out
    if unexplained > 0:
        total_out, doubtful = total_out + unexplained, True
    counts = {
        "input_tokens": total_in,
        "cache_write_tokens": written,
        "cache_write_1h_tokens": hour,
        "cache_read_tokens": read,
        "output_tokens": total_out,
        "web_searches": _count(_mapping(usage, "server_tool_use"), _SEARCHES),
    }
    return Units(counts, doubtful)


def has_unpriced_counts(usage: Mapping[str, Any], *, code_is_free: bool) -> bool:
    """Whether a usage report counts something that no known price covers.

    ``code_is_free`` is whether code execution needs no price: it costs nothing but its tokens, or the user's fee per
    call covers it.
    """
    free = _FREE_SERVER_TOOLS | {_SEARCHES} | ({_CODE} if code_is_free else frozenset())
    return any(
        _counts_something(value) and name not in known
        for counts, known in (
            (usage, _KNOWN),
            (_mapping(usage, "cache_creation"), _KNOWN_CACHE),
            (_mapping(usage, "server_tool_use"), free),
        )
        for name, value in counts.items()
    )


def is_implausible(units: Units, seen: Seen) -> bool:
    """Whether the counts are too small: no input at all, or less output than visibly arrived."""
    if not units.input:
        return True
    shown = seen.visible + seen.reasoning
    return units.output * _MOST_BYTES_PER_TOKEN < shown


def other_iterations(usage: Mapping[str, Any], model: str, main: Units) -> Iterator[Iteration]:
    """Yield the runs of models that are charged in addition to the sums of a usage report.

    ``model`` is the model that responded, and ``main`` has the counts of the sums. If this model's turns exceed the
    sums, ``main`` is corrected and marked as doubtful. Raises UsageMissingError for an iteration of an unknown kind.

    By the types of Anthropic's library, the sums do not include a compaction (made by the model that responded) or the
    turns of an advisor. With fallbacks, the sums include only the attempt that succeeded. Another attempt is listed as
    a ``message`` of another model, and is not billed if that model declined before any output
    (https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback). The turns of the model that responded
    are part of the sums.
    """
    listed = usage.get("iterations")
    own = {"input_tokens": 0, "output_tokens": 0}
    for iteration in listed if isinstance(listed, list) else ():
        if not isinstance(iteration, Mapping):
            raise UsageMissingError
        kind, named, units = iteration.get("type"), iteration.get("model"), units_of(iteration)
        other = isinstance(named, str) and bool(model) and not same_model(named, model)
        if kind == "compaction":
            yield Iteration(None, units)
        elif kind == "advisor_message" and isinstance(named, str):
            yield Iteration(named, units)
        elif kind == "message" and other:
            if units.output:
                yield Iteration(named, units)
        elif kind in ("message", "fallback_message") and not other:
            own = {name: count + units.counts[name] for name, count in own.items()}
        else:
            raise UsageMissingError
    for name, count in own.items():
        if count > main.counts[name]:
            # The sums must include the turns of the model that responded.
            main.counts[name], main.doubtful = count, True


def _mapping(usage: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = usage.get(name)
    return value if isinstance(value, Mapping) else {}


def _counts_something(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def _count(usage: Mapping[str, Any], name: str, *, needed: bool = False) -> int:
    value = usage.get(name)
    if value is None and not needed:
        return 0
    return whole_number(value)
