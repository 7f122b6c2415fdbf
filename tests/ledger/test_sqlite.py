from __future__ import annotations

import os
import re
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing as closed
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from aumos_governance.errors import ConfigurationError, LedgerError, LedgerVersionError
from aumos_governance.ledger import open_ledger, schema
from aumos_governance.ledger.chain import AUDIT_COLUMNS
from aumos_governance.ledger.rows import ROWS, columns
from aumos_governance.ledger.sql import migrate, sqlite
from aumos_governance.ledger.sql.filesystem import network_filesystem
from tests.ledger.kit import CENT, NOTEBOOK, USD, Backend, balance, opening, records, spend, state

# ---- the file


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


def sqlite_database(backend: Backend) -> sqlite.SqliteDatabase:
    return sqlite.SqliteDatabase(Path(backend.url.removeprefix("sqlite:///")))


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://x/y", "sqlite:///a?mode=ro"]
)
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="names no file"):
        open_ledger(url)


@pytest.mark.parametrize("url", ["", "memory", "mysql://u:secret@host/db", "ledger.db", "memory:///x"])
def test_other_urls_are_refused_without_telling_passwords(url: str) -> None:
    with pytest.raises(ConfigurationError, match="names no ledger") as raised:
        open_ledger(url)
    assert "secret" not in str(raised.value)


def test_importing_the_ledger_imports_no_database_library() -> None:
    code = (
        "import sys, aumos_governance.ledger as ledger; ledger.open_ledger('memory://').close();"
        "assert not {'sqlalchemy', 'alembic', 'pydantic', 'sqlite3'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_opening_a_current_ledger_does_not_import_alembic(sqlite: Backend) -> None:
    sqlite.open().close()
    code = (
        "import sys, aumos_governance.ledger as ledger; ledger.open_ledger(sys.argv[1]).close();"
        "assert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, sqlite.url], check=True)


# ---- failures


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


def test_a_file_locked_for_too_long(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = sqlite.open()
    ledger.execute(opening())
    monkeypatch.setattr("aumos_governance.ledger.sql.sqlite.BUSY_SECONDS", 0.2)
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
    from aumos_governance.ledger.operations import charges

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


# ---- processes

SPENDER = """
import sys, itertools
sys.path.insert(0, sys.argv[2])
from aumos_governance.ledger import open_ledger
from tests.ledger.kit import NOTEBOOK, KERNEL, CENT
from aumos_governance.ledger.base import Spend
ledger = open_ledger(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    allowed = 0
    for key in line.split():
        decision = ledger.execute(Spend(key=key, origin=KERNEL, notebook=NOTEBOOK, amount=CENT))
        allowed += decision.allowed
        print(key, int(decision.allowed), flush=True)
"""
ROOT = str(Path(__file__).parent.parent.parent)


def spender(backend: Backend) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SPENDER, backend.url, ROOT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_two_processes_share_one_ceiling(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=1 * USD))
    processes = [spender(database) for _ in range(2)]
    outputs = []
    for number, process in enumerate(processes):
        assert process.stdin is not None
        process.stdin.write(" ".join(f"p{number}-{index}" for index in range(80)) + "\n")
        process.stdin.close()
    for process in processes:
        assert process.stdout is not None
        with process.stdout as stdout:
            outputs.extend(stdout.read().splitlines())
        assert process.wait() == 0
    assert len(outputs) == 160
    assert sum(line.endswith(" 1") for line in outputs) == 100
    assert balance(ledger).spent == 1 * USD
    assert ledger.verify().ok


def test_what_a_killed_process_had_acknowledged_is_there_once(database: Backend) -> None:
    ledger = database.open()
    ledger.execute(opening(budget=100 * USD))
    ledger.close()
    process = spender(database)
    assert process.stdin is not None
    assert process.stdout is not None
    keys = [f"k{index}" for index in range(5000)]
    process.stdin.write(" ".join(keys) + "\n")
    process.stdin.flush()
    acknowledged = [process.stdout.readline().split()[0] for _ in range(60)]
    process.send_signal(signal.SIGKILL)
    # What came through the pipe before the end was acknowledged as well.
    acknowledged += [line.split()[0] for line in process.stdout.read().splitlines() if re.fullmatch(r"k\d+ 1", line)]
    process.stdin.close()
    process.stdout.close()
    process.wait()
    again = database.open()
    charged = len(records(again, event="spend"))
    assert len(acknowledged) <= charged <= len(acknowledged) + 1
    assert balance(again).spent == charged * CENT
    for repeated in acknowledged:
        assert again.execute(spend(CENT, key=repeated)).allowed
    assert balance(again).spent == charged * CENT
    assert again.verify().ok


def test_two_processes_may_open_a_fresh_ledger_at_once(sqlite: Backend) -> None:
    processes = [spender(sqlite) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait() == 0
        assert process.stdout is not None
        process.stdout.close()
    assert sqlite.open().verify().ok


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_is_told_and_does_not_hang(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    child = os.fork()
    if child == 0:
        code = 1
        try:
            for attempt in (lambda: ledger.execute(spend()), lambda: state(ledger)):
                try:
                    attempt()
                except LedgerError as error:
                    code = 0 if "fork" in error.message else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert ledger.execute(spend()).allowed


def test_the_interpreter_ends_with_a_ledger_open(database: Backend) -> None:
    database.open().execute(opening())
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]);"
        "from aumos_governance.ledger import open_ledger; from tests.ledger.kit import spend;"
        "ledger = open_ledger(sys.argv[1]);"
        "[ledger.submit(spend(key=f'exit-{n}')) for n in range(50)]"
    )
    subprocess.run([sys.executable, "-c", code, database.url, ROOT], check=True, timeout=60)
    assert balance(database.open()).spent == 50 * CENT


# ---- migrations


def test_the_migrations_make_the_tables_that_the_program_knows(sqlite: Backend) -> None:
    sqlite.open().close()
    engine = create_engine(sqlite.url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": migrate.VERSION_TABLE})
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_a_file_has_exactly_what_the_program_would_create(sqlite: Backend, tmp_path: Path) -> None:
    sqlite.open().close()
    direct = tmp_path / "direct.db"
    engine = create_engine(f"sqlite:///{direct}")
    schema.metadata.create_all(engine)
    engine.dispose()
    assert objects(Path(sqlite.url.removeprefix("sqlite:///"))) == objects(direct)


def objects(path: Path) -> dict[str, str]:
    # The comparison of Alembic leaves out the conditions of partial indexes; SQLite's own text does not.
    with closed(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"\s+", " ", sql) for name, sql in found if name != migrate.VERSION_TABLE}


def test_the_revisions_are_all_known() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [migrate.REVISIONS[-1]]
    assert tuple(found.revision for found in script.walk_revisions())[::-1] == migrate.REVISIONS


def test_rows_and_tables_have_the_same_columns() -> None:
    for kind in ROWS:
        assert tuple(schema.tables[kind.TABLE].c.keys()) == columns[kind]
        assert tuple(column.name for column in schema.tables[kind.TABLE].primary_key) == kind.KEY
    assert tuple(schema.audit.c.keys()) == AUDIT_COLUMNS


def test_a_ledger_of_a_newer_version_is_refused(sqlite: Backend) -> None:
    sqlite.open().close()
    assert sqlite.run_sql is not None
    sqlite.run_sql(f"UPDATE {migrate.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(LedgerVersionError, match=r"written by a newer version .*; upgrade aumos-governance"):
        sqlite.open()


# ---- network file systems

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
    monkeypatch.setattr(sqlite, "network_filesystem", lambda path: "nfs4")
    with pytest.raises(LedgerError, match=r"network file system \(nfs4\).*choose a local folder, or PostgreSQL\.$"):
        open_ledger(f"sqlite:///{tmp_path}/x/ledger.db")
    assert not (tmp_path / "x").exists()
    assert NOTEBOOK
