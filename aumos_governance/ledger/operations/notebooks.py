"""Notebooks and folders that are renamed or deleted."""

from __future__ import annotations

from ...errors import InvalidRequestError
from ..contract.base import DeleteNotebook, MoveNotebook, NotebookKey, Origin
from ..rules.files import file_of, path_below
from ..transaction.rows import NotebookRow
from ..transaction.work import Work
from .sessions import close, open_session_of

__all__ = ["delete_notebook", "move_notebook"]


def move_notebook(work: Work, request: MoveNotebook) -> int:
    old, new = request.old, request.new
    if new == old:
        return 0
    if new.startswith(f"{old}/"):
        raise InvalidRequestError(f"{old!r} cannot be moved into itself.")
    moved: list[NotebookRow] = []
    # By path, so that a/b has left before a/b/c comes to where it lay.
    source, target = file_of(request.root, old), file_of(request.root, new)
    for notebook in work.notebooks_under(request.owner, source):
        # By the root that it was named from first, so that a later server of that root finds its path there.
        path = path_below(notebook.root, target + notebook.file[len(source) :])
        ousted = work.notebook(NotebookKey(request.owner, notebook.root, path))
        if ousted is not None:
            _remove(work, ousted, request.origin, "another notebook was moved to its path")
            notebook.seq = max(notebook.seq, ousted.seq)
        work.relocate(notebook, notebook.root, path)
        moved.append(notebook)
    return len(moved)


def delete_notebook(work: Work, request: DeleteNotebook) -> int:
    gone = work.notebooks_under(request.owner, file_of(request.root, request.path))
    for notebook in gone:
        _remove(work, notebook, request.origin, "the notebook was deleted")
    return len(gone)


def _remove(work: Work, notebook: NotebookRow, origin: Origin, why: str) -> None:
    session = open_session_of(work, notebook)
    if session is not None:
        close(work, notebook, session, origin, why)
    work.remove(notebook)
