"""Which notebook each kernel serves, as the session rows and the renames tell it: pure, no server.

Everything here runs on the server's loop, but for `place`, which only looks at one finished snapshot and may
be called from any thread.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field

from ..errors import InvalidRequestError
from ..ledger.base import NotebookKey

__all__ = ["Place", "Rooms", "Row", "clean_path", "moved_path"]

_MAX_PATH = 4_096


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
    shared: dict[str, str] = field(default_factory=dict)
    """For each path that uses another notebook's kernel: that notebook's path."""


class Rooms:
    """The map from kernels and paths to notebooks under one owner and server root."""

    def __init__(self, owner: str, root: str) -> None:
        self.owner = owner
        self.root = root
        self._rows: tuple[Row, ...] = ()
        self._renamed: dict[str, tuple[str, str]] = {}
        self._now = _Snapshot()

    def key(self, path: str) -> NotebookKey:
        return NotebookKey(owner=self.owner, root=self.root, path=path)

    def update(self, rows: Iterable[Row]) -> set[str]:
        """Take the rows as they are now, oldest first; answers the paths that began or ceased to share."""
        self._rows = tuple(rows)
        stale = {row.session_id: row.path for row in self._rows}
        self._renamed = {
            session_id: (was, now) for session_id, (was, now) in self._renamed.items() if stale.get(session_id) == was
        }
        return self._take_snapshot()

    def rename(self, old: str, new: str) -> set[str]:
        """A document, or a folder with all beneath it, has another path; its rows will say so only later.

        What was renamed belongs to the row, so that a new document at the old path is not taken for it.
        """
        for row in self._rows:
            path = moved_path(self._path(row), old, new)
            if path is not None:
                self._renamed[row.session_id] = (row.path, path)
        return self._take_snapshot()

    def has_path(self, kernel_id: str) -> bool:
        """Whether any row says what this kernel is used for."""
        return kernel_id in self._now.governing

    def notebook_of(self, kernel_id: str) -> NotebookKey:
        """The notebook that a kernel serves: the older row's where there are two, its own where there is none."""
        return self.key(self._now.governing.get(kernel_id, f"kernel:{kernel_id}"))

    def place(self, path: str) -> Place:
        """Where the governance of the document at ``path`` is kept."""
        shared_with = self._now.shared.get(path)
        return Place(self.key(path if shared_with is None else shared_with), shared_with)

    def sharers(self, path: str) -> list[str]:
        """The paths that use the session of the notebook at ``path``."""
        return sorted(other for other, governing in self._now.shared.items() if governing == path)

    def _path(self, row: Row) -> str:
        renamed = self._renamed.get(row.session_id)
        return renamed[1] if renamed is not None else row.path.strip("/")

    def _take_snapshot(self) -> set[str]:
        governing: dict[str, str] = {}
        for row in sorted(self._rows, key=lambda row: row.kind != "notebook"):
            # The sort is stable: the oldest notebook, and only without any the oldest row of another kind.
            if self._path(row):
                governing.setdefault(row.kernel_id, self._path(row))
        own = set(governing.values())
        shared: dict[str, str] = {}
        for row in self._rows:
            path = self._path(row)
            if path and path not in own and row.kind == "notebook":
                shared.setdefault(path, governing[row.kernel_id])
        before, self._now = self._now, _Snapshot(governing, shared)
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
