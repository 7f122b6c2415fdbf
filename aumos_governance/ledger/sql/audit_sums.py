"""Queries for sums over audit records, for example the money spent by each tool, on a database."""

from __future__ import annotations

import sqlite3
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Select, func, select

from ...types import GovernanceOutcome
from ..contract.audit_facts import AuditSum
from ..contract.queries import AuditSums
from ..rules.sums import STRETCHES, check_by, stretch_name
from ..transaction import schema
from .audit_filters import FilterReads, conditions, constant, is_rare
from .store import Cursor

_COLUMNS: Final = schema.audit.c
_NAMES: Final[dict[str, ColumnElement[Any]]] = {
    "tool": _COLUMNS.tool,
    "agent": _COLUMNS.agent_id,
    # The number of whole stretches since the epoch; all records are later than that, so rounding is down.
    **{by: _COLUMNS.at.op("/")(constant(str(length))) for by, length in STRETCHES.items()},
}
_INDEXED: Final = {"tool": constant("(tool IS NOT NULL)"), "agent": constant("(agent_id IS NOT NULL)")}

_HALF, _REST = "32", str(2**32 - 1)
"""The bits to shift, and the mask, that divide an amount into two halves. SQLite raises an error if a sum exceeds 64
bits; then both halves are summed separately, which takes a third longer."""


class SumReads:
    """A reader of sums over audit records. It compiles the statement for a combination of filters only once.

    One statement counts records and sums up money, with an index that has just these columns. Another statement counts
    denials, with the index of the few records whose outcome is not ``allow``. One statement for both would take twice
    as long.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._filters = FilterReads(dialect)

    def sums(self, cursor: Cursor, query: AuditSums) -> tuple[AuditSum, ...]:
        """Return, for each tool, agent or period, the records, denials and money of the records that match the filters.

        ``query.by`` names the grouping, for example ``"tool"``. Raises InvalidRequestError for an unknown grouping.
        """
        check_by(query.by)
        values = self._filters.values(cursor, query)
        totals = self._rows(cursor, query, values, denied=False)
        denied: dict[Any, int] = {}
        if query.outcome in (None, GovernanceOutcome.DENY):
            only_denied = values | {"outcome": GovernanceOutcome.DENY.value}
            denied = {name: int(records) for name, records, *_ in self._rows(cursor, query, only_denied, denied=True)}
        return tuple(
            AuditSum(
                stretch_name(query.by, name) if query.by in STRETCHES else name,
                int(records),
                denied.get(name, 0),
                (int(high) << int(_HALF)) + int(low),
            )
            for name, records, high, low in totals
        )

    def _rows(self, cursor: Cursor, query: AuditSums, values: dict[str, Any], *, denied: bool) -> list[Any]:
        try:
            return self._read(cursor, query, values, denied=denied, halves=False)
        except sqlite3.Error as error:
            if "overflow" not in str(error):
                raise
            return self._read(cursor, query, values, denied=denied, halves=True)

    def _read(
        self, cursor: Cursor, query: AuditSums, values: dict[str, Any], *, denied: bool, halves: bool
    ) -> list[Any]:
        shape = (frozenset(values), query.by, denied or is_rare(query), halves)
        text, names = self._filters.compiled(shape, _sums)
        cursor.execute(text, [values[name] for name in names])
        found: list[Any] = cursor.fetchall()
        return found


def _sums(given: frozenset[str], by: str, rare: bool, halves: bool) -> Select[Any]:
    name = _NAMES[by]
    indexed = _INDEXED.get(by)
    # The ledger-wide copies of openings and closings have neither tool nor agent, so they need no condition.
    where = conditions(given, rare, doubles=indexed is not None)
    if indexed is not None:
        where.append(indexed)
    spent = _COLUMNS.spent_delta
    sums: tuple[ColumnElement[Any], ...] = (constant("0"), func.sum(spent))
    if halves:
        sums = (func.sum(spent.op(">>")(constant(_HALF))), func.sum(spent.op("&")(constant(_REST))))
    return select(name, func.count(), *sums).select_from(schema.audit).where(*where).group_by(name).order_by(name)
