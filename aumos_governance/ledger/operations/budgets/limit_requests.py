"""The operation that records what happens to a call that waits at a limit on money, such as a user's denial."""

from __future__ import annotations

from typing import Any

from .... import money
from ....types import GovernanceOutcome
from ...contract.audit_facts import Recorded
from ...contract.limits import LimitEvent, RecordLimitRequest
from ...rules.chain import LEDGER_CHAIN, check_whole
from ...transaction.work import Work, record
from ..balances import open_session_of
from ..registry import operation


@operation(RecordLimitRequest)
def record_limit_request(work: Work, request: RecordLimitRequest) -> Recorded:
    """Execute `RecordLimitRequest`: append the record of the event, and notify the ledger's listeners.

    The listeners get the notebook's state, although only its ``seq`` has changed.
    """
    check_whole(amount=request.amount, needs=request.needs)
    notebook = work.notebook_or_new(request.notebook)
    session = open_session_of(work, notebook)
    denied = request.event is LimitEvent.DENIED
    work.touch(notebook)
    record_id = record(
        work,
        LEDGER_CHAIN if session is None else session.id,
        notebook,
        request.origin,
        request.event.value,
        outcome=GovernanceOutcome.DENY if denied else None,
        agent_id=request.agent_id or (None if session is None else session.agent_id),
        tool=request.tool,
        amount=request.amount,
        detail={"calls": request.count} if denied else _shortfall(request),
    )
    return Recorded(record_id, work.now)


def _shortfall(request: RecordLimitRequest) -> dict[str, Any]:
    detail: dict[str, Any] = {"needs": money.to_text(request.needs)}
    if request.limit is not None:
        limit = request.limit
        detail["limit"] = {"kind": limit.kind, "name": limit.name, "allowed": money.to_text(limit.allowed)}
    return detail
