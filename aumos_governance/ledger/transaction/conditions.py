"""Conditions on rows. Selections on every backend consist of them, and so do a database's partial indexes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

GIVEN: Final = object()
"""The placeholder for a value that is passed with each use of a condition, in place of a constant."""


class Operator(Enum):
    """The comparison of a condition, with its SQL."""

    EQUAL = "{column} = {value}"
    DIFFERS = "{column} <> {value}"
    AMONG = "{column} IN ({value})"
    AT_MOST = "{column} <= {value}"
    MISSING = "{column} IS NULL"
    PRESENT = "{column} IS NOT NULL"
    HAS = "{column} LIKE {value}"
    """The value is one of the words in the column, which are separated by spaces."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A column compared with constants, or with a value that is `GIVEN`."""

    column: str
    operator: Operator
    values: tuple[Any, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether a value must be passed with each use."""
        return GIVEN in self.values

    def text(self, table: str = "") -> str:
        """Return the condition in SQL, with its constants; ``table`` qualifies the column.

        A partial index and a statement use the same text, so that every query planner recognizes that it can use the
        index.
        """
        assert not self.is_given
        column = f"{table}.{self.column}" if table else self.column
        return self.operator.value.format(column=column, value=", ".join(f"'{value}'" for value in self.values))


def given(column: str) -> Condition:
    """Return the condition that a column equals the value that is passed with each use."""
    return Condition(column, Operator.EQUAL, (GIVEN,))


def at_most(column: str) -> Condition:
    """Return the condition that a column is at most the value that is passed with each use."""
    return Condition(column, Operator.AT_MOST, (GIVEN,))


def has(column: str) -> Condition:
    """Return the condition that the value passed with each use is one of the words in a column.

    The words are separated by spaces. No index can serve this condition, so it reads every row.
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
