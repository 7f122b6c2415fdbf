"""How the samples are laid out, so that one reads them at a glance: ``python -m tests.protocol.layout`` does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

__all__ = ["SAMPLES", "laid_out"]

SAMPLES: Final = Path(__file__).parent
_WIDTH: Final = 120
_INDENT: Final = "  "
_SHORT: Final = 40
"""An object that is longer gets a line of its own."""


def laid_out(samples: Any) -> str:
    """The text of a file: a value stands on one line where it fits, and short ones stand beside one another."""
    return "\n".join(_lines(samples, "")) + "\n"


def _lines(value: Any, start: str) -> list[str]:
    """The lines of a value whose first line starts so: with an indent, and the value's name where it has one."""
    whole = start + json.dumps(value)
    if not isinstance(value, (dict, list)) or not value or len(whole) < _WIDTH:
        return [whole]
    indent = start[: len(start) - len(start.lstrip())]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    return [start + opening, *_filled(value, indent + _INDENT), indent + closing]


def _filled(value: Any, indent: str) -> list[str]:
    """The lines of what is in a dict or list, with as much on each line as is short and fits."""
    named = isinstance(value, dict)
    lines: list[str] = []
    joinable = False
    for name, inner in value.items() if named else enumerate(value):
        first, *more = _lines(inner, f"{indent}{json.dumps(name)}: " if named else indent)
        short = not more and (not isinstance(inner, (dict, list)) or (named and len(json.dumps(inner)) <= _SHORT))
        if lines:
            lines[-1] += ","
        # With room for the comma that may follow.
        if joinable and short and len(lines[-1]) + 1 + len(first.lstrip()) < _WIDTH:
            lines[-1] += f" {first.lstrip()}"
        else:
            lines += [first, *more]
        joinable = short
    return lines


if __name__ == "__main__":
    for path in sorted(SAMPLES.glob("*.json")):
        path.write_text(laid_out(json.loads(path.read_text("utf-8"))), "utf-8")
