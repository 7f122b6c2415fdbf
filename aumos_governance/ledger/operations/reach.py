"""Functions that find rows for a caller: those that it may name by id or list, with their sessions and notebooks.

Several servers may share a database. A caller of one server may see only the rows that belong to this server's owner
and root folder, and these functions enforce that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from ..contract.facts import NotebookKey, Origin
from ..rules.chain import check_text
from ..rules.cursors import check_limit
from ..rules.files import file_of, lies_in, path_below
from ..transaction.rows import ApprovalRow, ChargeRow, NotebookRow, ReportRow, SessionRow
from ..transaction.selections import Selection
from ..transaction.work import Work

_OpenRow = TypeVar("_OpenRow", ChargeRow, ApprovalRow, ReportRow)


class PageQuery(Protocol):
    """The fields of a query for a page of open holds, pending approvals or unacknowledged reports.

    The query finds those in all of the owner's notebooks below the root folder, or in one ``notebook``.
    """

    @property
    def owner(self) -> str: ...

    @property
    def root(self) -> str: ...

    @property
    def notebook(self) -> NotebookKey | None: ...

    @property
    def after(self) -> str: ...

    @property
    def limit(self) -> int: ...


def may_name(work: Work, origin: Origin, row: ApprovalRow | ChargeRow | ReportRow) -> bool:
    """Whether the caller may name this row by its id, since it belongs to a notebook of the caller's server.

    For any other row, operations raise NotFoundError, as if it did not exist.
    """
    return origin.within is None or lies_in(notebook_of(work, row.session_id), *origin.within)


def page(
    work: Work, query: PageQuery, selection: Selection[_OpenRow], wanted: Callable[[_OpenRow], bool] = lambda row: True
) -> list[tuple[_OpenRow, NotebookRow]]:
    """Return the rows on the page that a query requests, each with its notebook, oldest first.

    ``selection`` selects the rows of an owner and root; of these, only rows for which ``wanted`` returns True are
    included. Raises InvalidRequestError for a page size outside 1 to `cursors.MAX_PAGE`.
    """
    check_limit(query.limit)
    check_text(query.owner, query.root, query.after)
    found = []
    wanted_file = (
        None if query.notebook is None else (query.notebook.owner, file_of(query.notebook.root, query.notebook.path))
    )
    # Few such rows exist at any time, so all are read; their ids sort by time.
    for row in work.select(selection, query.owner, query.root):
        notebook = notebook_of(work, row.session_id)
        if row.id > query.after and wanted(row) and wanted_file in (None, (notebook.owner, notebook.file)):
            found.append((row, notebook))
            if len(found) == query.limit:
                break
    return found


def newest_session(work: Work, key: NotebookKey) -> SessionRow | None:
    """Return the notebook's open session, or else the session that was closed last, or None if it never had one."""
    notebook = work.notebook(key)
    if notebook is None or notebook.session_id is None:
        return None
    return work.get(SessionRow, notebook.session_id)


def session_and_notebook(work: Work, session_id: str) -> tuple[SessionRow, NotebookRow]:
    """Return the session with this id, and its notebook."""
    session = work.get(SessionRow, session_id)
    return session, work.get(NotebookRow, session.notebook_id)


def notebook_of(work: Work, session_id: str) -> NotebookRow:
    """Return the notebook of the session with this id."""
    return session_and_notebook(work, session_id)[1]


def key_under(notebook: NotebookRow, root: str) -> NotebookKey:
    """Return the key that names a notebook by its path below ``root``, the root folder of the server that lists it."""
    return NotebookKey(notebook.owner, root, path_below(root, notebook.file))
