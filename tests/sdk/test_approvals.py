"""Governed actions of an engine with its own ledger: for each level of the agent, with and without an approver."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from aumos_governance import (
    ConfigurationError,
    GovernanceAction,
    GovernanceDeniedError,
    GovernanceEngine,
    InvalidRequestError,
)
from aumos_governance.authority.approvals import Approver
from aumos_governance.ledger.contract.queries import ListApprovals, ListHolds, ListReports

SHOWN = {"code": "deploy()", "arguments": {"where": "production"}}


class User:
    """An approver that returns the same to every request, and keeps a list of what it was shown."""

    def __init__(self, response: object) -> None:
        self.response = response
        self.seen: list[Mapping[str, Any]] = []

    def __call__(self, shown: Mapping[str, Any]) -> Any:
        self.seen.append(shown)
        if isinstance(self.response, BaseException):
            raise self.response
        return self.response


def engine(level: int, approver: Approver | None = None) -> GovernanceEngine:
    made = GovernanceEngine(approver=approver)
    made.trust.set_level("bot", level)
    made.budget.create_budget("ops", 1)
    return made


def act(**fields: Any) -> GovernanceAction:
    given = {"budget_category": "ops", "budget_amount": 0.25, "action_type": "deploy", "shown": SHOWN, **fields}
    return GovernanceAction("bot", kind="act", **given)


def owned(made: GovernanceEngine) -> dict[str, str]:
    return {"owner": made.realm.notebook.owner, "root": made.realm.notebook.root}


def results(made: GovernanceEngine) -> list[str | None]:
    return [report.shown for report in made.realm.read(ListReports(**owned(made)))]


@pytest.mark.parametrize(
    ("level", "sentence"),
    [
        (0, "DENIED: A governed action needs trust level L3 (Act (Approval Required)), and agent 'bot' is at L0"),
        (1, "DENIED: Not run: at L1 (Monitor) a governed action is only suggested; a user can do it, or raise"),
        (2, "DENIED: Not run: at L2 (Suggest) a governed action is only suggested"),
        (3, "this engine cannot reach a user: give it an approver, GovernanceEngine(approver=...)."),
    ],
)
def test_below_the_level_that_acts_nothing_runs(level: int, sentence: str) -> None:
    made = engine(level)
    with pytest.raises(GovernanceDeniedError) as denied, made.authorize(act()):
        pytest.fail("it ran")
    assert sentence.partition(", and")[0] in denied.value.message
    assert denied.value.audit_record_id
    assert made.budget.balance("ops").held == 0


def test_at_l3_a_user_sees_what_will_run_and_says_yes() -> None:
    user = User(True)
    made = engine(3, user)
    with made.authorize(act()) as grant:
        grant.settle("0.2")
    assert user.seen == [{"tool": "deploy", "cost": "0.25", **SHOWN}]
    assert (made.budget.balance("ops").spent, made.budget.balance("ops").held) == (grant.settlement.spent, 0)  # type: ignore[union-attr]
    assert made.realm.read(ListApprovals(**owned(made))) == ()
    assert [entry.event for entry in made.audit.entries()][-5:] == [
        "hold",
        "approval_requested",
        "approve",
        "hold",
        "settle",
    ]


@pytest.mark.parametrize("response", [False, None, "yes", 1])
def test_anything_but_true_is_a_no(response: object) -> None:
    made = engine(3, User(response))
    with pytest.raises(GovernanceDeniedError, match=r"DENIED: .+ denied it\."), made.authorize(act()):
        pytest.fail("it ran")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("the dialogue is gone")])
def test_a_caller_that_is_interrupted_while_requesting_waits_no_more(error: BaseException) -> None:
    made = engine(3, User(error))
    with pytest.raises(type(error)), made.authorize(act()):
        pytest.fail("it ran")
    assert made.realm.read(ListApprovals(**owned(made))) == ()
    assert made.realm.read(ListHolds(**owned(made))) == ()
    assert list(made.audit.entries())[-1].event == "withdraw"


def test_an_approval_is_recorded_as_decided_by_the_owner() -> None:
    made = engine(3, User(True))
    with made.authorize(act()):
        pass
    (actor,) = (entry.actor for entry in made.audit.entries() if entry.event == "approve")
    assert actor == made.realm.name


def test_an_approver_may_be_awaited() -> None:
    async def approve(shown: Mapping[str, Any]) -> bool:
        await asyncio.sleep(0)
        return shown["code"] == "deploy()"

    made = engine(3, approve)

    async def run() -> None:
        async with made.authorize(act()):
            pass

    asyncio.run(run())
    assert made.budget.balance("ops").spent == made.budget.balance("ops").limit / 4
    with pytest.raises(ConfigurationError, match="which this synchronous call cannot await"), made.authorize(act()):
        pytest.fail("it ran")
    assert made.realm.read(ListApprovals(**owned(made))) == ()


def test_at_l4_it_runs_and_a_report_says_how_it_ended() -> None:
    made = engine(4)
    with made.authorize(act()):
        assert '"result":null' in str(results(made)[-1])
    with pytest.raises(ZeroDivisionError), made.authorize(act()):
        raise ZeroDivisionError
    with pytest.raises(KeyboardInterrupt), made.authorize(act()):
        raise KeyboardInterrupt
    done, failed, interrupted = results(made)
    assert done is not None
    assert '"code":"deploy()"' in done
    assert '"result":"done"' in done
    assert '"result":"failed, and cost nothing"' in str(failed)
    assert '"result":"interrupted"' in str(interrupted)
    assert ['"spent":"0.25"' in str(reported) for reported in (done, failed, interrupted)] == [True, False, True]
    assert made.budget.balance("ops").spent == made.budget.balance("ops").limit / 2


def test_at_l5_it_runs_and_is_recorded_only() -> None:
    made = engine(5)
    with made.authorize(act()):
        pass
    assert results(made) == []
    assert [entry.event for entry in made.audit.entries()][-2:] == ["hold", "settle"]


def test_what_is_above_the_agents_level_is_denied_without_an_approval_request() -> None:
    user = User(True)
    made = engine(3, user)
    with pytest.raises(GovernanceDeniedError, match="L5"), made.authorize(act(required_trust_level=5)):
        pytest.fail("it ran")
    assert user.seen == []


def test_an_act_that_does_not_fit_says_which_budget_and_what_is_left() -> None:
    made = engine(5)
    with pytest.raises(GovernanceDeniedError) as denied, made.authorize(act(budget_amount=3)):
        pytest.fail("it ran")
    assert denied.value.denial_code == "BUDGET_EXCEEDED"
    assert denied.value.message == (
        "DENIED: Would exceed budget 'ops' ($3.00 > $1.00); $3.00 for deploy was requested and $1.00 is left;"
        " a user can raise the limit with engine.budget.set_limit('ops', limit)."
    )


def test_what_cannot_be_shown_is_not_requested() -> None:
    user = User(True)
    with pytest.raises(InvalidRequestError, match="JSON"), engine(3, user).authorize(act(shown={"code": object()})):
        pytest.fail("it ran")
    assert user.seen == []


def test_threads_wait_for_their_own_responses() -> None:
    both = threading.Barrier(2, timeout=20)

    def approve(shown: Mapping[str, Any]) -> bool:
        both.wait()
        return shown["code"] == "good()"

    made = engine(3, approve)
    ran: list[str] = []

    def run(code: str) -> None:
        try:
            with made.authorize(act(shown={"code": code})):
                ran.append(code)
        except GovernanceDeniedError:
            pass

    threads = [threading.Thread(target=run, args=(code,)) for code in ("good()", "bad()")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == ["good()"]
