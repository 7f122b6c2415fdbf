"""Charges that SQLite compares with their records: what a record states beyond the charge is verified as well."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.audit_facts import VerifyResult
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.reading import open_reader
from tests.ledger.charges import hold, release, settle
from tests.ledger.kit import CENT, HOUR, NOTEBOOK, OTHER, USD, Backend, FakeClock, budget, opening, spend
from tests.ledger.rich import fill_richly


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sqlite3.Connection, Ledger]]:
    """The tables of a ledger on which everything was done, and its reader; each test restores what it changes."""
    path = tmp_path_factory.mktemp("rich") / "ledger.db"
    with closing(open_ledger(f"sqlite:///{path}", clock=(clock := FakeClock()))) as ledger:
        fill_richly(ledger, clock)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        with closing(open_reader(f"sqlite:///{path}")) as reader:
            yield connection, reader


def verified_with(rich: tuple[sqlite3.Connection, Ledger], table: str, change: str) -> VerifyResult:
    """Return the result of a verification after a change of one table, which is undone."""
    connection, reader = rich
    connection.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
    try:
        changed = connection.execute(change).rowcount
        result = reader.verify()
    finally:
        connection.executescript(f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept")
    assert changed == 1, change
    assert reader.verify().ok
    return result


def first(table: str, where: str) -> str:
    key = "charge_id" if table == "estimates" else "id"
    return f"{key} = (SELECT min({key}) FROM {table} WHERE {where})"


@pytest.mark.parametrize(
    ("table", "column", "value", "where"),
    [
        ("charges", "until", "NULL", "until IS NOT NULL AND state = 'settled'"),
        ("estimates", "amount", "amount + 1", "adjusted IS NULL"),
        ("estimates", "at", "at + 1", "adjusted IS NULL"),
        ("estimates", "adjusted", "1", "adjusted IS NULL"),
        ("approvals", "status", "'approved'", "status = 'used'"),
    ],
)
def test_a_term_that_differs_from_its_record_is_named(
    rich: tuple[sqlite3.Connection, Ledger], table: str, column: str, value: str, where: str
) -> None:
    before = rich[1].verify().covered[table]
    result = verified_with(rich, table, f"UPDATE {table} SET {column} = {value} WHERE {first(table, where)}")
    (finding,) = result.findings
    assert (finding.code, finding.table, finding.problem.split()[0]) == ("ROW_DIFFERS", table, column)
    assert result.covered[table] == before - 1


def test_an_estimate_that_is_gone_is_named(rich: tuple[sqlite3.Connection, Ledger]) -> None:
    where = first("estimates", "adjusted IS NULL")
    (finding,) = verified_with(rich, "estimates", f"DELETE FROM estimates WHERE {where}").findings
    assert (finding.code, finding.table) == ("ROW_MISSING", "estimates")


@pytest.mark.parametrize("state", ["settled", "released"])
def test_a_hold_that_its_row_alone_ends_is_named(sqlite: Backend, state: str) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    held = ledger.execute(hold(CENT)).charge_id
    for end in (settle, release):
        ended = ledger.execute(hold(CENT)).charge_id
        ledger.execute(settle(ended, CENT) if end is settle else release(ended))
    assert ledger.verify().ok
    assert sqlite.run_sql is not None
    sqlite.run_sql(f"UPDATE charges SET state = '{state}' WHERE id = '{held}'")
    (finding, *more) = (each for each in ledger.verify().findings if each.table == "charges")
    assert (finding.code, finding.record, more) == ("ROW_DIFFERS", held, [])


@pytest.mark.parametrize("value", ["CAST('x' AS BLOB)", "CAST(x'66ff41' AS TEXT)", "CAST(x'eda080' AS TEXT)"])
@pytest.mark.parametrize("column", ["scope", "incarnation", "envelopes", "category", "tool", "agent_id"])
def test_text_of_a_plain_charge_that_cannot_be_read_is_damaged(
    rich: tuple[sqlite3.Connection, Ledger], column: str, value: str
) -> None:
    plain = first("charges", "state = 'spent' AND category IS NULL")
    result = verified_with(rich, "charges", f"UPDATE charges SET {column} = {value} WHERE {plain}")
    about = [(each.code, f" {column} " in each.problem) for each in result.findings if each.table == "charges"]
    assert about == [("DAMAGED", True)]


def test_each_charge_counts_once_in_the_sums_of_its_day(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    for hours in (0, 1, 24, 25):
        sqlite.clock.advance(hours * HOUR)
        ledger.execute(spend(hours + 1))
        ledger.execute(release(ledger.execute(hold(hours + 2)).charge_id))
        ledger.execute(settle(ledger.execute(hold(hours + 3)).charge_id, hours + 4))
    result = ledger.verify()
    assert result.ok, result.findings
    assert result.covered["charges"] == 12


@pytest.mark.parametrize("column", ["envelopes", "category"])
@pytest.mark.parametrize("numbers", [(0,), (1,), (2,), (3,), (4,), (5,), (0, 1), (1, 2), (4, 5), (2, 5)])
def test_each_of_several_plain_charges_must_have_the_envelopes_of_its_session(
    sqlite: Backend, numbers: tuple[int, ...], column: str
) -> None:
    ledger = sqlite.open()
    ids, sessions = [], []
    for notebook in (OTHER, NOTEBOOK):
        session_id = ledger.execute(opening(notebook)).state.session_id
        for _ in range(3):
            sessions.append(session_id)
            ids.append(ledger.execute(spend(CENT, notebook)).charge_id)
        ledger.execute(settle(ledger.execute(hold(CENT, notebook=notebook)).charge_id, CENT))
    assert sqlite.run_sql is not None
    for number in numbers:
        # What one session's charges are compared with is not what another's are.
        another = f"(SELECT envelopes FROM charges WHERE session_id <> '{sessions[number]}' LIMIT 1)"
        value = another if column == "envelopes" else "'research'"
        sqlite.run_sql(f"UPDATE charges SET {column} = {value} WHERE id = '{ids[number]}'")
    found = [(each.code, each.record) for each in ledger.verify().findings if each.table == "charges"]
    assert found == [("ROW_DIFFERS", ids[number]) for number in numbers]


def test_a_charge_to_a_category_does_not_vouch_for_one_without(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    ledger.execute(budget("research", USD))
    inner = ledger.execute(spend(CENT, category="research")).charge_id
    held = ledger.execute(hold(CENT, category="research")).charge_id
    outer = ledger.execute(spend(CENT)).charge_id
    ledger.execute(settle(held, CENT))
    later = ledger.execute(spend(CENT)).charge_id
    assert ledger.verify().findings == ()
    assert sqlite.run_sql is not None
    with_category = f"(SELECT envelopes FROM charges WHERE id = '{inner}')"
    sqlite.run_sql(f"UPDATE charges SET envelopes = {with_category} WHERE id IN ('{outer}', '{later}')")
    found = [(each.code, each.record) for each in ledger.verify().findings if each.table == "charges"]
    assert found == [("ROW_DIFFERS", outer), ("ROW_DIFFERS", later)]


def test_a_charge_to_one_category_is_not_one_to_another(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    ids = []
    for category in ("research", "travel"):
        ledger.execute(budget(category, USD))
        ids.append(ledger.execute(spend(CENT, category=category)).charge_id)
    one, other = ids
    from_other = f"(SELECT envelopes FROM charges WHERE id = '{other}')"
    assert sqlite.run_sql is not None
    sqlite.run_sql(f"UPDATE charges SET category = 'travel', envelopes = {from_other} WHERE id = '{one}'")
    found = [(each.code, each.record) for each in ledger.verify().findings if each.table == "charges"]
    assert found == [("ROW_DIFFERS", one)]
