"""What lies outside of what is verified does not disturb it: another owner's rows, and rows without a record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

import pytest

from aumos_governance.ledger.contract.budgets import EnvelopeKind
from aumos_governance.ledger.operations.balances import envelope_id
from aumos_governance.ledger.proof.agreements import Agreements
from aumos_governance.ledger.proof.evidence import Scope
from aumos_governance.ledger.proof.findings import Findings
from aumos_governance.ledger.proof.ledger_replay import LedgerReplay
from aumos_governance.ledger.proof.session_replay import SessionReplay
from aumos_governance.ledger.proof.tables import Tables
from aumos_governance.ledger.rules.chain import AUDIT_COLUMNS
from aumos_governance.ledger.transaction.rows import EnvelopeRow, SessionRow
from aumos_governance.ledger.transaction.tables import ROWS, Row, columns
from tests.ledger.kit import state
from tests.ledger.rich import rich_in_memory

KINDS = {kind.TABLE: kind for kind in ROWS}
BOB = ("bob", "/srv/bob")
COLUMNS = {
    "sessions": "opened_by",
    "notebooks": "closed_spent",
    "notebook_aliases": "notebook_id",
    "charges": "agent_id",
    "corrections": "reason",
    "estimates": "at",
    "approvals": "tool",
    "reports": "tool",
    "trust": "assigned_by",
    "consents": "granted_by",
    "gateway_keys": "name",
    "asks": "at",
}
"""By table whose first row is ann's: a column whose values records prove."""


@pytest.fixture(scope="module")
def ledger() -> Iterator[Any]:
    """A ledger on which everything was done; each test restores what it changes."""
    with rich_in_memory() as made:
        yield made


@pytest.mark.parametrize("table", COLUMNS)
def test_anothers_changed_row_is_found_by_a_verification_of_everything_only(ledger: Any, table: str) -> None:
    name = COLUMNS[table]
    rows = ledger._store.tables[KINDS[table]].values()
    row = next(row for row in rows if (getattr(row, "owner", "ann") == "ann" and table != "asks") or row.charge_id)
    before = getattr(row, name)
    setattr(row, name, f"{before}x" if isinstance(before, str) else 12345)
    try:
        found, theirs = ledger.verify(), ledger.verify(under=BOB)
    finally:
        setattr(row, name, before)
    assert {finding.table for finding in found.findings} == {table}
    assert theirs.findings == ()


@pytest.mark.parametrize("kind", ["session", "category", "notebook", "server"])
@pytest.mark.parametrize("changed", ["envelopes", "balances"])
def test_anothers_budgets_are_not_compared(ledger: Any, kind: str, changed: str) -> None:
    envelope = next(row for row in ledger._store.tables[KINDS["envelopes"]].values() if row.kind == kind)
    balances = ledger._store.tables[KINDS["balances"]].values()
    balance = next(row for row in balances if row.envelope_id == envelope.id and row.charges)
    row, name = (envelope, "ceiling") if changed == "envelopes" else (balance, "spent")
    before = getattr(row, name)
    setattr(row, name, before + 1)
    try:
        found, theirs = ledger.verify(), ledger.verify(under=BOB)
    finally:
        setattr(row, name, before)
    assert changed in {finding.table for finding in found.findings}
    assert theirs.findings == ()


def test_only_what_was_compared_is_counted(ledger: Any) -> None:
    session_id = state(ledger).session_id
    charges = [row.session_id for row in ledger._store.tables[KINDS["charges"]].values()]
    theirs, one = ledger.verify(under=BOB).covered, ledger.verify(session_id).covered
    own = ("sessions", "notebooks", "charges")
    assert [theirs.get(table) for table in own] == [1, 1, 1]
    assert [one.get(table) for table in (*own, "envelopes")] == [1, None, charges.count(session_id), 2]
    assert not {"notebook_aliases", "gateway_keys", "corrections"} & theirs.keys()


def test_where_a_sessions_row_is_gone_the_sum_of_the_closed_sessions_cannot_be_judged(ledger: Any) -> None:
    sessions = ledger._store.tables[KINDS["sessions"]]
    key, row = next((key, row) for key, row in sessions.items() if row.closed_at is not None)
    del sessions[key]
    try:
        found = ledger.verify().findings
    finally:
        sessions[key] = row
    assert ("ROW_MISSING", "sessions", row.id) in {(each.code, each.table, each.record) for each in found}
    assert "notebooks" not in {each.table for each in found}


@pytest.mark.parametrize("table", ["charges", "approvals", "reports", "corrections", "estimates"])
def test_a_row_too_many_is_the_only_one_that_is_named(ledger: Any, table: str) -> None:
    kind = KINDS[table]
    rows = ledger._store.tables[kind]
    row = next(iter(rows.values()))
    rows["another",] = copied = copy(row)
    setattr(copied, kind.KEY[0], "another")
    try:
        found, mine, theirs = ledger.verify(), ledger.verify(under=("ann", "/srv/ann")), ledger.verify(under=BOB)
    finally:
        del rows["another",]
    (finding,) = found.findings
    assert (finding.code, finding.table, finding.record) == ("ROW_UNKNOWN", table, "another")
    # The row of a correction or an estimate names no session.
    assert mine.findings == ((finding,) if hasattr(row, "session_id") else ())
    assert theirs.findings == ()


@pytest.mark.parametrize("table", ["trust", "consents"])
def test_an_agreement_that_is_gone_is_missed_where_it_was_recorded(ledger: Any, table: str) -> None:
    rows, session_id = ledger._store.tables[KINDS[table]], state(ledger).session_id
    key, row = next(iter(rows.items()))
    del rows[key]
    try:
        scopes: list[dict[str, Any]] = [{}, {"under": ("ann", "/srv/ann")}, {"session_id": session_id}, {"under": BOB}]
        found = [[(each.code, each.table) for each in ledger.verify(**scope).findings] for scope in scopes]
    finally:
        rows[key] = row
    assert found == [[("ROW_MISSING", table)]] * 3 + [[]]


class Rows:
    """An evidence that has these rows, and no others."""

    def __init__(self, *rows: tuple[type[Row], dict[str, Any]]) -> None:
        self._rows = rows

    def rows(self, kind: type[Row]) -> Iterable[tuple[Any, ...]]:
        nothing = {column.name: "" if column.kind is str else 0 for column in ROWS[kind].columns if not column.null}
        for of, values in self._rows:
            if of is kind:
                yield tuple((nothing | values).get(name) for name in columns[kind])

    def charge_counts(self) -> Iterable[tuple[str, int]]:
        return ()


def record(event: str, detail: dict[str, Any], **values: Any) -> list[Any]:
    given = {"event": event, "detail": json.dumps(detail), **values}
    return [given.get(name) for name in AUDIT_COLUMNS]


def compared(replay: LedgerReplay, kind: type[Row], values: dict[str, Any]) -> tuple[list[tuple[str, str]], int]:
    """Return what a comparison finds of one row of a table, and how many rows are right."""
    evidence: Any = Rows((kind, values))
    findings = Findings()
    sessions = SessionReplay(evidence, replay, findings, {}, Agreements(), careful=False)
    tables = Tables(evidence, replay, sessions, findings, Scope(), set(replay.sessions))
    tables.compare()
    of_table = [(each.code, each.problem.split()[0]) for each in findings.listed if each.table == kind.TABLE]
    return of_table, tables.covered[kind.TABLE]


@pytest.mark.parametrize(("amount", "right"), [(4, False), (5, True), (6, False), (7, True)])
def test_a_ceiling_of_which_several_amounts_are_recorded_has_any_of_them(amount: int, right: bool) -> None:
    team = EnvelopeKind.TEAM.value
    id = envelope_id(team, "", "shared", "daily")
    replay = LedgerReplay({})
    for owner, ceiling in (("ann", "5"), ("bob", "7")):
        spec = {"encloses": team, "name": "shared", "period": "daily", "ceiling": ceiling}
        replay.replay_record(record("configure", {"owner": owner, "root": "/srv", "to": [spec]}))
    row = {"id": id, "kind": team, "name": "shared", "period": "daily", "ceiling": amount * 10**9}
    expected = ([], 1) if right else ([("ROW_DIFFERS", "ceiling")], 0)
    assert compared(replay, EnvelopeRow, row) == expected


@pytest.mark.parametrize("stated", [False, True])
@pytest.mark.parametrize("joined", [False, True])
def test_ceilings_around_a_session_of_a_joined_notebook_are_judged_only_if_its_records_state_them(
    stated: bool, joined: bool
) -> None:
    replay = LedgerReplay({"n": ("ann", "/srv")})
    replay.replay_record(record("open", {"session": "s", **({"around": ""} if stated else {})}, notebook_id="n"))
    if joined:
        replay.replay_record(record("join", {"notebook": "n", "into": "m"}))
    row = {"id": "s", "notebook_id": "m" if joined else "n", "outer_envelopes": "others"}
    vague = joined and not stated
    assert compared(replay, SessionRow, row) == (([], 1) if vague else ([("ROW_DIFFERS", "outer_envelopes")], 0))
