"""The records and rows that a verification reads from a ledger in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from operator import itemgetter
from typing import Any

from ..proof.evidence import Scope
from ..proof.walk import ChainEnd
from ..rules import content
from ..rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN, AuditRow
from ..transaction.rows import ChainRow, ChargeRow, ResponseRow, SessionRow
from ..transaction.tables import Key, Row, columns, values_getter
from .store import MemoryStore

_AT, _RECORD = AUDIT_COLUMNS.index("at"), AUDIT_COLUMNS.index("record_id")
_NOT_COMPARED = (0, None, None, None, None, None)
"""The values after the columns of a session's record (see `evidence.PLAIN`). They say that nothing was compared."""
_NO_CHARGE = (None,) * len(columns[ChargeRow])


class MemoryEvidence:
    """The `Evidence` for one verification of a ledger in memory, from a copy of its tables.

    Unlike a database, it does not compare records with the rows of charges, so the verification applies rules to all
    records. ``scope`` says which sessions are verified.
    """

    def __init__(self, store: MemoryStore, scope: Scope) -> None:
        # Stored rows are replaced and never changed, so copies of the dictionaries are a snapshot.
        self._tables: dict[type[Row], dict[Key, Row]] = {kind: dict(rows) for kind, rows in store.tables.items()}
        self._chains = {name: tuple(rows) for name, rows in store.chains.items()}
        self._sessions = None if scope.under is None else store.sessions_of(*scope.under)
        self._scope = scope
        self._by_record: dict[tuple[int, str], AuditRow] | None = None

    def damage(self) -> list[str]:
        return []

    def salvaging(self) -> AbstractContextManager[None]:
        return nullcontext()

    def ends(self) -> Mapping[str, ChainEnd]:
        return {values[0]: ChainEnd(values[1], values[2]) for values in self.rows(ChainRow)}

    def ledger_records(self) -> Iterator[AuditRow]:
        return iter(self._chains[LEDGER_CHAIN])

    def session_records(self) -> Iterator[AuditRow]:
        for name, rows in self._chains.items():
            wanted = name == self._scope.session_id if self._scope.session_id is not None else name != LEDGER_CHAIN
            if wanted and (self._sessions is None or name in self._sessions):
                for row in rows:
                    yield (*row, *_NOT_COMPARED)

    def records_as_written(self) -> Iterator[AuditRow] | None:
        return None

    def records(self) -> Iterator[AuditRow]:
        return (row for rows in self._chains.values() for row in rows)

    def rows(self, kind: type[Row]) -> Iterator[tuple[Any, ...]]:
        return map(values_getter[kind], self._tables[kind].values())

    def find(self, kind: type[Row], *key: Any) -> tuple[Any, ...] | None:
        row = self._tables[kind].get(key)
        values: tuple[Any, ...] | None = None if row is None else values_getter[kind](row)
        return values

    def charge_counts(self) -> Iterable[tuple[str, int]]:
        session_id = columns[ChargeRow].index("session_id")
        return Counter(map(itemgetter(session_id), self.rows(ChargeRow))).items()

    def responses(self) -> Iterator[tuple[Any, ...]]:
        charge_id, response = columns[ResponseRow].index("charge_id"), columns[ResponseRow].index("answer")
        session_id, notebook_id = columns[ChargeRow].index("session_id"), columns[SessionRow].index("notebook_id")
        for values in self.rows(ResponseRow):
            charge = None if values[charge_id] is None else self.find(ChargeRow, values[charge_id])
            session = None if charge is None else self.find(SessionRow, charge[session_id])
            text = content.encode(values[response])
            stored = (*values[:response], text, *values[response + 1 :])
            yield (*stored, *(charge or _NO_CHARGE), None if session is None else session[notebook_id])

    def record_at(self, at: int, record_id: str) -> AuditRow | None:
        if self._by_record is None:
            self._by_record = {(row[_AT], row[_RECORD]): row for rows in self._chains.values() for row in rows}
        return self._by_record.get((at, record_id))
