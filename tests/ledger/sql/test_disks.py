"""Disks that are full or read-only: a clear error, nothing acknowledged, and the state as before."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import closing as closed
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import LedgerError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.ledger import Ledger
from tests.ledger.kit import (
    CENT,
    Backend,
    balance,
    opening,
    records,
    spend,
    state,
)


class SmallDisk:
    """A file system of a few megabytes, where the tests may mount one."""

    full = "cannot be written, since the disk is full"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder], check=True, capture_output=True)

    def fill(self) -> None:
        with (self.folder / "filler").open("wb", buffering=0) as filler:
            try:
                while filler.write(b"." * 4096):
                    pass
            except OSError:
                return

    def empty(self) -> None:
        (self.folder / "filler").unlink()

    def set_read_only(self, on: bool) -> None:
        subprocess.run(["mount", "-o", f"remount,{'ro' if on else 'rw'}", self.folder], check=True)

    def remove(self) -> None:
        subprocess.run(["umount", self.folder], check=True)


class LimitedFolder:
    """A folder whose files cannot grow while it is full, for tests that do not run as root."""

    full = "cannot be (written, since the disk is full|read or written: the disk reports an error)"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        longest = max(file.stat().st_size for file in self.folder.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (longest, self._limits[1]))

    def empty(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)

    def set_read_only(self, on: bool) -> None:
        for file in self.folder.iterdir():
            file.chmod(0o400 if on else 0o600)
        self.folder.chmod(0o500 if on else 0o700)

    def remove(self) -> None:
        self.empty()
        self.set_read_only(False)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk | LimitedFolder]:
    folder = tmp_path / "disk"
    folder.mkdir()
    made: SmallDisk | LimitedFolder
    try:
        made = SmallDisk(folder)
    except (OSError, subprocess.CalledProcessError):
        made = LimitedFolder(folder)
    yield made
    made.remove()


def test_a_disk_that_is_full_and_then_is_not(disk: SmallDisk | LimitedFolder) -> None:
    with closed(open_ledger(f"sqlite:///{disk.folder}/ledger.db")) as ledger:
        ledger.execute(opening())
        ledger.execute(spend())
        before = state(ledger)
        disk.fill()
        # Requests for which the log has room are still executed; later ones are not.
        allowed, refused = outcomes(ledger, [f"key-on-full-disk-{number}" for number in range(300)])
        assert refused
        for error in refused.values():
            assert isinstance(error, LedgerError)
        with pytest.raises(LedgerError, match=rf"^The ledger \S+ {disk.full}; nothing was recorded\.$"):
            ledger.execute(spend(key="one more"))
        check(ledger, before.balance.spent + len(allowed) * CENT)  # type: ignore[union-attr]
        disk.empty()
        for key in [*allowed, *refused]:
            assert ledger.execute(spend(key=key)).allowed
        check(ledger, CENT + 300 * CENT)


def outcomes(ledger: Ledger, keys: list[str]) -> tuple[list[str], dict[str, BaseException]]:
    # One after the other, so that each request that still fits is distinguished from those that do not.
    allowed: list[str] = []
    refused: dict[str, BaseException] = {}
    for key in keys:
        error = ledger.submit(spend(key=key)).exception()
        if error is None:
            allowed.append(key)
        else:
            refused[key] = error
    return allowed, refused


def check(ledger: Ledger, spent: int) -> None:
    assert balance(ledger).spent == spent
    assert sum(record.spent_delta for record in records(ledger, limit=1000)) == spent
    assert ledger.verify().ok


def test_a_disk_that_is_read_only(disk: SmallDisk | LimitedFolder) -> None:
    url = f"sqlite:///{disk.folder}/ledger.db"
    with closed(open_ledger(url)) as ledger:
        ledger.execute(opening())
        before = state(ledger)
    disk.set_read_only(True)
    if os.access(disk.folder / "ledger.db", os.W_OK):
        pytest.fail("the disk can be written")
    with pytest.raises(
        LedgerError, match=r"^The ledger \S+ cannot be opened: (Read-only file system|Permission denied)\.$"
    ):
        open_ledger(url)
    disk.set_read_only(False)
    with closed(open_ledger(url)) as ledger:
        assert state(ledger) == before
        assert ledger.execute(spend()).allowed


def test_a_file_that_becomes_read_only(sqlite: Backend) -> None:
    ledger: Any = sqlite.open()
    ledger.execute(opening())
    before = state(ledger)
    ledger._database._writer.execute("PRAGMA query_only=ON")
    pending = [ledger.submit(spend()) for _ in range(5)]
    for future in pending:
        with pytest.raises(LedgerError, match="since the file or its folder is read-only; nothing was recorded"):
            future.result()
    assert state(ledger) == before
    ledger._database._writer.execute("PRAGMA query_only=OFF")
    assert ledger.execute(spend()).allowed


FULL = """
CREATE FUNCTION out_of_space() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
CREATE CONSTRAINT TRIGGER out_of_space AFTER INSERT ON audit DEFERRABLE INITIALLY {when}
    FOR EACH ROW EXECUTE FUNCTION out_of_space();
"""


@pytest.mark.parametrize("when", ["IMMEDIATE", "DEFERRED"])
def test_the_databases_disk_is_full(postgresql: Backend, when: str) -> None:
    # Also at the last moment, after everything was written and before it is committed.
    ledger = postgresql.open()
    ledger.execute(opening())
    before = state(ledger)
    assert postgresql.run_sql is not None
    postgresql.run_sql(FULL.format(when=when))
    try:
        pending = [ledger.submit(spend()) for _ in range(5)]
        for future in pending:
            with pytest.raises(LedgerError, match="since the database's disk is full; nothing was recorded"):
                future.result()
        assert state(ledger) == before
    finally:
        postgresql.run_sql("DROP FUNCTION out_of_space CASCADE")
    assert ledger.execute(spend()).allowed
    check(ledger, CENT)
