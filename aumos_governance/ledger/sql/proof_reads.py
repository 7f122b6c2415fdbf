"""The records and rows that a verification reads from a database, all from one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from sqlalchemy import Dialect

from ..proof.evidence import Scope
from ..proof.walk import ChainEnd
from ..rules.chain import AuditRow
from ..transaction.tables import Row
from .database import Snapshot
from .proof_statements import ProofStatements
from .selections import scope as server_scope
from .statements import Statements


@lru_cache(maxsize=2)
def _compiled(name: str, dialect: Dialect) -> ProofStatements:
    return ProofStatements(dialect)


class SqlEvidence:
    """The `Evidence` for one verification of a ledger on SQLite or PostgreSQL.

    ``snapshot`` is read with the SQL of ``statements`` and `ProofStatements`. ``scope`` says which sessions are
    verified.
    """

    def __init__(self, snapshot: Snapshot, statements: Statements, scope: Scope) -> None:
        self._snapshot = snapshot
        self._loads = statements.load
        self._statements = _compiled(statements.dialect.name, statements.dialect)
        self._scope = scope

    def damage(self) -> list[str]:
        return self._snapshot.damage()

    def salvaging(self) -> AbstractContextManager[None]:
        return self._snapshot.salvaging()

    def ends(self) -> Mapping[str, ChainEnd]:
        with self._snapshot.salvaging():
            return {name: ChainEnd(count, head) for name, count, head in self._snapshot.stream(self._statements.ends)}

    def ledger_records(self) -> Iterator[AuditRow]:
        return self._snapshot.stream(self._statements.ledger)

    def session_records(self) -> Iterator[AuditRow]:
        if self._scope.session_id is not None:
            return self._snapshot.stream(self._statements.one, (self._scope.session_id,))
        if self._scope.under is not None:
            return self._snapshot.stream(self._statements.of_server, server_scope(*self._scope.under))
        return self._snapshot.stream(self._statements.others)

    def records_as_written(self) -> Iterator[AuditRow] | None:
        text = self._statements.as_written
        return None if text is None else self._snapshot.stream(text)

    def records(self) -> Iterator[AuditRow]:
        with self._snapshot.salvaging():
            yield from self._snapshot.stream(self._statements.records)

    def rows(self, kind: type[Row]) -> Iterator[tuple[Any, ...]]:
        # Rows with damaged values are read as well, since the verification checks each value.
        with self._snapshot.salvaging():
            yield from self._snapshot.stream(self._statements.rows[kind])

    def find(self, kind: type[Row], *key: Any) -> tuple[Any, ...] | None:
        with self._snapshot.salvaging():
            return self._snapshot.first(self._loads[kind], key)

    def charge_counts(self) -> Iterable[tuple[str, int]]:
        with self._snapshot.salvaging():
            return [(session_id, count) for session_id, count in self._snapshot.stream(self._statements.charge_counts)]

    def responses(self) -> Iterator[tuple[Any, ...]]:
        with self._snapshot.salvaging():
            yield from self._snapshot.stream(self._statements.responses)

    def record_at(self, at: int, record_id: str) -> AuditRow | None:
        return self._snapshot.first(self._statements.record_at, (at, record_id))
