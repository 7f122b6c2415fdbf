"""Which servers keep their ledger in a SQLite file at the moment, proved by locks that end with their processes."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from ....errors import LedgerError

__all__ = ["Attendance"]

# Windows has no such locks, so there no server is known to attend.
_fcntl: Final[Any] = import_module("fcntl") if os.name == "posix" else None


class Attendance:
    """One locked file for each server, in a folder beside the ledger's."""

    def __init__(self, ledger: Path) -> None:
        self._folder = ledger.with_name(f"{ledger.name}-servers")
        self._lock: int | None = None
        self._file: Path | None = None

    def begin(self, server: str) -> None:
        """Attend under this name until `end`, or until this process ends in whatever way. Raises LedgerError."""
        if _fcntl is None:
            return
        file = self._folder / server
        try:
            while self._lock is None:
                # Not exist_ok, for which it may be gone again when that is looked at.
                with suppress(FileExistsError):
                    self._folder.mkdir(mode=0o700)
                with suppress(FileNotFoundError):
                    self._lock = _locked(file)
        except OSError as error:
            raise LedgerError(f"The folder {self._folder} cannot be used: {error.strerror}.") from error
        self._file = file

    def now(self) -> frozenset[str]:
        """The names under which servers attend; what killed ones left is taken away."""
        if _fcntl is None:
            return frozenset()
        try:
            files = list(self._folder.iterdir())
        except OSError:
            # There is none while no server attends.
            return frozenset()
        return frozenset(file.name for file in files if not _is_left(file))

    def end(self) -> None:
        """Attend no more. Idempotent."""
        lock, self._lock = self._lock, None
        if lock is not None and self._file is not None:
            with suppress(OSError):
                self._file.unlink()
            os.close(lock)
            # The last one takes the folder away; with others in it that fails.
            with suppress(OSError):
                self._folder.rmdir()


def _locked(file: Path) -> int | None:
    """A lock on the file, which is made; None where a server that removes left files has taken it for one."""
    # Not inherited by kernels and terminals, with which the lock would live on.
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


def _is_left(file: Path) -> bool:
    """Whether no server holds the file's lock any more; it is then deleted."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    except OSError:
        # In doubt a server holds it.
        return False
    try:
        _fcntl.flock(descriptor, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
        # Another server has made the file anew meanwhile, and the locked one is no longer at this path.
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
