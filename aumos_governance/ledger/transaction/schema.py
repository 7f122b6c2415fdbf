"""The ledger's tables for SQLite and PostgreSQL, as SQLAlchemy ``Table`` objects made from the declarations in `rows`.

JSON is stored as TEXT in its canonical form, since it is hashed. Both databases sort text by code point, so that a
range of notebooks' paths has the same rows in both.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, SmallInteger, Table, Text, text

from . import rows
from . import tables as declared

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "ix": "%(table_name)s_%(column_0_name)s",
    }
)

_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")


def _column(column: declared.Column, key: tuple[str, ...]) -> Column[Any]:
    kind = _TEXT if column.kind is str else SmallInteger() if column.small else BigInteger()
    foreign = () if column.references is None else (ForeignKey(f"{column.references.TABLE}.id"),)
    return Column(
        column.name, kind, *foreign, nullable=column.null, primary_key=column.name in key, autoincrement=False
    )


def _table(declaration: declared.Table) -> Table:
    made = Table(
        declaration.name,
        metadata,
        *(_column(column, declaration.key) for column in declaration.columns),
        sqlite_with_rowid=not declaration.without_rowid,
    )
    for index in declaration.indexes:
        where = text(" AND ".join(condition.text() for condition in index.where)) if index.where else None
        columns = (made.c[name] for name in index.columns)
        Index(index.name, *columns, unique=index.unique, sqlite_where=where, postgresql_where=where)
    return made


for _declaration in (*declared.ROWS.values(), rows.AUDIT):
    _table(_declaration)

tables: Final = {table.name: table for table in metadata.sorted_tables}
audit: Final = tables[rows.AUDIT.name]
