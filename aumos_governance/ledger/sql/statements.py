"""The SQL statements that load and write rows, for SQLite or PostgreSQL.

SQLAlchemy compiles each statement to text only once, because compiling it for each request would take longer than the
commit. The text is executed on the driver's own connection.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Select,
    and_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.sql import ClauseElement

from ..rules.chain import AUDIT_COLUMNS
from ..transaction import schema
from ..transaction.conditions import has
from ..transaction.rows import COUNTING, HELD, BalanceRow, ChainRow, EnvelopeRow, NotebookRow, ResponseRow, SessionRow
from ..transaction.selections import DUE_APPROVALS, DUE_HOLDS, Selection
from ..transaction.tables import ROWS, Row, columns
from .selections import condition_on, of_server, statement

NO_OFFSET: Final[ColumnElement[int]] = literal_column("0")
"""The OFFSET of every statement with a LIMIT. Without it, SQLAlchemy would add a parameter for the offset on SQLite."""


PREFETCHED: Final[tuple[type[Row], ...]] = (NotebookRow, SessionRow, EnvelopeRow, BalanceRow, ChainRow)
"""The classes of the rows that almost every request about a notebook needs; on SQLite, one statement loads them all."""


class Statement(NamedTuple):
    """An SQL statement that inserts or updates one row."""

    text: str
    values: Callable[[Any], tuple[Any, ...]]
    """A function that returns the statement's parameters for a row."""
    answer: int | None
    """The index of the parameter that has a response, and must be encoded as text. None unless the rows are stored
    responses."""


def compile_text(statement: ClauseElement, dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """Return the SQL text of a statement in a dialect, and the names of its parameters in the order of passing them."""
    compiled = statement.compile(dialect=dialect)
    values = {name: value for name, value in compiled.params.items() if value is not None}
    assert not values, f"a constant became a parameter: {values}; use literal_column"
    return str(compiled), tuple(getattr(compiled, "positiontup", None) or ())


class Statements:
    """The texts of all statements of a ledger in one SQL dialect, which must have positional parameters.

    Each attribute is a text or a `Statement`, or has one of them for each class of rows.
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.load: Final = {kind: self._load(kind) for kind in ROWS}
        """By class of rows: the SELECT of one row; the parameters are the values of its primary key."""
        self.lock: Final = {kind: self._lock(kind) for kind in ROWS} if dialect.name == "postgresql" else {}
        """By class of rows: the SELECT that locks rows, in the order of their keys, and reads them. The parameters are
        one list of values for each column of the primary key. Empty for SQLite, which locks the whole file."""
        self._selected: dict[Selection[Any], str] = {}
        self.insert: Final = {kind: self._insert(kind) for kind in ROWS}
        self.update: Final = {kind: self._update(kind) for kind in ROWS}
        self.touch_notebook: Final = self._update(NotebookRow, but=("owner", "root", "path", "file", "deleted_at"))
        """The UPDATE of a notebook whose file is unchanged. It leaves out indexed columns, to save writes to their
        indexes."""
        self.append = self._text(insert(schema.audit).values({name: bindparam(name) for name in AUDIT_COLUMNS}))
        """The INSERT of an audit record; the parameters are its values in the order of `AUDIT_COLUMNS`."""

        notebooks = schema.tables["notebooks"].c
        owner, file = notebooks.owner == bindparam("owner"), notebooks.file
        whole = select(schema.tables["notebooks"])
        live = notebooks.deleted_at.is_(None)
        self.notebook_at = self._text(whole.where(owner, file == bindparam("file"), live))
        self.notebooks_under = self._text(
            whole.where(
                owner,
                or_(file == bindparam("file"), and_(file >= bindparam("first"), file <= bindparam("last"))),
                live,
            ).order_by(file)
        )
        self.last_seq = self._text(
            select(func.coalesce(func.max(notebooks.seq), literal_column("0"))).where(
                owner, file == bindparam("file"), notebooks.deleted_at.is_not(None)
            )
        )
        self.park_notebook = self._text(
            update(schema.tables["notebooks"])
            .values(deleted_at=literal_column("0"))
            .where(notebooks.id == bindparam("b_id"))
        )
        """The UPDATE that marks a notebook as deleted for a moment, so that another notebook can take its file in the
        same transaction."""

        self.due = self._text(select(literal_column("1")).where(or_(_any(DUE_HOLDS), _any(DUE_APPROVALS))))
        """The SELECT of one row if any hold or approval has expired at a time, which is passed as both parameters."""

        self.open_holds = self._text(_open_holds())
        """The SELECT of the two figures of `Store.open_holds`; the parameters are the time and the envelope's id."""

        asks = schema.tables["asks"]
        self.responses = self._text(
            select(asks).where(asks.c.scope == bindparam("scope"), asks.c.key.in_(self._listed()))
        )
        """The SELECT of stored responses; the parameters are the requests' scope, and their keys as a JSON list."""
        oldest = (
            select(asks.c.scope, asks.c.key)
            .where(asks.c.at < bindparam("before"))
            .limit(bindparam("most"))
            .offset(NO_OFFSET)
            .with_for_update(skip_locked=True)
        )
        self.purge_responses = self._text(delete(asks).where(tuple_(asks.c.scope, asks.c.key).in_(oldest)))
        """The DELETE of old responses; the parameters are the time before which they were stored, and how many to
        delete at most."""

        sessions, envelopes, balances = (schema.tables[name] for name in ("sessions", "envelopes", "balances"))
        states = (
            select(schema.tables["notebooks"], sessions, envelopes, balances.c.spent, balances.c.held)
            .outerjoin(sessions, sessions.c.id == notebooks.session_id)
            .outerjoin(envelopes, envelopes.c.id == sessions.c.envelope_id)
            .outerjoin(balances, balances.c.envelope_id == envelopes.c.id)
            .where(live)
        )
        prefetched = (
            select(schema.tables["notebooks"], *(schema.tables[kind.TABLE] for kind in PREFETCHED[1:]))
            .outerjoin(sessions, sessions.c.id == notebooks.session_id)
            .outerjoin(envelopes, envelopes.c.id == sessions.c.envelope_id)
            .outerjoin(
                balances,
                and_(balances.c.envelope_id == envelopes.c.id, balances.c.period_start == literal_column("0")),
            )
            .outerjoin(schema.tables["chains"], schema.tables["chains"].c.chain == sessions.c.id)
        )
        self.notebook_prefetching = self._text(prefetched.where(owner, live, file == bindparam("file")))
        """The SELECT of the same notebook as `notebook_at`, with its newest session, and with the envelope, balance and
        chain of this session."""
        self.state_at = self._text(states.where(owner, file == bindparam("file")))
        self.list_states = self._text(
            states.where(of_server(), file > bindparam("after"), notebooks.session_id.is_not(None))
            .order_by(file)
            .limit(bindparam("limit"))
            .offset(NO_OFFSET)
        )

    def select(self, selection: Selection[Any]) -> str:
        """Return the text of the SELECT for a selection, compiled at its first use."""
        text = self._selected.get(selection)
        if text is None:
            text = self._selected[selection] = self._text(statement(selection))
        return text

    def _listed(self) -> Select[Any]:
        keys: ColumnElement[Any] = bindparam("keys")
        if self.dialect.name == "postgresql":
            return select(func.jsonb_array_elements_text(cast(keys, JSONB)))
        return select(func.json_each(keys).table_valued("value").c.value)

    def _load(self, kind: type[Row]) -> str:
        table = schema.tables[kind.TABLE]
        by_key = [table.c[name] == bindparam(name) for name in kind.KEY]
        return self._text(select(table).where(*by_key))

    def _lock(self, kind: type[Row]) -> str:
        table = schema.tables[kind.TABLE]
        columns = [table.c[name] for name in kind.KEY]
        lists = (bindparam(column.name, type_=ARRAY(column.type)) for column in columns)
        wanted = func.unnest(*lists).table_valued(*kind.KEY, name="wanted").render_derived()
        same = and_(*(column == wanted.c[column.name] for column in columns))
        return self._text(select(table).join(wanted, same).order_by(*columns).with_for_update(of=table))

    def _insert(self, kind: type[Row]) -> Statement:
        table = schema.tables[kind.TABLE]
        return self._statement(kind, insert(table).values({name: bindparam(name) for name in columns[kind]}))

    def _update(self, kind: type[Row], but: tuple[str, ...] = ()) -> Statement:
        table = schema.tables[kind.TABLE]
        rest = [name for name in columns[kind] if name not in kind.KEY + but]
        return self._statement(
            kind,
            update(table)
            .values({name: bindparam(f"b_{name}") for name in rest})
            .where(*(table.c[name] == bindparam(f"b_{name}") for name in kind.KEY)),
        )

    def _text(self, statement: ClauseElement) -> str:
        return compile_text(statement, self.dialect)[0]

    def _statement(self, kind: type[Row], statement: ClauseElement) -> Statement:
        text, names = compile_text(statement, self.dialect)
        plain = [name.removeprefix("b_") for name in names]
        return Statement(text, attrgetter(*plain), plain.index("answer") if kind is ResponseRow else None)


def _any(selection: Selection[Any]) -> ColumnElement[bool]:
    table = schema.tables[selection.kind.TABLE]
    return exists().where(*(condition_on(table, condition) for condition in selection.where))


def _open_holds() -> Select[Any]:
    charges = schema.tables["charges"]
    held: ColumnElement[bool] = literal_column(f"charges.state = '{HELD}'")
    live = and_(held, charges.c.amount > literal_column("0"))
    zero: ColumnElement[int] = literal_column("0")
    return select(
        func.coalesce(func.sum(case((live, literal_column("1")), else_=zero)), zero),
        func.coalesce(func.sum(case((held, zero), else_=charges.c.amount)), zero),
    ).where(
        condition_on(charges, COUNTING),
        charges.c.at >= bindparam("at", type_=charges.c.at.type),
        condition_on(charges, has("envelopes")),
    )
