"""Detection of damaged values in stored rows: a value of a type that its column does not allow, or invalid Unicode.

SQLite does not enforce the types of columns, so a damaged or edited file can contain such values.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from ..transaction.rows import AUDIT
from ..transaction.tables import ROWS

DAMAGED: Final = "DAMAGED"
"""The code of the finding that stored data cannot be read, or has values that this package never writes."""


class UnreadableError(Exception):
    """Raised if the database cannot read stored records or rows; the text is the reason that the driver states."""


@lru_cache(maxsize=32)
def _types(table: str) -> tuple[tuple[str, bool, bool], ...]:
    (declared,) = (found for found in (*ROWS.values(), AUDIT) if found.name == table)
    return tuple((column.name, column.kind is not str, column.null) for column in declared.columns)


def damaged(table: str, values: Sequence[Any]) -> list[str]:
    """Return the names of the columns that have damaged values in one row of ``table``.

    ``values`` is the row, in the order of the table's columns. A value is damaged if its type is not the column's, if
    it is None in a column that must have a value, or if it is text that is not valid Unicode.
    """
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
