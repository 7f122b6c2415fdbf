"""Conditions on the rows of a table, such as ``given("owner")`` or ``missing("deleted_at")``.

Selections (the searches of operations, see `selections`) and partial indexes are declared with them. So each backend
can execute the same searches, and a database can use an index for a search with the same conditions.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

GIVEN: Final = object()
"""Marks, in place of a constant, a value of a condition that the caller passes with each search."""


class Operator(Enum):
    """How a condition compares a column with its value. The enum's values are the SQL text of the comparisons."""

    EQUAL = "{column} = {value}"
    DIFFERS = "{column} <> {value}"
    AMONG = "{column} IN ({value})"
    AT_MOST = "{column} <= {value}"
    MISSING = "{column} IS NULL"
    PRESENT = "{column} IS NOT NULL"
    HAS = "{column} LIKE {value}"
    """The column is a text of words separated by spaces, and the value is one of the words."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: a column is compared with constants, or with a value that is passed with each search (`GIVEN`)."""

    column: str
    operator: Operator
    values: tuple[Any, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether the caller must pass the value of this condition with each search."""
        return GIVEN in self.values

    def text(self, table: str = "") -> str:
        """Return the condition as SQL text with its constants, such as ``status = 'pending'``.

        If ``table`` is set, it precedes the column. A partial index and a statement use the same text, so that every
        query planner recognizes that it can use the index.
        """
        assert not self.is_given
        column = f"{table}.{self.column}" if table else self.column
        return self.operator.value.format(column=column, value=", ".join(f"'{value}'" for value in self.values))


def given(column: str) -> Condition:
    """Return the condition that a column equals a value that the caller passes with each search."""
    return Condition(column, Operator.EQUAL, (GIVEN,))


def at_most(column: str) -> Condition:
    """Return the condition that a column is at most a value that the caller passes with each search."""
    return Condition(column, Operator.AT_MOST, (GIVEN,))


def has(column: str) -> Condition:
    """Return the condition that a value, which the caller passes with each search, is one of the words in a column.

    The words are separated by spaces, as in `ChargeRow.envelopes`. No index can help a search with this condition, so
    it reads every row.
    """
    return Condition(column, Operator.HAS, (GIVEN,))


def equal(column: str, value: str) -> Condition:
    """Return the condition that a column equals a constant."""
    return Condition(column, Operator.EQUAL, (value,))


def differs(column: str, value: str) -> Condition:
    """Return the condition that a column differs from a constant."""
    return Condition(column, Operator.DIFFERS, (value,))


def among(column: str, *values: str) -> Condition:
    """Return the condition that a column equals one of the constants."""
    return Condition(column, Operator.AMONG, values)


def missing(column: str) -> Condition:
    """Return the condition that a column is NULL."""
    return Condition(column, Operator.MISSING)


def present(column: str) -> Condition:
    """Return the condition that a column is not NULL."""
    return Condition(column, Operator.PRESENT)
