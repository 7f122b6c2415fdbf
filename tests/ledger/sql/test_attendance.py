"""The servers that have a ledger open: a server that starts must know them before it leaves holds unresolved."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from aumos_governance.errors import LedgerError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes
from aumos_governance.ledger.contract.charges import Hold, KernelsPresent
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListHolds
from aumos_governance.ledger.sql.sqlite.attendance import Attendance
from tests.bridge.live_server import until
from tests.ledger.kit import (
    NOTEBOOK,
    SERVER,
    Backend,
    key,
    opening,
)
from tests.ledger.postgres_server import PostgresServer

ATTENDER = """
import sys, time
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes
from aumos_governance.ledger.contract.facts import Origin
ledger = open_ledger(sys.argv[1], server=sys.argv[2])
ledger.execute(ConfigureEnvelopes(key="", origin=Origin("server"), owner="ann", root="/srv/ann", envelopes=()))
print("here", flush=True)
time.sleep(60)
"""


def write(ledger: Ledger) -> None:
    """Make the first request of a server."""
    ledger.execute(ConfigureEnvelopes(key="", origin=SERVER, owner="ann", root="/srv/ann", envelopes=()))


def test_a_server_is_there_until_it_closes_the_ledger(database: Backend) -> None:
    looker = database.open()
    assert looker.attending() == frozenset()
    with closing(open_ledger(database.url, server="0000000a")) as first:
        write(first)
        with closing(open_ledger(database.url, server="7fffffff")) as second:
            write(second)
            assert looker.attending() == first.attending() == {"0000000a", "7fffffff"}
        until(lambda: looker.attending() == {"0000000a"}, "the second is gone")
    until(lambda: not looker.attending(), "both are gone")


def test_a_killed_server_is_gone_and_a_stopped_one_is_not(database: Backend) -> None:
    looker = database.open()
    command = [sys.executable, "-c", ATTENDER, database.url, "0000000b"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.SIGSTOP)
        assert looker.attending() == {"0000000b"}
        process.kill()
        process.wait()
        until(lambda: not looker.attending(), "it is gone")


def test_what_the_kernels_of_another_server_hold_is_left_to_it(backend: Backend) -> None:
    ledger = backend.open()
    ledger.execute(opening())
    holds = {}
    for incarnation in ("0000000a/kernel-1:n", "0000000b/kernel-2:n", "kernel-3:n"):
        origin = Origin("kernel", scope=incarnation, incarnation=incarnation)
        hold = ledger.execute(Hold(key=key(), origin=origin, notebook=NOTEBOOK, amount=1))
        holds[hold.charge_id] = incarnation[:8]
    start = KernelsPresent(
        key="", origin=SERVER, owner=NOTEBOOK.owner, root=NOTEBOOK.root, servers=("0000000a", "kernel")
    )
    assert ledger.execute(start) == 2
    found = ledger.read(ListHolds(owner=NOTEBOOK.owner, root=NOTEBOOK.root))
    states = {holds[hold.charge_id]: hold.state.value for hold in found}
    assert states == {"0000000a": "held", "0000000b": "unresolved", "kernel-3": "unresolved"}


def test_in_memory_no_other_program_is_there() -> None:
    with closing(open_ledger("memory://", server="0000000a")) as ledger:
        assert ledger.attending() == frozenset()


def test_a_lost_connection_is_made_up_for_by_the_next_request(
    postgresql: Backend, postgres_server: PostgresServer, postgres_database: str
) -> None:
    looker = postgresql.open()
    with closing(open_ledger(postgresql.url, server="0000000c")) as ledger:
        write(ledger)
        assert looker.attending() == {"0000000c"}
        cut = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
        postgres_server.execute(cut, postgres_database)
        until(lambda: not looker.attending(), "the connection is gone")
        write(ledger)
        assert looker.attending() == {"0000000c"}


# ---- the folder beside a file


def test_nothing_is_left_when_the_last_one_ends(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(open_ledger(f"sqlite:///{path}", server="0000000a")):
        folder = tmp_path / "ledger.sqlite-servers"
        assert [file.name for file in folder.iterdir()] == ["0000000a"]
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_one_left_is_taken_away(tmp_path: Path) -> None:
    folder = tmp_path / "l-servers"
    folder.mkdir()
    (folder / "0000000d").touch()
    assert Attendance(tmp_path / "l").names() == frozenset()
    assert list(folder.iterdir()) == []


def test_a_child_that_runs_another_program_does_not_attend(tmp_path: Path) -> None:
    attendance = Attendance(tmp_path / "l")
    attendance.begin("0000000e")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False) as child:
        attendance.end()
        other = Attendance(tmp_path / "l")
        other.begin("0000000f")
        assert other.names() == {"0000000f"}
        other.end()
        child.communicate(b"\n")


def test_many_come_and_look_at_once(tmp_path: Path) -> None:
    # A server that lists the names deletes files that are not locked yet; the server that creates one must not be lost.
    lost = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            Attendance(tmp_path / "l").names()

    def come(number: int) -> None:
        for turn in range(30):
            attendance = Attendance(tmp_path / "l")
            name = f"{number:04x}{turn:04x}"
            attendance.begin(name)
            if name not in attendance.names():
                lost.append(name)
            attendance.end()

    lookers = [threading.Thread(target=look) for _ in range(2)]
    comers = [threading.Thread(target=come, args=(number,)) for number in range(3)]
    for thread in (*lookers, *comers):
        thread.start()
    for thread in comers:
        thread.join()
    over.set()
    for thread in lookers:
        thread.join()
    assert lost == []


def test_who_looks_late_deletes_no_file_that_was_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "l-servers" / "0000000a"
    file.parent.mkdir()
    # The new server has created the file, and not locked it yet.
    file.touch()
    comes, flock, late = Attendance(tmp_path / "l"), fcntl.flock, [True]

    def held_up(descriptor: int, operation: int) -> None:
        if late:
            late.clear()
            # Meanwhile another server lists the names and deletes the file, and the new one creates it again.
            assert Attendance(tmp_path / "l").names() == frozenset()
            comes.begin("0000000a")
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", held_up)
    assert Attendance(tmp_path / "l").names() == {"0000000a"}
    assert comes.names() == {"0000000a"}
    comes.end()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "l-servers").touch()
    with pytest.raises(LedgerError, match=r"The folder .*l-servers cannot be used: "):
        Attendance(tmp_path / "l").begin("0000000a")
