"""Detection of damaged values: values whose type is not their column's, and text that is not valid Unicode."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from ..transaction.rows import AUDIT
from ..transaction.tables import ROWS

DAMAGED: Final = "DAMAGED"
"""The code of a finding: stored data cannot be read, or cannot have been written by this package."""


class UnreadableError(Exception):
    """Stored data cannot be read; the error's text is the driver's reason."""


@lru_cache(maxsize=32)
def _types(table: str) -> tuple[tuple[str, bool, bool], ...]:
    (declared,) = (found for found in (*ROWS.values(), AUDIT) if found.name == table)
    return tuple((column.name, column.kind is not str, column.null) for column in declared.columns)


def damaged(table: str, values: Sequence[Any]) -> list[str]:
    """Return the names of the columns whose values have another type, or are text that is not valid Unicode."""
    wrong = []
    for (name, whole, null), value in zip(_types(table), values, strict=False):
        if value is None:
            good = null
        elif whole:
            good = isinstance(value, int)
        else:
            good = isinstance(value, str) and (value.isascii() or _is_valid(value))
        if not good:
            wrong.append(name)
    return wrong


def _is_valid(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
