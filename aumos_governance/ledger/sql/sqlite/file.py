"""A ledger's SQLite file, opened only for reading, even if its file system is read-only."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from ....errors import LedgerError, NotFoundError
from ..statements import Statements
from .filesystem import network_filesystem
from .snapshot import ReadableSqlite

_BUSY_SECONDS: Final = 10
_COPIES: Final = 3
_READ_ONLY: Final = ("unable to open", "readonly", "read-only")


class SqliteFile(ReadableSqlite):
    """A `ReadOnlyDatabase` in an existing SQLite file. Each reading opens a new connection.

    The constructor raises NotFoundError if the file does not exist. On a read-only file system, SQLite cannot read a
    file whose write-ahead log (the ``-wal`` file) is not empty, so the constructor copies both to a temporary folder.
    If there is no log, the file is read in place as immutable, i.e. without locks.
    """

    def __init__(self, path: Path) -> None:
        kind = network_filesystem(path)
        if kind is not None:
            raise LedgerError(f"The ledger {path} lies on a network file system ({kind}), where SQLite is not safe.")
        if not path.is_file():
            raise NotFoundError(f"There is no ledger {path}.")
        self.name = str(path)
        self.statements = Statements(SQLiteDialect_pysqlite(paramstyle="qmark"))
        self._path = path
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._frozen: tuple[object, ...] | None = None
        """The result of `_file_states` when the file was opened as immutable, to detect changes; None if it was not."""
        # mode=rw is tried first. With mode=ro, SQLite does not delete its side files if no other process has the
        # file open. With mode=rw SQLite creates no database either, and only reads if it may not write.
        self._uri = f"{path.as_uri()}?mode=rw"
        if self._needs_writing():
            self._uri = f"{path.as_uri()}?mode=ro"
            if self._needs_writing():
                self._prepare_without_writing()

    def has(self, table: str) -> bool:
        with self.reading() as cursor:
            cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
            return cursor.fetchone() is not None

    def close(self) -> None:
        """Delete the temporary copy, if there is one. Each reading has closed its own connection already."""
        if self._folder is not None:
            self._folder.cleanup()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(self._uri, uri=True, isolation_level=None, timeout=_BUSY_SECONDS)
            ) as connection:
                connection.execute("PRAGMA query_only=ON")
                connection.execute("BEGIN")
                yield connection
        except sqlite3.Error as error:
            raise LedgerError(f"The ledger {self.name} cannot be read: {error}.") from error
        if self._frozen is not None and self._frozen != self._file_states():
            raise LedgerError(f"The ledger {self.name} was changed while it was read; read it again.")

    def _needs_writing(self) -> bool:
        """Whether SQLite cannot open the file with the current URI, because it may not create files in its folder."""
        try:
            with closing(sqlite3.connect(self._uri, uri=True, timeout=_BUSY_SECONDS)) as connection:
                connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
        except sqlite3.Error as error:
            return any(sign in str(error) for sign in _READ_ONLY)
        return False

    def _prepare_without_writing(self) -> None:
        """Make reading possible although SQLite may not write beside the file.

        Without a write-ahead log, use the file as immutable; otherwise copy the file and the log to a temporary folder.
        """
        log = Path(f"{self._path}-wal")
        if not log.exists() or log.stat().st_size == 0:
            self._uri = f"{self._path.as_uri()}?mode=ro&immutable=1"
            self._frozen = self._file_states()
            return
        self._folder = tempfile.TemporaryDirectory(prefix="aumos-governance-ledger-")
        copy = Path(self._folder.name) / self._path.name
        try:
            for _ in range(_COPIES):
                before = self._file_states()
                shutil.copyfile(self._path, copy)
                shutil.copyfile(log, f"{copy}-wal")
                if self._file_states() == before:
                    self._uri = f"{copy.as_uri()}?mode=rw"
                    return
        except OSError as error:
            self.close()
            raise LedgerError(f"The ledger {self.name} cannot be copied to be read: {error.strerror}.") from error
        self.close()
        raise LedgerError(f"The ledger {self.name} was changed while it was copied to be read; read it again.")

    def _file_states(self) -> tuple[object, ...]:
        """Return the inode, size and modification time of the file and its log, to detect that another program writes.

        Although the file system is read-only here, another computer or mount may write to it.
        """
        states: list[object] = []
        for path in (self._path, Path(f"{self._path}-wal")):
            try:
                found = path.stat()
            except OSError:
                states.append(None)
            else:
                states.append((found.st_ino, found.st_size, found.st_mtime_ns))
        return tuple(states)
