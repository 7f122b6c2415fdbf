"""Governed actions: which levels allow them, and their approvals and reports."""

from __future__ import annotations

from typing import Any

import pytest

from aumos_governance.errors import ConflictError, NotAllowedError, NotFoundError
from aumos_governance.ledger.contract.agreements import (
    AcknowledgeReport,
    ApprovalStatus,
    AskApproval,
    DecideApproval,
    FileReport,
    WithdrawApproval,
)
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListApprovals, ListReports, ReadApproval
from aumos_governance.types import ActionKind, GovernanceOutcome, TrustLevel
from tests.ledger.charges import OTHER_KERNEL, gone, hold
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    NOTEBOOK,
    OTHER,
    SECOND,
    USD,
    Backend,
    closing,
    key,
    opening,
    records,
    spend,
)


@pytest.mark.parametrize(
    ("level", "required", "code"),
    [
        (0, 3, "TRUST_LEVEL_INSUFFICIENT"),
        (1, 1, "SUGGESTED"),
        (2, 5, "SUGGESTED"),
        (3, 3, "APPROVAL_REQUIRED"),
        (3, 4, "TRUST_LEVEL_INSUFFICIENT"),
        (4, 4, None),
        (4, 5, "TRUST_LEVEL_INSUFFICIENT"),
        (5, 5, None),
    ],
)
def test_acts_are_decided_by_level(ledger: Ledger, level: int, required: int, code: str | None) -> None:
    ledger.execute(opening(trust_level=TrustLevel(level)))
    act = {"kind": ActionKind.ACT, "required_level": TrustLevel(required)}
    assert ledger.execute(hold(0, **act)).code == code
    assert ledger.execute(spend(CENT, **act)).code == code


def approval(**values: Any) -> AskApproval:
    return AskApproval(
        **{"key": key(), "origin": KERNEL, "notebook": NOTEBOOK, "digest": "d1", "shown": '{"code":"rm"}'} | values
    )


def decide(approval_id: str, approve: bool = True, **values: Any) -> DecideApproval:
    return DecideApproval(
        **{"key": key(), "origin": BY_USER, "approval_id": approval_id, "digest": "d1", "approve": approve} | values
    )


def test_an_approval_lets_one_exact_action_through_once(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    requested = ledger.execute(approval(tool="shell", amount=CENT))
    assert requested.status is ApprovalStatus.PENDING
    assert requested.shown == '{"code":"rm"}'
    act = {"kind": ActionKind.ACT, "required_level": TrustLevel.L3_ACT_APPROVE, "approval_id": requested.approval_id}
    assert ledger.execute(hold(0, **act, digest="d1")).code == "APPROVAL_REQUIRED"
    assert ledger.read(ListApprovals(owner="ann", root="/srv/ann")) == (requested,)
    with pytest.raises(NotAllowedError):
        ledger.execute(decide(requested.approval_id, origin=KERNEL))
    with pytest.raises(ConflictError, match="for another action"):
        ledger.execute(decide(requested.approval_id, digest="d2"))
    yes = ledger.execute(decide(requested.approval_id))
    assert (yes.status, yes.decided_by, yes.shown) == (ApprovalStatus.APPROVED, "ann", None)
    assert yes.digest == "d1"
    assert ledger.read(ReadApproval(approval_id=requested.approval_id)) == yes
    assert ledger.read(ListApprovals(owner="ann", root="/srv/ann")) == ()
    with pytest.raises(ConflictError, match="approved already"):
        ledger.execute(decide(requested.approval_id, False))
    assert ledger.execute(hold(0, **act, digest="d2")).code == "APPROVAL_REQUIRED"
    assert ledger.execute(hold(0, **act)).code == "APPROVAL_REQUIRED"
    assert ledger.execute(hold(0, **act, digest="d1")).allowed
    assert ledger.execute(hold(0, **act, digest="d1")).code == "APPROVAL_REQUIRED"
    assert ledger.read(ReadApproval(approval_id=requested.approval_id)).status is ApprovalStatus.USED
    assert [record.event for record in records(ledger) if record.event != "hold"] == [
        "open",
        "approval_requested",
        "approve",
    ]


@pytest.mark.parametrize("notebook", [NOTEBOOK, OTHER])
def test_an_approval_is_of_one_session(ledger: Ledger, notebook: NotebookKey) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    requested = ledger.execute(approval())
    ledger.execute(decide(requested.approval_id))
    ledger.execute(closing())
    ledger.execute(opening(notebook, trust_level=TrustLevel.L3_ACT_APPROVE))
    refused = ledger.execute(
        hold(
            notebook=notebook,
            kind=ActionKind.ACT,
            required_level=TrustLevel.L3_ACT_APPROVE,
            approval_id=requested.approval_id,
            digest="d1",
        )
    )
    assert (refused.allowed, refused.code) == (False, "APPROVAL_REQUIRED")


def test_approvals_that_no_client_waits_for_are_withdrawn(backend: Backend) -> None:
    ledger = backend.open()
    with pytest.raises(NotFoundError, match="no user can approve the action"):
        ledger.execute(approval())
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    interrupted, timed, left, refused = (
        ledger.execute(approval(until=None if number != 1 else backend.clock.now + SECOND)).approval_id
        for number in range(4)
    )
    with pytest.raises(NotFoundError):
        ledger.execute(WithdrawApproval(key=key(), origin=OTHER_KERNEL, approval_id=interrupted))
    withdrawn = ledger.execute(WithdrawApproval(key=key(), origin=KERNEL, approval_id=interrupted))
    assert withdrawn.status is ApprovalStatus.WITHDRAWN
    assert ledger.execute(decide(refused, False)).status is ApprovalStatus.DENIED
    backend.clock.advance(2 * SECOND)
    with pytest.raises(ConflictError, match="withdrawn already"):
        ledger.execute(decide(timed))
    ledger.execute(gone())
    assert ledger.read(ReadApproval(approval_id=left)).status is ApprovalStatus.WITHDRAWN
    assert ledger.read(ReadApproval(approval_id=refused)).status is ApprovalStatus.DENIED
    with pytest.raises(NotFoundError):
        ledger.read(ReadApproval(approval_id="unknown"))
    assert ledger.verify().ok


def test_reports_stay_until_a_user_has_seen_them(ledger: Ledger) -> None:
    report = FileReport(key=key(), origin=KERNEL, notebook=NOTEBOOK, shown="{}", tool="shell")
    with pytest.raises(NotFoundError):
        ledger.execute(report)
    ledger.execute(opening(trust_level=TrustLevel.L4_ACT_REPORT, agent_id="planner"))
    filed = ledger.execute(report)
    assert (filed.shown, filed.agent_id, filed.notebook) == ("{}", "planner", NOTEBOOK)
    listing = ListReports(owner="ann", root="/srv/ann")
    assert ledger.read(listing) == (filed,)
    with pytest.raises(NotAllowedError):
        ledger.execute(AcknowledgeReport(key=key(), origin=KERNEL, report_id=filed.report_id))
    seen = ledger.execute(AcknowledgeReport(key=key(), origin=BY_USER, report_id=filed.report_id))
    assert (seen.acknowledged_by, seen.shown) == ("ann", None)
    assert ledger.execute(AcknowledgeReport(key=key(), origin=BY_USER, report_id=filed.report_id)) == seen
    assert ledger.read(listing) == ()
    assert [record.event for record in records(ledger)] == ["open", "report", "acknowledge"]


def test_what_was_paid_already_and_is_refused_leaves_the_approval_for_the_action_itself(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    requested = ledger.execute(approval())
    ledger.execute(decide(requested.approval_id))
    act: dict[str, Any] = {"kind": ActionKind.ACT, "required_level": TrustLevel.L3_ACT_APPROVE}
    act |= {"approval_id": requested.approval_id, "digest": "d1"}
    over = ledger.execute(spend(11 * USD, already_paid=True, **act))
    assert (over.outcome, over.code) == (GovernanceOutcome.ALLOW_WITH_CAVEAT, "BUDGET_EXCEEDED")
    assert ledger.read(ReadApproval(approval_id=requested.approval_id)).status is ApprovalStatus.APPROVED
    assert records(ledger)[-1].detail["approval_used"] is False
    # The verification finds the approval as the records state it, whether it was used or not.
    assert ledger.verify().findings == ()
    assert ledger.execute(hold(0, **act)).code == "BUDGET_EXCEEDED"


def test_what_was_paid_already_and_is_allowed_uses_the_approval_up(ledger: Ledger) -> None:
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    requested = ledger.execute(approval())
    ledger.execute(decide(requested.approval_id))
    act: dict[str, Any] = {"kind": ActionKind.ACT, "required_level": TrustLevel.L3_ACT_APPROVE}
    act |= {"approval_id": requested.approval_id, "digest": "d1"}
    done = ledger.execute(spend(CENT, already_paid=True, **act))
    assert (done.outcome, done.code) == (GovernanceOutcome.ALLOW, None)
    assert ledger.read(ReadApproval(approval_id=requested.approval_id)).status is ApprovalStatus.USED
    assert records(ledger)[-1].detail["approval_used"] is True
    assert ledger.verify().findings == ()
    assert ledger.execute(hold(0, **act)).code == "APPROVAL_REQUIRED"
