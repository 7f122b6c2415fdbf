"""The operations on reports of governed actions at trust level L4, where a user reviews actions afterwards.

A report is stored when its action starts and completed when the action ends. It is shown until a user acknowledges it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ....errors import NotAllowedError, NotFoundError
from ...contract.agreements import AcknowledgeReport, FileReport, FinishReport, Report
from ...contract.facts import NotebookKey, Origin
from ...contract.queries import ListReports
from ...rules.chain import dumps
from ...transaction.rows import NotebookRow, ReportRow, SessionRow
from ...transaction.selections import UNSEEN_REPORTS
from ...transaction.work import Work, record
from ..reach import key_under, may_name, page, session_and_notebook
from ..registry import operation, reader


@operation(FileReport)
def file_report(work: Work, request: FileReport) -> Report:
    """Execute `FileReport`: store the report of an action that starts now, for a user to acknowledge."""
    notebook = work.notebook(request.notebook)
    if notebook is None or notebook.session_id is None:
        raise NotFoundError(
            "This notebook never had a governance session, so no action in it can be reported; start one with"
            " %governance."
        )
    session = work.get(SessionRow, notebook.session_id)
    row = work.add(
        ReportRow(
            work.new_id(),
            session.id,
            request.tool,
            request.agent_id or session.agent_id,
            request.charge_id,
            request.shown,
            work.now,
        )
    )
    _record(work, notebook, row, request.origin, {"report": row.id})
    return report_of(row, notebook)


@operation(FinishReport)
def finish_report(work: Work, request: FinishReport) -> Report:
    """Execute `FinishReport`: add the result of an action to its report, and show an acknowledged report again."""
    row = work.find(ReportRow, request.report_id)
    notebook = work.notebook(request.notebook)
    if row is None or notebook is None or work.get(SessionRow, row.session_id).notebook_id != notebook.id:
        raise NotFoundError(f"There is no report {request.report_id!r} of an action in this notebook.")
    addition: dict[str, Any] = {"result": request.result}
    if request.spent is not None:
        addition["spent"] = request.spent
    # If the report was acknowledged while the action ran, the text shown is deleted already.
    row.shown = dumps({**({"tool": row.tool} if row.shown is None else _object(row.shown)), **addition})
    row.acknowledged_at = row.acknowledged_by = None
    work.save(row)
    _record(work, notebook, row, request.origin, {"report": row.id, "finished": True})
    return report_of(row, notebook)


@operation(AcknowledgeReport)
def acknowledge(work: Work, request: AcknowledgeReport) -> Report:
    """Execute `AcknowledgeReport`: mark a report as reviewed by a user. A second acknowledgement changes nothing."""
    if not request.origin.person:
        raise NotAllowedError("Only a user, and not code, may acknowledge a report.")
    row = work.find(ReportRow, request.report_id)
    if row is None or not may_name(work, request.origin, row):
        raise NotFoundError(f"There is no report {request.report_id!r} that this user may acknowledge.")
    session, notebook = session_and_notebook(work, row.session_id)
    if row.acknowledged_at is None:
        row.acknowledged_at = work.now
        row.acknowledged_by = request.origin.actor
        row.shown = None
        work.save(row)
        work.touch(notebook)
        detail = {"report": row.id}
        record(work, session.id, notebook, request.origin, "acknowledge", tool=row.tool, detail=detail)
    return report_of(row, notebook)


@reader(ListReports)
def list_reports(work: Work, query: ListReports) -> tuple[Report, ...]:
    """Execute `ListReports`: return one page of the unacknowledged reports, oldest first."""
    return tuple(
        replace(report_of(row, notebook), notebook=key_under(notebook, query.root))
        for row, notebook in page(work, query, UNSEEN_REPORTS)
    )


def _record(work: Work, notebook: NotebookRow, row: ReportRow, origin: Origin, detail: Mapping[str, Any]) -> None:
    work.touch(notebook)
    record(
        work,
        row.session_id,
        notebook,
        origin,
        "report",
        agent_id=row.agent_id,
        tool=row.tool,
        charge_id=row.charge_id,
        detail=detail,
    )


def report_of(row: ReportRow, notebook: NotebookRow) -> Report:
    """Return the `Report` that a response contains, made from its row and the row of its notebook."""
    return Report(
        row.id,
        NotebookKey(notebook.owner, notebook.root, notebook.path),
        row.session_id,
        row.tool,
        row.agent_id,
        row.shown,
        row.at,
        row.acknowledged_at,
        row.acknowledged_by,
        row.charge_id,
    )


def _object(text: str) -> dict[str, Any]:
    """Return the JSON object that ``text``, the ``shown`` text of a report, contains.

    If the text is no JSON object, return an object with the text, or its JSON value, under the name ``shown``.
    """
    try:
        shown = json.loads(text)
    except ValueError:
        shown = text
    return shown if isinstance(shown, dict) else {"shown": shown}
