"""What an asker may name by its id: in a database that several servers share, only what is theirs."""

from __future__ import annotations

from ..contract.base import Origin
from ..rules.files import lies_in
from ..transaction.rows import ApprovalRow, ChargeRow, NotebookRow, ReportRow, SessionRow
from ..transaction.work import Work

__all__ = ["reaches"]


def reaches(work: Work, origin: Origin, row: ApprovalRow | ChargeRow | ReportRow) -> bool:
    """Whether the row lies within what the asker may name; one that does not is, to them, not there."""
    if origin.within is None:
        return True
    notebook = work.get(NotebookRow, work.get(SessionRow, row.session_id).notebook_id)
    return lies_in(notebook, *origin.within)
