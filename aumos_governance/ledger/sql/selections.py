"""The SQL statements for selections, i.e. for the sets of rows that `transaction.selections` declares."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Table, Text, and_, bindparam, literal_column, or_, select

from ..rules.files import range_of
from ..transaction import schema
from ..transaction.conditions import Condition, Operator
from ..transaction.rows import SessionRow
from ..transaction.selections import NotebooksOf, Selection

_SESSIONS: Final = schema.tables["sessions"]
_NOTEBOOKS: Final = schema.tables["notebooks"]


def statement(selection: Selection[Any]) -> Select[Any]:
    """Return the SELECT statement that reads the rows of a selection. `parameters` returns its parameters."""
    table = schema.tables[selection.kind.TABLE]
    found = select(table)
    if selection.notebooks_of is not None:
        if selection.kind is not SessionRow:
            found = found.join(_SESSIONS, _SESSIONS.c.id == table.c.session_id)
        found = found.join(_NOTEBOOKS, _NOTEBOOKS.c.id == _SESSIONS.c.notebook_id)
        found = found.where(
            of_server() if selection.notebooks_of is NotebooksOf.SERVER else _NOTEBOOKS.c.owner == bindparam("owner")
        )
    found = found.where(*(condition_on(table, condition) for condition in selection.where))
    return found.order_by(*(table.c[name] for name in selection.kind.KEY))


def condition_on(table: Table, condition: Condition) -> ColumnElement[bool]:
    """Return the SQL of a condition on the rows of ``table``.

    If the condition's value is passed at each use, the SQL has a parameter with the name of the column.
    """
    if not condition.is_given:
        # The same text as in a partial index, so that the query planner recognizes that the index fits.
        return literal_column(f"({condition.text(table.name)})")
    column: ColumnElement[Any] = table.c[condition.column]
    value: ColumnElement[Any] = bindparam(condition.column, type_=column.type)
    if condition.operator is Operator.HAS:
        # The words are ids of 32 hex digits, so a column that contains an id as text contains it as a word.
        percent: ColumnElement[str] = literal_column("'%'")
        return column.like(percent + bindparam(condition.column, type_=Text()) + percent)
    return column <= value if condition.operator is Operator.AT_MOST else column == value


def parameters(selection: Selection[Any], values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the parameters for the SELECT of a selection, given the values that one use of the selection passes."""
    return (*scope(*values[:2]), *values[2:]) if selection.notebooks_of is NotebooksOf.SERVER else values


def of_server() -> ColumnElement[bool]:
    """Return the SQL condition that a notebook has a server's owner, and the server's root or a file below it.

    It is the same condition as `files.lies_in`. `scope` returns its parameters.
    """
    below = and_(_NOTEBOOKS.c.file >= bindparam("first"), _NOTEBOOKS.c.file < bindparam("last"))
    return and_(_NOTEBOOKS.c.owner == bindparam("owner"), or_(_NOTEBOOKS.c.root == bindparam("root"), below))


def scope(owner: str, root: str) -> tuple[str, str, str, str]:
    """Return the parameters of `of_server` for a server, given its owner and root folder.

    They are ``owner`` and ``root`` themselves, and ``first`` and ``last``, the range of the files below the root.
    """
    return (owner, root, *range_of(root))
