"""Approvals, asked for and decided; reports, filed and acknowledged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...errors import ConflictError, InvalidRequestError, NotAllowedError, NotFoundError
from ...types import GovernanceOutcome
from ..contract.base import (
    AcknowledgeReport,
    Approval,
    ApprovalStatus,
    AskApproval,
    DecideApproval,
    FileReport,
    FinishReport,
    NotebookKey,
    Origin,
    Report,
    WithdrawApproval,
)
from ..rules.compact import dumps
from ..rules.content import check_whole
from ..transaction.rows import ApprovalRow, NotebookRow, ReportRow, SessionRow
from ..transaction.work import Work
from .reach import reaches
from .records import record
from .sessions import open_session_of

__all__ = [
    "acknowledge",
    "approval_of",
    "ask",
    "decide",
    "file_report",
    "finish_report",
    "report_of",
    "withdraw",
    "withdraw_approval",
]


def ask(work: Work, request: AskApproval) -> Approval:
    """Put a question to a person."""
    if not request.digest:
        raise InvalidRequestError("An approval needs the digest of what it is for.")
    check_whole(amount=request.amount, until=request.until)
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    if notebook is None or session is None:
        raise NotFoundError("Governance is not active for this notebook, so there is nobody to ask.")
    row = work.add(
        ApprovalRow(
            work.new_id(),
            session.id,
            ApprovalStatus.PENDING.value,
            request.digest,
            request.shown,
            request.tool,
            request.agent_id or session.agent_id,
            request.amount,
            request.origin.scope,
            request.origin.incarnation,
            work.now,
            request.until,
        )
    )
    _record(work, notebook, session, row, request.origin, "approval_requested", None, further={"until": row.until})
    return approval_of(row, notebook)


def decide(work: Work, request: DecideApproval) -> Approval:
    """Take a person's answer."""
    if not request.origin.person:
        raise NotAllowedError("Only a person may decide an approval.")
    row = _find(work, request.approval_id, request.origin)
    if row.status != ApprovalStatus.PENDING:
        raise ConflictError(_decided(row))
    if row.digest != request.digest:
        raise ConflictError("The answer is for something else than what is asked, so nothing was changed.")
    session, notebook = _owners(work, row.session_id)
    row.status = (ApprovalStatus.APPROVED if request.approve else ApprovalStatus.DENIED).value
    _close(work, row, request.origin)
    if request.approve:
        _record(work, notebook, session, row, request.origin, "approve", GovernanceOutcome.ALLOW)
    else:
        _record(work, notebook, session, row, request.origin, "refuse", GovernanceOutcome.DENY, "APPROVAL_DENIED")
    return approval_of(row, notebook)


def withdraw_approval(work: Work, request: WithdrawApproval) -> Approval:
    """Stop waiting for an answer."""
    row = _find(work, request.approval_id, request.origin)
    if not request.origin.person and request.origin.scope != row.scope:
        raise NotFoundError(f"There is no approval {request.approval_id!r}.")
    if row.status == ApprovalStatus.PENDING:
        withdraw(work, row, request.origin, request.why)
    return approval_of(row, _owners(work, row.session_id)[1])


def withdraw(work: Work, row: ApprovalRow, origin: Origin, why: str) -> None:
    """End a pending approval without a decision of a user.

    Its action is denied where its time ran out; else its caller is gone, and nothing was decided.
    """
    expired = row.until is not None and work.now >= row.until
    session, notebook = _owners(work, row.session_id)
    row.status = ApprovalStatus.WITHDRAWN.value
    _close(work, row, origin)
    outcome, code = (GovernanceOutcome.DENY, "APPROVAL_TIMEOUT") if expired else (None, "APPROVAL_WITHDRAWN")
    _record(work, notebook, session, row, origin, "withdraw", outcome, code, why)


def file_report(work: Work, request: FileReport) -> Report:
    """Keep a report until a person has seen it."""
    notebook = work.notebook(request.notebook)
    if notebook is None or notebook.session_id is None:
        raise NotFoundError("This notebook never had a governance session to report on.")
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
    work.touch(notebook)
    record(
        work,
        session.id,
        notebook,
        request.origin,
        "report",
        agent_id=row.agent_id,
        tool=row.tool,
        charge_id=row.charge_id,
        detail={"report": row.id},
    )
    return report_of(row, notebook)


def finish_report(work: Work, request: FinishReport) -> Report:
    """Add to a report how its act ended."""
    row = work.find(ReportRow, request.report_id)
    notebook = work.notebook(request.notebook)
    if row is None or notebook is None or work.get(SessionRow, row.session_id).notebook_id != notebook.id:
        raise NotFoundError(f"There is no report {request.report_id!r}.")
    said: dict[str, Any] = {"result": request.result}
    if request.spent is not None:
        said["spent"] = request.spent
    # Acknowledged while it ran, what was shown is gone.
    row.shown = dumps({**({"tool": row.tool} if row.shown is None else _object(row.shown)), **said})
    row.acknowledged_at = row.acknowledged_by = None
    work.save(row)
    work.touch(notebook)
    record(
        work,
        row.session_id,
        notebook,
        request.origin,
        "report",
        agent_id=row.agent_id,
        tool=row.tool,
        charge_id=row.charge_id,
        detail={"report": row.id, "finished": True},
    )
    return report_of(row, notebook)


def acknowledge(work: Work, request: AcknowledgeReport) -> Report:
    """A person has seen a report; a second time changes nothing."""
    if not request.origin.person:
        raise NotAllowedError("Only a person may acknowledge a report.")
    row = work.find(ReportRow, request.report_id)
    if row is None or not reaches(work, request.origin, row):
        raise NotFoundError(f"There is no report {request.report_id!r}.")
    session, notebook = _owners(work, row.session_id)
    if row.acknowledged_at is None:
        row.acknowledged_at = work.now
        row.acknowledged_by = request.origin.actor
        row.shown = None
        work.save(row)
        work.touch(notebook)
        detail = {"report": row.id}
        record(work, session.id, notebook, request.origin, "acknowledge", tool=row.tool, detail=detail)
    return report_of(row, notebook)


def approval_of(row: ApprovalRow, notebook: NotebookRow) -> Approval:
    """The approval as answers show it."""
    return Approval(
        row.id,
        NotebookKey(notebook.owner, notebook.root, notebook.path),
        row.session_id,
        ApprovalStatus(row.status),
        row.digest,
        row.shown,
        row.tool,
        row.agent_id,
        row.amount,
        row.asked_at,
        row.until,
        row.decided_at,
        row.decided_by,
    )


def report_of(row: ReportRow, notebook: NotebookRow) -> Report:
    """The report as answers show it."""
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
    try:
        shown = json.loads(text)
    except ValueError:
        shown = text
    return shown if isinstance(shown, dict) else {"shown": shown}


def _find(work: Work, approval_id: str, origin: Origin) -> ApprovalRow:
    row = work.find(ApprovalRow, approval_id)
    if row is None or not reaches(work, origin, row):
        raise NotFoundError(f"There is no approval {approval_id!r}.")
    return row


def _decided(row: ApprovalRow) -> str:
    if row.status == ApprovalStatus.WITHDRAWN:
        return "The approval was withdrawn already: nobody waits for it any more."
    word = "denied" if row.status == ApprovalStatus.DENIED else "approved"
    return f"This was {word} already, by {row.decided_by}, so nothing was changed."


def _owners(work: Work, session_id: str) -> tuple[SessionRow, NotebookRow]:
    session = work.get(SessionRow, session_id)
    return session, work.get(NotebookRow, session.notebook_id)


def _close(work: Work, row: ApprovalRow, origin: Origin) -> None:
    row.decided_at = work.now
    row.decided_by = origin.actor
    # What was shown may hold code and arguments: it goes when it has served, the digest stays.
    row.shown = None
    work.save(row)


def _record(
    work: Work,
    notebook: NotebookRow,
    session: SessionRow,
    row: ApprovalRow,
    origin: Origin,
    event: str,
    outcome: GovernanceOutcome | None,
    code: str | None = None,
    why: str = "",
    further: Mapping[str, Any] | None = None,
) -> None:
    work.touch(notebook)
    record(
        work,
        session.id,
        notebook,
        origin,
        event,
        outcome=outcome,
        code=code,
        reasons=(why,) if why else (),
        agent_id=row.agent_id,
        tool=row.tool,
        amount=row.amount,
        detail={"approval": row.id, "digest": row.digest, **(further or {})},
    )
