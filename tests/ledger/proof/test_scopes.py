"""The verification of one session, or of one owner's sessions: what it proves, and what it leaves to the whole one."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.proof.damage import DAMAGED
from aumos_governance.ledger.proof.walk import CHAIN_BROKEN
from tests.ledger.charges import hold, settle
from tests.ledger.kit import CENT, NOTEBOOK, OTHER, Backend, closing, opening, spend
from tests.ledger.rich import THEIRS

ANN = ("ann", "/srv/ann")


@dataclass
class Stored:
    """A ledger with two sessions of ann and one of bob, each with a spend and a settled hold."""

    ledger: Ledger
    backend: Backend
    mine: str
    other: str
    theirs: str

    def run(self, text: str) -> None:
        assert self.backend.run_sql is not None
        self.backend.run_sql(text)


@pytest.fixture
def stored(sqlite: Backend) -> Stored:
    ledger = sqlite.open()
    ids = []
    for notebook in (NOTEBOOK, OTHER, THEIRS):
        ids.append(ledger.execute(opening(notebook)).state.session_id or "")
        ledger.execute(spend(CENT, notebook))
        held = ledger.execute(hold(CENT, notebook=notebook)).charge_id
        ledger.execute(settle(held, CENT))
    ledger.execute(closing())
    return Stored(ledger, sqlite, *ids)


def test_what_is_proven_is_counted_and_what_is_not_is_named(stored: Stored) -> None:
    whole, mine = stored.ledger.verify(), stored.ledger.verify(under=ANN)
    one = stored.ledger.verify(stored.mine)
    assert (whole.ok, mine.ok, one.ok) == (True, True, True)
    counted = ("charges", "sessions", "notebooks", "envelopes", "balances")
    assert [[result.covered.get(name) for name in counted] for result in (whole, mine, one)] == [
        [6, 3, 3, 3, 3],
        [4, 2, 2, 2, 2],
        [2, 1, None, 1, 1],
    ]
    assert [len(result.not_covered) for result in (whole, mine, one)] == [0, 1, 1]
    assert mine.not_covered != one.not_covered
    assert "asks" in whole.covered
    assert not {"asks", "chains"} & {*mine.covered, *one.covered}
    # Four openings and closings are in the ledger's own chain.
    assert (whole.checked, mine.checked, one.checked) == (17, 13, 5)
    assert one.covered["audit"] == one.checked


@pytest.mark.parametrize("under", [None, ANN, ("bob", "/srv/bob")])
def test_a_session_that_was_cut_off_with_its_end_is_missed_where_it_belongs(
    stored: Stored, under: tuple[str, str] | None
) -> None:
    stored.run(
        f"DELETE FROM audit WHERE chain = '{stored.mine}' AND seq > 3;"
        f"UPDATE chains SET count = 3, head = (SELECT hash FROM audit WHERE chain = '{stored.mine}' AND seq = 3)"
        f" WHERE chain = '{stored.mine}'"
    )
    found = stored.ledger.verify(under=under)
    if under == ("bob", "/srv/bob"):
        assert found.ok
    else:
        assert (found.ok, found.chain, found.seq) == (False, stored.mine, 4)
        assert found.covered == {"audit": found.checked}
        assert len(found.not_covered) == 1


@pytest.mark.parametrize("under", [None, ANN, ("bob", "/srv/bob")])
def test_a_session_that_is_gone_is_missed_where_it_belongs(stored: Stored, under: tuple[str, str] | None) -> None:
    stored.run(f"DELETE FROM audit WHERE chain = '{stored.other}'; DELETE FROM chains WHERE chain = '{stored.other}'")
    found = stored.ledger.verify(under=under)
    missed = under != ("bob", "/srv/bob")
    assert (found.ok, found.chain) == ((False, stored.other) if missed else (True, None))
    # Without all records, no table is compared.
    assert (found.covered == {"audit": found.checked}) is missed


def test_one_session_is_broken_alone(stored: Stored) -> None:
    stored.run(f"UPDATE audit SET amount = 7 WHERE chain = '{stored.mine}' AND seq = 4")
    stored.run("UPDATE charges SET tool = 'other'")
    broken = stored.ledger.verify(stored.mine)
    assert [(finding.code, finding.record, finding.seq) for finding in broken.findings] == [
        (CHAIN_BROKEN, stored.mine, 4)
    ]
    assert (broken.covered, len(broken.not_covered)) == ({"audit": 3}, 1)
    # The others' charges differ, but their chains are intact.
    differs = stored.ledger.verify(stored.other)
    assert [finding.table for finding in differs.findings] == ["charges", "charges"]
    assert (differs.chain, differs.checked) == (None, 4)


def test_a_head_that_no_record_of_one_session_has_does_not_hide_a_changed_row(stored: Stored) -> None:
    heads = stored.ledger.verify().heads
    assert stored.ledger.verify(stored.mine, known_head=heads[stored.mine]).ok
    stored.run("UPDATE charges SET tool = 'other' WHERE spent = (SELECT max(spent) FROM charges)")
    found = stored.ledger.verify(stored.mine, known_head=heads[stored.other])
    assert [finding.code for finding in found.findings] == ["HEAD_UNKNOWN", "ROW_DIFFERS", "ROW_DIFFERS"]
    assert found.covered["audit"] == found.checked == 5
    whole = stored.ledger.verify(known_head="0" * 64).problem or ""
    one = stored.ledger.verify(stored.mine, known_head="0" * 64).problem or ""
    assert "any chain" in whole
    assert "this chain" in one


@pytest.mark.parametrize("value", ["'x'", "CAST('x' AS BLOB)"])
def test_where_the_ledgers_own_chain_is_broken_one_session_is_walked_but_no_table_compared(
    stored: Stored, value: str
) -> None:
    stored.run(f"UPDATE audit SET actor = {value} WHERE chain = 'ledger' AND seq = 2")
    found = stored.ledger.verify(stored.mine)
    assert (found.ok, found.covered, len(found.not_covered)) == (True, {"audit": 5}, 1)
    whole = stored.ledger.verify()
    assert [(finding.code, finding.seq) for finding in whole.findings] == [
        (CHAIN_BROKEN if value == "'x'" else DAMAGED, 2)
    ]
    assert (whole.covered, whole.heads) == ({"audit": 1}, {})


@pytest.mark.parametrize("under", [None, ANN])
def test_a_row_that_no_record_names_is_named_by_a_whole_verification(
    stored: Stored, under: tuple[str, str] | None
) -> None:
    stored.run(
        "CREATE TABLE more AS SELECT * FROM charges LIMIT 1; UPDATE more SET id = 'another', session_id = 'none';"
        "INSERT INTO charges SELECT * FROM more; DROP TABLE more"
    )
    found = stored.ledger.verify(under=under)
    expected = [("ROW_UNKNOWN", "charges", "another")] if under is None else []
    assert [(finding.code, finding.table, finding.record) for finding in found.findings] == expected
