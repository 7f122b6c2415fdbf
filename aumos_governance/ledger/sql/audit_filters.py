"""The filters of queries for audit records, such as a tool or a time, as SQL conditions with parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Integer, Select, and_, bindparam, func, literal_column, not_, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from ...types import GovernanceOutcome
from ..contract.facts import NotebookKey
from ..contract.queries import DECISIONS, AuditFilters
from ..rules.chain import LEDGER_CHAIN, NO_NOTEBOOK, NO_OUTCOME, check_text
from ..rules.files import file_of
from ..transaction import schema
from .selections import of_server, scope
from .statements import NO_OFFSET, compile_text
from .store import Cursor

_COLUMNS: Final = schema.audit.c
_NOTEBOOKS: Final = schema.tables["notebooks"].c
_ALIASES: Final = schema.tables["notebook_aliases"].c
_EQUAL: Final = ("agent_id", "outcome", "event", "tool", "action_type", "resource")
_TEXT: Final = ("tool", "agent_id", "actor", "notebook", "reasons", "detail", "action_type", "resource")


def constant(text: str) -> ColumnElement[Any]:
    """Return SQL text that becomes a part of the statement, for example ``"'open'"``, instead of a parameter.

    The query planner knows the values of constants, but not of parameters, when it chooses an index.
    """
    return literal_column(text)


_DOUBLES: Final = (constant("'open'"), constant("'close'"))
"""The events that have two records each, one in the ledger-wide chain and one in the session's chain. Queries return
only the record in the session's chain."""


Compiled = tuple[str, tuple[str, ...]]
"""The text of an SQL statement, and the names of its parameters in the order in which they must be passed."""


class FilterReads:
    """The statements for queries with filters, and the parameters for the filters of one query.

    The statement for a combination of filters is compiled once, at its first use.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[tuple[object, ...], Compiled] = {}
        notebooks = schema.tables["notebooks"].c
        # The live notebook with a file, or else the notebook that was deleted last.
        self._notebook_id = compile_text(
            select(notebooks.id)
            .where(*(notebooks[name] == bindparam(name) for name in ("owner", "file")))
            .order_by(notebooks.deleted_at.is_not(None), notebooks.deleted_at.desc(), notebooks.id.desc())
            .limit(constant("1"))
            .offset(NO_OFFSET),
            dialect,
        )[0]
        self._has_aliases = compile_text(
            select(_ALIASES.id).where(_ALIASES.notebook_id == bindparam("id")).limit(constant("1")).offset(NO_OFFSET),
            dialect,
        )[0]

    def compiled(self, shape: tuple[Any, ...], statement: Callable[..., Select[Any]]) -> Compiled:
        """Return the compiled statement for a combination of filters, from the cache if possible.

        ``shape`` identifies the combination; the statement is built with ``statement(*shape)``.
        """
        found = self._compiled.get(shape)
        if found is None:
            found = self._compiled[shape] = compile_text(statement(*shape), self._dialect)
        return found

    def values(self, cursor: Cursor, query: AuditFilters) -> dict[str, Any]:
        """Return the values of all filters that are set in ``query``, by the names of the statement's parameters.

        ``cursor`` is used to find the id of the notebook that the query names. Raises InvalidRequestError for text that
        cannot be stored.
        """
        values: dict[str, Any] = {}
        for name in (*_EQUAL, "session_id", "since", "until", "text"):
            value = getattr(query, name)
            if value is not None:
                values[name] = value.value if isinstance(value, GovernanceOutcome) else value
                if isinstance(value, str):
                    check_text(value)
        if query.notebook is not None:
            id = self._id_of(cursor, query.notebook)
            cursor.execute(self._has_aliases, (id,))
            values["notebook_id" if cursor.fetchone() is None else "any_notebook_id"] = id
        if query.decisions:
            values["decisions"] = True
        if query.under is not None:
            check_text(*query.under)
            names = ("owner", "root", "first", "last")
            values.update(zip(names, scope(*query.under), strict=True))
        return values

    def _id_of(self, cursor: Cursor, key: NotebookKey) -> str:
        check_text(key.owner, key.root, key.path)
        cursor.execute(self._notebook_id, (key.owner, file_of(key.root, key.path)))
        found = cursor.fetchone()
        # A path that never had a notebook matches no record, not even the records without a notebook.
        return NO_NOTEBOOK if found is None else str(found[0])


def is_rare(query: AuditFilters) -> bool:
    """Whether the query filters by an outcome other than ``allow``: then the partial index on outcomes can be used."""
    return query.outcome not in (None, GovernanceOutcome.ALLOW)


def conditions(given: frozenset[str], rare: bool, *, doubles: bool = False) -> list[ColumnElement[bool]]:
    """Return the SQL conditions on audit records for a query's filters.

    - ``given``: the names of the parameters of all filters that are set, from `FilterReads.values`.
    - ``rare``: the result of `is_rare`.
    - ``doubles``: include the records of opened and closed sessions in the ledger-wide chain, although the sessions'
      chains have such records as well.
    """
    found: list[ColumnElement[bool]] = [
        _COLUMNS[name] == bindparam(name) for name in (*_EQUAL, "notebook_id") if name in given
    ]
    if "any_notebook_id" in given:
        # The records of notebooks that were joined to this one still have the other notebooks' ids.
        this: ColumnElement[str] = bindparam("any_notebook_id")
        others = select(_ALIASES.id).where(_ALIASES.notebook_id == this)
        found.append(or_(_COLUMNS.notebook_id == this, _COLUMNS.notebook_id.in_(others)))
    if rare:
        # The same text as in the partial index on outcomes, so that the query planner can use that index.
        found.append(constant("outcome <> 'allow'"))
    if "outcome" in given and not rare:
        # Earlier versions recorded an approval request as allowed.
        found.append(_COLUMNS.event != constant("'ask'"))
    if "decisions" in given:
        found.append(_COLUMNS.event.in_([constant(f"'{event}'") for event in DECISIONS]))
        found.append(_COLUMNS.outcome != constant(f"'{NO_OUTCOME}'"))
    if "since" in given:
        found.append(_COLUMNS.at >= bindparam("since"))
    if "until" in given:
        found.append(_COLUMNS.at < bindparam("until"))
    if "owner" in given:
        # EXISTS, so that the query planner still reads the records in the order of pages, and looks up each notebook.
        ours = select(constant("1")).where(_NOTEBOOKS.id == _COLUMNS.notebook_id)
        ours = ours.where(of_server())
        found.append(ours.correlate(schema.audit).exists())
    if "text" in given:
        found.append(or_(*(_contains(_COLUMNS[name]) for name in _TEXT)))
    if "session_id" in given:
        found.append(_COLUMNS.chain == bindparam("session_id"))
    elif not doubles:
        found.append(not_(and_(_COLUMNS.chain == constant(f"'{LEDGER_CHAIN}'"), _COLUMNS.event.in_(_DOUBLES))))
    return found


def _contains(column: ColumnElement[str]) -> ColumnElement[bool]:
    # Not LIKE: the text may contain its wildcards, and databases differ in whether it distinguishes case.
    # The parameter has the column's type, so that both are lowered by the column's collation, which changes only ASCII.
    return _Position(func.lower(column), func.lower(bindparam("text", type_=column.type))) > constant("0")


class _Position(FunctionElement[int]):
    """An SQL function: the position of its second text in the first, counted from 1, or 0 if it is not in the first.

    It is ``instr`` in SQLite and ``strpos`` in PostgreSQL.
    """

    type = Integer()
    inherit_cache = True


@compiles(_Position)
def _instr(position: _Position, compiler: SQLCompiler, **options: Any) -> str:
    return f"instr({compiler.process(position.clauses, **options)})"


@compiles(_Position, "postgresql")
def _strpos(position: _Position, compiler: SQLCompiler, **options: Any) -> str:
    return f"strpos({compiler.process(position.clauses, **options)})"
