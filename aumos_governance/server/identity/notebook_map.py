"""The map from kernels to the notebooks that they serve, derived from the server's session rows and from renames.

A session row is an entry of ``GET /api/sessions``: a document and the kernel that it uses. It has nothing to do with a
governance session. Several rows may have one kernel; the kernel then serves the notebook of the oldest row, and the
other notebooks share this notebook's governance session. A row of a console or file determines the notebook only if the
kernel has no row of a notebook.

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
"""The prefix of the path that the ledger has for a kernel without a document: ``kernel:`` and the kernel's id."""
_MAX_PATH = 4_096
_MOST_REQUESTED = 4_096


@dataclass(frozen=True, slots=True)
class Row:
    """One session row of the Jupyter server: a document or console that uses a kernel."""

    session_id: str
    path: str
    kind: str
    """The ``type`` of the row, such as ``notebook``, ``console`` or ``file``."""
    kernel_id: str


@dataclass(frozen=True, slots=True)
class Place:
    """The notebook whose governance session applies to a document, as the ledger identifies it."""

    notebook: NotebookKey
    shared_with: str | None = None
    """The path of ``notebook`` if the document is another notebook that shares its kernel and session; else None."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The relations of kernels, documents and files at one moment. Any thread may read it."""

    governing: dict[str, str] = field(default_factory=dict)
    """The path of the file of the notebook that each kernel serves, by kernel id."""
    files: dict[str, str] = field(default_factory=dict)
    """The path of the file of each row's document, by the document's path."""
    shared: dict[str, str] = field(default_factory=dict)
    """The notebooks that share another notebook's kernel and session: the paths of the other notebooks' files, by the
    paths of their own files."""


class NotebookMap:
    """The map from kernels and documents' paths to notebooks, for one server. It lives as long as the server.

    ``owner`` is the user whose notebooks the server serves, and ``root`` its root folder. All paths are relative to
    this folder. ``locate`` returns the path of the file that belongs to a document's path, with symbolic links
    resolved. It reads the file system, so it is called only when rows are added or changed, by `place`, and by
    `notebook_of` for a kernel that has no row yet.
    """

    def __init__(self, owner: str, root: str, locate: Callable[[str], str] = lambda path: path) -> None:
        self.owner = owner
        self.root = root
        self._locate = locate
        self._named: dict[str, str] = {}
        """The notebook's path that the request to start a kernel named, by kernel id."""
        self._last: dict[str, str] = {}
        """The path of the file of the notebook that each kernel served last, by kernel id."""
        self._requested: dict[str, str] = {}
        """The files of the symbolic links that pages have requested the state of: the files' paths by the links'."""
        self._rows: tuple[Row, ...] = ()
        self._renamed: dict[str, tuple[str, str]] = {}
        """The rows that the server has not updated yet after a rename: their old and new paths, by the rows' ids."""
        self._now = _Snapshot()
        self._under_way: set[Future[Any]] = set()

    def key(self, path: str) -> NotebookKey:
        """Return the key by which the ledger identifies the notebook whose file has this path."""
        return NotebookKey(owner=self.owner, root=self.root, path=path)

    def update(self, rows: Iterable[Row]) -> set[str]:
        """Replace all session rows with ``rows``, which are in the order of their creation.

        Returns the paths of the notebooks that began or ceased to share another notebook's session.
        """
        self._rows = tuple(rows)
        stale = {row.session_id: row.path for row in self._rows}
        self._renamed = {
            session_id: (was, now) for session_id, (was, now) in self._renamed.items() if stale.get(session_id) == was
        }
        return self._take_snapshot()

    def rename(self, old: str, new: str, source: str | None = None, target: str | None = None) -> set[str]:
        """Apply the rename of a document or folder from ``old`` to ``new``, before the server updates its session rows.

        The new path is noted for each row, so that a new document at the old path is not mistaken for the renamed one.
        ``source`` and ``target`` are the old and new paths of the files, if these differ from the documents' paths.
        Returns the paths of the notebooks that began or ceased to share another notebook's session.
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
        """Let `settle` wait for a rename or deletion that was submitted to the ledger; ``change`` is its future."""
        self._under_way.add(change)
        change.add_done_callback(self._under_way.discard)

    def settled(self) -> bool:
        """Whether the ledger has executed all renames and deletions, so that `settle` would return at once."""
        return not self._under_way

    def settle(self, timeout: float = 5.0) -> None:
        """Wait until the ledger has executed the renames and deletions submitted so far, at most ``timeout`` seconds.

        A request that reads a notebook's state calls this first, so that the ledger knows the notebook's new path. Any
        thread that may block may call this.
        """
        under_way = tuple(self._under_way)
        if under_way:
            wait(under_way, timeout)

    def name(self, kernel_id: str, path: str) -> None:
        """Note the path of the notebook that the request to start a kernel named.

        The kernel serves this notebook until a session row has the kernel. Any thread may call this.
        """
        self._named[kernel_id] = path

    def forget(self, kernel_id: str) -> None:
        """Remove all that is stored about a kernel that has ended."""
        self._named.pop(kernel_id, None)
        self._last.pop(kernel_id, None)

    def has_path(self, kernel_id: str) -> bool:
        """Whether the kernel has or had a document, in a session row or named by the request to start the kernel."""
        return kernel_id in self._now.governing or kernel_id in self._named

    def notebook_of(self, kernel_id: str) -> NotebookKey:
        """Return the notebook that a kernel serves.

        It is the notebook of the kernel's oldest session row or, without a row, the notebook that the request to start
        the kernel named. A kernel without a document has a key of its own, with the path ``kernel:`` and its id.
        """
        path = self._now.governing.get(kernel_id)
        if path is None:
            named = self._named.get(kernel_id)
            if named is None:
                return self.key(f"{KERNEL_PATH}{kernel_id}")
            path = self._last[kernel_id] = self._now.governing[kernel_id] = self._locate(named)
        return self.key(path)

    def files(self) -> set[str]:
        """Return the paths of the files of all documents that use a kernel, or that a kernel without a row serves."""
        return {*self._now.files.values(), *self._now.governing.values()}

    def names_of(self, notebook: NotebookKey) -> list[str]:
        """Return all paths under which pages of this server may show a notebook.

        The first is the path of its file; the others are the paths of symbolic links to the file.
        """
        path = path_below(self.root, file_of(notebook.root, notebook.path))
        others = {name for name, file in (*self._now.files.items(), *self._requested.items()) if file == path}
        return [path, *sorted(others - {path})]

    def place(self, path: str) -> Place:
        """Return the notebook whose session applies to the document at ``path``. Any thread may call this."""
        file = self._locate(path)
        if file != path and len(self._requested) < _MOST_REQUESTED:
            # So that a page that opened a link gets events under the link's path.
            self._requested[path] = file
        shared_with = self.shared_with(file)
        return Place(self.key(file if shared_with is None else shared_with), shared_with)

    def shared_with(self, file: str) -> str | None:
        """Return the path of the notebook whose session the notebook at ``file`` shares; None if it uses its own."""
        return self._now.shared.get(file)

    def sharers(self, path: str) -> list[str]:
        """Return the paths of the other notebooks that share the session of the notebook at ``path``."""
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
    """Return a path that a client sent in the form that Jupyter's contents service uses, e.g. ``work/a.ipynb``.

    Raises InvalidRequestError if the path is empty, leads out of the server's root folder or is too long.
    """
    path = posixpath.normpath(raw.strip("/")) if raw.strip("/") else ""
    if not path or path == "." or path.startswith("../") or path == "..":
        raise InvalidRequestError(
            "The parameter path must be the notebook's path below the server's root folder, for example"
            f" work/agents.ipynb, not {raw[:80]!r}."
        )
    if len(path) > _MAX_PATH or "\0" in path:
        raise InvalidRequestError(
            f"The parameter path must have at most {_MAX_PATH} characters, and no character with the code 0."
        )
    return path


def moved_path(path: str, old: str, new: str) -> str | None:
    """Return what becomes of ``path`` if the document or folder ``old`` is renamed to ``new``; None if it stays."""
    if path == old:
        return new
    if path.startswith(f"{old}/"):
        return new + path[len(old) :]
    return None
