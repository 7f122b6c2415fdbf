"""Which notebook each kernel serves, from the session rows and the renames: pure, no server.

Everything here runs on the server's loop, but for `place`, which only looks at one finished snapshot and may
be called from any thread.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from typing import Any, Final

from ...errors import InvalidRequestError
from ...ledger.contract.facts import NotebookKey
from ...ledger.rules.files import file_of, path_below

__all__ = ["KERNEL_PATH", "Place", "Rooms", "Row", "clean_path", "moved_path"]

KERNEL_PATH: Final = "kernel:"
"""Begins the path of a kernel that is no notebook's; its id follows."""
_MAX_PATH = 4_096
_MOST_REQUESTED = 4_096


@dataclass(frozen=True, slots=True)
class Row:
    """One session row of the server: a document or console that uses a kernel."""

    session_id: str
    path: str
    kind: str
    """``notebook``, ``console``, ``file``, ..."""
    kernel_id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where the governance of a path is kept."""

    notebook: NotebookKey
    shared_with: str | None = None
    """The path of the notebook whose kernel, and so whose session, this one uses."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    governing: dict[str, str] = field(default_factory=dict)
    """The path that governs each kernel."""
    files: dict[str, str] = field(default_factory=dict)
    """For the path of each row: the path of the file that it is."""
    shared: dict[str, str] = field(default_factory=dict)
    """For each path that uses another notebook's kernel: that notebook's path."""


class Rooms:
    """The map from kernels and paths to notebooks under one owner and server root.

    ``locate`` returns which path below the root is the file that a document's path leads to: links are resolved. It is
    called when rows come or change, and by `place`.
    """

    def __init__(self, owner: str, root: str, locate: Callable[[str], str] = lambda path: path) -> None:
        self.owner = owner
        self.root = root
        self._locate = locate
        self._named: dict[str, str] = {}
        self._last: dict[str, str] = {}
        self._requested: dict[str, str] = {}
        self._rows: tuple[Row, ...] = ()
        self._renamed: dict[str, tuple[str, str]] = {}
        self._now = _Snapshot()
        self._under_way: set[Future[Any]] = set()

    def key(self, path: str) -> NotebookKey:
        return NotebookKey(owner=self.owner, root=self.root, path=path)

    def update(self, rows: Iterable[Row]) -> set[str]:
        """Take the rows as they are now, oldest first; returns the paths that began or ceased to share."""
        self._rows = tuple(rows)
        stale = {row.session_id: row.path for row in self._rows}
        self._renamed = {
            session_id: (was, now) for session_id, (was, now) in self._renamed.items() if stale.get(session_id) == was
        }
        return self._take_snapshot()

    def rename(self, old: str, new: str, source: str | None = None, target: str | None = None) -> set[str]:
        """A document, or a folder with all beneath it, has another path; its rows will say so only later.

        What was renamed belongs to the row, so that a new document at the old path is not taken for it. Where the files
        have other paths than the documents, ``source`` and ``target`` are those.
        """
        source, target = old if source is None else source, new if target is None else target
        for row in self._rows:
            path = self._path(row)
            moved = moved_path(path, old, new) or moved_path(self._now.files.get(path, path), source, target)
            if moved is not None:
                self._renamed[row.session_id] = (row.path, moved)
        self._last = {id: moved_path(path, source, target) or path for id, path in self._last.items()}
        return self._take_snapshot()

    def await_ledger(self, change: Future[Any]) -> None:
        """A rename or deletion was submitted to the ledger; `settle` waits for it."""
        self._under_way.add(change)
        change.add_done_callback(self._under_way.discard)

    def settled(self) -> bool:
        """Whether no rename or deletion is under way, so that `settle` would return at once."""
        return not self._under_way

    def settle(self, timeout: float = 5.0) -> None:
        """Wait, in a thread that may block, for what was submitted, so that a reading finds it done."""
        under_way = tuple(self._under_way)
        if under_way:
            wait(under_way, timeout)

    def name(self, kernel_id: str, path: str) -> None:
        """The starter of a kernel named a notebook for it, which counts as long as no row does. From any thread."""
        self._named[kernel_id] = path

    def forget(self, kernel_id: str) -> None:
        """The kernel is gone."""
        self._named.pop(kernel_id, None)
        self._last.pop(kernel_id, None)

    def has_path(self, kernel_id: str) -> bool:
        """Whether a session row or the request that started this kernel names, or ever named, its path."""
        return kernel_id in self._now.governing or kernel_id in self._named

    def notebook_of(self, kernel_id: str) -> NotebookKey:
        """The notebook that a kernel serves: the older row's where there are two, its own where there is none."""
        path = self._now.governing.get(kernel_id)
        if path is None:
            named = self._named.get(kernel_id)
            if named is None:
                return self.key(f"{KERNEL_PATH}{kernel_id}")
            path = self._last[kernel_id] = self._now.governing[kernel_id] = self._locate(named)
        return self.key(path)

    def files(self) -> set[str]:
        """The paths of the files of all rows, and of what kernels without one were started for."""
        return {*self._now.files.values(), *self._now.governing.values()}

    def names_of(self, notebook: NotebookKey) -> list[str]:
        """The paths under which a notebook is known here: its file's own first, then those of links to it."""
        path = path_below(self.root, file_of(notebook.root, notebook.path))
        others = {name for name, file in (*self._now.files.items(), *self._requested.items()) if file == path}
        return [path, *sorted(others - {path})]

    def place(self, path: str) -> Place:
        """Where the governance of the document at ``path`` is kept."""
        file = self._locate(path)
        if file != path and len(self._requested) < _MOST_REQUESTED:
            # A page that uses a link gets events under that name.
            self._requested[path] = file
        shared_with = self.shared_with(file)
        return Place(self.key(file if shared_with is None else shared_with), shared_with)

    def shared_with(self, file: str) -> str | None:
        """The path of the notebook whose session the notebook with this file uses."""
        return self._now.shared.get(file)

    def sharers(self, path: str) -> list[str]:
        """The paths that use the session of the notebook at ``path``."""
        return sorted(other for other, governing in self._now.shared.items() if governing == path)

    def _path(self, row: Row) -> str:
        renamed = self._renamed.get(row.session_id)
        return renamed[1] if renamed is not None else row.path.strip("/")

    def _take_snapshot(self) -> set[str]:
        paths = [self._path(row) for row in self._rows]
        files = {path: self._locate(path) for path in paths if path}
        governing: dict[str, str] = {}
        for row in sorted(self._rows, key=lambda row: row.kind != "notebook"):
            # The sort is stable: the oldest notebook, and only without any the oldest row of another kind.
            if self._path(row):
                governing.setdefault(row.kernel_id, files[self._path(row)])
        # A kernel that outlives its row is still that notebook's.
        governing = {**self._last, **governing}
        self._last = dict(governing)
        own = set(governing.values())
        shared: dict[str, str] = {}
        for row in self._rows:
            path = self._path(row)
            if path and files[path] not in own and row.kind == "notebook":
                shared.setdefault(files[path], governing[row.kernel_id])
        before, self._now = self._now, _Snapshot(governing, files, shared)
        return {path for path in {*before.shared, *shared} if before.shared.get(path) != shared.get(path)}


def clean_path(raw: str) -> str:
    """The path of a document as the contents service writes it; raises InvalidRequestError."""
    path = posixpath.normpath(raw.strip("/")) if raw.strip("/") else ""
    if not path or path == "." or path.startswith("../") or path == "..":
        raise InvalidRequestError(
            "The parameter path must be the notebook's path below the server's root, for example work/agents.ipynb."
        )
    if len(path) > _MAX_PATH or "\0" in path:
        raise InvalidRequestError(f"The parameter path must be at most {_MAX_PATH} characters of text.")
    return path


def moved_path(path: str, old: str, new: str) -> str | None:
    """Where ``path`` lies after ``old`` became ``new``; None when that does not touch it."""
    if path == old:
        return new
    if path.startswith(f"{old}/"):
        return new + path[len(old) :]
    return None
