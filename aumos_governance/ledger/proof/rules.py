"""What each kind of record of a session says about the ledger's rows: one rule for each.

A new operation that records a new event adds its rule here, and what its rows hold is proven.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..transaction.rows import ApprovalRow, ChargeRow, CorrectionRow, EstimateRow, ReportRow
from ..transaction.tables import columns
from .figures import Figures, Rule
from .pending import ANY, Columns
from .shared import nano
from .standing import Entry, Session

__all__ = ["RULES"]

_STATUS: Final = columns[ApprovalRow].index("status")


# ---- sessions


def _open(figures: Figures, session: Session, entry: Entry) -> None:
    detail = entry.detail
    session.complete = "trust_by_person" in detail
    session.ceiling = nano(detail["budget"])
    session.values.update(
        trust_level=detail["trust_level"],
        trust_set_by=detail["trust_set_by"],
        trust_by_person=detail.get("trust_by_person", ANY),
        budget_set_by=detail["budget_set_by"],
        budget_by_person=detail.get("budget_by_person", ANY),
        agent_id=entry.agent_id,
        opened_at=entry.at,
        opened_by=entry.actor,
        closed_at=None,
    )


def _change(figures: Figures, session: Session, entry: Entry) -> None:
    values, detail = session.values, entry.detail
    if level := detail.get("trust_level"):
        values.update(trust_level=level["to"], trust_set_by=level["by"], trust_by_person=level.get("by_person", ANY))
    if budget := detail.get("budget"):
        session.ceiling = nano(budget["to"])
        values.update(budget_set_by=budget["by"], budget_by_person=budget.get("by_person", ANY))
    if agent := detail.get("agent_id"):
        values["agent_id"] = agent["to"]


def _close(figures: Figures, session: Session, entry: Entry) -> None:
    session.values["closed_at"] = entry.at


def _budget(figures: Figures, session: Session, entry: Entry) -> None:
    detail = entry.detail
    session.categories[detail["category"]] = (detail["period"], nano(detail["to"]))


# ---- charges


def _charge(state: str) -> Rule:
    def rule(figures: Figures, session: Session, entry: Entry) -> None:
        if entry.charge_id is None:
            return
        held = state == "held"
        until = entry.detail.get("until") if held else None
        row = figures.pending.row(ChargeRow, entry.charge_id)
        # Which of the envelopes there are is looked at below, by the row's own words.
        stored = dict(zip(columns[ChargeRow], row, strict=False)) if row is not None else {}
        values: Columns = {
            "session_id": session.id,
            "state": state,
            "amount": entry.amount,
            "spent": 0 if held else entry.amount,
            "corrected": 0,
            "at": entry.at,
            "tool": entry.tool,
            "agent_id": entry.agent_id,
            "until": until if until is not None or session.complete or not held else ANY,
            "resolved_at": None,
            "resolved_by": None,
        }
        figures.pending.make(ChargeRow, session.id, entry.charge_id, values)
        if stored:
            figures.check_envelopes(session, entry.charge_id, stored["envelopes"], stored["category"], entry.detail)
            figures.count(stored["envelopes"], entry.at, entry.spent_delta, entry.held_delta, 1)
        _use_approval(figures, entry)

    return rule


def _use_approval(figures: Figures, entry: Entry) -> None:
    detail = entry.detail
    approval = detail.get("approval")
    if not isinstance(approval, str):
        return
    used = detail.get("approval_used")
    if used is None:
        # An earlier version did not record it.
        row = figures.pending.row(ApprovalRow, approval)
        used = row is not None and row[_STATUS] == "used"
    if used:
        figures.pending.change(ApprovalRow, approval, {"status": "used"})


def _resolved(state: str) -> Rule:
    def rule(figures: Figures, session: Session, entry: Entry) -> None:
        values: Columns = {"state": state, "resolved_at": entry.at, "resolved_by": entry.actor}
        if state != "voided":
            # What is taken back keeps what it was.
            values["spent"] = entry.spent_delta
        _charge_changed(figures, entry, values)

    return rule


def _settle(figures: Figures, session: Session, entry: Entry) -> None:
    _SETTLED(figures, session, entry)
    if not entry.detail.get("estimated"):
        return
    if not session.complete and figures.pending.row(EstimateRow, entry.charge_id) is None:
        # An earlier version kept no row of it.
        return
    values: Columns = {"amount": entry.amount, "at": entry.at, "adjusted": None, "adjusted_at": None}
    figures.pending.make(EstimateRow, "", entry.charge_id, values)


def _adjust(figures: Figures, session: Session, entry: Entry) -> None:
    _charge_changed(figures, entry, {"spent": entry.amount})
    figures.pending.change(EstimateRow, entry.charge_id, {"adjusted": entry.amount, "adjusted_at": entry.at})


_SETTLED: Final = _resolved("settled")


def _unresolved(figures: Figures, session: Session, entry: Entry) -> None:
    _charge_changed(figures, entry, {"state": "unresolved"})


def _correct(figures: Figures, session: Session, entry: Entry) -> None:
    _charge_changed(figures, entry, lambda before: {"corrected": before["corrected"] + entry.amount})
    values: Columns = {
        "charge_id": entry.charge_id,
        "amount": entry.amount,
        "reason": entry.reason,
        "at": entry.at,
        "by": entry.actor,
    }
    figures.pending.make(CorrectionRow, "", entry.detail["correction"], values)


def _charge_changed(figures: Figures, entry: Entry, values: Columns | Callable[[Columns], Columns]) -> None:
    if entry.charge_id is None:
        return
    figures.pending.change(ChargeRow, entry.charge_id, values)
    figures.recount(entry.charge_id, entry.spent_delta, entry.held_delta)


# ---- approvals and reports


def _approval_requested(figures: Figures, session: Session, entry: Entry) -> None:
    detail = entry.detail
    values: Columns = {
        "session_id": session.id,
        "status": "pending",
        "digest": detail["digest"],
        "tool": entry.tool,
        "agent_id": entry.agent_id,
        "amount": entry.amount,
        "asked_at": entry.at,
        "until": detail.get("until", ANY),
        "decided_at": None,
        "decided_by": None,
    }
    figures.pending.make(ApprovalRow, session.id, detail["approval"], values)


def _decided(status: str) -> Rule:
    def rule(figures: Figures, session: Session, entry: Entry) -> None:
        values = {"status": status, "shown": None, "decided_at": entry.at, "decided_by": entry.actor}
        figures.pending.change(ApprovalRow, entry.detail["approval"], values)

    return rule


def _report(figures: Figures, session: Session, entry: Entry) -> None:
    detail = entry.detail
    if detail.get("finished"):
        figures.pending.change(ReportRow, detail["report"], _UNSEEN)
        return
    values: Columns = {
        "session_id": session.id,
        "tool": entry.tool,
        "agent_id": entry.agent_id,
        "charge_id": entry.charge_id,
        "at": entry.at,
        **_UNSEEN,
    }
    figures.pending.make(ReportRow, session.id, detail["report"], values)


_UNSEEN: Final[Columns] = {"shown": ANY, "acknowledged_at": None, "acknowledged_by": None}


def _acknowledge(figures: Figures, session: Session, entry: Entry) -> None:
    values: Columns = {"shown": None, "acknowledged_at": entry.at, "acknowledged_by": entry.actor}
    figures.pending.change(ReportRow, entry.detail["report"], values)


# ---- what agents may


def _agreement(figures: Figures, session: Session, entry: Entry) -> None:
    figures.agreements.take(entry, session.id)


RULES: Final[dict[str, Rule]] = {
    "open": _open,
    "change": _change,
    "close": _close,
    "budget": _budget,
    "spend": _charge("spent"),
    "hold": _charge("held"),
    "settle": _settle,
    "adjust": _adjust,
    "release": _resolved("released"),
    "expire": _resolved("expired"),
    "void": _resolved("voided"),
    "unresolved": _unresolved,
    "correct": _correct,
    "approval_requested": _approval_requested,
    "ask": _approval_requested,
    "approve": _decided("approved"),
    "refuse": _decided("denied"),
    "withdraw": _decided("withdrawn"),
    "report": _report,
    "acknowledge": _acknowledge,
    "trust": _agreement,
    "consent": _agreement,
    "revoke": _agreement,
}
"""By a record's event. An event that changes no row, such as ``evaluate``, has none."""
