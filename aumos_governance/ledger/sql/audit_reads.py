"""Pages of audit records from a database."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, and_, bindparam, func, literal_column, not_, or_, select, tuple_

from ...types import GovernanceOutcome
from .. import schema
from ..base import AuditPage, AuditQuery, NotebookKey
from ..chain import AUDIT_COLUMNS, LEDGER_CHAIN, entry
from ..content import check_text
from ..cursors import check_limit, read_cursor, write_cursor
from .statements import NO_OFFSET, compile_text
from .store import Cursor

__all__ = ["AuditReads"]

_COLUMNS: Final = schema.audit.c
_EQUAL: Final = ("agent_id", "outcome", "event", "tool", "action_type", "resource")
_TEXT: Final = ("tool", "agent_id", "actor", "notebook", "reasons", "detail", "action_type", "resource")
_AT, _CHAIN, _SEQ = (AUDIT_COLUMNS.index(name) for name in ("at", "chain", "seq"))

Compiled = tuple[str, tuple[str, ...]]


class AuditReads:
    """Builds each shape of query once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[tuple[object, ...], Compiled] = {}
        notebooks = schema.tables["notebooks"].c
        # The live notebook at a path, else the one deleted last.
        self._notebook_id = compile_text(
            select(notebooks.id)
            .where(*(notebooks[name] == bindparam(name) for name in ("owner", "root", "path")))
            .order_by(notebooks.deleted_at.is_not(None), notebooks.deleted_at.desc(), notebooks.id.desc())
            .limit(literal_column("1"))
            .offset(NO_OFFSET),
            dialect,
        )[0]

    def page(self, cursor: Cursor, query: AuditQuery) -> AuditPage:
        """One page; raises InvalidRequestError for a wrong limit or cursor."""
        check_limit(query.limit)
        values = self._values(cursor, query)
        statement, names = self._statement(query, frozenset(values))
        cursor.execute(statement, [values[name] for name in names])
        rows = cursor.fetchall()
        page = rows[: query.limit]
        more = None
        if len(rows) > len(page):
            last = page[-1]
            more = write_cursor(query, (last[_AT], last[_CHAIN], last[_SEQ]))
        return AuditPage(tuple(entry(row) for row in page), more)

    def _values(self, cursor: Cursor, query: AuditQuery) -> dict[str, Any]:
        values: dict[str, Any] = {"limit": query.limit + 1}
        for name in (*_EQUAL, "session_id", "since", "until", "text"):
            value = getattr(query, name)
            if value is not None:
                values[name] = value.value if isinstance(value, GovernanceOutcome) else value
                if isinstance(value, str):
                    check_text(value)
        if query.notebook is not None:
            values["notebook_id"] = self._id_of(cursor, query.notebook)
        position = read_cursor(query)
        if position is not None:
            values["at"], values["chain"], values["seq"] = position
        return values

    def _id_of(self, cursor: Cursor, key: NotebookKey) -> str:
        check_text(key.owner, key.root, key.path)
        cursor.execute(self._notebook_id, (key.owner, key.root, key.path))
        found = cursor.fetchone()
        # No id is empty, so nothing matches where there never was a notebook.
        return "" if found is None else str(found[0])

    def _statement(self, query: AuditQuery, given: frozenset[str]) -> Compiled:
        rare = query.outcome not in (None, GovernanceOutcome.ALLOW)
        shape = (given, query.oldest_first, rare)
        compiled = self._compiled.get(shape)
        if compiled is None:
            compiled = self._compiled[shape] = self._compile(given, query.oldest_first, rare)
        return compiled

    def _compile(self, given: frozenset[str], oldest_first: bool, rare: bool) -> Compiled:
        conditions: list[ColumnElement[bool]] = [
            _COLUMNS[name] == bindparam(name) for name in (*_EQUAL, "notebook_id") if name in given
        ]
        if rare:
            # Says in the index's own words that the partial index on outcomes will do.
            conditions.append(literal_column("outcome <> 'allow'"))
        if "since" in given:
            conditions.append(_COLUMNS.at >= bindparam("since"))
        if "until" in given:
            conditions.append(_COLUMNS.at < bindparam("until"))
        if "text" in given:
            conditions.append(or_(*(_contains(_COLUMNS[name]) for name in _TEXT)))
        if "session_id" in given:
            order = [_COLUMNS.seq]
            conditions.append(_COLUMNS.chain == bindparam("session_id"))
            if "seq" in given:
                after: ColumnElement[int] = bindparam("seq")
                conditions.append(_COLUMNS.seq > after if oldest_first else _COLUMNS.seq < after)
        else:
            order = [_COLUMNS.at, _COLUMNS.chain, _COLUMNS.seq]
            conditions.append(
                not_(and_(_COLUMNS.chain == literal_column(f"'{LEDGER_CHAIN}'"), _COLUMNS.event.in_(_DOUBLES)))
            )
            if "seq" in given:
                conditions.extend(_after(oldest_first))
        return compile_text(
            select(schema.audit)
            .where(*conditions)
            .order_by(*(column if oldest_first else column.desc() for column in order))
            .limit(bindparam("limit"))
            .offset(NO_OFFSET),
            self._dialect,
        )


_DOUBLES: Final[tuple[ColumnElement[str], ...]] = (literal_column("'open'"), literal_column("'close'"))
"""What the ledger-wide chain says as well as the sessions' own."""


def _after(oldest_first: bool) -> list[ColumnElement[bool]]:
    # The bound on the time alone lets the planner start at the right place of an index.
    place = tuple_(_COLUMNS.at, _COLUMNS.chain, _COLUMNS.seq)
    position = tuple_(bindparam("at"), bindparam("chain"), bindparam("seq"))
    if oldest_first:
        return [_COLUMNS.at >= bindparam("at"), place > position]
    return [_COLUMNS.at <= bindparam("at"), place < position]


def _contains(column: ColumnElement[str]) -> ColumnElement[bool]:
    # Not LIKE, whose wildcards the text may hold and whose case differs between databases.
    found: ColumnElement[bool] = func.instr(func.lower(column), func.lower(bindparam("text"))) > literal_column("0")
    return found
