"""Damaged data is a finding that names its row, and never an error or a verification that stops halfway."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.errors import LedgerError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.audit_facts import VerifyResult
from aumos_governance.ledger.reading import open_reader
from aumos_governance.ledger.transaction import schema
from tests.ledger.kit import Backend, FakeClock, opening, spend
from tests.ledger.rich import fill_richly

NO_TEXT = ("CAST('x' AS BLOB)", "CAST(x'66ff41' AS TEXT)", "CAST(x'eda080' AS TEXT)")


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rich") / "ledger.db"
    clock = FakeClock()
    with closing(open_ledger(f"sqlite:///{path}", clock=clock)) as ledger:
        fill_richly(ledger, clock)
    return path


@pytest.fixture
def copy(rich: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(rich, tmp_path / "copy.db"))


def run(path: Path, text: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(text)


def verified(path: Path) -> VerifyResult:
    with closing(open_reader(f"sqlite:///{path}")) as reader:
        return reader.verify()


def damaged_tables(path: Path) -> set[str | None]:
    found = verified(path)
    assert not found.ok
    assert found.damaged
    return {finding.table for finding in found.findings if finding.code == "DAMAGED"}


@pytest.mark.soak
@pytest.mark.parametrize("table", schema.tables)
def test_a_value_that_is_no_text_is_named(copy: Path, table: str, soak: bool) -> None:
    key = schema.tables[table].primary_key.columns.keys()[0]
    where = f"{key} = (SELECT max({key}) FROM {table})"
    run(copy, f"CREATE TABLE kept AS SELECT * FROM {table}")
    with closing(open_reader(f"sqlite:///{copy}")) as reader:
        for number, column in enumerate(schema.tables[table].columns):
            if column.primary_key or isinstance(column.type, (schema.BigInteger, schema.SmallInteger)):
                continue
            for value in NO_TEXT if soak else NO_TEXT[number % 3 :][:1]:
                run(copy, f'UPDATE {table} SET "{column.name}" = {value} WHERE {where}')
                found = reader.verify()
                first = next(finding for finding in found.findings if finding.code == "DAMAGED")
                assert first.table == table, (column, value, found.findings)
                assert column.name in first.problem
                assert first.record
                run(copy, f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept")
        assert reader.verify().ok, reader.verify().findings


@pytest.mark.parametrize("chain", ["chain = 'ledger'", "chain <> 'ledger'"])
def test_a_record_that_cannot_be_read_is_named_in_any_chain(copy: Path, chain: str) -> None:
    run(copy, "CREATE TABLE kept AS SELECT * FROM audit")
    last = f"record_id = (SELECT max(record_id) FROM kept WHERE {chain})"
    with closing(open_reader(f"sqlite:///{copy}")) as reader:
        for number, column in enumerate(schema.tables["audit"].columns.keys()[1:]):
            run(copy, f'UPDATE audit SET "{column}" = {NO_TEXT[number % 3]} WHERE {last}')
            found = reader.verify()
            assert [(finding.code, finding.table) for finding in found.findings] == [("DAMAGED", "audit")], column
            assert f" {column} " in found.findings[0].problem
            run(copy, "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept")
        assert reader.verify().ok


def test_text_in_any_language_is_not_damaged(copy: Path) -> None:
    run(copy, "UPDATE charges SET incarnation = '東京'; UPDATE approvals SET scope = 'Größe 🙂'")
    run(copy, "UPDATE notebooks SET path = path || 'ü🙂', file = file || 'ü🙂'")
    assert verified(copy).ok


def test_a_key_that_is_no_text_is_named(copy: Path) -> None:
    run(copy, "UPDATE approvals SET id = CAST(id AS BLOB)")
    assert "approvals" in {finding.table for finding in verified(copy).findings}


@pytest.mark.parametrize(("table", "column"), [("charges", "spent"), ("balances", "held"), ("audit", "amount")])
def test_a_fraction_is_no_amount(copy: Path, table: str, column: str) -> None:
    run(copy, f"UPDATE {table} SET {column} = {column} + 0.5")
    assert damaged_tables(copy) >= {table}


@pytest.mark.parametrize("text", ["no json", '["Decision"', "[]", "null", '{"a":1}'])
def test_a_stored_response_that_is_none_is_named(copy: Path, text: str) -> None:
    run(copy, f"UPDATE asks SET answer = '{text}' WHERE charge_id IS NOT NULL")
    assert damaged_tables(copy) == {"asks"}


def test_a_configuration_that_is_no_json_is_named(copy: Path) -> None:
    run(copy, "UPDATE configurations SET envelopes = '[[' WHERE owner = 'ann'")
    assert damaged_tables(copy) == {"configurations"}


@pytest.mark.parametrize("table", ["audit", "charges", "sessions", "balances"])
def test_a_broken_page_is_named(copy: Path, table: str) -> None:
    with closing(sqlite3.connect(copy)) as connection:
        (root,) = connection.execute(f"SELECT rootpage FROM sqlite_schema WHERE name = '{table}'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with copy.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)
    found = verified(copy)
    assert found.damaged
    assert any("database's own check" in finding.problem for finding in found.findings)
    named = {finding.table for finding in found.findings if finding.code == "DAMAGED"}
    assert table in named, found.findings


# ---- where nothing can be written


class ReadOnlyFolder:
    """A folder that cannot be written: mounted read-only where the tests run as root."""

    def __init__(self, folder: Path, view: Path) -> None:
        self.view = view
        view.mkdir()
        subprocess.run(["mount", "--bind", folder, view], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", view], check=True, capture_output=True)

    def close(self) -> None:
        subprocess.run(["umount", self.view], check=True)


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder, and a read-only path to it."""
    folder, view = tmp_path / "folder", tmp_path / "view"
    folder.mkdir()
    try:
        mounted = ReadOnlyFolder(folder, view)
    except (OSError, subprocess.CalledProcessError):
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere, and may mount nothing here")
        if not view.is_symlink():
            shutil.rmtree(view, ignore_errors=True)
        yield folder, folder
        folder.chmod(0o700)
        return
    yield folder, view
    mounted.close()


def close_the_folder(folder: Path, view: Path) -> None:
    if view == folder:
        for file in folder.iterdir():
            file.chmod(0o400)
        folder.chmod(0o500)


def test_a_ledger_that_cannot_be_written_is_verified(read_only: tuple[Path, Path]) -> None:
    folder, view = read_only
    with closing(open_ledger(f"sqlite:///{folder}/ledger.db")) as ledger:
        ledger.execute(opening())
        whole = ledger.verify()
    close_the_folder(folder, view)
    assert [path.name for path in view.iterdir()] == ["ledger.db"]
    assert verified(view / "ledger.db") == whole


def test_a_log_that_cannot_be_written_is_copied_first(read_only: tuple[Path, Path], tmp_path: Path) -> None:
    folder, view = read_only
    with closing(open_ledger(f"sqlite:///{tmp_path}/ledger.db")) as ledger:
        ledger.execute(opening())
        for _ in range(3):
            ledger.execute(spend())
        whole = ledger.verify()
        # As after a crash: with a log whose contents are not in the file yet.
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{tmp_path}/ledger.db{suffix}", f"{folder}/ledger.db{suffix}")
    close_the_folder(folder, view)
    before = {path.name: path.read_bytes() for path in view.iterdir()}
    assert len(before["ledger.db-wal"]) > 0
    reader = open_reader(f"sqlite:///{view}/ledger.db")
    assert reader.verify() == whole
    copied = Path(reader._database._folder.name)  # type: ignore[attr-defined]
    assert copied.is_dir()
    reader.close()
    assert not copied.exists()
    assert {path.name: path.read_bytes() for path in view.iterdir()} == before


def test_a_file_taken_for_one_that_cannot_change_and_does_is_no_proof(read_only: tuple[Path, Path]) -> None:
    folder, view = read_only
    if view == folder:
        pytest.skip("nobody else can write here")
    url = f"sqlite:///{folder}/ledger.db"
    with closing(open_ledger(url)) as ledger:
        ledger.execute(opening())
    with closing(open_reader(f"sqlite:///{view}/ledger.db")) as reader:
        assert reader.verify().ok, reader.verify().findings
        with closing(open_ledger(url)) as ledger:
            ledger.execute(spend())
        with pytest.raises(LedgerError, match="was changed while it was read; read it again"):
            reader.verify()


def test_a_check_of_the_file_is_part_of_it(sqlite: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    from aumos_governance.ledger.sql.sqlite.snapshot import SqliteSnapshot

    ledger = sqlite.open()
    ledger.execute(opening())
    monkeypatch.setattr(SqliteSnapshot, "damage", lambda self: ["Tree 2 page 3: something"])
    found = ledger.verify()
    assert (found.ok, found.damaged) == (False, True)
    assert found.problem == "The database's own check finds: Tree 2 page 3: something."
