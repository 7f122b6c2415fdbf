"""Declarations of tables: each is a dataclass of rows, whose fields are the columns in the table's order.

All other parts are derived from these declarations: the database's tables (`schema`), the statements on them
(`sql.statements`), the dictionaries of the ledger in memory, and the types of values that a verification accepts. The
type of a field determines its column: ``str`` is TEXT, ``int`` BIGINT (money is nano-USD, a time is microseconds),
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
"""The values of a row's primary key."""
SMALL: Final = "small"
"""Declares that an ``int`` is stored as SMALLINT."""
NULLABLE: Final = "nullable"
"""Declares that a column allows NULL, though no row has NULL in it: SQLite cannot add a NOT NULL column without a
default to an existing table."""


@dataclass(slots=True, eq=False)
class Row:
    """A row of a table. Rows are compared by identity: a transaction has one object for each stored row."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]


RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class References:
    """Declares that a column holds the primary key of a row of another table."""

    kind: type[Row]


@dataclass(frozen=True, slots=True)
class Column:
    """A column, as the type of its field declares it."""

    name: str
    kind: type
    """``str``, ``int`` or ``bool``."""
    null: bool
    small: bool
    references: type[Row] | None


@dataclass(frozen=True, slots=True)
class Index:
    """An index on columns of the rows that meet all conditions in ``where``."""

    name: str
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    unique: bool = False


class Table:
    """The declaration of a table: its columns, primary key and indexes."""

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
        """Whether SQLite stores the rows in the index of the primary key (WITHOUT ROWID), so that it writes one page
        less for each row: for small tables that nearly every request writes to."""
        self._hints = hints

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in order. Evaluating the types takes time, so it is done only when the columns are used."""
        return tuple(_column(name, hint) for name, hint in self._hints().items())


ROWS: Final[dict[type[Row], Table]] = {}
"""The table of each class of rows, each after the tables that it refers to; rows are written and locked in this order.
"""
columns: Final[dict[type[Row], tuple[str, ...]]] = {}
"""The names of the columns of each class of rows."""
values_getter: Final[dict[type[Row], Callable[[Any], tuple[Any, ...]]]] = {}
"""For each class of rows, a function that returns all values of a row."""
key_getter: Final[dict[type[Row], Callable[[Any], Key]]] = {}
"""For each class of rows, a function that returns the primary key of a row."""


def table(
    name: str, *indexes: Index, key: tuple[str, ...] = ("id",), without_rowid: bool = False
) -> Callable[[type[RowT]], type[RowT]]:
    """Declare that a dataclass is the row class of the table ``name``; see `Table` for the other arguments."""

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
