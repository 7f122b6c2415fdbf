"""How a table is declared, once: a class of rows, whose fields are its columns in the table's order.

Of this declaration `schema` makes the tables for a database, `statements` the statements on them, the ledger in
memory its dictionaries, and a verification what a stored value may be. A field's type is its column's: ``str`` is TEXT,
``int`` BIGINT (money is nano-USD, a time is microseconds), ``bool`` SMALLINT; ``None`` in it allows NULL. What a type
does not say stands beside it in ``Annotated``.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from .conditions import Condition

__all__ = [
    "NULLABLE",
    "ROWS",
    "SMALL",
    "Column",
    "Index",
    "Key",
    "References",
    "Row",
    "RowT",
    "Table",
    "columns",
    "key_in",
    "key_of",
    "table",
    "values_of",
]

Key = tuple[Any, ...]
SMALL: Final = "small"
"""An ``int`` that is SMALLINT."""
NULLABLE: Final = "nullable"
"""A column that a database lets be NULL, though no row holds it so: SQLite adds no column that must be filled."""


@dataclass(slots=True, eq=False)
class Row:
    """A row of some table. Rows compare by identity: within a transaction there is one object for each."""

    TABLE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]


RowT = TypeVar("RowT", bound=Row)


@dataclass(frozen=True, slots=True)
class References:
    """The column holds the primary key of a row of another kind."""

    kind: type[Row]


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: type
    """``str``, ``int`` or ``bool``."""
    null: bool
    small: bool
    references: type[Row] | None


@dataclass(frozen=True, slots=True)
class Index:
    """An index on ``columns`` of the rows for which all of ``where`` holds."""

    name: str
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()
    unique: bool = False


class Table:
    """A table as it is declared."""

    def __init__(
        self,
        name: str,
        hints: Callable[[], Mapping[str, Any]],
        key: tuple[str, ...],
        *indexes: Index,
        in_key: bool = False,
    ) -> None:
        self.name = name
        self.key = key
        self.indexes = indexes
        self.in_key = in_key
        """Whether SQLite keeps the rows in the primary key, so that it has one page less to write for each: for small
        tables that nearly every request writes to."""
        self._hints = hints

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns, in order. Read late, since to read types takes time that not every process has to spend."""
        return tuple(_column(name, hint) for name, hint in self._hints().items())


ROWS: Final[dict[type[Row], Table]] = {}
"""All kinds of rows with their tables, each after those it refers to; rows are written and locked in this order."""
columns: Final[dict[type[Row], tuple[str, ...]]] = {}
"""By kind of row: the names of its columns."""
values_of: Final[dict[type[Row], Callable[[Any], tuple[Any, ...]]]] = {}
"""By kind of row: what gives all its values."""
key_in: Final[dict[type[Row], Callable[[Any], Key]]] = {}
"""By kind of row: what gives the primary key."""


def table(
    name: str, *indexes: Index, key: tuple[str, ...] = ("id",), in_key: bool = False
) -> Callable[[type[RowT]], type[RowT]]:
    """Declares that a dataclass is the rows of the table ``name``; see `Table`."""

    def declare(kind: type[RowT]) -> type[RowT]:
        names = columns[kind] = tuple(field.name for field in fields(kind))
        kind.TABLE, kind.KEY = name, key
        ROWS[kind] = Table(name, lambda: _hints(kind, names), key, *indexes, in_key=in_key)
        values_of[kind] = attrgetter(*names)
        # A tuple for a single column too, which no getter of the standard library gives.
        key_in[kind] = eval(f"lambda row: ({' '.join(f'row.{name},' for name in key)})")  # noqa: S307 - of our own names
        return kind

    return declare


def key_of(row: Row) -> Key:
    """The row's primary key."""
    return key_in[type(row)](row)


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
    # What has no type of its own is stored as text.
    kind = hint if hint in (int, bool) else str
    return Column(name, kind, null, kind is bool or SMALL in extras, references)
