"""Text that a kernel writes into a record has no effect in a file, terminal or page, and numbers stay numbers."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from aumos_governance.ledger.contract.charges import Correct
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery
from aumos_governance.ledger.rules import export
from tests.ledger.kit import (
    BY_USER,
    NOTEBOOK,
    key,
    opening,
    records,
    spend,
)
from tests.ledger.rules.harmful import CONTROLS, MARKS

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "  =1+1",
    "'=1+1",
    "a;=1+1",
    "a; +1;-1",
    "a\t=1+1",
    "a\n=1+1\r\n@x",
    "\uff1d1\uff0b1",
    "a;  \ufe661;\uff0d1;\uff20x;\u22121",
]
PAYLOADS = CONTROLS + MARKS + FORMULAS
SPREADSHEET = "=+-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212"


def recorded(ledger: Ledger, payload: str) -> None:
    ledger.execute(opening(agent_id=payload))
    request = spend(1_500_000, tool=payload, note=payload, detail={"model": payload}, resource=payload)
    charge = ledger.execute(request).charge_id
    reason = payload if payload.strip() else "x"
    ledger.execute(Correct(key=key(), origin=BY_USER, charge_id=charge or "", amount=500_000, reason=reason))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_table_holds_nothing_that_acts(memory: Any, payload: str) -> None:
    ledger = memory.open()
    recorded(ledger, payload)
    text = "".join(export.csv_lines(export.walk(ledger, AuditQuery(oldest_first=True))))
    assert all(line.isprintable() for line in text.split("\r\n"))
    # Split at commas, as it is written, and at semicolons, as some spreadsheets split it.
    for delimiter in ",;":
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)):
            for cell in row if number else ():
                start = cell.lstrip(' "')
                if start[:1] and start[0] in SPREADSHEET:
                    # A number that the ledger wrote, which stays a number.
                    assert re.fullmatch(r"-?[0-9.]+", cell), (delimiter, cell)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["spent_delta"] for row in rows] == ["0", "0.0015", "-0.0005"]
    assert [row["execution_count"] for row in rows[:2]] == ["3", "3"]
    assert json.loads(rows[1]["detail"]).keys() == {"model", "note"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_lines_of_json_hold_nothing_that_acts_and_all_of_the_text(memory: Any, payload: str) -> None:
    ledger = memory.open()
    recorded(ledger, payload)
    lines = list(export.json_lines(export.walk(ledger, AuditQuery(oldest_first=True))))
    assert all(line.endswith("\n") and line[:-1].isprintable() for line in lines)
    for line, record in zip(lines, records(ledger), strict=True):
        members = json.loads(line)
        assert (members["tool"], members["agent_id"], members["amount"]) == (record.tool, payload, record.amount)
        assert members["detail"] == dict(record.detail)
        assert tuple(members["reasons"]) == record.reasons


HARMLESS = [
    "plain",
    'tool,0 "x"',
    "a'b",
    "work/plan.ipynb",
    "\u00fcml\u00e4ut \u65e5\u672c \U0001f642",
    "a - b",
    "x=1",
    "a;b",
    "",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_acts_on_nothing_stays_as_it_is(memory: Any, text: str) -> None:
    ledger = memory.open()
    ledger.execute(opening())
    ledger.execute(spend(tool=text or "t", note=text))
    lines = "".join(export.csv_lines(export.walk(ledger, AuditQuery(notebook=NOTEBOOK))))
    row = next(csv.DictReader(io.StringIO(lines, newline="")))
    assert row["tool"] == (text or "t")
    assert json.loads(row["detail"])["note"] == text
