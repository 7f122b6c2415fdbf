"""A table that the database cannot read is one finding, and everything else is verified all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aumos_governance.ledger.contract.audit_facts import VerifyResult
from aumos_governance.ledger.memory.proof_reads import MemoryEvidence
from aumos_governance.ledger.proof.damage import DAMAGED, UnreadableError
from aumos_governance.ledger.proof.evidence import Scope
from aumos_governance.ledger.proof.verification import verify
from aumos_governance.ledger.rules.chain import AuditRow
from aumos_governance.ledger.transaction.rows import ChainRow, ChargeRow, NotebookRow, ResponseRow, SessionRow
from aumos_governance.ledger.transaction.tables import ROWS, Row
from tests.ledger.rich import rich_in_memory

NEEDED = (ChainRow, NotebookRow, SessionRow, ChargeRow)
"""Without these tables, no record can be compared with a row."""


@pytest.fixture(scope="module")
def ledger() -> Iterator[Any]:
    with rich_in_memory() as made:
        yield made


class Unreadable(MemoryEvidence):
    """The evidence of a ledger; one of its tables cannot be read after the first row, or its audit records cannot."""

    table: str
    responses_too = False

    def rows(self, kind: type[Row]) -> Iterator[tuple[Any, ...]]:
        return _broken(super().rows(kind)) if self.table == kind.TABLE else super().rows(kind)

    def records(self) -> Iterator[AuditRow]:
        return _broken(super().records()) if self.table == "audit" else super().records()

    def responses(self) -> Iterator[tuple[Any, ...]]:
        return _broken(super().responses()) if self.responses_too else super().responses()


def _broken(rows: Iterator[Any]) -> Iterator[Any]:
    yield next(rows)
    raise UnreadableError("the database's reason")


def verified(ledger: Any, table: str, *, responses: bool = False) -> VerifyResult:
    evidence = Unreadable(ledger._store, Scope())
    evidence.table, evidence.responses_too = table, responses
    return verify(evidence, Scope(), None)


def found(result: VerifyResult) -> list[tuple[str, str | None]]:
    return [(finding.code, finding.table) for finding in result.findings if finding.code == DAMAGED]


@pytest.mark.parametrize("kind", [kind for kind in ROWS if kind not in (ResponseRow, *NEEDED)])
def test_a_table_that_cannot_be_read_is_named_once_and_the_others_are_verified(ledger: Any, kind: type[Row]) -> None:
    whole = ledger.verify()
    result = verified(ledger, kind.TABLE)
    assert not result.ok
    assert found(result) == [(DAMAGED, kind.TABLE)]
    assert result.checked == whole.checked
    others = whole.covered.keys() - {kind.TABLE}
    assert {name: result.covered[name] for name in others} == {name: whole.covered[name] for name in others}


def test_stored_responses_that_cannot_be_read_are_named_once_and_everything_else_is_verified(ledger: Any) -> None:
    whole = ledger.verify()
    result = verified(ledger, "", responses=True)
    assert not result.ok
    assert found(result) == [(DAMAGED, "asks")]
    assert result.covered == {**whole.covered, "asks": 1}


@pytest.mark.parametrize("kind", NEEDED)
def test_without_the_tables_that_all_need_nothing_is_verified_and_they_are_named(ledger: Any, kind: type[Row]) -> None:
    result = verified(ledger, kind.TABLE)
    assert (result.ok, result.checked, result.heads) == (False, 0, {})
    assert found(result) == [(DAMAGED, None), (DAMAGED, kind.TABLE)]
    assert result.problem == result.findings[0].problem
