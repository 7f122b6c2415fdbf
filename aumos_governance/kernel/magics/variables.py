"""Putting variables into a magic's line."""

from __future__ import annotations

import numbers
from typing import Any

from IPython.utils.text import DollarFormatter

from ... import money
from ...errors import InvalidAmountError

__all__ = ["expand"]


class _AmountFormatter(DollarFormatter):
    """IPython's own ``$name`` and ``{expression}``, except that a float becomes the amount that it means.

    Its plain text would not do: that of 0.1 * 3 has 17 decimals, and as text an amount may have nine.
    """

    def format_field(self, value: Any, format_spec: str) -> str:
        if not format_spec and isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
            try:
                return money.to_text(money.parse(value))
            except InvalidAmountError:
                # The service reports what is wrong with it.
                pass
        formatted: str = super().format_field(value, format_spec)
        return formatted


def expand(shell: Any, line: str, *, depth: int) -> str:
    """The line with its variables filled in, those of the code ``depth`` frames above the caller included.

    What cannot be filled in stays as it is, as everywhere in IPython.
    """
    if "$" not in line and "{" not in line:
        return line
    filled: str = shell.var_expand(line, depth=depth + 1, formatter=_AmountFormatter())
    return filled
