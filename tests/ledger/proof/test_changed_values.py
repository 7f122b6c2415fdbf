"""Verification names each row of a ledger in memory that has another value than it was given, and no other row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aumos_governance.ledger.contract.facts import Decision
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.proof.findings import named
from aumos_governance.ledger.proof.unproven import PARTLY, UNPROVEN
from aumos_governance.ledger.rules.chain import LEDGER_CHAIN, digest
from aumos_governance.ledger.transaction.tables import ROWS, Column, Row
from tests.ledger.rich import rich_in_memory

KINDS = {kind.TABLE: kind for kind in ROWS}
TIMED = {"Decision", "Resolved", "Corrected", "Recorded"}
PROVEN_WHERE: dict[tuple[str, str], Callable[[Any], bool]] = {
    ("balances", "period_start"): lambda row: row.charges > 0,
    ("notebooks", "owner"): lambda row: row.session_id is not None and row.owner == "ann",
    ("configurations", "owner"): lambda row: row.envelopes != "[]",
    ("configurations", "root"): lambda row: row.envelopes != "[]",
    ("memberships", "owner"): lambda row: row.ceilings != "[]",
    ("approvals", "shown"): lambda row: row.status != "pending",
    ("reports", "shown"): lambda row: row.acknowledged_at is not None,
    ("asks", "scope"): lambda row: row.charge_id is not None and isinstance(row.answer, Decision),
    ("asks", "digest"): lambda row: row.digest == "",
    ("asks", "expires_at"): lambda row: row.digest == "",
    ("asks", "at"): lambda row: type(row.answer).__name__ in TIMED,
    ("asks", "notebook_id"): lambda row: row.notebook_id is not None and type(row.answer).__name__ in TIMED,
}
"""The rows that each sentence of `PARTLY` describes, but of responses, which are no text in memory."""
ALSO = {
    ("charges", "session_id"): {"asks"},
    ("charges", "envelopes"): {"balances", "notebooks"},
    ("charges", "state"): {"asks"},
    ("charges", "amount"): {"asks"},
    ("charges", "at"): {"asks", "balances", "notebooks"},
    ("charges", "tool"): {"asks"},
    ("sessions", "notebook_id"): {"asks"},
    ("sessions", "envelope_id"): {"charges", "envelopes", "balances", "notebooks"},
    ("notebooks", "owner"): {"sessions", "charges", "envelopes", "balances"},
}
"""By column: the other tables whose rows are compared with it, so that they may no longer agree with the records."""

ALSO_BY_KEY = {
    "notebooks": {"sessions", "charges", "envelopes", "balances"},
    "sessions": {"charges", "envelopes", "balances", "notebooks", "asks"},
    "charges": {"balances", "notebooks", "asks"},
}
"""By table: the other tables whose rows name its rows."""


@pytest.fixture(scope="module")
def ledger() -> Iterator[Ledger]:
    """A ledger on which everything was done; each test restores what it changes."""
    with rich_in_memory() as made:
        yield made


def rows_of(ledger: Any, column: Column, kind: type[Row]) -> list[Any]:
    """Return rows in which the column is proven: one of each sort of charges and responses, up to three of others."""
    is_proven = PROVEN_WHERE.get((kind.TABLE, column.name), lambda row: True)
    rows = [row for row in ledger._store.tables[kind].values() if is_proven(row)]
    if kind.TABLE in ("charges", "asks"):
        return list({_sort(row, column): row for row in rows}.values())
    return list({id(row): row for row in (rows[0], rows[len(rows) // 2], rows[-1])}.values())


def _sort(row: Any, column: Column) -> tuple[Any, ...]:
    is_set = getattr(row, column.name) is not None
    if row.TABLE == "asks":
        return type(row.answer), row.charge_id is None, row.digest == "", row.cancelled, is_set
    return row.state, row.category is None, is_set


def others(column: Column, value: Any) -> list[Any]:
    """Return another value of the column's type, values of other types, and no value."""
    found: list[Any]
    if column.kind is str:
        found = ["x" if value is None else f"{value}x", b"1", 7]
    else:
        found = [1 if value is None else value + 1_000, "1", 7.5]
    return found if value is None else [*found, None]


def problems_of(ledger: Ledger) -> set[tuple[str | None, str | None]]:
    return {(finding.table, finding.record) for finding in ledger.verify().findings}


@pytest.mark.parametrize("table", [name for name in KINDS if name != "chains"])
def test_a_value_that_was_changed_is_named_and_no_other(ledger: Ledger, table: str) -> None:
    kind = KINDS[table]
    for column in ROWS[kind].columns:
        about = (table, column.name)
        if column.name in kind.KEY or about in UNPROVEN or about == ("asks", "answer"):
            continue
        for row in rows_of(ledger, column, kind):
            before = getattr(row, column.name)
            record = named([getattr(row, part) for part in kind.KEY])
            for value in others(column, before):
                if value is None and about == ("asks", "notebook_id"):
                    # A request may name no notebook.
                    continue
                setattr(row, column.name, value)
                try:
                    findings = ledger.verify().findings
                finally:
                    setattr(row, column.name, before)
                found = {(finding.table, finding.record) for finding in findings}
                assert len(set(findings)) == len(findings), findings
                codes = [finding.code for finding in findings if (finding.table, finding.record) == (table, record)]
                assert "DAMAGED" not in codes or codes == ["DAMAGED"], findings
                what = f"{table}.{column.name} {before!r} became {value!r}"
                consequence = about in {("notebooks", "owner"), ("sessions", "envelope_id")}
                assert (table, record) in found or (found and consequence), f"{what}: {found}"
                tables = {name for name, _ in found - {(table, record)}}
                assert tables <= ALSO.get(about, set()), f"{what}: {found}"
    assert ledger.verify().findings == ()


@pytest.mark.parametrize("table", [name for name in KINDS if name != "chains"])
def test_a_row_that_got_another_key_is_named(ledger: Any, table: str) -> None:
    kind = KINDS[table]
    stored = ledger._store.tables[kind]
    for column in ROWS[kind].columns:
        if column.name not in kind.KEY or (table, column.name) in UNPROVEN:
            continue
        for row in rows_of(ledger, column, kind):
            before = getattr(row, column.name)
            old = tuple(getattr(row, part) for part in kind.KEY)
            setattr(row, column.name, others(column, before)[0])
            new = tuple(getattr(row, part) for part in kind.KEY)
            stored[new] = stored.pop(old)
            found = problems_of(ledger)
            setattr(row, column.name, before)
            stored[old] = stored.pop(new)
            # Stored responses are purged after two days, so none is missing.
            assert (table, named(new if table == "asks" else old)) in found, f"{table} {old} became {new}: {found}"
            assert {name for name, _ in found} <= {table} | ALSO_BY_KEY.get(table, set()), found
    assert ledger.verify().findings == ()


def test_each_row_that_records_prove_counts_once(ledger: Any) -> None:
    covered, tables = ledger.verify().covered, ledger._store.tables
    rows = {table: len(tables[kind]) for table, kind in KINDS.items()}
    # A server without ceilings and an owner without shared ones have a row, but no record; so has a joined notebook's
    # balance, which is 0.
    rows["configurations"] -= sum(row.envelopes == "[]" for row in tables[KINDS["configurations"]].values())
    rows["memberships"] -= sum(row.ceilings == "[]" for row in tables[KINDS["memberships"]].values())
    rows["balances"] -= 1
    assert {table: covered.get(table) for table in rows} == rows


def test_a_row_that_is_gone_is_named_once_however_many_records_name_it(ledger: Any) -> None:
    corrected = next(iter(ledger._store.tables[KINDS["corrections"]].values())).charge_id
    charges = ledger._store.tables[KINDS["charges"]]
    row = charges.pop((corrected,))
    try:
        found = ledger.verify().findings
    finally:
        charges[corrected,] = row
    assert [(each.code, each.table) for each in found if each.record == corrected] == [("ROW_MISSING", "charges")]
    assert {each.table for each in found} == {"charges", "balances"}


@pytest.mark.parametrize("kind", ["session", "category", "notebook", "server", "owner", "team"])
def test_a_finding_about_a_ceiling_shows_both_amounts(ledger: Any, kind: str) -> None:
    row = next(row for row in ledger._store.tables[KINDS["envelopes"]].values() if row.kind == kind)
    before, row.ceiling = row.ceiling, 7
    try:
        (finding,) = (each for each in ledger.verify().findings if each.table == "envelopes")
    finally:
        row.ceiling = before
    assert [word for word in re.split(r"[\s,.]+", finding.problem) if word.isdigit()] == ["7", str(before)]


@pytest.mark.parametrize("value", [b"1", 7, 7.5, None])
def test_where_a_sessions_envelope_is_damaged_no_row_is_missed(ledger: Any, value: Any) -> None:
    row = next(row for row in ledger._store.tables[KINDS["sessions"]].values() if row.closed_at is not None)
    before, row.envelope_id = row.envelope_id, value
    try:
        found = ledger.verify().findings
    finally:
        row.envelope_id = before
    assert ("DAMAGED", "sessions", row.id) in {(each.code, each.table, each.record) for each in found}
    # The envelopes of its charges cannot be judged, nor the sum of the closed sessions.
    assert "ROW_MISSING" not in {each.code for each in found}
    assert not {each.table for each in found} & {"charges", "notebooks"}


def test_a_chain_that_no_opening_names_is_named_and_its_records_are_not_replayed(ledger: Any) -> None:
    store, chains = ledger._store, ledger._store.tables[KINDS["chains"]]
    known = next(name for name in store.chains if name != LEDGER_CHAIN)
    record = ["another", *store.chains[known][0][1:-1]]
    store.chains["another"] = [(*record, digest(record))]
    chains["another",] = KINDS["chains"]("another", 1, digest(record))
    try:
        found = [(finding.code, finding.table, finding.record) for finding in ledger.verify().findings]
    finally:
        del store.chains["another"], chains["another",]
    assert found == [("ROW_UNKNOWN", "chains", "another")]


@pytest.mark.parametrize("column", ["spent", "held", "charges"])
def test_the_sums_of_a_joined_notebook_are_0(ledger: Any, column: str) -> None:
    stored = ledger._store.tables[KINDS["balances"]]
    kinds = {row.id: row.kind for row in ledger._store.tables[KINDS["envelopes"]].values()}
    (emptied,) = (row for row in stored.values() if kinds[row.envelope_id] == "notebook" and row.charges == 0)
    setattr(emptied, column, 1)
    try:
        found = problems_of(ledger)
    finally:
        setattr(emptied, column, 0)
    assert found == {("balances", named([emptied.envelope_id, emptied.period_start]))}
    assert ledger.verify().findings == ()


def test_a_balance_of_0_that_no_record_names_is_named(ledger: Any) -> None:
    stored = ledger._store.tables[KINDS["balances"]]
    stored["another", 0] = KINDS["balances"]("another", 0, 0, 0, 0)
    try:
        found = problems_of(ledger)
    finally:
        del stored["another", 0]
    assert found == {("balances", "another 0")}


@pytest.mark.parametrize(
    "table",
    [
        *("notebooks", "notebook_aliases", "envelopes", "sessions", "balances", "ceilings", "gateway_keys"),
        *("trust", "consents", "configurations"),
    ],
)
def test_a_row_whose_key_cannot_be_read_is_damaged(ledger: Any, table: str) -> None:
    kind = KINDS[table]
    stored, name = ledger._store.tables[kind], kind.KEY[0]
    row = next(filter(PROVEN_WHERE.get((table, name), bool), stored.values()))
    before, old = getattr(row, name), tuple(getattr(row, part) for part in kind.KEY)
    setattr(row, name, b"1")
    new = tuple(getattr(row, part) for part in kind.KEY)
    stored[new] = stored.pop(old)
    try:
        found = {(finding.code, finding.table, finding.record) for finding in ledger.verify().findings}
    finally:
        setattr(row, name, before)
        stored[old] = stored.pop(new)
    assert found >= {("DAMAGED", table, named(new)), ("ROW_MISSING", table, named(old))}
    assert ("ROW_UNKNOWN", table, named(new)) not in found


def test_a_row_that_needs_no_record_is_damaged_if_its_key_cannot_be_read(ledger: Any) -> None:
    kind = KINDS["memberships"]
    row = next(row for row in ledger._store.tables[kind].values() if row.ceilings == "[]")
    before, row.owner = row.owner, b"1"
    try:
        found = [(finding.code, finding.table, finding.record) for finding in ledger.verify().findings]
    finally:
        row.owner = before
    assert found == [("DAMAGED", "memberships", "b'1'")]


def test_each_condition_is_one_of_the_list() -> None:
    assert PROVEN_WHERE.keys() == PARTLY.keys() - {("asks", "answer")}
