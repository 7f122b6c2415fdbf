from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable

import pytest

from aumos_governance.errors import NotFoundError
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.rules import chain
from aumos_governance.ledger.sql.proof_reads import SqlEvidence
from tests.ledger.kit import (
    CENT,
    OTHER,
    Backend,
    closing,
    move,
    opening,
    records,
    spend,
    void,
)


def fill(ledger: Ledger) -> str:
    session = ledger.execute(opening(budget=5 * CENT)).state.session_id
    assert session is not None
    for _ in range(7):
        ledger.execute(spend())
    request = spend(1)
    ledger.execute(request)
    ledger.execute(void(request.key))
    ledger.execute(opening(OTHER))
    ledger.execute(spend(notebook=OTHER))
    ledger.execute(closing())
    ledger.execute(spend())
    ledger.execute(move(OTHER.path, "elsewhere.ipynb"))
    return session


def test_an_untouched_ledger_verifies(backend: Backend) -> None:
    ledger = backend.open()
    empty = ledger.verify()
    assert empty.ok
    assert empty.checked == 0
    session = fill(ledger)
    whole = ledger.verify()
    assert whole.ok, whole.problem
    assert whole.problem is None
    # The ledger-wide chain has three openings, three closings and a decision outside any session.
    assert whole.checked == len(records(ledger)) + 3
    assert len(whole.heads) == 3
    one = ledger.verify(session)
    assert one.ok
    assert one.heads == {session: whole.heads[session]}
    with pytest.raises(NotFoundError):
        ledger.verify("unknown")


def test_one_owners_chains_are_walked_without_the_others(backend: Backend) -> None:
    ledger = backend.open()
    mine = fill(ledger)
    theirs = ledger.execute(opening(NotebookKey("bob", "/srv/bob", "b.ipynb"))).state.session_id
    found = ledger.verify(under=("ann", "/srv/ann"))
    assert found.ok, found.problem
    assert len(found.heads) == 3
    assert mine in found.heads
    assert theirs not in found.heads
    assert set(ledger.verify(under=("bob", "/srv/bob")).heads) == {"ledger", theirs}
    assert set(ledger.verify(under=("eve", "/srv")).heads) == {"ledger"}
    assert ledger.verify(mine, under=("ann", "/srv/ann")).ok
    with pytest.raises(NotFoundError):
        ledger.verify(theirs, under=("ann", "/srv/ann"))
    assert theirs is not None
    kept = ledger.verify().heads[theirs]
    assert not ledger.verify(known_head=kept, under=("ann", "/srv/ann")).ok


def test_among_one_owners_chains_a_missing_record_is_found(database: Backend) -> None:
    ledger = database.open()
    mine = fill(ledger)
    ledger.execute(opening(NotebookKey("bob", "/srv/bob", "b.ipynb")))
    assert database.run_sql is not None
    database.run_sql(f"DELETE FROM audit WHERE chain = '{mine}' AND seq > 3")
    assert ledger.verify(under=("bob", "/srv/bob")).ok
    found = ledger.verify(under=("ann", "/srv/ann"))
    assert (found.ok, found.chain, found.seq) == (False, mine, 4)


def test_a_head_kept_elsewhere_proves_that_nothing_was_cut_off(backend: Backend) -> None:
    ledger = backend.open()
    session = fill(ledger)
    kept = ledger.verify().heads[session]
    ledger.execute(opening())
    assert ledger.verify(known_head=kept).ok
    assert ledger.verify(session, known_head=kept).ok
    wrong = ledger.verify(known_head="0" * 64)
    assert not wrong.ok
    assert wrong.problem == f"No record of any chain has the known head {'0' * 64}."


def test_anyone_can_recompute_a_hash_from_an_export(ledger: Ledger) -> None:
    fill(ledger)
    for record in records(ledger):
        fields = list(chain.row(record))[:-1]
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == record.hash
        assert chain.entry(chain.row(record)) == record


def test_the_form_of_a_record_never_changes() -> None:
    # Hashes of written records must never change: another result here would make all of them look forged.
    fields = (
        "s1", 1, "r1", 1_790_000_000_000_000, "spend", "deny", "kernel", "nb \"ü\" 🙂.ipynb", "n1", "BUDGET_EXCEEDED",
        '["Would exceed budget ($10.20 > $10.00)"]', None, "gpt-4o", None, None, "c1", 3, 10_000_000_000, 0, 0, None,
        "{}", "",
    )  # fmt: skip
    assert chain.link(fields) == "d5921637da00435c42306220d2c30c8b9c300e73c1c13e202b390c8b257616ae"


Tamper = Callable[[str], str]
TAMPERINGS: dict[str, tuple[Tamper, str, int]] = {
    "changed": (lambda s: f"UPDATE audit SET amount = 1 WHERE chain = '{s}' AND seq = 3", "was changed", 3),
    "changed in what indexes use": (
        lambda s: f"UPDATE audit SET notebook_id = 'x' WHERE chain = '{s}' AND seq = 2",
        "was changed",
        2,
    ),
    "removed": (lambda s: f"DELETE FROM audit WHERE chain = '{s}' AND seq = 4", "Record 4 of session .* is missing", 4),
    "the first removed": (lambda s: f"DELETE FROM audit WHERE chain = '{s}' AND seq = 1", "Record 1 .* is missing", 1),
    "reordered": (
        lambda s: (
            f"UPDATE audit SET seq = -seq WHERE chain = '{s}' AND seq IN (3, 4);"
            f"UPDATE audit SET seq = CASE seq WHEN -3 THEN 4 ELSE 3 END WHERE chain = '{s}' AND seq IN (-3, -4)"
        ),
        "does not follow",
        3,
    ),
    "inserted": (
        lambda s: (
            f"UPDATE audit SET seq = -seq - 1 WHERE chain = '{s}' AND seq >= 4;"
            f"UPDATE audit SET seq = -seq WHERE chain = '{s}' AND seq < 0;"
            f"INSERT INTO audit SELECT chain, 4, {', '.join(chain.AUDIT_COLUMNS[2:])} FROM audit"
            f" WHERE chain = '{s}' AND seq = 3;"
            f"UPDATE chains SET count = count + 1 WHERE chain = '{s}'"
        ),
        "does not follow",
        4,
    ),
    "cut off": (lambda s: f"DELETE FROM audit WHERE chain = '{s}' AND seq >= 8", "Record 8 .* is missing", 8),
    "cut off with its count": (
        lambda s: (
            f"DELETE FROM audit WHERE chain = '{s}' AND seq >= 8;"
            f"UPDATE chains SET count = 7, head = (SELECT hash FROM audit WHERE chain = '{s}' AND seq = 7)"
            f" WHERE chain = '{s}'"
        ),
        "Record 8 .* is missing",
        8,
    ),
    "a session without its chain": (
        lambda s: f"DELETE FROM chains WHERE chain = '{s}'",
        "no stored end of its chain",
        1,
    ),
    "a session's records gone": (lambda s: f"DELETE FROM audit WHERE chain = '{s}'", "Record 1 .* is missing", 1),
    "a session gone": (
        lambda s: f"DELETE FROM audit WHERE chain = '{s}'; DELETE FROM chains WHERE chain = '{s}'",
        "is missing with all its records",
        1,
    ),
    "the ledger's chain changed": (
        lambda s: "UPDATE audit SET actor = 'x' WHERE chain = 'ledger' AND seq = 2",
        "Record 2 of the ledger's own chain was changed",
        2,
    ),
    "the ledger's chain cut off": (
        lambda s: "DELETE FROM audit WHERE chain = 'ledger' AND seq > 3",
        "Record 4 of the ledger's own chain is missing",
        4,
    ),
}


@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_ledger_that_was_tampered_with_does_not_verify(database: Backend, how: str) -> None:
    ledger = database.open()
    session = fill(ledger)
    ledger.close()
    make, problem, seq = TAMPERINGS[how]
    assert database.run_sql is not None
    database.run_sql(make(session))
    found = database.open().verify()
    assert not found.ok
    assert found.problem is not None

    assert re.search(problem, found.problem), found.problem
    assert found.seq == seq
    assert found.chain == ("ledger" if "the ledger's" in how else session)


def test_records_are_read_once_in_the_order_they_were_written(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = sqlite.open()
    session = fill(ledger)
    whole = ledger.verify()
    monkeypatch.setattr(SqlEvidence, "session_records", None)
    assert ledger.verify(known_head=whole.heads[session]) == whole


def test_records_that_lie_in_another_order_verify_all_the_same(database: Backend) -> None:
    ledger = database.open()
    session = fill(ledger)
    whole = ledger.verify()
    ledger.close()
    assert database.run_sql is not None
    database.run_sql(
        f"CREATE TABLE restored AS SELECT * FROM audit WHERE chain = '{session}' AND seq IN (2, 4);"
        f"DELETE FROM audit WHERE chain = '{session}' AND seq IN (2, 4);"
        "INSERT INTO audit SELECT * FROM restored; DROP TABLE restored"
    )
    assert database.open().verify() == whole


def test_a_chain_written_anew_is_found_by_the_ledgers_own_chain(database: Backend) -> None:
    ledger = database.open()
    session = fill(ledger)
    rewritten = []
    previous = chain.START
    for record in records(ledger, session_id=session):
        fields = [*chain.row(record)[:-2], previous]
        if record.seq == 3:
            fields[chain.AUDIT_COLUMNS.index("amount")] = 1
        previous = chain.link(fields)
        rewritten.append((record.seq, fields, previous))
    ledger.close()
    assert database.run_sql is not None
    for seq, fields, digest in rewritten:
        amount, before = fields[chain.AUDIT_COLUMNS.index("amount")], fields[-1]
        database.run_sql(
            f"UPDATE audit SET amount = {amount}, previous_hash = '{before}', hash = '{digest}'"
            f" WHERE chain = '{session}' AND seq = {seq}"
        )
    database.run_sql(f"UPDATE chains SET head = '{previous}' WHERE chain = '{session}'")
    reopened = database.open()
    # The session's own chain is intact, but the charge's row differs from its record.
    alone = reopened.verify(session)
    assert (alone.chain, {finding.table for finding in alone.findings}) == (None, {"charges"})
    found = reopened.verify()
    assert found.problem is not None
    assert "is not the one that the ledger's own chain names" in found.problem
    assert found.seq == len(rewritten)
