"""The layout of the files of samples, which is easy to read; ``python -m tests.protocol.layout`` applies it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["SAMPLES", "laid_out"]

SAMPLES: Final = Path(__file__).parent
_WIDTH: Final = 120
_INDENT: Final = "  "
_SHORT: Final = 40
"""The length above which an object gets a line of its own."""


def laid_out(samples: Any) -> str:
    """Return the text of a file, in which a value is on one line if it fits, and short values share a line."""
    return "\n".join(_lines(samples, "")) + "\n"


def _lines(value: Any, start: str) -> list[str]:
    """Return the lines of a value; ``start`` begins the first one, with the indent and the name of the value."""
    whole = start + json.dumps(value)
    if not isinstance(value, (dict, list)) or not value or len(whole) < _WIDTH:
        return [whole]
    indent = start[: len(start) - len(start.lstrip())]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return [start + opening, *_filled(value, indent + _INDENT), indent + closing]


def _filled(value: Any, indent: str) -> list[str]:
    """Return the lines of the members of a dict or list, with as many short ones on each line as fit."""
    named = isinstance(value, dict)
    lines: list[str] = []
    joinable = False
    for name, inner in value.items() if named else enumerate(value):
        first, *more = _lines(inner, f"{indent}{json.dumps(name)}: " if named else indent)
        short = not more and (not isinstance(inner, (dict, list)) or (named and len(json.dumps(inner)) <= _SHORT))
        if lines:
            lines[-1] += ","
        # The limit includes a comma that may follow.
        if joinable and short and len(lines[-1]) + 1 + len(first.lstrip()) < _WIDTH:
            lines[-1] += f" {first.lstrip()}"
        else:
            lines += [first, *more]
        joinable = short
    return lines


if __name__ == "__main__":
    for path in sorted(SAMPLES.glob("*.json")):
        path.write_text(laid_out(json.loads(path.read_text("utf-8"))), "utf-8")
