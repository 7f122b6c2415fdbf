"""What the ledger's own chain states of sessions and ceilings, also as earlier versions recorded it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from aumos_governance.ledger.contract.budgets import EnvelopeKind
from aumos_governance.ledger.operations.balances import envelope_id
from aumos_governance.ledger.proof.ledger_replay import LedgerReplay
from aumos_governance.ledger.proof.shared_ceilings import Configured, SharedCeilings
from aumos_governance.ledger.rules.chain import AUDIT_COLUMNS, LEDGER_CHAIN

TEAM, OWNER = EnvelopeKind.TEAM.value, EnvelopeKind.OWNER.value


def record(event: str, detail: dict[str, Any], chain: str = LEDGER_CHAIN, **values: Any) -> list[Any]:
    given = {"chain": chain, "seq": 1, "event": event, "reasons": "[]", "detail": json.dumps(detail), **values}
    return [given.get(name) for name in AUDIT_COLUMNS]


def configured(owner: str, *specs: dict[str, str], **more: Any) -> list[Any]:
    return record("configure", {"owner": owner, "root": "/srv", "to": specs} | more)


def spec(ceiling: str, kind: str = TEAM) -> dict[str, str]:
    return {"encloses": kind, "name": "shared", "period": "daily", "ceiling": ceiling}


def replayed(*records: list[Any]) -> LedgerReplay:
    replay = LedgerReplay({"n": ("ann", "/srv"), "m": ("bob", "/srv")})
    for row in records:
        replay.replay_record(row)
    return replay


def opened(notebook: str, **more: Any) -> list[Any]:
    return record("open", {"session": f"session of {notebook}", **more}, notebook_id=notebook)


def closed(notebook: str) -> list[Any]:
    return record("close", {"session": f"session of {notebook}"}, notebook_id=notebook, at=5)


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


def test_configurations_of_earlier_versions_became_shared_ceilings() -> None:
    book, team = spec("3", EnvelopeKind.NOTEBOOK.value), spec("5") | {"period": "monthly"}
    replay = replayed(configured("ann", book, spec("5"), spec("6", OWNER)), configured("bob", team, root="/srv/b"))
    assert replay.shared.rows() == {}
    replay.finish()
    ids = sorted(envelope_id(TEAM, "", "shared", period) for period in ("daily", "monthly"))
    assert replay.shared.rows() == {
        (TEAM, "", "shared"): {"envelopes": " ".join(ids)},
        (OWNER, "ann", "shared"): {"envelopes": envelope_id(OWNER, "ann", "shared", "daily")},
    }
    assert replay.shared.member_rows() == {
        ("ann",): {"ceilings": '[["owner","shared"],["team","shared"]]'},
        ("bob",): {"ceilings": '[["team","shared"]]'},
    }
    assert {envelope.ceilings.pop() for envelope in replay.envelopes.values()} == {5 * 10**9, 6 * 10**9}


@pytest.mark.parametrize("earlier", [False, True])
def test_a_ceiling_that_is_set_again_after_it_was_lifted_has_both_its_envelopes(earlier: bool) -> None:
    about = {"kind": TEAM, "subject": "", "name": "shared"}
    first = configured("ann", spec("5")) if earlier else configured("ann", spec("5"), around={}, shared=[])
    replay = replayed(opened("n"), first)
    steps: list[list[dict[str, str]]] = [[], [{"ceiling": "6", "period": "monthly"}]]
    for to in steps:
        replay.replay_record(record("ceiling", {**about, "to": to, "around": {"session of n": "around"}}))
    replay.finish()
    monthly = envelope_id(TEAM, "", "shared", "monthly")
    assert replay.shared.rows() == {(TEAM, "", "shared"): {"envelopes": monthly}}
    assert replay.shared.all_envelopes == {monthly, envelope_id(TEAM, "", "shared", "daily")}
    assert replay.envelopes[monthly].ceilings == {6 * 10**9}
    assert replay.sessions["session of n"].outer == "around"


# ---- the ceilings around a session


@pytest.mark.parametrize("opening", [False, True])
@pytest.mark.parametrize("configuration", [False, True])
def test_a_session_has_the_ceilings_that_records_state_if_all_its_records_state_them(
    opening: bool, configuration: bool
) -> None:
    around = {"around": {"session of n": "stated"}} if configuration else {}
    replay = replayed(opened("n", **({"around": "first"} if opening else {})), configured("ann", spec("5"), **around))
    session = replay.sessions["session of n"]
    assert session.stated is (opening and configuration)
    derived = envelope_id(TEAM, "", "shared", "daily")
    assert session.outer == ("stated" if configuration else derived)
    assert session.outers == {"first" if opening else "", session.outer}


def test_a_configuration_changes_nothing_around_closed_and_other_sessions() -> None:
    book = spec("5", EnvelopeKind.NOTEBOOK.value)
    earlier = replayed(opened("n"), opened("m"), closed("n"), configured("ann", book), configured("bob", book))
    assert [session.outers for session in earlier.sessions.values()] == [
        {""},
        {"", envelope_id(EnvelopeKind.NOTEBOOK.value, "m", "shared", "daily")},
    ]
    stated = {"around": {"session of n": "stated"}, "shared": [], "elsewhere": {"session of m": "elsewhere"}}
    now = replayed(opened("n", around="first"), opened("m", around="first"), configured("ann", book, **stated))
    assert [session.outers for session in now.sessions.values()] == [{"first", "stated"}, {"first", "elsewhere"}]
    assert [session.stated for session in now.sessions.values()] == [True, True]


def test_a_session_that_another_server_opens_again_is_within_that_servers_ceilings() -> None:
    book = spec("5", EnvelopeKind.NOTEBOOK.value)
    id = envelope_id(EnvelopeKind.NOTEBOOK.value, "n", "shared", "daily")
    detail = {"session": "session of n", "root": "/other", "around": id}
    configuration = record("configure", {"owner": "ann", "root": "/other", "to": [book]})
    replay = replayed(configuration, opened("n", around=""), record("enclose", detail))
    assert replay.sessions["session of n"].outers == {"", id}
    assert replay.envelopes[id].ceilings == {5 * 10**9}


@pytest.mark.parametrize("root", [None, "/srv", "/other"])
def test_an_opening_learns_the_amounts_that_its_server_configured(root: str | None) -> None:
    book = spec("5", EnvelopeKind.NOTEBOOK.value)
    replay = replayed(configured("ann", book), opened("n", **({} if root is None else {"root": root})))
    id = envelope_id(EnvelopeKind.NOTEBOOK.value, "n", "shared", "daily")
    known = {} if root == "/other" else {id: {5 * 10**9}}
    assert {id: envelope.ceilings for id, envelope in replay.envelopes.items()} == known
    # Of a notebook without a row, the owner is not known.
    replay = replayed(configured("ann", book), opened("unknown", **({} if root is None else {"root": root})))
    assert (replay.envelopes, replay.sessions["session of unknown"].outer) == ({}, "")


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        (EnvelopeKind.NOTEBOOK, None),
        (EnvelopeKind.OWNER, "ann"),
        (EnvelopeKind.SERVER, "ann"),
        (EnvelopeKind.TEAM, None),
    ],
)
def test_a_ceiling_of_an_owner_or_a_server_names_the_owner(kind: EnvelopeKind, owner: str | None) -> None:
    replay = replayed(configured("ann", spec("5", kind.value)), opened("n"))
    session = replay.sessions["session of n"]
    assert session.outer.split() == list(replay.envelopes)
    assert replay.owner_of(session) == owner
    session.outer = f"unknown {session.outer}"
    assert replay.owner_of(session) == owner


@pytest.mark.parametrize("stated", [False, True])
def test_around_sessions_of_joined_notebooks_only_stated_ceilings_are_known(stated: bool) -> None:
    more = {"around": ""} if stated else {}
    records = [opened("n", **more), opened("m", **more), opened("k", **more)]
    replay = replayed(*records, record("join", {"notebook": "n", "into": "m"}))
    assert [replay.is_vague(session) for session in replay.sessions.values()] == [not stated, not stated, False]
    assert [session.notebook_id for session in replay.sessions.values()] == ["m", "m", "k"]


@pytest.mark.parametrize(
    ("goes", "stays", "last"),
    [
        ([], [], None),
        ([5], [], "n5"),
        ([], [5], "m5"),
        ([5], [7], "m7"),
        ([7], [5], "n7"),
        ([5], [5], "m5"),
        ([7], [3, 5, 9], "m9"),
        ([3, 5, 9], [7], "n9"),
        ([1, 2, 4], [3, 5, 6], "m6"),
    ],
)
@pytest.mark.parametrize("is_open", [False, True])
def test_a_joined_notebook_has_the_closed_sessions_of_both_and_the_newest_of_all(
    goes: list[int], stays: list[int], last: str | None, is_open: bool
) -> None:
    records = []
    for notebook, times in (("n", goes), ("m", stays)):
        for time in times:
            about = {"session": f"{notebook}{time}"}
            records.append(record("open", about, notebook_id=notebook))
            records.append(record("close", about, notebook_id=notebook, at=time))
    replay = replayed(*records, *([opened("m")] if is_open else []), record("join", {"notebook": "n", "into": "m"}))
    closings = replay.closings["m"]
    assert sorted(closings) == sorted([(f"n{time}", time) for time in goes] + [(f"m{time}", time) for time in stays])
    assert (closings[-1][0] if closings else None) == last
    assert replay.newest.get("m") == ("session of m" if is_open else last)
    assert "n" not in replay.closings
    assert {session.notebook_id for session in replay.sessions.values()} <= {"m"}


def test_a_notebook_that_is_joined_again_takes_its_names_along() -> None:
    joins = [("a", "b"), ("c", "d"), ("b", "e")]
    replay = replayed(*(record("join", {"notebook": goes, "into": stays}) for goes, stays in joins))
    assert replay.aliases == {"a": "e", "b": "e", "c": "d"}
    assert replay.joined == {"a", "b", "c"}


@pytest.mark.parametrize("other", [None, "5", "7"])
def test_ceilings_of_a_joined_notebook_become_those_of_the_other(other: str | None) -> None:
    kind = EnvelopeKind.NOTEBOOK.value
    shared, book = spec("6"), spec("5", kind)
    theirs = [configured("bob", book | {"ceiling": other}, shared)] if other else []
    replay = replayed(opened("n"), opened("m"), configured("ann", book, shared), *theirs)
    replay.replay_record(record("join", {"notebook": "n", "into": "m"}))
    before, after = (envelope_id(kind, notebook, "shared", "daily") for notebook in ("n", "m"))
    team = envelope_id(TEAM, "", "shared", "daily")
    assert replay.emptied == {before}
    assert replay.envelopes.keys() == {before, after, team}
    assert replay.envelopes[after].subject == "m"
    assert replay.envelopes[after].ceilings == {int(other or "5") * 10**9}
    around = replay.sessions["session of n"]
    assert (around.outer, around.outers) == (f"{after} {team}", {"", f"{after} {team}"})
    replay.envelopes[after].ceilings.add(1)
    assert replay.envelopes[before].ceilings == {5 * 10**9}


def test_an_owners_ceiling_stays_where_it_is_even_if_the_owner_is_named_as_the_notebook_is() -> None:
    replay = LedgerReplay({"n": ("n", "/srv"), "m": ("n", "/srv")})
    for row in (opened("n"), configured("n", spec("5", OWNER)), record("join", {"notebook": "n", "into": "m"})):
        replay.replay_record(row)
    id = envelope_id(OWNER, "n", "shared", "daily")
    assert (replay.envelopes.keys(), replay.emptied) == ({id}, set())
    assert replay.sessions["session of n"].outer == id
