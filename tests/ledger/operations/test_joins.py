"""One file with several names becomes one notebook, also in a ledger of the first version, and no record changes."""

from __future__ import annotations

from contextlib import closing as closed
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, insert, select, text

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.facts import Balance, ClosedSessions, NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListEnvelopes, ListHolds, ListStates
from aumos_governance.ledger.contract.requests import JoinNotebooks
from aumos_governance.ledger.operations.budgets import envelopes
from aumos_governance.ledger.operations.sessions import sessions
from aumos_governance.ledger.sql import migrate
from tests.ledger.charges import OTHER_KERNEL, hold, settle
from tests.ledger.kit import (
    CENT,
    NOTEBOOK,
    SERVER,
    USD,
    FakeClock,
    balance,
    closing,
    key,
    opening,
    records,
    spend,
    state,
)
from tests.ledger.postgres_server import PostgresServer

BELOW = NotebookKey("ann", "/srv/ann/work", "plan.ipynb")
"""The file of `NOTEBOOK`, named from the folder below."""
LINK = NotebookKey("ann", "/srv/link", "plan.ipynb")
"""A name of the same file that only the file system shows to be the same."""
EACH = EnvelopeSpec("each", 8 * USD, EnvelopeKind.NOTEBOOK)


def configure(ledger: Ledger, *roots: str) -> None:
    for root in roots:
        ledger.execute(ConfigureEnvelopes(key=key(), origin=SERVER, owner="ann", root=root, envelopes=(EACH,)))


def join(old: NotebookKey, new: NotebookKey) -> JoinNotebooks:
    return JoinNotebooks(key=key(), origin=SERVER, pairs=((old, new),))


def ceiling(ledger: Ledger, notebook: NotebookKey = NOTEBOOK) -> Balance:
    return {found.name: found.balance for found in ledger.read(ListEnvelopes(notebook=notebook))}["each"]


def test_every_root_above_a_file_reaches_the_same_notebook(ledger: Ledger) -> None:
    configure(ledger, "/srv/ann", "/srv/ann/work", "/")
    opened = ledger.execute(opening(budget=10 * USD)).state
    above = NotebookKey("ann", "/", "srv/ann/work/plan.ipynb")
    for seen in (BELOW, above):
        resumed = ledger.execute(opening(seen, budget=10 * USD))
        assert not resumed.opened
        assert resumed.state.session_id == opened.session_id
        assert resumed.state.notebook == seen == state(ledger, seen).notebook
        assert [found.notebook for found in ledger.read(ListStates(owner="ann", root=seen.root))] == [seen]
    assert ledger.execute(spend(6 * USD)).allowed
    assert not ledger.execute(spend(6 * USD, BELOW)).allowed
    ledger.execute(closing(BELOW))
    ledger.execute(opening(above, budget=10 * USD))
    assert not ledger.execute(spend(6 * USD, above)).allowed
    assert ceiling(ledger, BELOW) == Balance(8 * USD, 6 * USD, 0)
    assert state(ledger, NotebookKey("bob", "/srv/ann", "work/plan.ipynb")).session_id is None


def test_a_hold_is_shown_by_every_root_above_it_and_by_no_other(ledger: Ledger) -> None:
    ledger.execute(opening())
    charge = ledger.execute(hold(CENT)).charge_id
    for root, shown in (("/srv/ann/work", [BELOW]), ("/srv/ann", [NOTEBOOK]), ("/srv/ann2", []), ("/srv/annex", [])):
        found = ledger.read(ListHolds(owner="ann", root=root))
        assert [(each.charge_id, each.notebook) for each in found] == [(charge, notebook) for notebook in shown]
    assert ledger.read(ListHolds(owner="ann", root="/", notebook=BELOW))[0].charge_id == charge


def test_two_notebooks_that_prove_to_be_one_sum_against_its_ceiling(ledger: Ledger) -> None:
    configure(ledger, "/srv/ann", "/srv/link")
    older = ledger.execute(opening(LINK, budget=20 * USD)).state
    younger = ledger.execute(opening(budget=20 * USD)).state
    ledger.execute(spend(5 * USD, LINK))
    ledger.execute(spend(4 * USD))
    held = ledger.execute(hold(2 * USD)).charge_id
    before = [record for record in records(ledger) if record.notebook]
    assert ledger.execute(join(LINK, NOTEBOOK)) == 1
    now = state(ledger)
    assert now.session_id == older.session_id
    assert now.active
    assert state(ledger, LINK).session_id is None
    # The amounts of the younger session still count, and exceed the ceiling.
    assert ceiling(ledger) == Balance(8 * USD, 9 * USD, 2 * USD)
    assert ceiling(ledger).over == 3 * USD
    assert not ledger.execute(spend(CENT)).allowed
    closed_record = records(ledger, session_id=younger.session_id)[-1]
    assert (closed_record.event, closed_record.actor) == ("close", "server")
    assert "same file" in str(closed_record.detail["why"])
    ledger.execute(settle(held, 1 * USD))
    assert ceiling(ledger) == Balance(8 * USD, 10 * USD, 0)
    assert state(ledger).previous is not None
    assert state(ledger).previous.spent == 5 * USD  # type: ignore[union-attr]
    # The records are unchanged, and all are found under the remaining notebook.
    found = records(ledger, notebook=NOTEBOOK)
    assert [record for record in found if record.record_id in {each.record_id for each in before}] == before
    assert {record.notebook for record in found} >= {"plan.ipynb", "work/plan.ipynb"}
    assert ledger.verify().ok
    assert ledger.execute(join(LINK, NOTEBOOK)) == 0


def test_the_younger_name_wins_where_only_it_has_an_open_session(ledger: Ledger) -> None:
    ledger.execute(opening())
    ledger.execute(spend(1 * USD))
    ledger.execute(closing())
    open_session = ledger.execute(opening(LINK)).state.session_id
    ledger.execute(join(LINK, NOTEBOOK))
    now = state(ledger)
    assert (now.session_id, now.active) == (open_session, True)
    assert now.previous is not None
    assert now.previous.spent == 1 * USD


@pytest.mark.parametrize("last", [LINK, NOTEBOOK])
def test_of_two_closed_sessions_the_one_that_was_closed_last_counts_as_the_last(
    ledger: Ledger, last: NotebookKey
) -> None:
    first = NOTEBOOK if last is LINK else LINK
    budgets = {first: 3 * USD, last: 4 * USD}
    # Whichever session was closed last, the older notebook stays.
    opened = {each: ledger.execute(opening(each, budget=budgets[each])).state for each in (LINK, NOTEBOOK)}
    for notebook, amount in ((first, CENT), (last, 2 * CENT)):
        ledger.execute(spend(amount, notebook))
        ledger.execute(closing(notebook))
    closed_at = state(ledger, last).closed_at
    assert closed_at is not None
    ledger.execute(join(LINK, NOTEBOOK))
    now = state(ledger)
    assert (now.active, now.session_id, now.closed_at) == (False, opened[last].session_id, closed_at)
    assert now.previous == ClosedSessions(2, 3 * CENT, 4 * USD, closed_at)
    assert ledger.verify().findings == ()


def test_a_notebook_that_nothing_else_is_gets_its_name_alone(ledger: Ledger) -> None:
    session = ledger.execute(opening(LINK)).state.session_id
    assert ledger.execute(join(LINK, NOTEBOOK)) == 1
    assert state(ledger).session_id == session
    assert ledger.execute(join(NotebookKey("ann", "/srv/ann", "unknown.ipynb"), NOTEBOOK)) == 0
    assert state(ledger).session_id == session


@pytest.mark.parametrize("first", [LINK, NOTEBOOK])
def test_a_joined_ledger_is_proven_by_its_records(ledger: Ledger, first: NotebookKey) -> None:
    second = NOTEBOOK if first is LINK else LINK
    configure(ledger, "/srv/ann", "/srv/link")
    requested, opened = {}, []
    for notebook in (first, second):
        ledger.execute(opening(notebook, budget=20 * USD))
        ledger.execute(spend(CENT, notebook))
        ledger.execute(closing(notebook))
        opened.append(ledger.execute(opening(notebook, budget=10 * USD)).state.session_id)
        ledger.execute(spend(2 * CENT, notebook))
        requested[notebook] = ledger.execute(hold(3 * CENT, notebook=notebook)).charge_id
    assert ledger.verify().ok
    ledger.execute(join(LINK, NOTEBOOK))
    assert ledger.verify().findings == ()
    goes, stays = (
        next(row for row in records(ledger) if row.event == "join").detail[name] for name in ("notebook", "into")
    )
    assert goes != stays
    ledger.execute(settle(requested[second], CENT))
    ledger.execute(spend(CENT))
    ledger.execute(opening(BELOW, budget=10 * USD))
    ledger.execute(
        ConfigureEnvelopes(
            key=key(),
            origin=SERVER,
            owner="ann",
            root="/srv/ann/work",
            envelopes=(
                EnvelopeSpec("each", 7 * USD, EnvelopeKind.NOTEBOOK),
                EnvelopeSpec("all", 9 * USD, EnvelopeKind.SERVER),
            ),
        )
    )
    ledger.execute(spend(CENT))
    ledger.execute(opening(budget=10 * USD))
    ledger.execute(closing())
    ledger.execute(opening(BELOW, budget=10 * USD))
    ledger.execute(opening(budget=10 * USD))
    ledger.execute(spend(CENT))
    third = NotebookKey("ann", "/srv/third", "plan.ipynb")
    ledger.execute(opening(third))
    ledger.execute(spend(CENT, third))
    ledger.execute(join(third, NOTEBOOK))
    assert "enclose" in {row.event for row in records(ledger)}
    result = ledger.verify()
    assert (result.findings, result.not_covered) == ((), ())
    assert result.covered["notebook_aliases"] == 2
    for root in ("/srv/ann", "/srv/ann/work", "/srv/link", "/"):
        assert ledger.verify(under=("ann", root)).findings == ()
    for session_id in (*opened, state(ledger).session_id):
        assert ledger.verify(session_id=session_id).findings == ()


def test_a_notebook_that_another_root_takes_over_is_proven(ledger: Ledger) -> None:
    configure(ledger, "/srv/ann", "/srv/link")
    outside = NotebookKey("ann", "/srv/link", "../elsewhere/x.ipynb")
    seen = NotebookKey("ann", "/srv/ann", "../elsewhere/x.ipynb")
    for notebook in (outside, seen, outside):
        ledger.execute(opening(notebook))
        ledger.execute(spend(CENT, notebook))
    assert ledger.verify().findings == ()


def test_a_retry_of_a_request_finds_its_response_after_the_join(ledger: Ledger) -> None:
    ledger.execute(opening(LINK))
    ledger.execute(opening())
    request = spend(CENT, NOTEBOOK, origin=OTHER_KERNEL)
    first = ledger.execute(request)
    ledger.execute(join(LINK, NOTEBOOK))
    again = ledger.execute(request)
    assert again.record_id == first.record_id
    assert balance(ledger).spent == 0


def test_a_retry_finds_its_response_when_what_it_was_joined_into_is_joined_into_another(ledger: Ledger) -> None:
    oldest = NotebookKey("ann", "/srv/oldest", "plan.ipynb")
    for notebook in (oldest, LINK, NOTEBOOK):
        ledger.execute(opening(notebook))
    request = spend(CENT, NOTEBOOK, origin=OTHER_KERNEL)
    first = ledger.execute(request)
    ledger.execute(join(LINK, NOTEBOOK))
    ledger.execute(join(oldest, NOTEBOOK))
    assert ledger.execute(request).record_id == first.record_id
    assert balance(ledger).spent == 0
    assert ledger.verify().findings == ()


# ---- ledgers of the first version


@pytest.fixture(params=["sqlite", "postgresql"])
def first_version(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database with the tables of revision 0001."""
    if request.param == "sqlite":
        url = driver_url = f"sqlite:///{tmp_path / 'first.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.url(server.create())
        driver_url = url.replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(driver_url)
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    write_first_version(engine, tmp_path / "source.db")
    engine.dispose()
    return url


def write_first_version(engine: object, source: Path) -> None:
    """Make two notebooks of one file, as the first version did, each with an open session, and a hold."""
    other = NotebookKey("ann", "/srv/elsewhere", "plan.ipynb")
    with closed(open_ledger(f"sqlite:///{source}", clock=FakeClock())) as ledger:
        # The server of the folder below has the same ceilings.
        configure(ledger, "/srv/ann", "/srv/elsewhere", "/srv/ann/work")
        ledger.execute(opening(budget=20 * USD))
        ledger.execute(opening(other, budget=20 * USD))
        ledger.execute(spend(5 * USD))
        ledger.execute(spend(4 * USD, other))
        ledger.execute(hold(2 * USD, notebook=other, key="the hold"))
        ledger.execute(opening(NotebookKey("ann", "", "engine")))
        ledger.execute(opening(NotebookKey("ann", "embedded", "/home/ann/x.ipynb")))
    old = MetaData()
    old.reflect(engine)  # type: ignore[arg-type]
    new = MetaData()
    reader = create_engine(f"sqlite:///{source}")
    new.reflect(reader)
    with reader.connect() as rows, engine.begin() as target:  # type: ignore[attr-defined]
        target.execute(text("DELETE FROM chains"))
        for table in old.sorted_tables:
            if table.name != migrate.VERSION_TABLE:
                names = [column.name for column in table.columns]
                found = rows.execute(select(*(new.tables[table.name].c[name] for name in names))).mappings().all()
                if found:
                    target.execute(insert(table), [dict(row) for row in found])
        # No record names a root, so these are the records that a server in the folder below would have written.
        target.execute(text("UPDATE notebooks SET root = '/srv/ann/work' WHERE root = '/srv/elsewhere'"))
    reader.dispose()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make records leave out what the first version did not record of ceilings."""
    for module in (sessions, envelopes):

        def less(*given: Any, detail: dict[str, Any], record: Any = module.record, **more: Any) -> str:
            kept = {
                name: value for name, value in detail.items() if name not in ("around", "root") or "owner" in detail
            }
            kept.pop("around", None)
            found: str = record(*given, detail=kept, **more)
            return found

        monkeypatch.setattr(module, "record", less)


@pytest.mark.usefixtures("silent")
def test_what_the_first_version_did_not_record_is_not_covered_after_a_join(
    first_version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    with closed(open_ledger(first_version)) as ledger:
        result = ledger.verify()
        assert result.findings == ()
        assert any("joined" in each for each in result.not_covered)
        assert result.covered["notebook_aliases"] == 1
        ledger.execute(opening(BELOW, budget=20 * USD))
        ledger.execute(closing())
        ledger.execute(opening(budget=20 * USD))
        assert ledger.verify().findings == ()


def audit(url: str) -> list[tuple[object, ...]]:
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM audit ORDER BY chain, seq")).all()
    engine.dispose()
    return [tuple(row) for row in found]


def test_a_ledger_of_the_first_version_is_joined_and_still_verifies(first_version: str) -> None:
    before = audit(first_version)
    with closed(open_ledger(first_version)) as ledger:
        assert ledger.verify().ok
        now = state(ledger)
        assert state(ledger, BELOW).session_id == now.session_id
        assert ceiling(ledger) == Balance(8 * USD, 9 * USD, 2 * USD)
        assert balance(ledger).spent == 5 * USD
        assert [held.amount for held in ledger.read(ListHolds(owner="ann", root="/srv/ann"))] == [2 * USD]
        assert not ledger.execute(spend(CENT, BELOW)).allowed
        for key_ in (NotebookKey("ann", "", "engine"), NotebookKey("ann", "embedded", "/home/ann/x.ipynb")):
            assert state(ledger, key_).active
        found = records(ledger, notebook=NOTEBOOK)
        assert [record.event for record in found if record.event == "close"] == ["close"]
        assert {record.notebook for record in found} == {"plan.ipynb", "work/plan.ipynb"}
        assert ledger.verify(under=("ann", "/srv/ann")).ok
    after = audit(first_version)
    assert [row for row in after if row in before] == before
    # Opening it again changes nothing.
    with closed(open_ledger(first_version)) as ledger:
        assert state(ledger).session_id == now.session_id
