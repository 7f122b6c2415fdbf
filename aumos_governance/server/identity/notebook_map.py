"""The map from kernels to the notebooks that they serve, derived from the server's session rows and from renames.

Methods must be called on the server's loop, unless their description allows any thread.
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

KERNEL_PATH: Final = "kernel:"
"""The prefix of the path of a kernel without a notebook; the kernel's id follows."""
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
    """The notebook under which the ledger keeps the governance of a path."""

    notebook: NotebookKey
    shared_with: str | None = None
    """The path of another notebook, if this path uses that notebook's kernel and session; else None."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The relations of kernels, documents and files at one moment."""

    governing: dict[str, str] = field(default_factory=dict)
    """The path of the notebook that each kernel serves, by kernel id."""
    files: dict[str, str] = field(default_factory=dict)
    """The path of the file of each row, by the row's path."""
    shared: dict[str, str] = field(default_factory=dict)
    """For the path of each notebook that uses another notebook's kernel: the path of the other notebook."""


class NotebookMap:
    """The map from kernels and paths to notebooks, under one owner and server root.

    ``locate`` returns the path, below the root, of the file of a document's path, with links resolved. It is called
    when rows are added or changed, by `place`, and by `notebook_of` for a kernel that has no row yet.
    """

    def __init__(self, owner: str, root: str, locate: Callable[[str], str] = lambda path: path) -> None:
        self.owner = owner
        self.root = root
        self._locate = locate
        self._named: dict[str, str] = {}
        """The path that the request to start a kernel named, by kernel id."""
        self._last: dict[str, str] = {}
        """The path of the notebook that each kernel served last, by kernel id."""
        self._requested: dict[str, str] = {}
        """The path of the file of each link that a page has requested, by the link's path."""
        self._rows: tuple[Row, ...] = ()
        self._renamed: dict[str, tuple[str, str]] = {}
        """The path in a row that the server has not updated yet, and the new path, by session id."""
        self._now = _Snapshot()
        self._under_way: set[Future[Any]] = set()

    def key(self, path: str) -> NotebookKey:
        """Return the ledger's key of the notebook at a path below the root."""
        return NotebookKey(owner=self.owner, root=self.root, path=path)

    def update(self, rows: Iterable[Row]) -> set[str]:
        """Replace the rows with ``rows``, oldest first; return the paths that began or ceased to share a session."""
        self._rows = tuple(rows)
        stale = {row.session_id: row.path for row in self._rows}
        self._renamed = {
            session_id: (was, now) for session_id, (was, now) in self._renamed.items() if stale.get(session_id) == was
        }
        return self._take_snapshot()

    def rename(self, old: str, new: str, source: str | None = None, target: str | None = None) -> set[str]:
        """Apply the rename of a document or folder before the server changes its session rows.

        The new path is noted for each row, so that a new document at the old path is not mistaken for the renamed one.
        ``source`` and ``target`` are the old and new paths of the files, if these differ from the documents' paths.
        Returns the paths that began or ceased to share a session.
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
        """Have `settle` wait for this rename or deletion, which was submitted to the ledger."""
        self._under_way.add(change)
        change.add_done_callback(self._under_way.discard)

    def settled(self) -> bool:
        """Whether no rename or deletion is under way, so that `settle` would return at once."""
        return not self._under_way

    def settle(self, timeout: float = 5.0) -> None:
        """Wait at most ``timeout`` seconds until the ledger has executed the renames and deletions submitted so far.

        May be called from any thread that may block.
        """
        under_way = tuple(self._under_way)
        if under_way:
            wait(under_way, timeout)

    def name(self, kernel_id: str, path: str) -> None:
        """Note the notebook path that the request to start a kernel named; used until a session row has the kernel.

        May be called from any thread.
        """
        self._named[kernel_id] = path

    def forget(self, kernel_id: str) -> None:
        """Remove the paths that are stored for a kernel, which has ended."""
        self._named.pop(kernel_id, None)
        self._last.pop(kernel_id, None)

    def has_path(self, kernel_id: str) -> bool:
        """Whether a document of this kernel is, or was, known from a session row or from the request to start it."""
        return kernel_id in self._now.governing or kernel_id in self._named

    def notebook_of(self, kernel_id: str) -> NotebookKey:
        """Return the notebook that a kernel serves.

        The kernel serves the notebook of its oldest session row. Without a row, it serves the notebook that the request
        to start the kernel named, or else a notebook without a document: its path is `KERNEL_PATH` and the kernel's id.
        """
        path = self._now.governing.get(kernel_id)
        if path is None:
            named = self._named.get(kernel_id)
            if named is None:
                return self.key(f"{KERNEL_PATH}{kernel_id}")
            path = self._last[kernel_id] = self._now.governing[kernel_id] = self._locate(named)
        return self.key(path)

    def files(self) -> set[str]:
        """Return the paths of the files of all rows, and of the notebooks that kernels without a row serve."""
        return {*self._now.files.values(), *self._now.governing.values()}

    def names_of(self, notebook: NotebookKey) -> list[str]:
        """Return the paths that pages of this server use for a notebook: first its file's path, then links' paths."""
        path = path_below(self.root, file_of(notebook.root, notebook.path))
        others = {name for name, file in (*self._now.files.items(), *self._requested.items()) if file == path}
        return [path, *sorted(others - {path})]

    def place(self, path: str) -> Place:
        """Return the notebook that governs the document at ``path``.

        May be called from any thread, since it reads only one finished snapshot.
        """
        file = self._locate(path)
        if file != path and len(self._requested) < _MOST_REQUESTED:
            # So that a page that opened a link gets events under the link's path.
            self._requested[path] = file
        shared_with = self.shared_with(file)
        return Place(self.key(file if shared_with is None else shared_with), shared_with)

    def shared_with(self, file: str) -> str | None:
        """Return the path of the other notebook whose session the notebook with this file uses; None without one."""
        return self._now.shared.get(file)

    def sharers(self, path: str) -> list[str]:
        """Return the paths of the other notebooks that use the session of the notebook at ``path``."""
        return sorted(other for other, governing in self._now.shared.items() if governing == path)

    def _path(self, row: Row) -> str:
        renamed = self._renamed.get(row.session_id)
        return renamed[1] if renamed is not None else row.path.strip("/")

    def _take_snapshot(self) -> set[str]:
        paths = [self._path(row) for row in self._rows]
        files = {path: self._locate(path) for path in paths if path}
        governing: dict[str, str] = {}
        for row in sorted(self._rows, key=lambda row: row.kind != "notebook"):
            # The sort is stable, so this is the kernel's oldest row of a notebook or, if it has none, its oldest row of
            # another kind.
            if self._path(row):
                governing.setdefault(row.kernel_id, files[self._path(row)])
        # A kernel whose row is gone still serves the notebook of that row.
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
    """Return a document's path in the form that the contents service uses.

    Raises InvalidRequestError if the path is empty, leads out of the server's root folder or is too long.
    """
    path = posixpath.normpath(raw.strip("/")) if raw.strip("/") else ""
    if not path or path == "." or path.startswith("../") or path == "..":
        raise InvalidRequestError(
            "The parameter path must be the notebook's path below the server's root, for example work/agents.ipynb."
        )
    if len(path) > _MAX_PATH or "\0" in path:
        raise InvalidRequestError(f"The parameter path must be at most {_MAX_PATH} characters of text.")
    return path


def moved_path(path: str, old: str, new: str) -> str | None:
    """Return the new path of ``path`` after ``old`` was renamed to ``new``; None if the rename does not affect it."""
    if path == old:
        return new
    if path.startswith(f"{old}/"):
        return new + path[len(old) :]
    return None
