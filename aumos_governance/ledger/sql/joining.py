"""The last step of an upgrade from before migration 0003: join the notebooks that are the same file.

Earlier versions could have several notebooks for one file. The migration marks them; they are joined after all other
migrations, because joining needs the tables of this version.
"""

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
    """Join the notebooks that migration 0003 has marked, and return how many notebooks were joined or moved.

    Everything is done in the current transaction of ``cursor``.
    """
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
