"""The search for the rows of a selection (see `transaction.selections`) in a ledger in memory, by scanning a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

from ..rules.files import lies_in
from ..transaction.conditions import GIVEN, Operator
from ..transaction.rows import NotebookRow, SessionRow
from ..transaction.selections import NotebooksOf, Selection
from ..transaction.tables import Key, Row

Tables = Mapping[type[Row], Mapping[Key, Any]]

# Each function filters all rows itself, since a function call for each row would take twice as long.
_KEPT: Final[dict[Operator, Callable[..., list[Any]]]] = {
    Operator.EQUAL: lambda rows, get, value: [row for row in rows if get(row) == value],
    Operator.DIFFERS: lambda rows, get, value: [row for row in rows if get(row) != value],
    Operator.AMONG: lambda rows, get, *values: [row for row in rows if get(row) in values],
    Operator.AT_MOST: lambda rows, get, most: [row for row in rows if (at := get(row)) is not None and at <= most],
    Operator.MISSING: lambda rows, get: [row for row in rows if get(row) is None],
    Operator.PRESENT: lambda rows, get: [row for row in rows if get(row) is not None],
    Operator.HAS: lambda rows, get, value: [row for row in rows if value in get(row).split()],
}


def select(tables: Tables, selection: Selection[Any], values: Iterable[Any]) -> list[Row]:
    """Return the rows of a selection in no particular order: the stored objects, which the caller must not change.

    ``values`` are the values that this use of the selection passes, in the order that `Selection` describes.
    """
    rows: Iterable[Any] = tables[selection.kind].values()
    left = list(values)
    of = [left.pop(0) for _ in range(0 if selection.notebooks_of is None else selection.notebooks_of.value)]
    for condition in selection.where:
        given = [left.pop(0) if value is GIVEN else value for value in condition.values]
        rows = _KEPT[condition.operator](rows, attrgetter(condition.column), *given)
    if selection.notebooks_of is None:
        return list(rows)
    notebooks = ((row, _notebook_of(tables, row)) for row in rows)
    if selection.notebooks_of is NotebooksOf.OWNER:
        return [row for row, notebook in notebooks if notebook.owner == of[0]]
    return [row for row, notebook in notebooks if lies_in(notebook, *of)]


def _notebook_of(tables: Tables, row: Any) -> NotebookRow:
    session: SessionRow = row if isinstance(row, SessionRow) else tables[SessionRow][row.session_id,]
    notebook: NotebookRow = tables[NotebookRow][session.notebook_id,]
    return notebook
