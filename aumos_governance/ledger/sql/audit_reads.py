"""Queries that read pages of audit records from a database, or count the records."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Select, bindparam, func, select, tuple_

from ..contract.audit_facts import AuditPage
from ..contract.queries import AuditQuery, CountAudit
from ..rules.chain import AUDIT_COLUMNS, entry
from ..rules.cursors import check_limit, read_cursor, write_cursor
from ..transaction import schema
from .audit_filters import FilterReads, conditions, is_rare
from .statements import NO_OFFSET
from .store import Cursor

_COLUMNS: Final = schema.audit.c
_AT, _CHAIN, _SEQ = (AUDIT_COLUMNS.index(name) for name in ("at", "chain", "seq"))


class AuditReads:
    """A reader of audit records from one database. It compiles the statement for a combination of filters only once."""

    def __init__(self, dialect: Dialect) -> None:
        self._filters = FilterReads(dialect)

    def page(self, cursor: Cursor, query: AuditQuery) -> AuditPage:
        """Return one page of the records that match the query's filters.

        ``query.cursor``, from the page before, says where the page begins; the argument ``cursor`` is the database
        driver's. Raises InvalidRequestError for a wrong limit or cursor of the query.
        """
        check_limit(query.limit)
        values = self._values(cursor, query)
        shape = (frozenset(values), is_rare(query), query.oldest_first)
        text, names = self._filters.compiled(shape, _page)
        cursor.execute(text, [values[name] for name in names])
        rows = cursor.fetchall()
        page = rows[: query.limit]
        more = None
        if len(rows) > len(page):
            last = page[-1]
            more = write_cursor(query, (last[_AT], last[_CHAIN], last[_SEQ]))
        return AuditPage(tuple(entry(row) for row in page), more)

    def count(self, cursor: Cursor, query: CountAudit) -> int:
        """Return how many audit records match the query's filters."""
        values = self._filters.values(cursor, query)
        text, names = self._filters.compiled((frozenset(values), is_rare(query)), _count)
        cursor.execute(text, [values[name] for name in names])
        return int(cursor.fetchone()[0])

    def _values(self, cursor: Cursor, query: AuditQuery) -> dict[str, Any]:
        values = self._filters.values(cursor, query) | {"limit": query.limit + 1}
        position = read_cursor(query)
        if position is not None:
            values["at"], values["chain"], values["seq"] = position
        return values


def _count(given: frozenset[str], rare: bool) -> Select[Any]:
    return select(func.count()).select_from(schema.audit).where(*conditions(given, rare))


def _page(given: frozenset[str], rare: bool, oldest_first: bool) -> Select[Any]:
    where = conditions(given, rare)
    if "session_id" in given:
        order = [_COLUMNS.seq]
        if "seq" in given:
            after: ColumnElement[int] = bindparam("seq")
            where.append(_COLUMNS.seq > after if oldest_first else _COLUMNS.seq < after)
    else:
        order = [_COLUMNS.at, _COLUMNS.chain, _COLUMNS.seq]
        if "seq" in given:
            where.extend(_after(oldest_first))
    ordered = (column if oldest_first else column.desc() for column in order)
    return select(schema.audit).where(*where).order_by(*ordered).limit(bindparam("limit")).offset(NO_OFFSET)


def _after(oldest_first: bool) -> list[ColumnElement[bool]]:
    # The separate bound on the time lets the query planner start at the right position in an index.
    place = tuple_(_COLUMNS.at, _COLUMNS.chain, _COLUMNS.seq)
    position = tuple_(bindparam("at"), bindparam("chain"), bindparam("seq"))
    if oldest_first:
        return [_COLUMNS.at >= bindparam("at"), place > position]
    return [_COLUMNS.at <= bindparam("at"), place < position]
