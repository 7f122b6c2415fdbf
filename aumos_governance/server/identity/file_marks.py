"""Identification of documents by their files' inodes, to find documents that were moved without Jupyter, e.g. by mv."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ...ledger.rules.files import path_below
from .documents import Documents

_MOST_ENTRIES: Final = 100_000
"""The number of folder entries after which a search for missing files ends, so that it cannot take too long."""
_MOST_MARKS: Final = 5_000


class _Mark(NamedTuple):
    device: int
    inode: int
    modified: int
    """The time of the file's last change, in nanoseconds since the epoch. A moved file keeps this time; a new file that
    got the inode number of a deleted file has another."""


class FileMarks:
    """The marks of documents' files: device, inode and time of change, noted when a document is opened or saved.

    A file at another path with the same mark is the same, moved file. Every method may be called from any thread. Paths
    are relative to the server's root folder.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._marks: dict[str, _Mark] = {}
        self._lock = threading.Lock()

    def note(self, path: str) -> None:
        """Note the mark of the file at ``path``, since its document was opened or saved."""
        mark = self._mark(path)
        with self._lock:
            if mark is not None and (path in self._marks or len(self._marks) < _MOST_MARKS):
                self._marks[path] = mark

    def forget(self, path: str) -> None:
        """Drop the marks of a path that the contents manager deleted or renamed, and of all paths below it."""
        with self._lock:
            kept = {key: mark for key, mark in self._marks.items() if key != path and not key.startswith(f"{path}/")}
            self._marks = kept

    def moved(self, opened: Iterable[str] = ()) -> list[tuple[str, str]]:
        """Find documents whose files were moved within the root folder; return pairs of the old and the new path.

        Files that are no longer at their noted paths are looked for at the paths ``opened``, of open documents, and
        then in all folders below the root. Moved and open documents get new marks.
        """
        found = []
        with self._lock:
            gone = self._missing()
        for new in opened:
            mark = self._mark(new)
            old = None if mark is None else gone.pop(mark, None)
            if old is not None:
                found.append((old, new))
            self.note(new)
        if gone:
            for new, mark in self._search(set(gone)):
                found.append((gone.pop(mark), new))
                self.note(new)
                if not gone:
                    break
        return found

    def _missing(self) -> dict[_Mark, str]:
        gone = {}
        for path, mark in tuple(self._marks.items()):
            now = self._mark(path)
            if now is None:
                gone[mark] = path
                del self._marks[path]
            else:
                self._marks[path] = now
        return gone

    def _mark(self, path: str) -> _Mark | None:
        file = self._documents.absolute(path)
        if file is None:
            return None
        try:
            status = Path(file).lstat()
        except OSError:
            return None
        return _Mark(status.st_dev, status.st_ino, status.st_mtime_ns)

    def _search(self, wanted: set[_Mark]) -> Iterator[tuple[str, _Mark]]:
        inodes = {mark.inode for mark in wanted}
        folders, left = [self._documents.root], _MOST_ENTRIES
        for folder in folders:
            try:
                entries = list(os.scandir(folder))
            except OSError:
                continue
            left -= len(entries)
            for entry in entries:
                if entry.inode() in inodes:
                    path = path_below(self._documents.root, Path(entry.path).as_posix())
                    mark = self._mark(path)
                    if mark is not None and mark in wanted:
                        yield path, mark
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
            if left <= 0:
                return
