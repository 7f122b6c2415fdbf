"""The list of the servers that have a ledger in SQLite open now.

Each server keeps a file of its name locked. The lock ends with the server's process, so a killed server is not listed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ....errors import LedgerError

# Windows has no flock, so there no names are known.
_fcntl: Final[Any] = import_module("fcntl") if os.name == "posix" else None


class Attendance:
    """The folder beside a ledger's file in which each server that has the ledger open keeps a locked file."""

    def __init__(self, ledger: Path) -> None:
        self._folder = ledger.with_name(f"{ledger.name}-servers")
        self._lock: int | None = None
        self._file: Path | None = None

    def begin(self, server: str) -> None:
        """List the server of this name until `end` is called, or until this process ends in any way.

        Raises LedgerError if the folder cannot be created or written. On Windows, which lacks these file locks, nothing
        is listed.
        """
        if _fcntl is None:
            return
        file = self._folder / server
        try:
            while self._lock is None:
                # Not exist_ok=True, which checks afterwards that the folder exists; it may be removed before that.
                with suppress(FileExistsError):
                    self._folder.mkdir(mode=0o700)
                with suppress(FileNotFoundError):
                    self._lock = _locked(file)
        except OSError as error:
            raise LedgerError(
                f"The folder {self._folder} cannot be used: {error.strerror}; the server must be able to write to it."
            ) from error
        self._file = file

    def names(self) -> frozenset[str]:
        """Return the names of the servers that have the ledger open now, and delete the files of killed servers."""
        if _fcntl is None:
            return frozenset()
        try:
            files = list(self._folder.iterdir())
        except OSError:
            # The folder does not exist while no server has the ledger open.
            return frozenset()
        return frozenset(file.name for file in files if not _is_abandoned(file))

    def end(self) -> None:
        """Remove the server that `begin` has listed. A second call does nothing."""
        lock, self._lock = self._lock, None
        if lock is not None and self._file is not None:
            with suppress(OSError):
                self._file.unlink()
            os.close(lock)
            # The last server removes the folder; this fails while files of other servers are in it.
            with suppress(OSError):
                self._folder.rmdir()


def _locked(file: Path) -> int | None:
    """Create a file, lock it and return its descriptor.

    Return None if another server deleted the file between these steps; then the caller must try again.
    """
    # Kernels and terminals must not inherit the descriptor, since the lock would last as long as their processes.
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _fcntl.flock(descriptor, _fcntl.LOCK_EX)
        if os.path.samestat(os.fstat(descriptor), file.stat()):
            return descriptor
    except FileNotFoundError:
        pass
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None


def _is_abandoned(file: Path) -> bool:
    """Return whether no server holds the lock of this file any more, and delete the file in that case."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        # The file cannot be opened, so a server may hold its lock.
        return False
    try:
        _fcntl.flock(descriptor, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
        # Another server may have created the file anew meanwhile; then the locked file is not the file at this path.
        if not os.path.samestat(os.fstat(descriptor), file.stat()):
            return False
        file.unlink()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
