"""Expands variables in a magic's line."""

from __future__ import annotations

import numbers
from typing import Any

from IPython.utils.text import DollarFormatter

from ... import money
from ...errors import InvalidAmountError


class _AmountFormatter(DollarFormatter):
    """IPython's formatter of ``$name`` and ``{expression}``, except that it rounds floats to nano-USD.

    The text of 0.1 * 3 has 17 decimals, and the text of an amount may have only nine.
    """

    def format_field(self, value: Any, format_spec: str) -> str:
        if not format_spec and isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):
            try:
                return money.to_text(money.parse(value))
            except InvalidAmountError:
                # The service reports that the number is no valid amount.
                pass
        formatted: str = super().format_field(value, format_spec)
        return formatted


def expand(shell: Any, line: str, *, depth: int) -> str:
    """Return the line with its variables expanded, local variables of the code ``depth`` frames above the caller too.

    A variable or expression that cannot be evaluated stays unchanged, as in IPython's own magics.
    """
    if "$" not in line and "{" not in line:
        return line
    filled: str = shell.var_expand(line, depth=depth + 1, formatter=_AmountFormatter())
    return filled
