"""A walk over chains, record by record and in the order of writing: both find the same, and one says where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from aumos_governance.ledger.proof.damage import DAMAGED
from aumos_governance.ledger.proof.walk import CHAIN_BROKEN, ChainEnd, Walk
from aumos_governance.ledger.rules.chain import AUDIT_COLUMNS, AUDIT_HINTS, LEDGER_CHAIN, START, AuditRow, digest, dumps

SEQ, PREVIOUS, HASH, AMOUNT = (AUDIT_COLUMNS.index(name) for name in ("seq", "previous_hash", "hash", "amount"))


NOTHING: dict[str, Any] = {name: {int: 0, str: ""}.get(kind) for name, kind in AUDIT_HINTS.items()}


def chain_of(name: str, *records: dict[str, Any]) -> list[AuditRow]:
    """Return the records of an intact chain, with these values."""
    rows, previous = [], START
    for seq, values in enumerate(records, 1):
        given = {**NOTHING, "chain": name, "seq": seq, "detail": "{}", "previous_hash": previous, **values}
        fields = [given[column] for column in AUDIT_COLUMNS[:-1]]
        previous = digest(fields)
        rows.append((*fields, previous))
    return rows


def end_of(rows: list[AuditRow]) -> ChainEnd:
    return ChainEnd(len(rows), rows[-1][HASH] if rows else START)


def spends(name: str, count: int) -> list[AuditRow]:
    return chain_of(name, *({"amount": number} for number in range(count)))


def closing(session: str, count: int, head: str, notebook: str = "n", event: str = "close") -> dict[str, Any]:
    detail = dumps({"session": session, "count": count, "head": head})
    return {"event": event, "notebook_id": notebook, "detail": detail}


def changed(row: AuditRow, place: int, value: Any) -> AuditRow:
    return (*row[:place], value, *row[place + 1 :])


Change = Callable[[list[AuditRow]], list[AuditRow]]
BROKEN: dict[str, tuple[Change, int, str]] = {
    "the first was changed": (lambda rows: [changed(rows[0], AMOUNT, 7), *rows[1:]], 1, CHAIN_BROKEN),
    "the last was changed": (lambda rows: [*rows[:3], changed(rows[3], AMOUNT, 7)], 4, CHAIN_BROKEN),
    "another hash": (lambda rows: [*rows[:3], changed(rows[3], HASH, "0" * 64)], 4, CHAIN_BROKEN),
    "another hash before it": (
        lambda rows: [rows[0], changed(rows[1], PREVIOUS, "0" * 64), *rows[2:]],
        2,
        CHAIN_BROKEN,
    ),
    "the first is gone": (lambda rows: rows[1:], 1, CHAIN_BROKEN),
    "one is gone": (lambda rows: [*rows[:2], rows[3]], 3, CHAIN_BROKEN),
    "the last is gone": (lambda rows: rows[:3], 4, CHAIN_BROKEN),
    "all are gone": (lambda rows: [], 1, CHAIN_BROKEN),
    "one exists twice": (lambda rows: [*rows[:2], rows[1], *rows[2:]], 3, CHAIN_BROKEN),
    "one too many": (lambda rows: spends("s", 5), 5, CHAIN_BROKEN),
    "two were exchanged": (lambda rows: [rows[1], rows[0], *rows[2:]], 1, CHAIN_BROKEN),
    "an amount that is no number": (lambda rows: [rows[0], changed(rows[1], AMOUNT, "x"), *rows[2:]], 2, DAMAGED),
    "a number that is none": (lambda rows: [rows[0], changed(rows[1], SEQ, 1.5), *rows[2:]], 2, DAMAGED),
    "text for a number": (lambda rows: [rows[0], changed(rows[1], SEQ, "2"), *rows[2:]], 2, DAMAGED),
    "bytes for a number": (lambda rows: [*rows[:3], changed(rows[3], SEQ, b"4")], 4, DAMAGED),
    "no hash before it": (lambda rows: [rows[0], changed(rows[1], PREVIOUS, None), *rows[2:]], 2, DAMAGED),
    "bytes": (lambda rows: [*rows[:3], changed(rows[3], AMOUNT, b"x")], 4, DAMAGED),
}


@pytest.mark.parametrize("how", BROKEN)
def test_the_first_broken_record_is_named_by_its_number(how: str) -> None:
    intact = spends("s", 4)
    change, seq, code = BROKEN[how]
    rows = change(intact)
    seen: list[AuditRow] = []
    walk = Walk(on_record=seen.append)
    assert not walk.chain("s", rows, end_of(intact))
    result = walk.result(walked_all=True)
    assert (result.ok, result.chain, result.seq, result.heads) == (False, "s", seq, {})
    assert [(finding.code, finding.table, finding.record, finding.seq) for finding in result.findings] == [
        (code, "audit", "s", seq)
    ]
    assert ("twice" in (result.problem or "")) is (how == "one exists twice")
    assert seen == rows[: len(seen)]
    assert result.checked == len(seen)
    other = Walk()
    # A chain of which no record was read is missed later.
    assert other.walk_as_written(rows, {"s": end_of(intact)}) is (rows == [])
    assert (other.checked, other.heads, other.failure) == (0, {}, None)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_record_of_a_chain_that_was_written_anew_does_not_follow(place: int) -> None:
    rows, other = spends("s", 4), chain_of("s", *({"amount": number + 1} for number in range(4)))
    mixed = [*rows[:place], *other[place:]]
    walk = Walk()
    assert walk.chain("s", mixed, end_of(mixed)) is (place == 0)
    assert walk.result(walked_all=True).seq == (place + 1 if place else None)
    assert Walk().walk_as_written(mixed, {"s": end_of(mixed)}) is (place == 0)


@pytest.mark.parametrize(("place", "value"), [(0, 3), (0, 5), (1, "0" * 64), (0, "4"), (1, None)])
def test_an_end_that_is_not_the_last_record_is_no_end(place: int, value: Any) -> None:
    rows = spends("s", 4)
    values: list[Any] = [4, rows[-1][HASH]]
    values[place] = value
    walk = Walk()
    assert not walk.chain("s", rows, ChainEnd(*values))
    (finding,) = walk.result(walked_all=True).findings
    damaged = value in ("4", None)
    assert (finding.code, finding.table) == ((DAMAGED, "chains") if damaged else (CHAIN_BROKEN, "audit"))
    assert finding.seq == (5 if value == 5 else 4)
    assert not Walk().walk_as_written(rows, {"s": ChainEnd(*values)})


def test_records_without_an_end_are_named() -> None:
    walk = Walk()
    assert not walk.chain("s", spends("s", 2), None)
    assert (walk.result(walked_all=True).chain, walk.result(walked_all=True).seq) == ("s", 1)
    assert not Walk().walk_as_written(spends("s", 2), {})


def test_all_chains_are_walked_whichever_way_they_are_read() -> None:
    first, second = spends("a", 3), spends("b", 2)
    by_chain, seen_by_chain = Walk(), []
    by_chain.on_record = seen_by_chain.append
    assert by_chain.chain("a", first, end_of(first))
    assert by_chain.chain("b", second, end_of(second))
    as_written, seen = Walk(), []
    as_written.on_record = seen.append
    written = [second[0], first[0], first[1], second[1], first[2]]
    assert as_written.walk_as_written(written, {"a": end_of(first), "b": end_of(second)})
    assert (seen_by_chain, seen) == ([*first, *second], written)
    for result in (by_chain.result(walked_all=True), as_written.result(walked_all=True)):
        assert (result.ok, result.checked, result.problem) == (True, 5, None)
        assert list(result.heads.items()) == [("a", first[-1][HASH]), ("b", second[-1][HASH])]


def walked(walk: Walk, ledger: list[AuditRow], rows: list[AuditRow], *, as_written: bool) -> bool:
    """Walk the ledger-wide chain and then a session's, whose end is where it says."""
    assert walk.chain(LEDGER_CHAIN, ledger, end_of(ledger))
    ends = {"s": end_of(rows)}
    return walk.walk_as_written(rows, ends) if as_written else walk.chain("s", rows, ends["s"])


@pytest.mark.parametrize("as_written", [False, True])
@pytest.mark.parametrize("event", ["open", "close"])
def test_a_sessions_chain_must_have_the_hashes_that_the_ledgers_own_chain_states(as_written: bool, event: str) -> None:
    rows, other = spends("s", 4), chain_of("s", *({"amount": number + 1} for number in range(4)))
    for count, good in ((2, True), (4, True), (5, False)):
        head = rows[min(count, 4) - 1][HASH]
        stated = chain_of(LEDGER_CHAIN, closing("s", count, head, event=event))
        assert walked(Walk(), stated, rows, as_written=as_written) is good
        # Written anew, it is a chain as well, but another one.
        assert not walked(Walk(), stated, other, as_written=as_written)
        # Another record of the same session, and records that no version has written, state no less.
        for before in (closing("s", 1, rows[0][HASH]), {"event": event, "notebook_id": "n"}):
            assert (
                walked(Walk(), chain_of(LEDGER_CHAIN, before, closing("s", count, head)), rows, as_written=as_written)
                is good
            )


@pytest.mark.parametrize("as_written", [False, True])
def test_only_openings_and_closings_in_the_ledgers_own_chain_state_hashes(as_written: bool) -> None:
    rows = spends("s", 2)
    ledger = chain_of(LEDGER_CHAIN, {**closing("s", 3, "another"), "event": "configure"})
    assert walked(Walk(), ledger, rows, as_written=as_written)
    walk, session = Walk(), chain_of("t", closing("s", 3, "another"))
    assert walk.chain("t", session, end_of(session))
    assert walked(walk, chain_of(LEDGER_CHAIN, {}), rows, as_written=as_written)


@pytest.mark.parametrize("as_written", [False, True])
def test_hashes_are_stated_for_the_notebooks_that_are_walked(as_written: bool) -> None:
    rows = spends("s", 2)
    ledger = chain_of(LEDGER_CHAIN, closing("s", 3, "another", "mine"), closing("t", 1, "gone", "theirs"))
    assert not walked(Walk(notebooks={"mine"}), ledger, rows, as_written=as_written)
    walk = Walk(notebooks={"another"})
    assert walked(walk, ledger, rows, as_written=as_written)
    assert walk.result(walked_all=True).ok


@pytest.mark.parametrize("walked_all", [False, True])
def test_a_session_without_any_record_is_missing_where_all_were_walked(walked_all: bool) -> None:
    walk, rows = Walk(), spends("s", 2)
    stated = closing("s", 2, rows[-1][HASH]), closing("t", 1, "gone"), closing("u", 1, "gone")
    assert walked(walk, chain_of(LEDGER_CHAIN, *stated), rows, as_written=False)
    result = walk.result(walked_all=walked_all)
    assert (result.ok, result.chain, result.seq) == ((False, "t", 1) if walked_all else (True, None, None))
    assert result.checked == 5


@pytest.mark.parametrize("as_written", [False, True])
@pytest.mark.parametrize(("where", "seq"), [("ledger", 1), ("ledger", 2), ("s", 1), ("s", 3), ("", 0)])
def test_a_known_head_is_the_hash_of_any_record(as_written: bool, where: str, seq: int) -> None:
    chains = {LEDGER_CHAIN: chain_of(LEDGER_CHAIN, {}, {"event": "configure"}), "s": spends("s", 3)}
    known = chains[where][seq - 1][HASH] if where else "0" * 64
    walk = Walk(known)
    assert walked(walk, chains[LEDGER_CHAIN], chains["s"], as_written=as_written)
    if as_written:
        # The chains of sessions without a record are walked after it.
        assert walk.chain("t", (), end_of([]))
    result = walk.result(walked_all=True)
    assert (result.ok, [finding.code for finding in result.findings]) == (
        (True, []) if where else (False, ["HEAD_UNKNOWN"])
    )
    assert (result.checked, result.chain, result.seq) == (5, None, None)
    assert result.heads.keys() >= chains.keys()


def test_in_a_broken_chain_the_known_head_is_not_looked_for() -> None:
    walk = Walk("0" * 64)
    assert not walk.chain("s", spends("s", 2)[1:], ChainEnd(1, "x"))
    assert [finding.code for finding in walk.result(walked_all=True).findings] == [CHAIN_BROKEN]
