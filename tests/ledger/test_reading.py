"""A ledger that is read beside the program that writes it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.errors import ConfigurationError, LedgerError, LedgerVersionError, NotFoundError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.charges import Hold
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.queries import AuditQuery, ListHolds, ListStates
from aumos_governance.ledger.reading import LedgerReader, open_reader
from aumos_governance.ledger.sql.migrate import REVISIONS
from tests.ledger.kit import KERNEL, NOTEBOOK, Backend, key, opening, spend


def figures(reader: LedgerReader) -> list[tuple[str, int]]:
    found = []
    for owner, root in reader.places():
        for state in reader.read(ListStates(owner=owner, root=root)):
            assert state.balance is not None
            found.append((state.notebook.path, state.balance.spent))
    return found


def test_what_another_program_writes_is_read(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening())
    with closing(open_reader(database.url)) as reader:
        assert figures(reader) == [(NOTEBOOK.path, 0)]
        ledger.execute(spend(3))
        ledger.execute(Hold(key=key(), origin=KERNEL, notebook=NOTEBOOK, amount=2))
        assert figures(reader) == [(NOTEBOOK.path, 3)]
        (held,) = reader.read(ListHolds(owner=NOTEBOOK.owner, root=NOTEBOOK.root))
        assert held.amount == 2
        assert [entry.event for entry in reader.read(AuditQuery()).records] == ["hold", "spend", "open"]
        found = reader.verify()
        assert found == ledger.verify()
        assert reader.verify(known_head=found.heads["ledger"]).ok


def test_every_owner_and_root_is_listed_in_order(database: Backend) -> None:
    ledger = database.open()
    for owner, root in [("bob", "/b"), ("ann", "/b"), ("ann", "/a")]:
        ledger.execute(opening(NotebookKey(owner, root, "x.ipynb")))
    with closing(open_reader(database.url)) as reader:
        assert reader.places() == (("ann", "/a"), ("ann", "/b"), ("bob", "/b"))


def test_another_versions_ledger_is_refused(database: Backend) -> None:
    database.open()
    database.run_sql("UPDATE ledger_version SET version_num = '9999'")
    try:
        with pytest.raises(LedgerVersionError, match=r"has schema 9999.*; upgrade aumos-governance\.$"):
            open_reader(database.url)
    finally:
        database.run_sql(f"UPDATE ledger_version SET version_num = '{REVISIONS[-1]}'")


def test_reading_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    open_ledger(f"sqlite:///{path}").close()
    before = (path.stat().st_mtime_ns, path.read_bytes())
    with closing(open_reader(f"sqlite:///{path}")) as reader:
        assert reader.verify().ok
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before
    assert list(tmp_path.iterdir()) == [path]


def test_no_ledger_is_made(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "ledger.sqlite"
    with pytest.raises(NotFoundError, match=r"There is no ledger .*ledger\.sqlite\."):
        open_reader(f"sqlite:///{path}")
    assert not path.parent.exists()


def test_another_database_is_no_ledger_and_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x)")
    before = path.read_bytes()
    with pytest.raises(NotFoundError, match="There is no ledger in"):
        open_reader(f"sqlite:///{path}")
    assert path.read_bytes() == before
    path.write_text("no database at all")
    with pytest.raises(LedgerError, match="cannot be read: file is not a database"):
        open_reader(f"sqlite:///{path}")


@pytest.mark.parametrize("url", ["memory://", "nonsense", "mysql://somewhere/db", "sqlite:///"])
def test_what_names_no_ledger_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_reader(url)
