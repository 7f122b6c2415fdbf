"""The steps of a governed action, executed on a ledger, for each trust level and each decision of the user."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.authority.action_steps import (
    MOST_SHOWN,
    ApprovalNeeded,
    action_steps,
    digest_of,
    is_reported,
    report_request,
)
from aumos_governance.errors import InvalidRequestError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.agreements import Approval, DecideApproval, WithdrawApproval
from aumos_governance.ledger.contract.charges import Hold
from aumos_governance.ledger.contract.facts import Decision
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery, ListApprovals, ListReports
from aumos_governance.ledger.contract.requests import OpenSession
from aumos_governance.types import TrustLevel
from tests.ledger.kit import BY_USER, CENT, KERNEL, NOTEBOOK, TERMS, FakeClock

SHOWN = {"tool": "deploy", "cost": "0.05", "code": "deploy()"}


class User:
    """A user who responds to approval requests with one decision, and keeps a list of them."""

    def __init__(self, ledger: Ledger, response: str) -> None:
        self.ledger = ledger
        self.response = response
        self.requested: list[Approval] = []

    def decide(self, approval: Approval) -> Approval:
        self.requested.append(approval)
        if self.response == "withdraw":
            return self.ledger.execute(WithdrawApproval(key="", origin=KERNEL, approval_id=approval.approval_id))
        return self.ledger.execute(
            DecideApproval(
                key="",
                origin=BY_USER,
                approval_id=approval.approval_id,
                digest=approval.digest,
                approve=self.response == "yes",
            )
        )


def take(ledger: Ledger, holding: Hold, user: User, **options: Any) -> Decision:
    steps = action_steps(holding, options.pop("shown", SHOWN), **options)
    response: Any = None
    try:
        while True:
            step = steps.send(response)
            response = user.decide(step.approval) if isinstance(step, ApprovalNeeded) else ledger.execute(step)
    except StopIteration as done:
        return done.value


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ledger(clock: FakeClock) -> Iterator[Ledger]:
    opened = open_ledger("memory://", clock=clock)
    yield opened
    opened.close()


def act(**options: Any) -> Hold:
    given = {"key": "", "origin": KERNEL, "notebook": NOTEBOOK, "amount": 5 * CENT, "tool": "deploy"}
    return Hold(**{**given, "required_level": TrustLevel.L3_ACT_APPROVE, **options})


def at_level(ledger: Ledger, level: int) -> None:
    ledger.execute(
        OpenSession(
            key="", origin=KERNEL, notebook=NOTEBOOK, terms=TERMS, trust_level=TrustLevel(level), budget=CENT * 9
        )
    )


@pytest.mark.parametrize(
    ("level", "allowed", "code"),
    [
        (0, False, "TRUST_LEVEL_INSUFFICIENT"),
        (1, False, "SUGGESTED"),
        (2, False, "SUGGESTED"),
        (3, True, None),
        (4, True, None),
        (5, True, None),
    ],
)
def test_the_level_says_what_becomes_of_an_act(ledger: Ledger, level: int, allowed: bool, code: str | None) -> None:
    at_level(ledger, level)
    user = User(ledger, "yes")
    decision = take(ledger, act(), user)
    assert (decision.allowed, decision.code) == (allowed, code)
    assert len(user.requested) == (1 if level == 3 else 0)
    assert is_reported(decision) == (level == 4)
    if allowed:
        assert decision.charge_id is not None
        assert decision.state is not None
        assert decision.state.balance is not None
        assert decision.state.balance.held == 5 * CENT


def test_what_is_above_the_level_is_denied_without_an_approval_request(ledger: Ledger) -> None:
    at_level(ledger, 3)
    user = User(ledger, "yes")
    decision = take(ledger, act(required_level=TrustLevel.L4_ACT_REPORT), user)
    assert (decision.allowed, decision.code, user.requested) == (False, "TRUST_LEVEL_INSUFFICIENT", [])


def test_what_does_not_fit_is_denied_before_approval_is_requested(ledger: Ledger) -> None:
    at_level(ledger, 4)
    assert take(ledger, act(amount=10 * CENT), User(ledger, "yes")).code == "BUDGET_EXCEEDED"


@pytest.mark.parametrize(
    ("response", "code", "why"),
    [
        ("no", "APPROVAL_DENIED", "ann denied it"),
        ("withdraw", "APPROVAL_WITHDRAWN", "The approval request was withdrawn"),
    ],
)
def test_without_a_yes_it_is_denied(ledger: Ledger, response: str, code: str, why: str) -> None:
    at_level(ledger, 3)
    decision = take(ledger, act(), User(ledger, response))
    assert (decision.allowed, decision.code, decision.reasons) == (False, code, (why,))
    assert decision.charge_id is None
    assert decision.record_id


def test_an_approval_request_without_a_decision_ends_by_itself(ledger: Ledger, clock: FakeClock) -> None:
    at_level(ledger, 3)

    class Absent(User):
        def decide(self, approval: Approval) -> Approval:
            clock.advance(3_000_000)
            return super().decide(approval)

    decision = take(ledger, act(), Absent(ledger, "withdraw"), until=clock() + 2_000_000)
    assert (decision.allowed, decision.code) == (False, "APPROVAL_TIMEOUT")


def test_where_no_user_can_be_reached_none_is_prompted(ledger: Ledger) -> None:
    at_level(ledger, 3)
    user = User(ledger, "yes")
    decision = take(ledger, act(), user, wait=False)
    assert (decision.allowed, decision.code, user.requested) == (False, "APPROVAL_REQUIRED", [])
    assert ledger.read(ListApprovals(owner=NOTEBOOK.owner, root=NOTEBOOK.root)) == ()


def test_a_yes_is_for_what_was_shown_and_for_one_time(ledger: Ledger) -> None:
    at_level(ledger, 3)
    user = User(ledger, "yes")
    take(ledger, act(amount=CENT), user)
    take(ledger, act(amount=CENT), user)
    first, second = user.requested
    assert first.digest == second.digest
    assert first.approval_id != second.approval_id
    for other in (
        {"shown": {**SHOWN, "code": "deploy(2)"}},
        {"tool": "remove"},
        {"amount": 2 * CENT},
        {"agent_id": "b"},
    ):
        shown = other.pop("shown", SHOWN)
        assert digest_of(replace(act(amount=CENT), **other), shown) != first.digest  # type: ignore[arg-type]


def test_the_budget_is_looked_at_again_after_the_wait(ledger: Ledger) -> None:
    at_level(ledger, 3)

    class Slow(User):
        def decide(self, approval: Approval) -> Approval:
            if not self.requested:
                self.requested.append(approval)
                assert take(self.ledger, act(), User(self.ledger, "yes")).allowed
            return super().decide(approval)

    decision = take(ledger, act(), Slow(ledger, "yes"))
    assert (decision.allowed, decision.code) == (False, "BUDGET_EXCEEDED")


def test_steps_taken_again_come_to_the_same_end(ledger: Ledger) -> None:
    at_level(ledger, 3)
    user = User(ledger, "yes")
    once = take(ledger, act(key="k"), user)
    steps = action_steps(act(key="k"), SHOWN)
    assert ledger.execute(next(steps)).code == "APPROVAL_REQUIRED"  # type: ignore[arg-type]
    request = steps.send(Decision(once.outcome, (), "", 0, "", "APPROVAL_REQUIRED"))
    assert ledger.execute(request).approval_id == user.requested[0].approval_id  # type: ignore[arg-type]
    requested = steps.send(ledger.execute(request))  # type: ignore[arg-type]
    assert isinstance(requested, ApprovalNeeded)


def test_a_report_says_what_was_shown_and_how_it_ended(ledger: Ledger) -> None:
    at_level(ledger, 4)
    decision = take(ledger, act(), User(ledger, "no"))
    report = ledger.execute(report_request(act(), decision, SHOWN, "done", key=""))
    assert report.charge_id == decision.charge_id
    assert report.shown == '{"code":"deploy()","cost":"0.05","result":"done","tool":"deploy"}'
    assert ledger.read(ListReports(owner=NOTEBOOK.owner, root=NOTEBOOK.root)) == (report,)


@pytest.mark.parametrize("shown", [{"code": object()}, {"code": float("nan")}, {"code": "x" * (MOST_SHOWN + 1)}])
def test_what_cannot_be_shown_is_not_requested(ledger: Ledger, shown: dict[str, Any]) -> None:
    at_level(ledger, 3)
    with pytest.raises(InvalidRequestError, match="description of a governed action"):
        take(ledger, act(), User(ledger, "yes"), shown=shown)
    assert [entry.event for entry in ledger.read(AuditQuery(notebook=NOTEBOOK)).records] == ["open"]
