"""The rules of a verification: for each event in sessions' chains, a function that says how a record changes rows.

For example, a record of a ``settle`` event gives its charge the state ``settled`` and the true cost. An operation that
writes records of a new event needs a rule here; otherwise a verification reports its rows as wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ..transaction.rows import ApprovalRow, ChargeRow, CorrectionRow, EstimateRow, ReportRow
from ..transaction.tables import columns
from .expected_rows import ANY, Columns
from .ledger_replay import Entry, Session
from .session_replay import Rule, SessionReplay
from .shared_ceilings import nano

_STATUS: Final = columns[ApprovalRow].index("status")


# ---- sessions


def _open(replay: SessionReplay, session: Session, entry: Entry) -> None:
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


def _change(replay: SessionReplay, session: Session, entry: Entry) -> None:
    values, detail = session.values, entry.detail
    if level := detail.get("trust_level"):
        values.update(trust_level=level["to"], trust_set_by=level["by"], trust_by_person=level.get("by_person", ANY))
    if budget := detail.get("budget"):
        session.ceiling = nano(budget["to"])
        values.update(budget_set_by=budget["by"], budget_by_person=budget.get("by_person", ANY))
    if agent := detail.get("agent_id"):
        values["agent_id"] = agent["to"]


def _close(replay: SessionReplay, session: Session, entry: Entry) -> None:
    session.values["closed_at"] = entry.at


def _budget(replay: SessionReplay, session: Session, entry: Entry) -> None:
    detail = entry.detail
    session.categories[detail["category"]] = (detail["period"], nano(detail["to"]))


# ---- charges


def _charge(state: str) -> Rule:
    def rule(replay: SessionReplay, session: Session, entry: Entry) -> None:
        if entry.charge_id is None:
            return
        held = state == "held"
        until = entry.detail.get("until") if held else None
        row = replay.expected.row(ChargeRow, entry.charge_id)
        # Records do not name a charge's envelopes; the envelopes in its row are compared with the session's below.
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
        replay.expected.create(ChargeRow, session.id, entry.charge_id, values)
        if stored:
            replay.check_envelopes(session, entry.charge_id, stored["envelopes"], stored["category"], entry.detail)
            replay.count(stored["envelopes"], entry.at, entry.spent_delta, entry.held_delta, 1)
        _use_approval(replay, entry)

    return rule


def _use_approval(replay: SessionReplay, entry: Entry) -> None:
    detail = entry.detail
    approval = detail.get("approval")
    if not isinstance(approval, str):
        return
    used = detail.get("approval_used")
    if used is None:
        # Earlier versions did not record whether the approval was used.
        row = replay.expected.row(ApprovalRow, approval)
        used = row is not None and row[_STATUS] == "used"
    if used:
        replay.expected.change(ApprovalRow, approval, {"status": "used"})


def _resolved(state: str) -> Rule:
    def rule(replay: SessionReplay, session: Session, entry: Entry) -> None:
        values: Columns = {"state": state, "resolved_at": entry.at, "resolved_by": entry.actor}
        if state != "voided":
            # The row of a reversed charge keeps its spent amount.
            values["spent"] = entry.spent_delta
        _charge_changed(replay, entry, values)

    return rule


def _settle(replay: SessionReplay, session: Session, entry: Entry) -> None:
    _SETTLED(replay, session, entry)
    if not entry.detail.get("estimated"):
        return
    if not session.complete and replay.expected.row(EstimateRow, entry.charge_id) is None:
        # Earlier versions stored no row for an estimate.
        return
    values: Columns = {"amount": entry.amount, "at": entry.at, "adjusted": None, "adjusted_at": None}
    replay.expected.create(EstimateRow, "", entry.charge_id, values)


def _adjust(replay: SessionReplay, session: Session, entry: Entry) -> None:
    _charge_changed(replay, entry, {"spent": entry.amount})
    replay.expected.change(EstimateRow, entry.charge_id, {"adjusted": entry.amount, "adjusted_at": entry.at})


_SETTLED: Final = _resolved("settled")


def _unresolved(replay: SessionReplay, session: Session, entry: Entry) -> None:
    _charge_changed(replay, entry, {"state": "unresolved"})


def _correct(replay: SessionReplay, session: Session, entry: Entry) -> None:
    _charge_changed(replay, entry, lambda before: {"corrected": before["corrected"] + entry.amount})
    values: Columns = {
        "charge_id": entry.charge_id,
        "amount": entry.amount,
        "reason": entry.reason,
        "at": entry.at,
        "by": entry.actor,
    }
    replay.expected.create(CorrectionRow, "", entry.detail["correction"], values)


def _charge_changed(replay: SessionReplay, entry: Entry, values: Columns | Callable[[Columns], Columns]) -> None:
    if entry.charge_id is None:
        return
    replay.expected.change(ChargeRow, entry.charge_id, values)
    replay.recount(entry.charge_id, entry.spent_delta, entry.held_delta)


# ---- approvals and reports


def _approval_requested(replay: SessionReplay, session: Session, entry: Entry) -> None:
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
    replay.expected.create(ApprovalRow, session.id, detail["approval"], values)


def _decided(status: str) -> Rule:
    def rule(replay: SessionReplay, session: Session, entry: Entry) -> None:
        values = {"status": status, "shown": None, "decided_at": entry.at, "decided_by": entry.actor}
        replay.expected.change(ApprovalRow, entry.detail["approval"], values)

    return rule


def _report(replay: SessionReplay, session: Session, entry: Entry) -> None:
    detail = entry.detail
    if detail.get("finished"):
        replay.expected.change(ReportRow, detail["report"], _UNSEEN)
        return
    values: Columns = {
        "session_id": session.id,
        "tool": entry.tool,
        "agent_id": entry.agent_id,
        "charge_id": entry.charge_id,
        "at": entry.at,
        **_UNSEEN,
    }
    replay.expected.create(ReportRow, session.id, detail["report"], values)


_UNSEEN: Final[Columns] = {"shown": ANY, "acknowledged_at": None, "acknowledged_by": None}


def _acknowledge(replay: SessionReplay, session: Session, entry: Entry) -> None:
    values: Columns = {"shown": None, "acknowledged_at": entry.at, "acknowledged_by": entry.actor}
    replay.expected.change(ReportRow, entry.detail["report"], values)


# ---- trust levels and consents


def _agreement(replay: SessionReplay, session: Session, entry: Entry) -> None:
    replay.agreements.replay_record(entry, session.id)


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
"""By event: the rule for its records. Events that change no row, such as ``evaluate``, have no rule."""
