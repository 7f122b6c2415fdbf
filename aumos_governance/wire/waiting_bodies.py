"""The JSON bodies of what a user can decide or review: holds, approval requests, reports, calls that wait at a limit.

The REST interface returns them to the panel and to ``jupyter governance``.
"""

from __future__ import annotations

import json
from typing import Any

from .. import money
from ..clock import time_text
from ..ledger.contract.agreements import Approval, Report
from ..ledger.contract.audit_facts import AuditEntry
from ..ledger.contract.budgets import Corrected, HeldCharge
from ..ledger.contract.charges import Charging
from ..ledger.contract.facts import Limit
from .bodies import LIMIT, STATE


def hold_body(hold: HeldCharge, cell: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a pending hold. ``cell`` is the body of the cell that made it (see `cell_body`).

    The body's ``state`` is ``held`` while the hold's kernel runs, and ``unresolved`` after the kernel has ended.
    """
    return {
        "id": hold.charge_id,
        "notebook": hold.notebook.path,
        "session_id": hold.session_id,
        "state": hold.state.value,
        "tool": hold.tool,
        "amount": money.to_text(hold.amount),
        "agent_id": hold.agent_id,
        "category": hold.category,
        "cell": cell,
        "at": time_text(hold.at),
        "until": None if hold.until is None else time_text(hold.until),
    }


def approval_body(approval: Approval, cell: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an approval request. ``cell`` is the body of the cell that made it (see `cell_body`).

    The body's ``shown`` describes the action, and is null after the decision. A client's decision must contain the
    ``digest``, so that the user decides about what was shown.
    """
    return {
        "id": approval.approval_id,
        "notebook": approval.notebook.path,
        "session_id": approval.session_id,
        "status": approval.status.value,
        "digest": approval.digest,
        "shown": _shown(approval.shown),
        "tool": approval.tool,
        "amount": money.to_text(approval.amount),
        "agent_id": approval.agent_id,
        "cell": cell,
        "at": time_text(approval.asked_at),
        "until": None if approval.until is None else time_text(approval.until),
        "decided_at": None if approval.decided_at is None else time_text(approval.decided_at),
        "decided_by": approval.decided_by,
    }


def report_body(report: Report, cell: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a report of an action. ``cell`` is the body of the cell that made it (see `cell_body`).

    The body's ``shown`` describes the action, and is null after a user has acknowledged the report.
    """
    return {
        "id": report.report_id,
        "notebook": report.notebook.path,
        "session_id": report.session_id,
        "shown": _shown(report.shown),
        "tool": report.tool,
        "agent_id": report.agent_id,
        "charge_id": report.charge_id,
        "cell": cell,
        "at": time_text(report.at),
        "acknowledged_at": None if report.acknowledged_at is None else time_text(report.acknowledged_at),
        "acknowledged_by": report.acknowledged_by,
    }


def limit_request_body(
    call: Charging,
    limit: Limit,
    *,
    id: str,
    notebook: str,
    agent_id: str | None,
    count: int,
    needs: int,
    needs_all: int,
    cell: dict[str, Any],
    at: int,
    until: int,
) -> dict[str, Any]:
    """Return one body for all calls of a session that wait until a user raises the same limit.

    ``count`` is the number of these calls, and ``call`` the first of them. ``needs`` is the amount, in nano-USD, by
    which the limit must be raised for the first call, and ``needs_all`` the amount for all calls. ``id`` is the
    session's id. ``cell`` is the body of the first call's cell. ``at`` and ``until`` are when the wait began and when
    it ends, in microseconds since the epoch.
    """
    shown = LIMIT.write(limit)
    return {
        "id": id,
        "notebook": notebook,
        "session_id": id,
        "count": count,
        "limit": {name: shown[name] for name in ("kind", "name", "allowed")},
        "tool": call.tool,
        "amount": money.to_text(call.amount),
        "needs": money.to_text(needs),
        "needs_all": money.to_text(needs_all),
        "agent_id": agent_id,
        "cell": cell,
        "at": time_text(at),
        "until": time_text(until),
    }


def corrected_body(corrected: Corrected) -> dict[str, Any]:
    """Return the body of the response to a user's correction of a charge.

    Its ``left`` is the part of the charge that remains charged.
    """
    state = corrected.state
    return {
        "correction": {
            "id": corrected.correction_id,
            "charge_id": corrected.charge_id,
            "amount": money.to_text(corrected.amount),
            "left": money.to_text(corrected.left),
            "record_id": corrected.record_id,
        },
        "state": None if state is None else STATE.write(state),
    }


def cell_body(entry: AuditEntry | None) -> dict[str, Any]:
    """Return the body of the cell in an audit record: its id and its execution count.

    Both are null if there is no record.
    """
    if entry is None:
        return {"id": None, "count": None}
    return {"id": entry.cell_id, "count": entry.execution_count}


def _shown(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        # The client sent text that is not JSON, which the user must see as well.
        return text
