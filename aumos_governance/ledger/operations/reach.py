"""What a caller may name by its id or list: in a database that several servers share, only what is theirs."""

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

__all__ = ["named", "newest_session", "notebook_of", "owners_of", "page", "reaches"]

_OpenRow = TypeVar("_OpenRow", ChargeRow, ApprovalRow, ReportRow)


class PageQuery(Protocol):
    """A query for a page of what is open in an owner's notebooks under a root, or in one of them."""

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


def reaches(work: Work, origin: Origin, row: ApprovalRow | ChargeRow | ReportRow) -> bool:
    """Whether the row lies within what the caller may name; one that does not is, to them, not there."""
    return origin.within is None or lies_in(notebook_of(work, row.session_id), *origin.within)


def page(
    work: Work, query: PageQuery, selection: Selection[_OpenRow], wanted: Callable[[_OpenRow], bool] = lambda row: True
) -> list[tuple[_OpenRow, NotebookRow]]:
    """The rows of a page with their notebooks, oldest first."""
    check_limit(query.limit)
    check_text(query.owner, query.root, query.after)
    found = []
    wanted_file = (
        None if query.notebook is None else (query.notebook.owner, file_of(query.notebook.root, query.notebook.path))
    )
    # Few are open at any time, and their ids are in order of time.
    for row in work.select(selection, query.owner, query.root):
        notebook = notebook_of(work, row.session_id)
        if row.id > query.after and wanted(row) and wanted_file in (None, (notebook.owner, notebook.file)):
            found.append((row, notebook))
            if len(found) == query.limit:
                break
    return found


def newest_session(work: Work, key: NotebookKey) -> SessionRow | None:
    """The notebook's open session, else the one closed last."""
    notebook = work.notebook(key)
    if notebook is None or notebook.session_id is None:
        return None
    return work.get(SessionRow, notebook.session_id)


def owners_of(work: Work, session_id: str) -> tuple[SessionRow, NotebookRow]:
    """The session and its notebook."""
    session = work.get(SessionRow, session_id)
    return session, work.get(NotebookRow, session.notebook_id)


def notebook_of(work: Work, session_id: str) -> NotebookRow:
    """The session's notebook."""
    return owners_of(work, session_id)[1]


def named(notebook: NotebookRow, root: str) -> NotebookKey:
    """The notebook's key as seen from this root."""
    return NotebookKey(notebook.owner, root, path_below(root, notebook.file))
