"""The operations on approval requests: a caller requests a user's approval of an action, and a user decides.

A request whose caller no longer waits is withdrawn. The module also reads one request, and lists the pending ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ....errors import ConflictError, InvalidRequestError, NotAllowedError, NotFoundError
from ....types import GovernanceOutcome
from ...contract.agreements import Approval, ApprovalStatus, AskApproval, DecideApproval, WithdrawApproval
from ...contract.facts import NotebookKey, Origin
from ...contract.queries import ListApprovals, ReadApproval
from ...rules.chain import check_whole
from ...transaction.rows import ApprovalRow, NotebookRow, SessionRow
from ...transaction.selections import PENDING_OF_SERVER
from ...transaction.work import Work, record
from ..balances import open_session_of
from ..reach import key_under, may_name, notebook_of, page, session_and_notebook
from ..registry import operation, reader


@operation(AskApproval)
def request_approval(work: Work, request: AskApproval) -> Approval:
    """Execute `AskApproval`: store a pending approval request, which is then shown to users."""
    if not request.digest:
        raise InvalidRequestError("An approval request needs the digest of the action that a user must approve.")
    check_whole(amount=request.amount, until=request.until)
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    if notebook is None or session is None:
        raise NotFoundError(
            "Governance is not active for this notebook, so no user can approve the action; start it with %governance."
        )
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


@operation(DecideApproval)
def decide(work: Work, request: DecideApproval) -> Approval:
    """Execute `DecideApproval`: store and record a user's decision to approve or deny an action."""
    if not request.origin.person:
        raise NotAllowedError("Only a user, and not code, may approve or deny an action.")
    row = _find(work, request.approval_id, request.origin)
    if row.status != ApprovalStatus.PENDING:
        raise ConflictError(_decided(row))
    if row.digest != request.digest:
        raise ConflictError(
            "The decision is for another action than the approval request (the digests differ), so nothing was changed;"
            " read the request again and decide on the action that it shows."
        )
    session, notebook = session_and_notebook(work, row.session_id)
    row.status = (ApprovalStatus.APPROVED if request.approve else ApprovalStatus.DENIED).value
    _close(work, row, request.origin)
    if request.approve:
        _record(work, notebook, session, row, request.origin, "approve", GovernanceOutcome.ALLOW)
    else:
        _record(work, notebook, session, row, request.origin, "refuse", GovernanceOutcome.DENY, "APPROVAL_DENIED")
    return approval_of(row, notebook)


@operation(WithdrawApproval)
def withdraw_approval(work: Work, request: WithdrawApproval) -> Approval:
    """Execute `WithdrawApproval`: end a pending approval request whose caller no longer waits for the decision."""
    row = _find(work, request.approval_id, request.origin)
    if not request.origin.person and request.origin.scope != row.scope:
        raise NotFoundError(f"There is no approval request {request.approval_id!r}.")
    if row.status == ApprovalStatus.PENDING:
        withdraw(work, row, request.origin, request.why)
    return approval_of(row, notebook_of(work, row.session_id))


def withdraw(work: Work, row: ApprovalRow, origin: Origin, why: str) -> None:
    """End a pending approval request without a user's decision, and record ``why``.

    If the request has expired, the record is a denial of its action. Otherwise the caller no longer waits, and the
    record is not a decision.
    """
    expired = row.until is not None and work.now >= row.until
    session, notebook = session_and_notebook(work, row.session_id)
    row.status = ApprovalStatus.WITHDRAWN.value
    _close(work, row, origin)
    outcome, code = (GovernanceOutcome.DENY, "APPROVAL_TIMEOUT") if expired else (None, "APPROVAL_WITHDRAWN")
    _record(work, notebook, session, row, origin, "withdraw", outcome, code, why)


def approval_of(row: ApprovalRow, notebook: NotebookRow) -> Approval:
    """Return the `Approval` that a response contains, made from its row and the row of its notebook."""
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


def _find(work: Work, approval_id: str, origin: Origin) -> ApprovalRow:
    row = work.find(ApprovalRow, approval_id)
    if row is None or not may_name(work, origin, row):
        raise NotFoundError(f"There is no approval request {approval_id!r}.")
    return row


def _decided(row: ApprovalRow) -> str:
    if row.status == ApprovalStatus.WITHDRAWN:
        return "The approval request was withdrawn already, and needs no decision any more."
    word = "denied" if row.status == ApprovalStatus.DENIED else "approved"
    return f"This was {word} already, by {row.decided_by}, so nothing was changed."


def _close(work: Work, row: ApprovalRow, origin: Origin) -> None:
    row.decided_at = work.now
    row.decided_by = origin.actor
    # The text shown to the user may contain code and arguments, so it is deleted after the decision; the digest stays.
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


@reader(ReadApproval)
def read_approval(work: Work, query: ReadApproval) -> Approval:
    """Execute `ReadApproval`: return one approval request, pending or decided."""
    row = work.find(ApprovalRow, query.approval_id)
    if row is None:
        raise NotFoundError(f"There is no approval request {query.approval_id!r}.")
    return approval_of(row, notebook_of(work, row.session_id))


@reader(ListApprovals)
def list_approvals(work: Work, query: ListApprovals) -> tuple[Approval, ...]:
    """Execute `ListApprovals`: return one page of the pending approval requests, oldest first."""
    return tuple(
        replace(approval_of(row, notebook), notebook=key_under(notebook, query.root))
        for row, notebook in page(work, query, PENDING_OF_SERVER)
    )
