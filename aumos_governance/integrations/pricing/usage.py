"""Compares the counts of a usage report with each other, and with what was seen to arrive.

A usage report is evidence, not truth: servers leave out a count, count reasoning beside the output or within the total
only, or report zeros. Pure functions, for every provider and adapter.

**The least number of tokens of a visible text** (`least_tokens`): 1 for every 16 bytes of UTF-8, runs of one character
counting an eighth (`weight`). The longest tokens of the published vocabularies (o200k_base, Llama 3, Qwen, Gemma) are
such runs, of up to 128 bytes. Other text comes to 2 to 6 bytes a token, and to 12 in scripts of three bytes a
character; no language comes to 16 on average. A report of fewer output tokens is not believed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .seen import Seen, utf8_size

__all__ = ["BYTES_A_TOKEN", "DoubtError", "Report", "checked", "least_tokens", "weight"]

Number = int | float
BYTES_A_TOKEN: Final = 16
_RUN: Final = 8
_RUNS: Final = tuple(character * _RUN for character in " \n\t-=_.*#~+/")
_OUTPUT_PARTS: Final = (
    "output_reasoning_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "output_citation_tokens",
)
_INPUT: Final = ("input_audio_tokens", "input_image_tokens", "input_video_tokens")


class DoubtError(Exception):
    """The report leaves open what was used: the amount held is to be charged, as an estimate."""


@dataclass(slots=True)
class Report:
    """The counts of a usage report, under the names of genai-prices' units; a sum includes its parts."""

    counts: dict[str, Number]
    total: Number | None = None
    """All tokens of input and output, as reported."""
    beside: Number = 0
    """The part of ``output_tokens`` that the seller counts beside its own count of the output."""
    total_covers_all: bool = True
    """Whether the seller's total includes all that is charged as output."""
    unpriced: tuple[str, ...] = field(default=())
    """Fields with a count that has no unit."""


def checked(report: Report, seen: Seen | None, *, output: bool = True) -> tuple[dict[str, Number], bool]:
    """The counts to charge, and whether they are an estimate.

    ``output``: the call produces output that is charged. Where the total says more than input and output, the rest is
    charged as output. Raises DoubtError where the counts leave open what was used.
    """
    counts, total = report.counts, report.total
    if report.unpriced:
        raise DoubtError(f"counts without a price: {', '.join(report.unpriced)}")
    into = counts.get("input_tokens")
    out = counts.get("output_tokens", None if output else 0)
    if into is None and total and out is not None and total > out:
        into = total - out
        counts, estimated = {**counts, "input_tokens": into}, True
    else:
        estimated = False
    if not into:
        raise DoubtError("no input was counted")
    if out is None:
        if not total or total <= into:
            raise DoubtError("no output was counted")
        out, estimated = total - into, True
    before = out
    # Most reports have these two counts alone, whose sum is the total.
    if len(counts) != 2 or "output_tokens" not in counts or report.beside or total != into + out:
        out, more = _output(report, counts, into, out)
        estimated = estimated or more
        get = counts.get
        if (
            get("cache_read_tokens", 0) + get("cache_write_tokens", 0) > into
            or max([get(name, 0) for name in _INPUT]) > into
        ):
            raise DoubtError("a part of the input exceeds it")
    if output and seen is not None and seen.anything:
        least = least_tokens(seen)
        if out < least:
            raise DoubtError("fewer tokens than the visible output has")
        # Reasoning that is counted within the output leaves too little for what is visible: it was counted beside.
        reasoning = counts.get("output_reasoning_tokens", 0)
        if not total and out - reasoning < least:
            out, estimated = out + reasoning, True
    if out != before or "output_tokens" not in counts:
        counts = {**counts, "output_tokens": out}
    return counts, estimated


def _output(report: Report, counts: dict[str, Number], into: Number, out: Number) -> tuple[Number, bool]:
    """The output by the total and by its parts, and whether it is an estimate."""
    total = report.total if report.total_covers_all else None
    if total and report.beside and into + out - report.beside == total and 2 * report.beside <= out:
        # The total says that this part is within the seller's count of the output, and was added twice.
        return out - report.beside, False
    parts = sum([counts.get(part, 0) for part in _OUTPUT_PARTS])
    if parts > out:
        # Parts that are counted beside the output; the total confirms it, or leaves a doubt.
        out += parts
        if total is None or total != into + out:
            return max(out, (total or 0) - into), True
        return out, False
    if total and total > into + out:
        return total - into, True
    return out, bool(total) and total != into + out


def least_tokens(seen: Seen) -> int:
    """The fewest output tokens that what is visible can come to."""
    visible = seen.visible + seen.reasoning
    return max(1 if seen.anything else 0, -(-visible // BYTES_A_TOKEN))


def weight(text: str) -> int:
    """The bytes of UTF-8 of a text, where a run of one character counts an eighth."""
    size = utf8_size(text)
    if size >= 256:
        size -= sum(text.count(run) for run in _RUNS) * (_RUN - 1)
    return size
