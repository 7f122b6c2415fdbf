from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator

import pytest

from aumos_governance.ledger.contract.audit_facts import AuditEntry
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery
from aumos_governance.ledger.rules import export
from aumos_governance.ledger.rules.chain import AUDIT_COLUMNS
from tests.ledger.kit import (
    CENT,
    NOTEBOOK,
    OTHER,
    USD,
    closing,
    opening,
    records,
    spend,
)


def filled(ledger: Ledger) -> Ledger:
    ledger.execute(opening(agent_id="planner"))
    ledger.execute(opening(OTHER))
    for number in range(5):
        ledger.execute(spend(number * CENT + 1, tool=f'tool,{number}\n"x"'))
    ledger.execute(spend(50 * USD))
    ledger.execute(closing())
    return ledger


def test_a_walk_gives_all_that_matches_in_order(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MAX_PAGE", 2)
    filled(ledger)
    assert list(export.walk(ledger, AuditQuery(oldest_first=True))) == records(ledger)
    newest_first = list(export.walk(ledger, AuditQuery(notebook=NOTEBOOK)))
    assert newest_first == records(ledger, notebook=NOTEBOOK)[::-1]
    assert list(export.walk(ledger, AuditQuery(tool="none"))) == []


def test_lines_of_json_hold_all_that_a_hash_covers(ledger: Ledger) -> None:
    filled(ledger)
    lines = list(export.json_lines(export.walk(ledger, AuditQuery(oldest_first=True))))
    assert all(line.endswith("\n") and "\n" not in line[:-1] for line in lines)
    for line, record in zip(lines, records(ledger), strict=True):
        members = json.loads(line)
        assert (members["tool"], members["amount"]) == (record.tool, record.amount)
        fields = [
            json.dumps(members[name], ensure_ascii=False, separators=(",", ":"), sort_keys=True)
            if name in ("reasons", "detail")
            else members[name]
            for name in AUDIT_COLUMNS[:-1]
        ]
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == members["hash"]


def test_a_table_is_for_users(ledger: Ledger) -> None:
    filled(ledger)
    lines = "".join(export.csv_lines(export.walk(ledger, AuditQuery(oldest_first=True))))
    rows = list(csv.DictReader(io.StringIO(lines, newline="")))
    assert len(rows) == 9
    assert rows[2]["tool"] == 'tool,0\\n"x"'
    assert rows[3]["amount"] == "0.010000001"
    assert rows[7]["reasons"] == "Would exceed budget ($50.100000005 > $10.00)"
    assert rows[7]["outcome"] == "deny"
    assert rows[0]["code"] == ""
    assert json.loads(rows[0]["detail"])["budget"] == "10"
    assert lines.startswith("chain,seq,record_id,")


def test_a_stream_takes_its_records_one_by_one(ledger: Ledger) -> None:
    filled(ledger)
    taken = 0

    def counted() -> Iterator[AuditEntry]:
        nonlocal taken
        for record in records(ledger):
            taken += 1
            yield record

    lines = export.csv_lines(counted())
    assert next(lines).startswith("chain")
    assert taken == 0
    next(lines)
    assert taken == 1
