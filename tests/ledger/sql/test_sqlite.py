"""The ledger in a SQLite file: who may read it, what it survives, and where it must not be."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing as closed
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import ConfigurationError, LedgerError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.sql.sqlite import database
from aumos_governance.ledger.sql.sqlite.database import begin_immediate
from aumos_governance.ledger.sql.sqlite.filesystem import network_filesystem
from tests.ledger.kit import (
    CENT,
    NOTEBOOK,
    Backend,
    balance,
    opening,
    records,
    spend,
    state,
)


def test_what_was_acknowledged_is_there_after_the_next_open(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    ledger.execute(spend(5 * CENT))
    before = state(ledger)
    ledger.close()
    again = sqlite.open()
    assert state(again) == before
    assert again.execute(spend(5 * CENT)).allowed
    assert again.verify().ok


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "ledger.db"
    ledger = open_ledger(f"sqlite:///{path}")
    ledger.execute(opening())
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    ledger.close()


def test_a_relative_path_counts_from_where_it_was_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = open_ledger("sqlite:///here.db")
    monkeypatch.chdir("/")
    ledger.execute(opening())
    assert state(ledger).active
    ledger.close()
    assert (tmp_path / "here.db").exists()


def test_each_commit_is_synced(sqlite: Backend) -> None:
    connection = sqlite_database(sqlite).connect()
    with closed(connection):
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_new_file_has_small_pages_and_an_older_one_stays_as_it_is(tmp_path: Path) -> None:
    for made, size in ((None, 2048), (4096, 4096)):
        path = tmp_path / f"{made}.db"
        if made is not None:
            with closed(sqlite3.connect(path)) as connection:
                connection.execute(f"PRAGMA page_size={made}")
                connection.execute("PRAGMA journal_mode=WAL")
        for _ in range(2):
            ledger = open_ledger(f"sqlite:///{path}")
            ledger.execute(opening())
            ledger.close()
        with closed(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA page_size").fetchone() == (size,)


def sqlite_database(backend: Backend) -> database.SqliteDatabase:
    return database.SqliteDatabase(Path(backend.url.removeprefix("sqlite:///")))


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://x/y", "sqlite:///a?mode=ro"]
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="names no file"):
        open_ledger(url)


@pytest.mark.parametrize("url", ["", "memory", "mysql://u:secret@host/db", "ledger.db", "memory:///x"])
def test_other_urls_are_refused_without_showing_passwords(url: str) -> None:
    with pytest.raises(ConfigurationError, match="names no ledger") as raised:
        open_ledger(url)
    assert "secret" not in str(raised.value)


def test_importing_the_ledger_imports_no_database_library() -> None:
    code = (
        # Coverage measurement may have imported some of the modules before.
        "import sys; before = set(sys.modules);"
        "import aumos_governance.ledger as ledger; ledger.open_ledger('memory://').close();"
        "assert not {'sqlalchemy', 'alembic', 'pydantic', 'sqlite3'} & (set(sys.modules) - before)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_opening_a_current_ledger_does_not_import_alembic(sqlite: Backend) -> None:
    sqlite.open().close()
    code = (
        "import sys, aumos_governance.ledger as ledger; ledger.open_ledger(sys.argv[1]).close();"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, sqlite.url], check=True)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"This is not a database, and it is long enough to tell." * 100)
    with pytest.raises(LedgerError, match=r"^The ledger \S+ is not a database file; nothing was recorded\.$"):
        open_ledger(f"sqlite:///{path}")


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"^The ledger \S+ cannot be opened: Is a directory\.$"):
        open_ledger(f"sqlite:///{tmp_path}")


def test_a_full_disk(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    before = state(ledger)
    writer = ledger._database._writer  # type: ignore[attr-defined]
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count={pages}")
    pending = [ledger.submit(spend(1, tool=f"{number}" * 200)) for number in range(200)]
    with pytest.raises(LedgerError, match="since the disk is full; nothing was recorded"):
        pending[-1].result()
    count = len(records(ledger))
    writer.execute("PRAGMA max_page_count=1000000")
    assert ledger.execute(spend()).allowed
    assert len(records(ledger)) == count + 1
    assert ledger.verify().ok
    assert state(ledger).seq > before.seq


def test_a_locked_file_is_not_waited_for_again_to_purge_it(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[None] = []

    def begin(connection: sqlite3.Connection) -> None:
        waits.append(None)
        begin_immediate(connection)

    ledger = sqlite.open()
    ledger.execute(opening())
    monkeypatch.setattr("aumos_governance.ledger.sql.sqlite.database.BUSY_SECONDS", 0.1)
    monkeypatch.setattr("aumos_governance.ledger.sql.sqlite.database.begin_immediate", begin)
    with closed(sqlite3.connect(sqlite.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        monkeypatch.setattr(ledger, "_next_purge", 0)
        with pytest.raises(LedgerError, match="locked"):
            ledger.execute(spend())
        assert len(waits) == 1
        other.execute("ROLLBACK")
    monkeypatch.setattr(ledger, "_next_purge", 0)
    assert ledger.execute(spend()).allowed
    assert len(waits) == 3, "of the spend and of the purge"


def test_a_file_locked_for_too_long(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    monkeypatch.setattr("aumos_governance.ledger.sql.sqlite.database.BUSY_SECONDS", 0.2)
    with closed(sqlite3.connect(sqlite.url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        pending = [ledger.submit(spend()) for _ in range(5)]
        for future in pending:
            with pytest.raises(LedgerError, match="locked by another process for more than 10 s; nothing was recorded"):
                future.result()
        # Reading goes on meanwhile.
        assert state(ledger).active
        other.execute("ROLLBACK")
    assert ledger.execute(spend()).allowed
    assert balance(ledger).spent == CENT


def test_one_bad_request_does_not_take_the_others_down(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    from aumos_governance.ledger.operations.charges import charges

    record = charges.record

    def breaking(*arguments: Any, **fields: Any) -> str:
        if fields["tool"] == "broken":
            raise RuntimeError("half way")
        return record(*arguments, **fields)

    monkeypatch.setattr(charges, "record", breaking)
    pending = [ledger.submit(spend(tool="broken" if number == 3 else "fine")) for number in range(8)]
    for number, future in enumerate(pending):
        if number == 3:
            with pytest.raises(RuntimeError, match="half way"):
                future.result()
        else:
            assert future.result().allowed
    assert balance(ledger).spent == 7 * CENT
    assert ledger.verify().ok


def test_a_closed_ledger_says_so(backend: Backend) -> None:
    ledger = backend.open()
    ledger.close()
    ledger.close()
    for attempt in (lambda: ledger.execute(spend()), lambda: state(ledger), ledger.verify):
        with pytest.raises(LedgerError, match="is closed"):
            attempt()


def test_closing_finishes_what_is_queued(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    pending = [ledger.submit(spend()) for _ in range(200)]
    ledger.close()
    assert all(future.done() and future.result().allowed for future in pending)


def test_a_cancelled_future_was_not_done(sqlite: Backend) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    held = threading.Event()
    heard = threading.Event()

    def hold(states: object) -> None:
        heard.set()
        held.wait(10)

    end = ledger.subscribe(hold)
    ledger.submit(spend())
    assert heard.wait(10)
    late = ledger.submit(spend())
    assert late.cancel()
    end()
    held.set()
    ledger.execute(spend())
    assert balance(ledger).spent == 2 * CENT


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local\\040disk xfs rw 0 0
host /mnt/share fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/x.db", None),
        ("/home/ann/x.db", "nfs4"),
        ("/home/local disk/x.db", None),
        ("/homes/x.db", None),
        ("/mnt/share/x/y.db", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_known_by_the_nearest_mount(tmp_path: Path, path: str, kind: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert network_filesystem(Path(path), mounts) == kind
    assert network_filesystem(Path(path), tmp_path / "absent") is None


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "network_filesystem", lambda path: "nfs4")
    with pytest.raises(LedgerError, match=r"network file system \(nfs4\).*choose a local folder, or PostgreSQL\.$"):
        open_ledger(f"sqlite:///{tmp_path}/x/ledger.db")
    assert not (tmp_path / "x").exists()
    assert NOTEBOOK
