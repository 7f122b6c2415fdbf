"""A verification finds every change in any table, or the documentation states that it cannot."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from aumos_governance.ledger.contract.audit_facts import VerifyResult
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.proof.unproven import PARTLY, UNPROVEN
from aumos_governance.ledger.reading import open_reader
from aumos_governance.ledger.transaction import schema
from tests.ledger.kit import Backend, at, opening
from tests.ledger.kit import closing as close_session
from tests.ledger.postgres_server import PostgresServer
from tests.ledger.rich import fill_richly

DOCS = Path(__file__).parents[3] / "docs" / "audit.md"
TABLES = [name for name in schema.tables if name != "audit"]
NOT_EMPTIED = "envelope_id NOT IN (SELECT e.id FROM envelopes e JOIN notebook_aliases a ON a.id = e.subject)"
NOT_EMPTY = {"configurations": "envelopes <> '[]'", "memberships": "ceilings <> '[]'"}
PROVEN_WHERE = {
    ("balances", "period_start"): NOT_EMPTIED,
    ("notebooks", "owner"): "session_id IS NOT NULL AND owner = 'ann'",
    ("configurations", "owner"): "envelopes <> '[]'",
    ("configurations", "root"): "envelopes <> '[]'",
    ("memberships", "owner"): "ceilings <> '[]'",
    ("approvals", "shown"): "status <> 'pending'",
    ("reports", "shown"): "acknowledged_at IS NOT NULL",
    ("asks", "scope"): """charge_id IS NOT NULL AND answer LIKE '["Decision"%'""",
    ("asks", "digest"): "digest = ''",
    ("asks", "expires_at"): "digest = ''",
    ("asks", "at"): """substr(answer, 3, 8) IN ('Decision', 'Resolved', 'Correcte', 'Recorded')""",
    ("asks", "notebook_id"): """notebook_id IS NOT NULL AND substr(answer, 3, 8) IN ('Decision', 'Recorded')""",
    ("asks", "answer"): "true",
}
"""The rows that each sentence of `PARTLY` describes, as SQL conditions."""


class Stored:
    """The tables of a rich ledger, changed and restored by SQL while constraints are off."""

    def __init__(self, backend: Backend) -> None:
        ledger = backend.open()
        fill_richly(ledger, backend.clock)
        ledger.close()
        self.backend = backend
        self.is_sqlite = backend.name == "sqlite"
        self.reader = open_reader(backend.url)

    def select(self, text: str) -> list[tuple[Any, ...]]:
        if self.is_sqlite:
            with closing(sqlite3.connect(self.backend.url.removeprefix("sqlite:///"))) as connection:
                return connection.execute(text).fetchall()
        with psycopg.connect(self.backend.url) as connection:
            return connection.execute(text).fetchall()  # type: ignore[call-overload,no-any-return]

    def run(self, text: str) -> None:
        assert self.backend.run_sql is not None
        self.backend.run_sql(text if self.is_sqlite else f"SET session_replication_role = replica; {text}")

    def verify(self) -> VerifyResult:
        return self.reader.verify()


@pytest.fixture
def stored(database: Backend) -> Iterator[Stored]:
    made = Stored(database)
    with closing(made.reader):
        yield made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    """A ledger that is filled once for many tests, which takes longer than they do: each restores what it changes."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("kept") / "ledger.db"

        def run_sql(text: str) -> None:
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.executescript(text)

        backend = Backend("sqlite", f"sqlite:///{path}", run_sql=run_sql)
    else:
        # Not started where only SQLite is tested.
        postgres_server: PostgresServer = request.getfixturevalue("postgres_server")
        name = postgres_server.create()

        def run_sql(text: str) -> None:
            postgres_server.execute(text, name)

        backend = Backend("postgresql", postgres_server.url(name), run_sql=run_sql)
    with closing(backend):
        made = Stored(backend)
        with closing(made.reader):
            yield made


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def other(column: Any, value: Any) -> Any:
    if isinstance(column.type, (schema.BigInteger, schema.SmallInteger)):
        # Not the next value, which another row may have.
        return 1 if value is None else value + 1_000
    return "x" if value is None else f"{value}x"


def rows_of(stored: Stored, table: str, where: str, every: bool) -> Iterator[dict[str, Any]]:
    columns = schema.tables[table].columns.keys()
    rows = stored.select(f"SELECT {', '.join(map(quoted, columns))} FROM {table} WHERE {where}")
    for row in rows if every else rows[-1:]:
        yield dict(zip(columns, row, strict=True))


def quoted(name: str) -> str:
    return f'"{name}"'


def condition(table: str, row: dict[str, Any], **changed: Any) -> str:
    values = row | changed
    keys = schema.tables[table].primary_key.columns.keys()
    return " AND ".join(f"{quoted(key)} = {literal(values[key])}" for key in keys)


@pytest.mark.soak
@pytest.mark.parametrize("table", schema.tables)
def test_another_value_in_any_column_is_found(kept: Stored, table: str, soak: bool) -> None:
    assert kept.verify().ok
    for column in schema.tables[table].columns:
        name = column.name
        if (table, name) in UNPROVEN:
            continue
        tried = 0
        for row in rows_of(kept, table, PROVEN_WHERE.get((table, name), "1 = 1"), soak):
            value = other(column, row[name])
            change = f"UPDATE {table} SET {quoted(name)} ="
            kept.run(f"{change} {literal(value)} WHERE {condition(table, row)}")
            found = kept.verify()
            assert not found.ok, f"{table}.{name} {row[name]!r} became {value!r}, and nothing was found: {row}"
            assert found.findings[0].problem == found.problem
            kept.run(f"{change} {literal(row[name])} WHERE {condition(table, row, **{name: value})}")
            tried += 1
        assert tried, f"no row has a {table}.{name} to be changed"
    assert kept.verify().ok


@pytest.mark.soak
@pytest.mark.parametrize("table", schema.tables)
def test_a_row_that_is_gone_is_found(kept: Stored, table: str, soak: bool) -> None:
    # Stored responses are purged after two days, so one may be missing; so may a row that configures or shares nothing.
    # The balances of a joined notebook are 0 and prove nothing.
    where = {"asks": "1 = 0", "balances": NOT_EMPTIED, **NOT_EMPTY}.get(table, "1 = 1")
    for row in rows_of(kept, table, where, soak):
        names, values = ", ".join(map(quoted, row)), ", ".join(map(literal, row.values()))
        kept.run(f"DELETE FROM {table} WHERE {condition(table, row)}")
        found = kept.verify()
        assert not found.ok, f"{row} is gone, and nothing was found"
        kept.run(f"INSERT INTO {table} ({names}) VALUES ({values})")
    assert kept.verify().ok


@pytest.mark.parametrize("table", [name for name in TABLES if name != "asks"])
def test_a_row_too_many_is_found(kept: Stored, table: str) -> None:
    (row, *_) = rows_of(kept, table, NOT_EMPTY.get(table, "1 = 1"), every=False)
    first = schema.tables[table].primary_key.columns.keys()[0]
    row[first] = f"{row[first]}x"
    if table == "notebooks":
        row["path"] = row["file"] = "another.ipynb"
    kept.run(f"INSERT INTO {table} ({', '.join(map(quoted, row))}) VALUES ({', '.join(map(literal, row.values()))})")
    found = kept.verify()
    if table == "chains":
        assert found.problem == f"Record 1 of session {row[first]} is missing, with all that followed it."
    else:
        added = " ".join(str(row[column.name]) or "''" for column in schema.tables[table].primary_key.columns)
        assert [finding.record for finding in found.findings if finding.table == table] == [added]
        assert (found.chain, found.checked) == (None, found.covered["audit"])
    kept.run(f"DELETE FROM {table} WHERE {condition(table, row)}")
    assert kept.verify().ok


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("trust", "assigned_by"),
        ("consents", "granted_by"),
        ("charges", "tool"),
        ("sessions", "opened_by"),
        ("approvals", "tool"),
        ("reports", "tool"),
        ("gateway_keys", "name"),
        ("asks", "charge_id"),
    ],
)
@pytest.mark.parametrize("value", ["'x'", "CAST(x'78ff' AS TEXT)"], ids=["another", "damaged"])
def test_a_row_that_differs_is_not_counted_as_proven(kept: Stored, table: str, column: str, value: str) -> None:
    damaged = value.startswith("CAST")
    if damaged and not kept.is_sqlite:
        pytest.skip("PostgreSQL stores no invalid text")
    before = kept.verify().covered[table]
    (row, *_) = rows_of(kept, table, f"{column} IS NOT NULL", every=False)
    change = f"UPDATE {table} SET {column} ="
    where = condition(table, row)
    kept.run(f"{change} {value} WHERE {where}")
    found = kept.verify()
    kept.run(f"{change} {literal(row[column])} WHERE {where}")
    assert ("DAMAGED" if damaged else "ROW_DIFFERS", table) in {(each.code, each.table) for each in found.findings}
    assert found.covered[table] == before - 1
    assert kept.verify().ok


def test_responses_of_charges_are_compared_with_them(stored: Stored) -> None:
    where = """charge_id IS NOT NULL AND answer LIKE '["Decision"%'"""
    (row, *_) = rows_of(stored, "asks", where, every=False)
    forged = row["answer"].replace(f",{row['charge_id']}", "").replace('"allow",[]', '"allow",[ ]', 1)
    forged = re.sub(r'("[0-9a-f]{32}"),(\d+),', lambda found: f"{found[1]},{int(found[2]) + 1},", forged, count=1)
    assert forged != row["answer"]
    stored.run(f"UPDATE asks SET answer = {literal(forged)} WHERE {condition('asks', row)}")
    (finding,) = stored.verify().findings
    assert (finding.code, finding.table, finding.record) == ("ROW_DIFFERS", "asks", f"{row['scope']} {row['key']}")


def test_every_column_is_proven_or_listed_and_the_documentation_has_the_list() -> None:
    known = {(table.name, column.name) for table in schema.tables.values() for column in table.columns}
    assert set(UNPROVEN) | set(PARTLY) <= known
    assert not set(UNPROVEN) & set(PARTLY)
    assert set(PROVEN_WHERE) == set(PARTLY)
    text = DOCS.read_text()
    for (table, column), reason in {**UNPROVEN, **PARTLY}.items():
        assert re.search(rf"^\| `{table}\.{column}` \| (.+) \|$", text, re.MULTILINE), (
            f"{table}.{column} is not in audit.md"
        )
        assert f"| `{table}.{column}` | {reason} |" in text


def test_what_an_earlier_version_did_not_record_is_not_covered_and_no_fault(stored: Stored) -> None:
    """The records are rewritten as the first versions wrote them: without later details, and with new hashes."""
    rewrite_as_before(stored)
    found = stored.verify()
    assert found.ok, found.findings
    assert [sentence.partition(",")[0] for sentence in found.not_covered] == [
        "Whether a user set the level and budget",
        "Levels and consents that an earlier version recorded without their realm.",
    ]
    # Nor did it store a row for each estimate.
    stored.run("DELETE FROM estimates WHERE adjusted IS NULL")
    found = stored.verify()
    assert found.ok, found.findings
    assert found.covered["estimates"] == 2
    # One session of an earlier version is enough.
    later = stored.backend.open()
    later.execute(opening(at("later.ipynb")))
    later.close()
    assert stored.verify().not_covered == found.not_covered


def rewrite_as_before(stored: Stored) -> None:
    import json

    from aumos_governance.ledger.rules import chain

    columns = list(chain.AUDIT_COLUMNS)
    detail_at, hash_at = columns.index("detail"), columns.index("hash")
    heads: dict[str, str] = {}
    by_session: dict[str, dict[int, str]] = {}
    rows = stored.select(f"SELECT {', '.join(map(quoted, columns))} FROM audit ORDER BY chain = 'ledger', chain, seq")
    for row in rows:
        detail = json.loads(row[detail_at])
        for gone in ("trust_by_person", "budget_by_person", "realm", "until", "approval_used"):
            detail.pop(gone, None)
        for step in detail.values():
            if isinstance(step, dict):
                step.pop("by_person", None)
        if row[0] == "ledger" and row[4] in ("open", "close"):
            detail["head"] = by_session[detail["session"]][detail["count"]]
        fields = [*row[:detail_at], chain.dumps(detail), heads.get(row[0], "")]
        digest = chain.link(fields)
        heads[row[0]] = digest
        by_session.setdefault(row[0], {})[row[1]] = digest
        stored.run(
            f"UPDATE audit SET detail = {literal(fields[-2])}, previous_hash = {literal(fields[-1])},"
            f" hash = '{digest}' WHERE chain = '{row[0]}' AND seq = {row[1]}"
        )
    for name, head in heads.items():
        stored.run(f"UPDATE chains SET head = '{head}' WHERE chain = '{name}'")
    assert hash_at


def test_one_sessions_figures_and_one_owners_are_proven_alone(stored: Stored) -> None:
    session, envelope = stored.select("SELECT id, envelope_id FROM sessions ORDER BY id")[0]
    with closing(open_reader(stored.backend.url)) as reader:
        assert reader.verify(session).ok
        assert reader.verify(session).not_covered
        stored.run(f"UPDATE balances SET spent = spent - 1 WHERE envelope_id = '{envelope}'")
        for found in (reader.verify(session), reader.verify(under=("ann", "/srv/ann"))):
            assert [(finding.table, finding.record) for finding in found.findings] == [("balances", f"{envelope} 0")]
        assert reader.verify(under=("bob", "/srv/bob")).ok


def test_memory_is_proven_as_well(memory: Backend) -> None:
    ledger: Any = memory.open()
    fill_richly(ledger, memory.clock)
    assert ledger.verify().ok
    from aumos_governance.ledger.transaction.rows import BalanceRow, ChargeRow

    for kind, column in ((BalanceRow, "held"), (ChargeRow, "spent")):
        row = next(iter(ledger._store.tables[kind].values()))
        setattr(row, column, getattr(row, column) + 1)
        assert kind.TABLE in {finding.table for finding in ledger.verify().findings}
        setattr(row, column, getattr(row, column) - 1)


def test_a_log_that_was_cut_is_found_by_a_head_kept_elsewhere(sqlite: Backend, tmp_path: Path) -> None:
    ledger: Ledger = sqlite.open()
    path = Path(sqlite.url.removeprefix("sqlite:///"))
    # From here on all changes are only in the log.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    fill_richly(ledger, sqlite.clock)
    ledger.execute(close_session())
    kept = ledger.verify().heads["ledger"]
    log = Path(f"{path}-wal").read_bytes()
    found_whole = 0
    for length in range(len(log), 32, -max(1, len(log) // 12)):
        copy = tmp_path / "cut.db"
        shutil.copyfile(path, copy)
        Path(f"{copy}-wal").write_bytes(log[:length])
        Path(f"{copy}-shm").unlink(missing_ok=True)
        with closing(open_reader(f"sqlite:///{copy}")) as reader:
            found = reader.verify(known_head=kept)
        # Cut anywhere, the log gives an earlier state that is consistent.
        assert [finding.code for finding in found.findings] in ([], ["HEAD_UNKNOWN"])
        found_whole += found.ok
        for side in ("-wal", "-shm"):
            Path(f"{copy}{side}").unlink(missing_ok=True)
    assert found_whole >= 1
