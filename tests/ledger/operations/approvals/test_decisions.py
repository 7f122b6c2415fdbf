"""Decisions of approval requests: who is notified, whose they are, and what stays as it is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, InvalidRequestError, NotFoundError
from aumos_governance.ledger.contract.agreements import (
    Approval,
    ApprovalStatus,
    AskApproval,
    DecideApproval,
    WithdrawApproval,
)
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ReadApproval
from aumos_governance.types import ActionKind, TrustLevel
from tests.ledger.charges import OTHER_KERNEL, hold
from tests.ledger.kit import (
    BY_USER,
    CENT,
    KERNEL,
    NOTEBOOK,
    SECOND,
    Backend,
    change,
    closing,
    key,
    opening,
    records,
    state,
)


def request(ledger: Ledger, **values: Any) -> Approval:
    given = {"digest": "d1", "shown": "{}", "tool": "mail", "agent_id": "writer", "amount": CENT} | values
    return ledger.execute(AskApproval(key=key(), origin=KERNEL, notebook=NOTEBOOK, **given))


def decide(ledger: Ledger, approval: Approval, approve: bool = True, *, origin: Origin = BY_USER) -> Approval:
    decision = DecideApproval(key=key(), origin=origin, approval_id=approval.approval_id, digest="d1", approve=approve)
    return ledger.execute(decision)


def withdraw(ledger: Ledger, approval: Approval, *, origin: Origin = KERNEL, **values: Any) -> Approval:
    return ledger.execute(WithdrawApproval(key=key(), origin=origin, approval_id=approval.approval_id, **values))


@pytest.fixture(autouse=True)
def session(ledger: Ledger) -> str:
    session_id = ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE, agent_id="planner")).state.session_id
    assert session_id is not None
    return session_id


def test_listeners_are_notified_of_each_step_and_of_nothing_else(ledger: Ledger) -> None:
    seen = [state(ledger).seq]
    approvals = [request(ledger) for _ in range(3)]
    seen.append(state(ledger).seq)
    decide(ledger, approvals[0])
    decide(ledger, approvals[1], False)
    withdraw(ledger, approvals[2])
    seen.append(state(ledger).seq)
    assert [after - before for before, after in pairwise(seen)] == [3, 3]
    for approval in approvals:
        withdraw(ledger, approval)
    assert state(ledger).seq == seen[-1]


@pytest.mark.parametrize(("approve", "status"), [(True, ApprovalStatus.APPROVED), (False, ApprovalStatus.DENIED)])
def test_what_is_decided_is_not_withdrawn_any_more(ledger: Ledger, approve: bool, status: ApprovalStatus) -> None:
    decided = decide(ledger, request(ledger), approve)
    assert (decided.status, decided.decided_by) == (status, "ann")
    before = records(ledger)
    assert withdraw(ledger, decided) == decided
    assert records(ledger) == before


def test_what_is_requested_and_decided_is_recorded_with_what_it_is_for(ledger: Ledger, session: str) -> None:
    approval = request(ledger, until=None)
    decide(ledger, approval)
    withdraw(ledger, request(ledger), why="no longer needed")
    found = records(ledger)[1:]
    assert [one.event for one in found] == ["approval_requested", "approve", "approval_requested", "withdraw"]
    for one in found:
        assert (one.tool, one.agent_id, one.amount, one.chain) == ("mail", "writer", CENT, session)
        assert one.detail["digest"] == "d1"
    assert found[0].detail == {"approval": approval.approval_id, "digest": "d1", "until": None}
    assert found[1].detail == {"approval": approval.approval_id, "digest": "d1"}
    assert [one.reasons for one in found] == [(), (), (), ("no longer needed",)]


def test_without_an_agent_of_its_own_a_request_is_the_session_s(ledger: Ledger) -> None:
    assert request(ledger, agent_id=None).agent_id == "planner"


def test_a_request_needs_an_open_session(ledger: Ledger) -> None:
    ledger.execute(closing())
    with pytest.raises(NotFoundError, match="no user can approve the action"):
        request(ledger)


@pytest.mark.parametrize("field", ["amount", "until"])
def test_a_request_needs_whole_numbers(ledger: Ledger, field: str) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        request(ledger, **{field: 0.5})
    assert len(records(ledger)) == 1


def test_a_request_needs_a_digest(ledger: Ledger) -> None:
    with pytest.raises(InvalidRequestError, match="digest"):
        request(ledger, digest="")


def test_a_request_is_withdrawn_by_its_own_kernel_or_a_user(ledger: Ledger) -> None:
    approval = request(ledger)
    with pytest.raises(NotFoundError):
        withdraw(ledger, approval, origin=OTHER_KERNEL)
    assert withdraw(ledger, approval, origin=BY_USER).status is ApprovalStatus.WITHDRAWN


def test_a_user_decides_what_lies_within_the_server_s_root(ledger: Ledger) -> None:
    approval = request(ledger)
    with pytest.raises(NotFoundError):
        decide(ledger, approval, origin=Origin("ann", True, "ann", within=("ann", "/srv/bob")))
    inside = Origin("ann", True, "ann", within=("ann", "/srv/ann"))
    assert decide(ledger, approval, origin=inside).status is ApprovalStatus.APPROVED


@pytest.mark.parametrize(("approve", "word"), [(True, "approved"), (False, "denied")])
def test_what_was_decided_already_is_named_with_the_user(ledger: Ledger, approve: bool, word: str) -> None:
    approval = request(ledger)
    decide(ledger, approval, approve)
    with pytest.raises(ConflictError, match=f"{word} already, by ann"):
        decide(ledger, approval)


def test_a_request_ends_at_its_time_and_not_before(backend: Backend) -> None:
    ledger = backend.open(clock=lambda: backend.clock.now)
    ledger.execute(opening(trust_level=TrustLevel.L3_ACT_APPROVE))
    until = backend.clock.now + SECOND
    approval = request(ledger, until=until)
    backend.clock.now = until - 1
    withdrawn = withdraw(ledger, request(ledger, until=until))
    assert withdrawn.status is ApprovalStatus.WITHDRAWN
    assert (records(ledger)[-1].outcome, records(ledger)[-1].code) == (None, "APPROVAL_WITHDRAWN")
    backend.clock.now = until
    with pytest.raises(ConflictError, match="withdrawn already"):
        decide(ledger, approval)
    assert records(ledger)[-1].code == "APPROVAL_TIMEOUT"


def test_an_approval_is_used_at_the_level_that_needs_one(ledger: Ledger) -> None:
    approval = decide(ledger, request(ledger))
    act = {"kind": ActionKind.ACT, "approval_id": approval.approval_id, "digest": "d1"}
    ledger.execute(change(trust_level=TrustLevel.L4_ACT_REPORT))
    assert ledger.execute(hold(CENT, **act)).allowed
    assert records(ledger)[-1].detail == {"approval": approval.approval_id, "approval_used": False}
    assert ledger.read(ReadApproval(approval_id=approval.approval_id)).status is ApprovalStatus.APPROVED
    ledger.execute(change(trust_level=TrustLevel.L3_ACT_APPROVE))
    assert ledger.execute(hold(CENT, **act)).allowed
    assert ledger.read(ReadApproval(approval_id=approval.approval_id)).status is ApprovalStatus.USED
    assert ledger.verify().ok
