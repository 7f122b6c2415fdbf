"""Parts of a verification alone, and what it reports of two faults at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aumos_governance.ledger.contract.budgets import EnvelopeKind
from aumos_governance.ledger.operations.balances import envelope_id
from aumos_governance.ledger.proof.agreements import Agreements
from aumos_governance.ledger.proof.damage import DAMAGED, UnreadableError
from aumos_governance.ledger.proof.findings import MISSING, Findings
from aumos_governance.ledger.proof.ledger_replay import Entry, LedgerReplay, Session
from aumos_governance.ledger.proof.session_replay import SessionReplay
from aumos_governance.ledger.proof.shared_ceilings import Configured, SharedCeilings
from aumos_governance.ledger.proof.walk import ChainEnd, Walk
from aumos_governance.ledger.rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN, AuditRow
from aumos_governance.ledger.transaction.rows import TrustRow
from aumos_governance.ledger.transaction.tables import columns
from tests.ledger.kit import Backend
from tests.ledger.rich import fill_richly

TEAM = EnvelopeKind.TEAM.value


def test_a_shared_ceiling_of_earlier_versions_may_have_each_amount_that_was_configured() -> None:
    id = envelope_id(TEAM, "", "team", "daily")
    envelopes = {id: Configured("team", TEAM, "daily", "", {5_000_000_000})}
    specs = [{"encloses": TEAM, "name": "team", "period": "daily", "ceiling": "7"}]
    shared = SharedCeilings(envelopes)
    shared.begin({("ann", "/srv"): specs})
    shared.begin({})
    assert envelopes[id].ceilings == {5_000_000_000, 7_000_000_000}
    assert shared.rows() == {(TEAM, "", "team"): {"envelopes": id}}
    assert shared.member_rows() == {("ann",): {"ceilings": '[["team","team"]]'}}
    assert shared.all_envelopes == {id}


def trust_record(chain: str, **detail: Any) -> Entry:
    values = {"event": "trust", "chain": chain, "agent_id": "helper", "at": 5}
    detail = {"scope": None, "to": 2, "by": "ann", **detail}
    return Entry([json.dumps(detail) if name == "detail" else values.get(name) for name in AUDIT_COLUMNS])


@pytest.mark.parametrize("vague", [False, True])
def test_a_level_of_which_some_records_name_no_realm_is_not_missing(vague: bool) -> None:
    agreements, findings = Agreements(), Findings()
    agreements.replay_record(trust_record("s1", realm="ann"), "s1")
    if vague:
        agreements.replay_record(trust_record("s2"), "s2")
    agreements.finish(findings)
    assert agreements.uncovered is vague
    assert [finding.code for finding in findings.listed] == ([] if vague else [MISSING])


def stored_level(**values: Any) -> tuple[Any, ...]:
    nothing = dict.fromkeys(columns[TrustRow], None)
    about = {"realm": "ann", "agent_id": "helper", "scope": "", "level": 2, "assigned_by": "ann", "assigned_at": 5}
    return tuple((nothing | about | {"touched_at": 6} | values).values())


def test_a_level_agrees_with_the_last_record_of_any_chain_that_names_its_realm() -> None:
    for level, right in ((1, False), (2, True), (3, True)):
        agreements, findings = Agreements(), Findings()
        agreements.replay_record(trust_record("s1", realm="ann", to=1), "s1")
        agreements.replay_record(trust_record("s1", realm="ann", to=2), "s1")
        agreements.replay_record(trust_record("s2", realm="ann", to=3), "s2")
        assert agreements.compare(TrustRow, stored_level(level=level), True, findings) is right
        named = [finding.problem for finding in findings.listed]
        assert named == ([] if right else ["level of trust ann helper '' is 1, but the records state 3."])


@pytest.mark.parametrize(
    ("values", "everything", "codes"),
    [
        ({}, True, []),
        ({"touched_at": "x"}, True, [DAMAGED]),
        ({"realm": b"1"}, True, [DAMAGED]),
        ({"scope": 7}, True, [DAMAGED]),
        ({"realm": "bob"}, True, ["ROW_UNKNOWN"]),
        ({"realm": "bob"}, False, []),
        # Earlier versions recorded this scope's level without its realm.
        ({"scope": "vague"}, True, []),
        ({"scope": "vague", "level": 3}, True, []),
    ],
)
def test_a_level_is_proven_only_by_records_that_name_its_realm(
    values: dict[str, Any], everything: bool, codes: list[str]
) -> None:
    agreements, findings = Agreements(), Findings()
    agreements.replay_record(trust_record("s1", realm="ann"), "s1")
    agreements.replay_record(trust_record("s1", scope="vague"), "s1")
    agreements.replay_record(trust_record("s2", realm="ann", scope="vague"), "s1")
    assert agreements.compare(TrustRow, stored_level(**values), everything, findings) is (values == {})
    assert [finding.code for finding in findings.listed] == codes


class NoRows:
    """An evidence in which no row is found."""

    def find(self, kind: object, *key: object) -> None:
        return None


@pytest.mark.parametrize(("stated", "joined"), [(True, True), (False, False), (False, True)])
def test_envelopes_that_neither_records_nor_rows_state_are_not_judged(stated: bool, joined: bool) -> None:
    """A session that an earlier version opened in a notebook that was joined to another one."""
    ledger_replay, findings = LedgerReplay({}), Findings()
    session = Session("s", "n", stated=stated, envelope_id="e")
    if joined:
        ledger_replay.renamed.add("n")
    evidence: Any = NoRows()
    replay = SessionReplay(evidence, ledger_replay, findings, {}, Agreements(), careful=False)
    replay.check_envelopes(session, "c", "of another session", None, {})
    found = [(finding.table, finding.record) for finding in findings.listed]
    assert found == ([] if joined and not stated else [("charges", "c")])


@pytest.mark.parametrize("moved", [False, True])
def test_where_a_notebook_kept_its_server_the_envelopes_of_earlier_versions_are_judged(moved: bool) -> None:
    detail = {"session": "s"} | ({"was": "/srv/before"} if moved else {})
    values = {"event": "open", "chain": LEDGER_CHAIN, "notebook_id": "n", "detail": json.dumps(detail)}
    ledger_replay = LedgerReplay({"n": ("ann", "/srv")})
    ledger_replay.replay_record([values.get(name) for name in AUDIT_COLUMNS])
    assert ledger_replay.is_vague(ledger_replay.sessions["s"]) is moved


def test_a_configuration_of_earlier_versions_is_around_the_sessions_of_its_server() -> None:
    ledger_replay = LedgerReplay({"n": ("ann", "/srv"), "m": ("bob", "/srv")})
    book = {"encloses": EnvelopeKind.NOTEBOOK.value, "name": "book", "period": "daily", "ceiling": "5"}
    records: list[tuple[str, str | None, dict[str, Any]]] = [
        ("open", "n", {"session": "s"}),
        ("open", "m", {"session": "t"}),
        ("configure", None, {"owner": "ann", "root": "/srv", "to": [book]}),
    ]
    for event, notebook, detail in records:
        values = {"event": event, "notebook_id": notebook, "detail": json.dumps(detail)}
        ledger_replay.replay_record([values.get(name) for name in AUDIT_COLUMNS])
    around = envelope_id(EnvelopeKind.NOTEBOOK.value, "n", "book", "daily")
    assert [session.outer for session in ledger_replay.sessions.values()] == [around, ""]
    assert [session.stated for session in ledger_replay.sessions.values()] == [False, False]
    assert ledger_replay.envelopes[around].ceilings == {5_000_000_000}


@pytest.mark.parametrize("good", [0, 1, 3])
def test_a_record_that_cannot_be_read_is_named_by_its_number(memory: Backend, good: int) -> None:
    ledger: Any = memory.open()
    fill_richly(ledger, memory.clock)
    records = ledger._store.chains[LEDGER_CHAIN]

    def read() -> Iterator[AuditRow]:
        yield from records[:good]
        raise UnreadableError("the database's reason")

    walk = Walk()
    assert not walk.chain(LEDGER_CHAIN, read(), ChainEnd(len(records), records[-1][-1]))
    failure = walk.result(walked_all=True)
    assert (failure.chain, failure.seq, failure.checked) == (LEDGER_CHAIN, good + 1, good)
    assert failure.problem == f"Record {good + 1} of the ledger's own chain cannot be read: the database's reason."
    assert [(finding.code, finding.seq) for finding in failure.findings] == [(DAMAGED, good + 1)]


def test_a_head_that_no_record_has_and_a_changed_row_are_both_named(sqlite: Backend) -> None:
    ledger = sqlite.open()
    fill_richly(ledger, sqlite.clock)
    assert sqlite.run_sql is not None
    sqlite.run_sql("UPDATE charges SET tool = 'other' WHERE tool = 'last'")
    found = ledger.verify(known_head="0" * 64)
    assert [(finding.code, finding.table) for finding in found.findings] == [
        ("HEAD_UNKNOWN", None),
        ("ROW_DIFFERS", "charges"),
        ("ROW_DIFFERS", "asks"),
    ]
