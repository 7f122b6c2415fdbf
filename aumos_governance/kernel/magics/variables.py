"""Expands the variables in a magic's line, such as ``{cost}`` or ``$cost``."""

from __future__ import annotations

import numbers
from typing import Any

from IPython.utils.text import DollarFormatter

from ... import money
from ...errors import InvalidAmountError


class _AmountFormatter(DollarFormatter):
    """IPython's formatter for ``$name`` and ``{expression}``, which here rounds floats to nano-USD.

    Otherwise an amount such as ``{0.1 * 3}`` would have 17 decimals, and an amount may have only nine.
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
    """Return a magic's line with its variables expanded.

    The variables are those of the notebook, and the local variables of the code ``depth`` frames above the caller. One
    that cannot be evaluated stays unchanged, as in IPython's own magics.
    """
    if "$" not in line and "{" not in line:
        return line
    filled: str = shell.var_expand(line, depth=depth + 1, formatter=_AmountFormatter())
    return filled
