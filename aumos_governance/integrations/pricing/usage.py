"""Checks whether a usage report can be right: compares its counts with each other and with the output that arrived.

A usage report may be wrong: some servers leave out a count, do not include the reasoning in the output, include it only
in the total, or report zeros. The functions are pure, and serve all providers.

**The fewest tokens that a visible text can have** (`least_tokens`) are one for every 16 bytes of UTF-8; of a run of one
character, only an eighth of the bytes is counted (`weight`). The longest tokens of the published vocabularies
(o200k_base, Llama 3, Qwen, Gemma) are such runs, of up to 128 bytes. Other text has 2 to 6 bytes per token, and up to
12 in scripts of three bytes per character; no language has 16 on average. A report of fewer output tokens is rejected.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from .seen import Seen, utf8_size

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
    """Raised when a usage report does not show how many tokens were used.

    The held amount is then charged as an estimate.
    """


@dataclass(slots=True)
class Report:
    """The counts of a usage report, by genai-prices' units; sums such as ``input_tokens`` include their parts."""

    counts: dict[str, Number]
    total: Number | None = None
    """The reported sum of input and output tokens; None if the report has no sum."""
    beside: Number = 0
    """The part of ``output_tokens``, such as thoughts, that the vendor reports outside its own count of the output."""
    total_covers_all: bool = True
    """Whether the reported sum includes everything that is charged as output."""
    unpriced: tuple[str, ...] = field(default=())
    """The paths of counts in the report that may be charged although genai-prices has no unit for them."""


def checked(report: Report, seen: Seen | None, *, output: bool = True) -> tuple[dict[str, Number], bool]:
    """Return the counts to charge, and whether they are an estimate.

    ``seen`` measures the output that arrived, None without a measure. ``output`` is whether the call produces output
    that is charged. If the total is larger than the sum of input and output, the difference is charged as output.
    Raises DoubtError if the counts do not show how many tokens were used.
    """
    counts, total = report.counts, report.total
    if report.unpriced:
        raise DoubtError(f"The usage report has counts without a known price: {', '.join(report.unpriced)}.")
    into = counts.get("input_tokens")
    out = counts.get("output_tokens", None if output else 0)
    if into is None and total and out is not None and total > out:
        into = total - out
        counts, estimated = {**counts, "input_tokens": into}, True
    else:
        estimated = False
    if not into:
        raise DoubtError("The usage report counts no input tokens.")
    if out is None:
        if not total or total <= into:
            raise DoubtError("The usage report counts no output tokens.")
        out, estimated = total - into, True
    before = out
    # Most reports have only these two counts, whose sum is the total; they need no further comparison.
    if len(counts) != 2 or "output_tokens" not in counts or report.beside or total != into + out:
        out, more = _output(report, counts, into, out)
        estimated = estimated or more
        get = counts.get
        if (
            get("cache_read_tokens", 0) + get("cache_write_tokens", 0) > into
            or max([get(name, 0) for name in _INPUT]) > into
        ):
            raise DoubtError("The usage report counts more tokens in a part of the input than in the whole input.")
    if output and seen is not None and seen.anything:
        least = least_tokens(seen)
        if out < least:
            raise DoubtError("The usage report counts fewer output tokens than the visible output has.")
        # If the output without its reasoning is too small for the visible text, it does not include the reasoning.
        reasoning = counts.get("output_reasoning_tokens", 0)
        if not total and out - reasoning < least:
            out, estimated = out + reasoning, True
    if out != before or "output_tokens" not in counts:
        counts = {**counts, "output_tokens": out}
    return counts, estimated


def _output(report: Report, counts: dict[str, Number], into: Number, out: Number) -> tuple[Number, bool]:
    """Return the number of output tokens to charge, and whether it is an estimate.

    ``into`` and ``out`` are the reported input and output. The output is corrected if the reported total, or its parts,
    such as reasoning, show that it does not include all.
    """
    total = report.total if report.total_covers_all else None
    if total and report.beside and into + out - report.beside == total and 2 * report.beside <= out:
        # By the total, the seller's own count of the output includes this part already, so it was added twice.
        return out - report.beside, False
    parts = sum([counts.get(part, 0) for part in _OUTPUT_PARTS])
    if parts > out:
        # The output does not include its parts. The total confirms this, or the result is an estimate.
        out += parts
        if total is None or total != into + out:
            return max(out, (total or 0) - into), True
        return out, False
    if total and total > into + out:
        return total - into, True
    return out, bool(total) and total != into + out


def least_tokens(seen: Seen) -> int:
    """Return the fewest output tokens that the visible text, tool calls and reasoning can have."""
    visible = seen.visible + seen.reasoning
    return max(1 if seen.anything else 0, -(-visible // BYTES_A_TOKEN))


def weight(text: str) -> int:
    """Return the size of a text in bytes of UTF-8, counting only an eighth of the bytes of a run of one character.

    A tokenizer may encode many spaces or hyphens in a row as one token.
    """
    size = utf8_size(text)
    if size >= 256:
        size -= sum(text.count(run) for run in _RUNS) * (_RUN - 1)
    return size
