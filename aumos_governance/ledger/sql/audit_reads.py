"""Pages of audit records from a database."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from ...types import GovernanceOutcome
from .. import schema
from ..base import AuditFilters, AuditPage, AuditQuery, AuditSum, AuditSums, CountAudit, NotebookKey
from ..chain import AUDIT_COLUMNS, LEDGER_CHAIN, entry
from ..content import check_text
from ..cursors import check_limit, read_cursor, write_cursor
from ..sums import DAY, check_by, day_name
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

    def count(self, cursor: Cursor, query: CountAudit) -> int:
        """How many records match."""
        return int(self._summed(cursor, query, None)[0][0])

    def sums(self, cursor: Cursor, query: AuditSums) -> tuple[AuditSum, ...]:
        """Sums by tool, agent or day; raises InvalidRequestError for anything else."""
        check_by(query.by)
        name = day_name if query.by == "day" else (lambda found: found)
        rows = self._summed(cursor, query, query.by)
        sums = [AuditSum(name(found), records, int(denied), int(spent)) for found, records, denied, spent in rows]
        # Databases do not agree on where a missing name comes.
        return tuple(sorted(sums, key=lambda found: (found.name is not None, found.name or "")))

    def _summed(self, cursor: Cursor, query: AuditFilters, by: str | None) -> list[Any]:
        values = self._filters(cursor, query)
        shape = (frozenset(values), by, _is_rare(query))
        compiled = self._compiled.get(shape)
        if compiled is None:
            compiled = self._compiled[shape] = self._compile_sums(frozenset(values), _is_rare(query), by)
        cursor.execute(compiled[0], [values[name] for name in compiled[1]])
        found: list[Any] = cursor.fetchall()
        return found

    def _values(self, cursor: Cursor, query: AuditQuery) -> dict[str, Any]:
        values = self._filters(cursor, query) | {"limit": query.limit + 1}
        position = read_cursor(query)
        if position is not None:
            values["at"], values["chain"], values["seq"] = position
        return values

    def _filters(self, cursor: Cursor, query: AuditFilters) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in (*_EQUAL, "session_id", "since", "until", "text"):
            value = getattr(query, name)
            if value is not None:
                values[name] = value.value if isinstance(value, GovernanceOutcome) else value
                if isinstance(value, str):
                    check_text(value)
        if query.notebook is not None:
            values["notebook_id"] = self._id_of(cursor, query.notebook)
        return values

    def _id_of(self, cursor: Cursor, key: NotebookKey) -> str:
        check_text(key.owner, key.root, key.path)
        cursor.execute(self._notebook_id, (key.owner, key.root, key.path))
        found = cursor.fetchone()
        # No id is empty, so nothing matches where there never was a notebook.
        return "" if found is None else str(found[0])

    def _statement(self, query: AuditQuery, given: frozenset[str]) -> Compiled:
        rare = _is_rare(query)
        shape = (given, query.oldest_first, rare)
        compiled = self._compiled.get(shape)
        if compiled is None:
            compiled = self._compiled[shape] = self._compile(given, query.oldest_first, rare)
        return compiled

    def _compile(self, given: frozenset[str], oldest_first: bool, rare: bool) -> Compiled:
        conditions = _conditions(given, rare)
        if "session_id" in given:
            order = [_COLUMNS.seq]
            if "seq" in given:
                after: ColumnElement[int] = bindparam("seq")
                conditions.append(_COLUMNS.seq > after if oldest_first else _COLUMNS.seq < after)
        else:
            order = [_COLUMNS.at, _COLUMNS.chain, _COLUMNS.seq]
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

    def _compile_sums(self, given: frozenset[str], rare: bool, by: str | None) -> Compiled:
        total = func.count().label("records")
        statement: Select[Any] = select(total)
        if by is not None:
            name = _NAMES[by]
            denied = func.sum(case((_COLUMNS.outcome == _said("'deny'"), _said("1")), else_=_said("0")))
            statement = select(name, total, denied, func.sum(_COLUMNS.spent_delta)).group_by(name).order_by(name)
        return compile_text(statement.select_from(schema.audit).where(*_conditions(given, rare)), self._dialect)


def _is_rare(query: AuditFilters) -> bool:
    return query.outcome not in (None, GovernanceOutcome.ALLOW)


def _said(text: str) -> ColumnElement[Any]:
    return literal_column(text)


_NAMES: Final[dict[str, ColumnElement[Any]]] = {
    "tool": _COLUMNS.tool,
    "agent": _COLUMNS.agent_id,
    # Whole days since the epoch: all the records' times are after it.
    "day": _COLUMNS.at.op("/")(_said(str(DAY))),
}


def _conditions(given: frozenset[str], rare: bool) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        _COLUMNS[name] == bindparam(name) for name in (*_EQUAL, "notebook_id") if name in given
    ]
    if rare:
        # Says in the index's own words that the partial index on outcomes will do.
        conditions.append(_said("outcome <> 'allow'"))
    if "since" in given:
        conditions.append(_COLUMNS.at >= bindparam("since"))
    if "until" in given:
        conditions.append(_COLUMNS.at < bindparam("until"))
    if "text" in given:
        conditions.append(or_(*(_contains(_COLUMNS[name]) for name in _TEXT)))
    if "session_id" in given:
        conditions.append(_COLUMNS.chain == bindparam("session_id"))
    else:
        conditions.append(not_(and_(_COLUMNS.chain == _said(f"'{LEDGER_CHAIN}'"), _COLUMNS.event.in_(_DOUBLES))))
    return conditions


_DOUBLES: Final[tuple[ColumnElement[str], ...]] = (_said("'open'"), _said("'close'"))
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
    # The parameter has the column's type, so that both are lowered by the same rule, which is that of ASCII.
    return _Place(func.lower(column), func.lower(bindparam("text", type_=column.type))) > _said("0")


class _Place(FunctionElement[int]):
    """Where the second text is in the first: 1 for its start, 0 for nowhere."""

    type = Integer()
    inherit_cache = True


@compiles(_Place)
def _instr(place: _Place, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(place.clauses, **options)})"


@compiles(_Place, "postgresql")
def _strpos(place: _Place, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(place.clauses, **options)})"
