"""What a verification lists, in which words, and what it takes for no fault."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from aumos_governance.ledger.contract.agreements import AskApproval, DecideApproval
from aumos_governance.ledger.contract.budgets import EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.proof.findings import DIFFERS, Findings, named
from aumos_governance.ledger.reading import open_reader
from aumos_governance.ledger.rules import chain
from aumos_governance.ledger.transaction.rows import ChargeRow
from aumos_governance.types import ActionKind, BudgetPeriod, TrustLevel
from tests.ledger.charges import hold, settle
from tests.ledger.kit import BY_USER, HOUR, KERNEL, NOTEBOOK, USD, Backend, key, opening, spend
from tests.ledger.rich import configure, fill_richly


@pytest.fixture
def rich(sqlite: Backend) -> Iterator[sqlite3.Connection]:
    """The tables of a ledger on which everything was done."""
    ledger = sqlite.open()
    fill_richly(ledger, sqlite.clock)
    ledger.close()
    with closing(sqlite3.connect(sqlite.url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        yield connection


def found(backend: Backend) -> list[tuple[str, str | None, str | None]]:
    with closing(open_reader(backend.url)) as reader:
        return [(finding.code, finding.table, finding.record) for finding in reader.verify().findings]


def test_the_first_findings_are_listed_and_the_others_counted() -> None:
    findings = Findings()
    for number in range(103):
        findings.add("DAMAGED", "charges", str(number), "It is damaged.", number)
    assert [finding.record for finding in findings.listed] == [str(number) for number in range(100)]
    assert findings.unlisted == 3


def test_a_finding_shows_both_values_shortened() -> None:
    findings = Findings()
    findings.differs(ChargeRow, ("c1",), "tool", "t" * 100, None)
    findings.differs(ChargeRow, ("c1", ""), "amount", 3, "x" * 10)
    findings.differs(ChargeRow, ("c1",), "tool", "t" * 58, "t" * 59)
    first, second, third = findings.listed
    shown = "'" + "t" * 59 + "..."
    assert first.problem == f"tool of charges c1 is None, but the records state {shown}."
    assert second.problem == "amount of charges c1 '' is 'xxxxxxxxxx', but the records state 3."
    assert third.problem == f"tool of charges c1 is '{'t' * 59}..., but the records state '{'t' * 58}'."
    assert named(("a", 0, "")) == "a 0 ''"


@pytest.mark.parametrize("which", ["until IS NULL AND state = 'spent'", "until IS NOT NULL", "category IS NOT NULL"])
def test_a_charge_that_counts_around_another_session_is_found(
    sqlite: Backend, rich: sqlite3.Connection, which: str
) -> None:
    charge = rich.execute(f"SELECT id, session_id, envelopes FROM charges WHERE {which} ORDER BY id").fetchone()
    assert charge is not None
    (other,) = rich.execute(
        "SELECT envelopes FROM charges WHERE session_id <> ? AND envelopes <> ? AND category IS NULL LIMIT 1",
        charge[1:],
    ).fetchone()
    rich.execute("UPDATE charges SET envelopes = ? WHERE id = ?", (other, charge[0]))
    assert (DIFFERS, "charges", charge[0]) in found(sqlite)
    rich.execute("UPDATE charges SET envelopes = ? WHERE id = ?", (charge[2], charge[0]))
    assert found(sqlite) == []


def test_a_report_whose_stored_response_had_no_charge_yet_is_no_fault(
    sqlite: Backend, rich: sqlite3.Connection
) -> None:
    where = """answer LIKE '["Report"%' AND charge_id IS NULL"""
    key, text = rich.execute(f"SELECT key, answer FROM asks WHERE {where} LIMIT 1").fetchone()
    name, values = json.loads(text)
    rich.execute("UPDATE asks SET answer = ? WHERE key = ?", (json.dumps([name, values[:9]]), key))
    assert found(sqlite) == []
    rich.execute("UPDATE asks SET charge_id = (SELECT id FROM charges LIMIT 1) WHERE key = ?", (key,))
    assert [finding[:2] for finding in found(sqlite)] == [(DIFFERS, "asks")]


def test_a_stored_response_that_is_no_json_is_damaged(sqlite: Backend, rich: sqlite3.Connection) -> None:
    (key,) = rich.execute("SELECT key FROM asks WHERE digest <> '' LIMIT 1").fetchone()
    with closing(open_reader(sqlite.url)) as reader:
        proven = reader.verify().covered["asks"]
        rich.execute("UPDATE asks SET answer = 'no JSON' WHERE key = ?", (key,))
        result = reader.verify()
    assert [(finding.code, finding.table) for finding in result.findings] == [("DAMAGED", "asks")]
    assert result.covered["asks"] == proven - 1


@pytest.mark.parametrize(("own", "event"), [(True, "correct"), (False, "open")])
def test_a_record_that_does_not_say_what_its_event_says_is_named(
    sqlite: Backend, rich: sqlite3.Connection, own: bool, event: str
) -> None:
    """Its hash is right, so that no chain is broken: another program has written it."""
    is_open = "SELECT id FROM sessions WHERE closed_at IS NULL ORDER BY id LIMIT 1"
    name = rich.execute(is_open).fetchone()[0] if own else "ledger"
    columns = list(chain.AUDIT_COLUMNS)
    query = f"SELECT {', '.join(columns)} FROM audit WHERE chain = ? ORDER BY seq DESC LIMIT 1"
    row = dict(zip(columns, rich.execute(query, (name,)).fetchone(), strict=True))
    row |= {"event": event, "detail": "{}"}
    digest = chain.digest([row[column] for column in columns[:-1]])
    rich.execute(
        "UPDATE audit SET event = ?, detail = '{}', hash = ? WHERE chain = ? AND seq = ?",
        (event, digest, name, row["seq"]),
    )
    rich.execute("UPDATE chains SET head = ? WHERE chain = ?", (digest, name))
    with closing(open_reader(sqlite.url)) as reader:
        result = reader.verify()
    assert result.chain is None
    (finding, *_) = (finding for finding in result.findings if finding.code == "RECORD_UNKNOWN")
    assert (finding.table, finding.record, finding.seq) == ("audit", name, row["seq"])


def test_charges_of_several_days_are_proven_each_in_its_own(backend: Backend) -> None:
    ledger = backend.open()
    day = EnvelopeSpec("day", 5 * USD, EnvelopeKind.NOTEBOOK, BudgetPeriod.DAILY)
    ledger.execute(configure("ann", "/srv/ann", day))
    ledger.execute(opening())
    for amount in (1, 20, 300):
        ledger.execute(spend(amount))
        backend.clock.advance(24 * HOUR)
    for amount in (4_000, 50_000):
        ledger.execute(settle(ledger.execute(hold(amount)).charge_id, amount + 1))
        backend.clock.advance(24 * HOUR)
    assert ledger.verify().findings == ()


def test_an_approval_that_no_record_says_was_used_is_not_used(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    asked = AskApproval(key=key(), origin=KERNEL, notebook=NOTEBOOK, digest="d1", shown="{}")
    approval_id = ledger.execute(asked).approval_id
    ledger.execute(DecideApproval(key=key(), origin=BY_USER, approval_id=approval_id, digest="d1", approve=True))
    act = {"kind": ActionKind.ACT, "approval_id": approval_id, "digest": "d1"}
    # It does not fit, so the approval stays for the action itself.
    ledger.execute(spend(11 * USD, already_paid=True, **act))
    assert ledger.verify().findings == ()
    assert sqlite.run_sql is not None
    sqlite.run_sql("UPDATE approvals SET status = 'used'")
    (finding,) = ledger.verify().findings
    assert (finding.code, finding.table, finding.record) == (DIFFERS, "approvals", approval_id)
