"""What records state of rows, also as earlier versions recorded it, and which record creates a row."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aumos_governance.ledger.proof.agreements import Agreements
from aumos_governance.ledger.proof.findings import Findings
from aumos_governance.ledger.proof.ledger_replay import Entry, LedgerReplay
from aumos_governance.ledger.proof.rules import RULES
from aumos_governance.ledger.proof.session_replay import SessionReplay
from aumos_governance.ledger.rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN
from aumos_governance.ledger.transaction.rows import ApprovalRow, ChargeRow, CorrectionRow, EstimateRow, ReportRow
from aumos_governance.ledger.transaction.tables import ROWS, Row, columns

NOT_COMPARED = (0, None, None, None)
"""The values after a record's columns if the database did not compare it with its charge's row."""


def record(event: str, detail: dict[str, Any], chain: str = LEDGER_CHAIN, **values: Any) -> list[Any]:
    given = {"chain": chain, "seq": 1, "event": event, "reasons": "[]", "detail": json.dumps(detail), **values}
    return [given.get(name) for name in AUDIT_COLUMNS]


class Rows:
    """An evidence that has these rows."""

    def __init__(self, *rows: tuple[type[Row], dict[str, Any]]) -> None:
        self._rows = {(kind, values[kind.KEY[0]]): values for kind, values in rows}

    def find(self, kind: type[Row], id: str) -> tuple[Any, ...] | None:
        values = self._rows.get((kind, id))
        if values is None:
            return None
        nothing = {column.name: "" if column.kind is str else 0 for column in ROWS[kind].columns if not column.null}
        return tuple((nothing | values).get(name) for name in columns[kind])


def session_replay(*rows: tuple[type[Row], dict[str, Any]]) -> SessionReplay:
    evidence: Any = Rows(*rows)
    ledger_replay = LedgerReplay({"n": ("ann", "/srv")})
    ledger_replay.replay_record(record("open", {"session": "s"}, notebook_id="n"))
    return SessionReplay(evidence, ledger_replay, Findings(), RULES, Agreements(), careful=True)


@pytest.mark.parametrize(
    ("status", "used", "code"),
    [
        ("used", True, None),
        ("approved", True, "ROW_DIFFERS"),
        ("approved", False, None),
        (None, True, "ROW_MISSING"),
        # Earlier versions did not record whether the approval was used.
        ("used", None, None),
        ("approved", None, None),
        (None, None, None),
    ],
)
def test_a_charge_states_whether_its_approval_was_used(status: str | None, used: bool | None, code: str | None) -> None:
    rows: list[tuple[type[Row], dict[str, Any]]] = [(ApprovalRow, {"id": "a", "status": status})] if status else []
    replay = session_replay(*rows)
    detail = {"approval": "a"} if used is None else {"approval": "a", "approval_used": used}
    given = {"charge_id": "c", "amount": 0, "spent_delta": 0, "held_delta": 0, "at": 5}
    replay.replay_record([*record("spend", detail, "s", **given), *NOT_COMPARED])
    replay.finish()
    # The charge itself has no row here.
    found = [(finding.code, finding.table) for finding in replay.findings.listed if finding.table != "charges"]
    assert found == ([] if code is None else [(code, "approvals")])


@pytest.mark.parametrize(("event", "state", "right"), [("spend", "spent", True), ("hold", "held", False)])
def test_only_a_hold_has_an_expiry(event: str, state: str, right: bool) -> None:
    row = {"id": "c", "session_id": "s", "state": state, "at": 5, "spent": 0}
    replay = session_replay((ChargeRow, row))
    given = {"charge_id": "c", "amount": 0, "spent_delta": 0, "held_delta": 0, "at": 5, "tool": ""}
    replay.replay_record([*record(event, {"until": 9}, "s", **given), *NOT_COMPARED])
    replay.finish()
    assert [finding.problem.split()[0] for finding in replay.findings.listed] == ([] if right else ["until"])


def test_only_the_record_that_creates_a_row_names_it() -> None:
    replay = session_replay()
    events = [name for name in RULES if name not in ("spend", "hold")]
    detail = {"approval": "a", "report": "r", "correction": "c", "estimated": True}
    rows = [record(event, detail, "s", charge_id="charge") for event in events]
    creating = {
        ApprovalRow: [("s", "a")] * 2,
        ReportRow: [("s", "r")],
        CorrectionRow: [("s", "c")],
        EstimateRow: [("s", "charge")],
    }
    assert {kind: list(replay.made_ids(kind, rows)) for kind in creating} == creating


def test_the_first_reason_of_a_correction_is_the_reason_in_its_row() -> None:
    assert Entry(record("correct", {}, reasons='["first","second"]')).reason == "first"
