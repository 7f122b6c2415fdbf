"""Finds documents again that were moved on disk, past the contents manager."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ...ledger.rules.files import path_below
from .documents import Documents

__all__ = ["FileMarks"]

_MOST_ENTRIES: Final = 100_000
"""How many entries of folders are looked at for one file that is gone."""
_MOST_MARKS: Final = 5_000


class _Mark(NamedTuple):
    device: int
    inode: int
    modified: int
    """A new file may get the number of one that was just deleted; one that is moved keeps its time as well."""


class FileMarks:
    """What the files of documents are known by, kept at each opening and saving. For any thread."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._marks: dict[str, _Mark] = {}
        self._lock = threading.Lock()

    def note(self, path: str) -> None:
        """The document at this path below the root was opened or saved."""
        mark = self._mark(path)
        with self._lock:
            if mark is not None and (path in self._marks or len(self._marks) < _MOST_MARKS):
                self._marks[path] = mark

    def forget(self, path: str) -> None:
        """The document, or the folder with all in it, was deleted or renamed by the contents manager."""
        with self._lock:
            kept = {key: mark for key, mark in self._marks.items() if key != path and not key.startswith(f"{path}/")}
            self._marks = kept

    def moved(self, opened: Iterable[str] = ()) -> list[tuple[str, str]]:
        """Old and new path of the documents that lie elsewhere below the root; ``opened`` are looked at first."""
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
