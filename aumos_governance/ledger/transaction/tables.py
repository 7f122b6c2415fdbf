"""The means to declare the ledger's tables; `rows` has the declarations themselves.

A table is declared by the dataclass of its rows, whose fields are the columns in the table's order. All else is derived
from this: the database's tables (`schema`), the statements on them (`sql.statements`), the dictionaries of the ledger
in memory, and the types of values that a verification accepts.

The type of a field determines its column: ``str`` is TEXT, ``int`` BIGINT (money is nano-USD, a time is microseconds),
``bool`` SMALLINT; a type with ``None`` allows NULL. ``Annotated`` adds `SMALL`, `NULLABLE` or `References`.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from .conditions import Condition

Key = tuple[Any, ...]
"""The values of a row's primary key, in the order of its columns."""
SMALL: Final = "small"
"""Declares in ``Annotated[int, SMALL]`` that a column is SMALLINT instead of BIGINT."""
NULLABLE: Final = "nullable"
"""Declares in ``Annotated[str, NULLABLE]`` that a column allows NULL, although no row has NULL in it.

A column that was added to an existing table needs this, since SQLite cannot add a NOT NULL column without a default.
"""


@dataclass(slots=True, eq=False)
class Row:
    """Base class of the rows of all tables; its subclasses declare the tables, and an instance is one row.

    ``TABLE`` is the table's name, and ``KEY`` names the columns of its primary key. Rows are compared by identity,
    since a transaction has only one object for each stored row.
    """

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]


RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class References:
    """Declares in ``Annotated[str, References(SessionRow)]`` that a column has the id of a row of another table.

    ``kind`` is the class of that table's rows.
    """

    kind: type[Row]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, as derived from the type of its field.

    ``null`` is True if the column allows NULL, ``small`` if it is SMALLINT. ``references`` is the class of the rows
    whose primary key the column has, or None.
    """

    name: str
    kind: type
    """The Python type of the column's values: ``str``, ``int`` or ``bool``."""
    null: bool
    small: bool
    references: type[Row] | None


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table on some of its columns.

    With ``where`` it is a partial index, which has only the rows that meet all these conditions.
    """

    name: str
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    unique: bool = False


class Table:
    """The declaration of a table: its name, columns, primary key and indexes.

    ``hints`` returns the types of the columns by their names. It is called only when the columns are first used.
    """

    def __init__(
        self,
        name: str,
        hints: Callable[[], Mapping[str, Any]],
        key: tuple[str, ...],
        *indexes: Index,
        without_rowid: bool = False,
    ) -> None:
        self.name = name
        self.key = key
        self.indexes = indexes
        self.without_rowid = without_rowid
        """Whether SQLite stores the table's rows in the index of the primary key (WITHOUT ROWID).

        SQLite then writes one page less for each row. This is for tables that nearly every request writes to.
        """
        self._hints = hints

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns, in order. They are derived when first used, since evaluating their types takes time."""
        return tuple(_column(name, hint) for name, hint in self._hints().items())


ROWS: Final[dict[type[Row], Table]] = {}
"""By class of rows, the declaration of its table. Each table comes after the tables that it refers to.

A transaction writes and locks rows in this order.
"""
columns: Final[dict[type[Row], tuple[str, ...]]] = {}
"""By class of rows, the names of its table's columns, in order."""
values_getter: Final[dict[type[Row], Callable[[Any], tuple[Any, ...]]]] = {}
"""By class of rows, a function that returns all values of a row, in the order of the columns."""
key_getter: Final[dict[type[Row], Callable[[Any], Key]]] = {}
"""By class of rows, a function that returns the primary key of a row."""


def table(
    name: str, *indexes: Index, key: tuple[str, ...] = ("id",), without_rowid: bool = False
) -> Callable[[type[RowT]], type[RowT]]:
    """Return a class decorator that declares a dataclass as the class of the rows of the table ``name``.

    ``key`` names the columns of the primary key. The other arguments are those of `Table`.
    """

    def declare(kind: type[RowT]) -> type[RowT]:
        names = columns[kind] = tuple(field.name for field in fields(kind))
        kind.TABLE, kind.KEY = name, key
        ROWS[kind] = Table(name, lambda: _hints(kind, names), key, *indexes, without_rowid=without_rowid)
        values_getter[kind] = attrgetter(*names)
        # Unlike operator.attrgetter, this function returns a tuple for a single column too.
        key_getter[kind] = eval(f"lambda row: ({' '.join(f'row.{name},' for name in key)})")  # noqa: S307 - of our own names
        return kind

    return declare


def key_of(row: Row) -> Key:
    """Return the row's primary key."""
    return key_getter[type(row)](row)


def _hints(kind: type[Row], names: tuple[str, ...]) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: hints[name] for name in names}


def _column(name: str, hint: Any) -> Column:
    extras: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        extras = tuple(rest)
    null = NULLABLE in extras
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (member for member in get_args(hint) if member is not type(None))
        null = True
    references = next((extra.kind for extra in extras if isinstance(extra, References)), None)
    # Every other type is stored as text.
    kind = hint if hint in (int, bool) else str
    return Column(name, kind, null, kind is bool or SMALL in extras, references)
