"""Records of earlier versions, and records that no ledger of this version writes: what a verification makes of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aumos_governance.ledger.contract.budgets import EnvelopeKind
from aumos_governance.ledger.operations.balances import envelope_id
from aumos_governance.ledger.proof.agreements import Agreements
from aumos_governance.ledger.proof.findings import Findings
from aumos_governance.ledger.proof.ledger_replay import Entry, LedgerReplay
from aumos_governance.ledger.proof.rules import RULES
from aumos_governance.ledger.proof.session_replay import SessionReplay
from aumos_governance.ledger.proof.shared_ceilings import Configured, SharedCeilings
from aumos_governance.ledger.rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN
from aumos_governance.ledger.transaction.rows import ApprovalRow, CorrectionRow, EstimateRow, ReportRow
from aumos_governance.ledger.transaction.tables import ROWS, Row, columns

NOT_COMPARED = (0, None, None, None)
"""The values after a record's columns if the database did not compare it with its charge's row."""
TEAM, OWNER = EnvelopeKind.TEAM.value, EnvelopeKind.OWNER.value


def record(event: str, detail: dict[str, Any], chain: str = LEDGER_CHAIN, **values: Any) -> list[Any]:
    given = {"chain": chain, "seq": 1, "event": event, "reasons": "[]", "detail": json.dumps(detail), **values}
    return [given.get(name) for name in AUDIT_COLUMNS]


def configured(owner: str, *specs: dict[str, str], **more: Any) -> list[Any]:
    return record("configure", {"owner": owner, "root": "/srv", "to": specs, **more})


def spec(ceiling: str, kind: str = TEAM) -> dict[str, str]:
    return {"encloses": kind, "name": "shared", "period": "daily", "ceiling": ceiling}


def replayed(*records: list[Any]) -> LedgerReplay:
    replay = LedgerReplay({"n": ("ann", "/srv"), "m": ("bob", "/srv")})
    for row in records:
        replay.replay_record(row)
    return replay


def opened(notebook: str) -> list[Any]:
    return record("open", {"session": f"session of {notebook}"}, notebook_id=notebook)


# ---- ceilings


@pytest.mark.parametrize("lifted", [False, True])
def test_a_shared_ceiling_that_several_servers_configured_may_have_any_of_their_amounts(lifted: bool) -> None:
    records = [opened("n"), opened("m"), configured("ann", spec("5")), configured("bob", spec("7"))]
    replay = replayed(*records, *([configured("ann"), configured("bob")] if lifted else ()))
    replay.finish()
    assert replay.envelopes[envelope_id(TEAM, "", "shared", "daily")].ceilings == {5 * 10**9, 7 * 10**9}


@pytest.mark.parametrize("kind", [EnvelopeKind.NOTEBOOK.value, EnvelopeKind.SERVER.value])
def test_a_ceiling_of_one_server_has_the_last_amount_that_it_configured(kind: str) -> None:
    replay = replayed(opened("n"), configured("ann", spec("5", kind)), configured("ann", spec("7", kind)))
    assert [envelope.ceilings for envelope in replay.envelopes.values()] == [{7 * 10**9}]


@pytest.mark.parametrize("kind", [TEAM, OWNER])
def test_a_configuration_creates_a_shared_ceiling_and_does_not_change_it(kind: str) -> None:
    shared: dict[str, Any] = {"around": {}, "shared": []}
    replay = replayed(opened("n"), configured("ann", spec("5", kind), **shared), opened("n"))
    replay.replay_record(configured("ann", spec("7", kind), **shared))
    replay.replay_record(configured("bob", spec("9", kind), **shared))
    replay.replay_record(opened("n"))
    subjects = {TEAM: [""], OWNER: ["ann", "bob"]}[kind]
    ids = [envelope_id(kind, subject, "shared", "daily") for subject in subjects]
    amounts = {TEAM: [{5 * 10**9}], OWNER: [{5 * 10**9}, {9 * 10**9}]}[kind]
    assert {id: envelope.ceilings for id, envelope in replay.envelopes.items()} == dict(zip(ids, amounts, strict=True))
    expected = {(kind, subject, "shared"): {"envelopes": id} for subject, id in zip(subjects, ids, strict=True)}
    assert replay.shared.rows() == expected
    members = {("ann",): {"ceilings": f'[["{kind}","shared"]]'}, ("bob",): {"ceilings": f'[["{kind}","shared"]]'}}
    assert replay.shared.member_rows() == members


@pytest.mark.parametrize(("stated", "left"), [("7", {7}), ("9", {5, 7})])
def test_a_configuration_states_which_of_several_amounts_a_shared_ceiling_has(stated: str, left: set[int]) -> None:
    id = envelope_id(TEAM, "", "shared", "daily")
    envelopes = {id: Configured("shared", TEAM, "daily", "", {5 * 10**9, 7 * 10**9})}
    shared = SharedCeilings(envelopes)
    about = {"kind": TEAM, "name": "shared", "ceiling": stated}
    others = {"kind": TEAM, "name": "unknown", "ceiling": "1", "period": "daily"}, about | {"period": None}
    shared.configure("ann", [], [*others, about | {"period": "daily"}])
    assert envelopes[id].ceilings == {ceiling * 10**9 for ceiling in left}
    assert envelopes.keys() == {id}


def test_a_ceiling_that_is_set_again_after_it_was_lifted_has_both_its_envelopes() -> None:
    about = {"kind": TEAM, "subject": "", "name": "shared"}
    replay = replayed(opened("n"), configured("ann", spec("5"), around={}, shared=[]))
    steps: list[list[dict[str, str]]] = [[], [{"ceiling": "6", "period": "monthly"}]]
    for to in steps:
        replay.replay_record(record("ceiling", {**about, "to": to, "around": {"session of n": "around"}}))
    monthly = envelope_id(TEAM, "", "shared", "monthly")
    assert replay.shared.rows() == {(TEAM, "", "shared"): {"envelopes": monthly}}
    assert replay.shared.all_envelopes == {monthly, envelope_id(TEAM, "", "shared", "daily")}
    assert replay.envelopes[monthly].ceilings == {6 * 10**9}
    assert replay.sessions["session of n"].outer == "around"


# ---- rows


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
    return SessionReplay(evidence, replayed(opened("n")), Findings(), RULES, Agreements(), careful=True)


@pytest.mark.parametrize(
    ("status", "used", "right"),
    [
        ("used", True, True),
        ("approved", True, False),
        ("approved", False, True),
        # Earlier versions did not record whether the approval was used.
        ("used", None, True),
        ("approved", None, True),
        (None, None, True),
    ],
)
def test_a_charge_states_whether_its_approval_was_used(status: str | None, used: bool | None, right: bool) -> None:
    rows: list[tuple[type[Row], dict[str, Any]]] = [(ApprovalRow, {"id": "a", "status": status})] if status else []
    replay = session_replay(*rows)
    detail = {"approval": "a"} if used is None else {"approval": "a", "approval_used": used}
    given = {"charge_id": "c", "amount": 0, "spent_delta": 0, "held_delta": 0, "at": 5}
    replay.replay_record([*record("spend", detail, "session of n", **given), *NOT_COMPARED])
    replay.finish()
    # The charge itself has no row here.
    found = [(finding.code, finding.table) for finding in replay.findings.listed if finding.table != "charges"]
    assert found == ([] if right else [("ROW_DIFFERS", "approvals")])


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
