"""The SQL statements that a verification uses to read a ledger on a database."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Select, and_, bindparam, case, func, literal_column, or_, select
from sqlalchemy.sql import ClauseElement

from ..proof.evidence import HELD_PLAINLY, SETTLED_PLAINLY, SPENT_PLAINLY
from ..transaction import schema
from ..transaction.tables import ROWS, Row
from .audit_filters import constant
from .selections import of_server
from .statements import compile_text

_audit, _charges, _sessions = schema.audit, schema.tables["charges"], schema.tables["sessions"]


class ProofStatements:
    """The texts of all statements of verifications, compiled for the SQL dialect of SQLite or PostgreSQL."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        a, sessions, notebooks = _audit.c, _sessions.c, schema.tables["notebooks"].c
        others = a.chain != constant("'ledger'")
        chains = schema.tables["chains"].c
        self.ends = self._text(select(chains.chain, chains.count, chains.head))
        self.ledger = self._text(select(_audit).where(a.chain == constant("'ledger'")).order_by(a.seq))
        self.records = self._text(select(_audit))
        joined = _joined(dialect)
        by_seq = joined.order_by(a.chain, a.seq)
        self.one = self._text(by_seq.where(a.chain == bindparam("chain")))
        self.others = self._text(by_seq.where(others))
        own = (
            select(sessions.id)
            .join(schema.tables["notebooks"], notebooks.id == sessions.notebook_id)
            .where(of_server())
        )
        self.of_server = self._text(by_seq.where(a.chain.in_(own)))
        self.as_written = (
            self._text(joined.where(others).order_by(literal_column("audit.rowid")))
            if dialect.name == "sqlite"
            else None
        )
        """The SELECT of the same records as `others`, in the order in which they were written; None for PostgreSQL,
        which does not know that order."""
        self.rows: Final = {kind: self._text(_all(kind)) for kind in ROWS}
        self.charge_counts = self._text(select(_charges.c.session_id, func.count()).group_by(_charges.c.session_id))
        asks = schema.tables["asks"]
        self.responses = self._text(
            select(asks, _charges, sessions.notebook_id)
            .outerjoin(_charges, _charges.c.id == asks.c.charge_id)
            .outerjoin(_sessions, sessions.id == _charges.c.session_id)
        )
        self.record_at = self._text(
            select(_audit).where(a.at == bindparam("at"), a.record_id == bindparam("record_id"))
        )

    def _text(self, statement: ClauseElement) -> str:
        return compile_text(statement, self._dialect)[0]


def _all(kind: type[Row]) -> Select[Any]:
    table = schema.tables[kind.TABLE]
    return select(table).order_by(*(table.c[name] for name in kind.KEY))


def _joined(dialect: Dialect) -> Select[Any]:
    """Return a SELECT of audit records, each with the result of a comparison with its charge, and values of the charge.

    The database compares a record with the row of its charge, unless the charge has special terms, such as an expiry.
    `evidence.PLAIN` and its next three constants describe the values after a record's columns.
    """
    a, c = _audit.c, _charges.c
    plain = case(
        (and_(a.event == constant("'spend'"), _is_spent()), constant(str(SPENT_PLAINLY))),
        (and_(a.event == constant("'hold'"), _is_held()), constant(str(HELD_PLAINLY))),
        (
            and_(a.event.in_((constant("'settle'"), constant("'release'"))), _is_settled()),
            constant(str(SETTLED_PLAINLY)),
        ),
        else_=constant("0"),
    )
    texts = (c.scope, c.incarnation, c.envelopes, c.category)
    if dialect.name == "sqlite":
        # A column of SQLite may contain a value of another type.
        plain = case((or_(*(func.typeof(text) == constant("'blob'") for text in texts)), constant("0")), else_=plain)
    # The last two columns are selected so that invalid text in them raises an error, which ends the quick attempt.
    return select(_audit, plain, c.envelopes, c.at, c.category, *texts[:2]).outerjoin(_charges, c.id == a.charge_id)


def _same() -> tuple[ColumnElement[bool], ...]:
    a, c = _audit.c, _charges.c
    return (
        c.session_id == a.chain,
        c.amount == a.amount,
        c.at == a.at,
        c.corrected == constant("0"),
        c.until.is_(None),
        c.tool == a.tool,
        c.agent_id.is_not_distinct_from(a.agent_id),
    )


def _is_spent() -> ColumnElement[bool]:
    a, c = _audit.c, _charges.c
    as_made = (c.state == constant("'spent'"), c.spent == a.spent_delta, c.spent == a.amount)
    return and_(*_same(), *as_made, c.resolved_at.is_(None), c.resolved_by.is_(None))


def _is_held() -> ColumnElement[bool]:
    a, c = _audit.c, _charges.c
    return and_(*_same(), c.amount == a.held_delta, c.state.in_((constant("'settled'"), constant("'released'"))))


def _is_settled() -> ColumnElement[bool]:
    a, c = _audit.c, _charges.c
    ended = or_(
        and_(a.event == constant("'settle'"), c.state == constant("'settled'")),
        and_(a.event == constant("'release'"), c.state == constant("'released'")),
    )
    figures = (c.spent == a.spent_delta, c.amount == -a.held_delta, c.corrected == constant("0"))
    return and_(c.session_id == a.chain, ended, *figures, c.resolved_at == a.at, c.resolved_by == a.actor)
