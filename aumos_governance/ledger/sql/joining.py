"""Joins the notebooks that migration 0003 found to be the same file, once all migrations have run."""

from __future__ import annotations

import posixpath
from typing import Final

from ..commit.dispatch import system_clock
from ..contract.facts import NotebookKey, Origin
from ..contract.requests import JoinNotebooks
from ..operations.sessions.notebooks import join_notebooks
from ..transaction.work import Work
from .statements import Statements
from .store import Cursor, SqlStore

_MARKED: Final = (
    "SELECT owner, root, path, file FROM notebooks"
    " WHERE deleted_at IS NULL AND substr(file, length(file) - 32) = '/' || id ORDER BY id"
)


def join_marked(cursor: Cursor, statements: Statements) -> int:
    """Join the notebooks that revision 0003 has marked, in the cursor's transaction; return the number of changes."""
    cursor.execute(_MARKED)
    pairs = tuple(
        (NotebookKey(owner, posixpath.dirname(file), posixpath.basename(file)), NotebookKey(owner, root, path))
        for owner, root, path, file in cursor.fetchall()
    )
    work = Work(SqlStore(cursor, statements))
    work.now = system_clock()
    joined = join_notebooks(work, JoinNotebooks(key="", origin=Origin("server"), pairs=pairs))
    work.write()
    return joined
