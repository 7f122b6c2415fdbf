"""Identification of documents by their files' inodes, to find documents that were moved on disk."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ...ledger.rules.files import path_below
from .documents import Documents

_MOST_ENTRIES: Final = 100_000
"""The most folder entries that are read in one search for missing files."""
_MOST_MARKS: Final = 5_000


class _Mark(NamedTuple):
    device: int
    inode: int
    modified: int
    """The time of the last change, in nanoseconds. A moved file keeps this time. A new file with the inode number of a
    deleted file has another time."""


class FileMarks:
    """The device, inode and time of each document's file, noted when it is opened or saved.

    Every method may be called from any thread. Paths are below the server's root.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._marks: dict[str, _Mark] = {}
        self._lock = threading.Lock()

    def note(self, path: str) -> None:
        """Note the file of a document that was opened or saved."""
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
        """Return the old and new paths of the documents that were moved below the root.

        ``opened``, the paths of open documents, are compared first; then the folders are searched for files that
        are still missing.
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
