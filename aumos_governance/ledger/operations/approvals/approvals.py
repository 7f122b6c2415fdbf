"""Operations on approvals of governed actions: request, decide, withdraw and list them."""

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
    """Create an approval request for a user."""
    if not request.digest:
        raise InvalidRequestError("An approval request needs the digest of the action that it is for.")
    check_whole(amount=request.amount, until=request.until)
    notebook = work.notebook(request.notebook)
    session = open_session_of(work, notebook)
    if notebook is None or session is None:
        raise NotFoundError("Governance is not active for this notebook, so no user can be reached.")
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
    """Record a user's decision."""
    if not request.origin.person:
        raise NotAllowedError("Only a user may decide an approval.")
    row = _find(work, request.approval_id, request.origin)
    if row.status != ApprovalStatus.PENDING:
        raise ConflictError(_decided(row))
    if row.digest != request.digest:
        raise ConflictError(
            "The decision is for another action than the approval request (the digests differ), so nothing was changed."
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
    """Withdraw an approval request whose caller no longer waits for the decision."""
    row = _find(work, request.approval_id, request.origin)
    if not request.origin.person and request.origin.scope != row.scope:
        raise NotFoundError(f"There is no approval {request.approval_id!r}.")
    if row.status == ApprovalStatus.PENDING:
        withdraw(work, row, request.origin, request.why)
    return approval_of(row, notebook_of(work, row.session_id))


def withdraw(work: Work, row: ApprovalRow, origin: Origin, why: str) -> None:
    """End a pending approval without a user's decision.

    The action of an expired approval is denied. Any other approval ends because its caller no longer waits; its record
    is then no decision.
    """
    expired = row.until is not None and work.now >= row.until
    session, notebook = session_and_notebook(work, row.session_id)
    row.status = ApprovalStatus.WITHDRAWN.value
    _close(work, row, origin)
    outcome, code = (GovernanceOutcome.DENY, "APPROVAL_TIMEOUT") if expired else (None, "APPROVAL_WITHDRAWN")
    _record(work, notebook, session, row, origin, "withdraw", outcome, code, why)


def approval_of(row: ApprovalRow, notebook: NotebookRow) -> Approval:
    """Return the `Approval` of a row, for a response."""
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
        raise NotFoundError(f"There is no approval {approval_id!r}.")
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
    row = work.find(ApprovalRow, query.approval_id)
    if row is None:
        raise NotFoundError(f"There is no approval {query.approval_id!r}.")
    return approval_of(row, notebook_of(work, row.session_id))


@reader(ListApprovals)
def list_approvals(work: Work, query: ListApprovals) -> tuple[Approval, ...]:
    return tuple(
        replace(approval_of(row, notebook), notebook=key_under(notebook, query.root))
        for row, notebook in page(work, query, PENDING_OF_SERVER)
    )
