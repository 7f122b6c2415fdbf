"""The selections of rows as statements."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, Text, and_, bindparam, literal_column, or_, select

from ..rules.files import range_of
from ..transaction import schema
from ..transaction.conditions import Condition, Operator
from ..transaction.rows import SessionRow
from ..transaction.selections import Of, Selection

__all__ = ["condition_on", "of_server", "parameters", "scope", "statement"]

_SESSIONS: Final = schema.tables["sessions"]
_NOTEBOOKS: Final = schema.tables["notebooks"]


def statement(selection: Selection[Any]) -> Select[Any]:
    """The statement of a selection; its parameters are what `parameters` makes of the values that are given."""
    table = schema.tables[selection.kind.TABLE]
    found = select(table)
    if selection.of is not None:
        if selection.kind is not SessionRow:
            found = found.join(_SESSIONS, _SESSIONS.c.id == table.c.session_id)
        found = found.join(_NOTEBOOKS, _NOTEBOOKS.c.id == _SESSIONS.c.notebook_id)
        found = found.where(of_server() if selection.of is Of.SERVER else _NOTEBOOKS.c.owner == bindparam("owner"))
    found = found.where(*(condition_on(table, condition) for condition in selection.where))
    return found.order_by(*(table.c[name] for name in selection.kind.KEY))


def condition_on(table: Table, condition: Condition) -> ColumnElement[bool]:
    """The condition on a table; a value that is given is a parameter with the column's name."""
    if not condition.is_given:
        # In the words of a partial index, so that the planner knows that it will do.
        return literal_column(f"({condition.text(table.name)})")
    column: ColumnElement[Any] = table.c[condition.column]
    value: ColumnElement[Any] = bindparam(condition.column, type_=column.type)
    if condition.operator is Operator.HAS:
        # The words are ids of 32 hex digits, so what holds an id's text holds it as a word.
        percent: ColumnElement[str] = literal_column("'%'")
        return column.like(percent + bindparam(condition.column, type_=Text()) + percent)
    return column <= value if condition.operator is Operator.AT_MOST else column == value


def parameters(selection: Selection[Any], values: tuple[Any, ...]) -> tuple[Any, ...]:
    """The parameters of a selection's statement."""
    return (*scope(*values[:2]), *values[2:]) if selection.of is Of.SERVER else values


def of_server() -> ColumnElement[bool]:
    """Whether a notebook belongs to what a server shows, as `files.lies_in` says. The parameters are `scope`'s."""
    below = and_(_NOTEBOOKS.c.file >= bindparam("first"), _NOTEBOOKS.c.file < bindparam("last"))
    return and_(_NOTEBOOKS.c.owner == bindparam("owner"), or_(_NOTEBOOKS.c.root == bindparam("root"), below))


def scope(owner: str, root: str) -> tuple[str, str, str, str]:
    """The parameters ``owner``, ``root``, ``first`` and ``last``."""
    return (owner, root, *range_of(root))
