"""Conditions on rows, declared once: every backend's selections and a database's partial indexes use them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

__all__ = [
    "GIVEN",
    "Condition",
    "Operator",
    "among",
    "at_most",
    "differs",
    "equal",
    "given",
    "has",
    "missing",
    "present",
]

GIVEN: Final = object()
"""In place of a constant: a value that is given with each use."""


class Operator(Enum):
    EQUAL = "{column} = {value}"
    DIFFERS = "{column} <> {value}"
    AMONG = "{column} IN ({value})"
    AT_MOST = "{column} <= {value}"
    MISSING = "{column} IS NULL"
    PRESENT = "{column} IS NOT NULL"
    HAS = "{column} LIKE {value}"
    """The column's words, with spaces between, include the value."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A column compared with constants, or with a value that is `GIVEN`."""

    column: str
    operator: Operator
    values: tuple[Any, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether it needs a value at each use."""
        return GIVEN in self.values

    def text(self, table: str = "") -> str:
        """The condition in SQL, with constants; ``table`` qualifies the column.

        An index and a statement that say it in the same words belong together for every planner.
        """
        assert not self.is_given
        column = f"{table}.{self.column}" if table else self.column
        return self.operator.value.format(column=column, value=", ".join(f"'{value}'" for value in self.values))


def given(column: str) -> Condition:
    return Condition(column, Operator.EQUAL, (GIVEN,))


def at_most(column: str) -> Condition:
    """At or below the value that is given."""
    return Condition(column, Operator.AT_MOST, (GIVEN,))


def has(column: str) -> Condition:
    """Of a column of words with spaces between: one of them is the value that is given. Reads every row."""
    return Condition(column, Operator.HAS, (GIVEN,))


def equal(column: str, value: str) -> Condition:
    return Condition(column, Operator.EQUAL, (value,))


def differs(column: str, value: str) -> Condition:
    return Condition(column, Operator.DIFFERS, (value,))


def among(column: str, *values: str) -> Condition:
    return Condition(column, Operator.AMONG, values)


def missing(column: str) -> Condition:
    return Condition(column, Operator.MISSING)


def present(column: str) -> Condition:
    return Condition(column, Operator.PRESENT)
