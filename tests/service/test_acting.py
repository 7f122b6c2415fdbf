"""A governed action over the wire, from its request to its end: by level, and with a user's decision."""

from __future__ import annotations

import json
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import LedgerError
from aumos_governance.ledger.contract.agreements import ApprovalStatus, FileReport
from aumos_governance.ledger.contract.charges import Void
from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListReports, ReadApproval
from aumos_governance.ledger.contract.requests import MoveNotebook, Request
from aumos_governance.types import TrustLevel
from tests.service.acts import (
    ADA,
    CALLER,
    SHOWN,
    Kernel,
    change,
    decide,
    pending,
)


def fail_at(ledger: Ledger, kind: type[Request[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let requests of this kind fail in the ledger, as while its database is unavailable."""
    submit = ledger.submit

    def failing(request: Request[Any]) -> Future[Any]:
        if not isinstance(request, kind):
            return submit(request)
        failed: Future[Any] = Future()
        failed.set_exception(LedgerError("The database is away."))
        return failed

    monkeypatch.setattr(ledger, "submit", failing)


# ---- by level


@pytest.mark.parametrize(
    ("level", "outcome", "code", "decided_at"),
    [
        (0, "deny", "TRUST_LEVEL_INSUFFICIENT", 0),
        (1, "deny", "SUGGESTED", 1),
        (2, "deny", "SUGGESTED", 2),
        (5, "allow", None, 5),
    ],
)
def test_a_level_without_approvals(kernel: Kernel, level: int, outcome: str, code: str | None, decided_at: int) -> None:
    kernel.request("open", trust_level=level, budget="5")
    kernel.act(required_level=3 if level else 0)
    response = kernel.receive()
    notices = response["decision"]
    assert (notices["outcome"], notices["code"], notices["level"]) == (outcome, code, decided_at)
    assert (response["hold_id"] is not None, response["report_id"]) == (outcome == "allow", None)
    assert response["state"]["held"] == ("0.5" if outcome == "allow" else "0")


def test_at_l4_the_report_is_there_before_the_go(kernel: Kernel, ledger: Ledger) -> None:
    kernel.request("open", trust_level=4, budget="5")
    kernel.act()
    response = kernel.receive()
    (report,) = ledger.read(ListReports(owner="ada", root="/srv"))
    assert (response["decision"]["allowed"], response["report_id"]) == (True, report.report_id)
    assert json.loads(report.shown or "") == {**SHOWN, "result": None}
    settled = kernel.request(
        "settle", hold_id=response["hold_id"], amount="0.25", report_id=report.report_id, result="failed: KeyError"
    )
    assert settled["resolution"]["spent"] == "0.25"
    (report,) = ledger.read(ListReports(owner="ada", root="/srv"))
    assert json.loads(report.shown or "") == {**SHOWN, "result": "failed: KeyError", "spent": "0.25"}


def test_what_cannot_be_reported_does_not_run_and_holds_nothing(
    kernel: Kernel, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.request("open", trust_level=4, budget="5")
    fail_at(ledger, FileReport, monkeypatch)
    kernel.act()
    response = kernel.receive()
    assert (response["ok"], response["code"]) == (False, LedgerError.default_code)
    assert ledger.read(ListReports(owner="ada", root="/srv")) == ()
    assert kernel.request("status")["state"]["held"] == "0"


def test_a_cancel_that_fails_says_so(kernel: Kernel, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.request("open", trust_level=5, budget="5")
    kernel.act("one")
    assert kernel.receive()["ok"]
    with monkeypatch.context() as patch:
        fail_at(ledger, Void, patch)
        response = kernel.request("cancel", of="one", act=True)
        assert (response["ok"], response["code"]) == (False, LedgerError.default_code)
    assert kernel.request("status")["state"]["held"] == "0.5"
    assert kernel.request("cancel", of="one", act=True)["voided"]
    assert kernel.request("status")["state"]["held"] == "0"


def test_a_settlement_stands_though_its_report_is_nobodys(kernel: Kernel) -> None:
    kernel.request("open", trust_level=4, budget="5")
    kernel.act()
    settled = kernel.request(
        "settle", hold_id=kernel.receive()["hold_id"], amount="0.5", report_id="nobody's", result="done"
    )
    assert (settled["ok"], settled["state"]["spent"]) == (True, "0.5")


def test_required_above_the_sessions_level_is_denied(kernel: Kernel, ledger: Ledger) -> None:
    kernel.request("open", trust_level=3, budget="5")
    kernel.act(required_level=4)
    assert kernel.receive()["decision"]["code"] == "TRUST_LEVEL_INSUFFICIENT"
    assert not pending(ledger)


def test_the_agents_own_level_decides(kernel: Kernel) -> None:
    kernel.request("open", trust_level=5, budget="5")
    kernel.request("trust", agent_id="bot", level=2)
    kernel.act(agent_id="bot")
    assert kernel.receive()["decision"]["code"] == "SUGGESTED"


# ---- a user's decision


def test_a_yes_lets_it_run_once(l3: Kernel, ledger: Ledger) -> None:
    l3.act()
    waiting = l3.waits()
    (requested,) = pending(ledger)
    assert (requested.approval_id, requested.digest) == (waiting["approval_id"], waiting["digest"])
    assert json.loads(requested.shown or "") == SHOWN
    assert waiting["until"] == pytest.approx(l3.clock.now + 600, abs=0.01)
    decide(ledger, waiting)
    response = l3.receive()
    assert (response["decision"]["allowed"], response["state"]["held"]) == (True, "0.5")
    assert ledger.read(ReadApproval(approval_id=requested.approval_id)).status is ApprovalStatus.USED
    l3.act()
    again = l3.waits()
    assert (again["digest"], again["approval_id"] == requested.approval_id) == (waiting["digest"], False)


def test_a_no_says_whose(l3: Kernel, ledger: Ledger) -> None:
    l3.act()
    decide(ledger, l3.waits(), approve=False)
    response = l3.receive()
    assert (response["decision"]["code"], response["hold_id"]) == ("APPROVAL_DENIED", None)
    assert response["decision"]["reasons"] == ["ada denied it"]
    # The state is that after the wait, not that before it.
    assert response["state"]["seq"] == l3.request("status")["state"]["seq"]


def test_what_is_changed_is_requested_anew(l3: Kernel) -> None:
    digests = set()
    for body in ({}, {"shown": {**SHOWN, "code": "rm -r /"}}, {"amount": "0.6"}, {"tool": "sh"}):
        l3.act(**body)
        digests.add(l3.waits()["digest"])
    assert len(digests) == 4


def test_without_waiting_it_is_denied_at_once(l3: Kernel, ledger: Ledger) -> None:
    l3.act(wait=False)
    assert l3.receive()["decision"]["code"] == "APPROVAL_REQUIRED"
    assert not pending(ledger)


def test_everything_is_checked_again_after_the_yes(l3: Kernel, ledger: Ledger) -> None:
    for values, code in (({"budget": 1}, "BUDGET_EXCEEDED"), ({"trust_level": TrustLevel.L1_MONITOR}, "SUGGESTED")):
        l3.act()
        waiting = l3.waits()
        change(ledger, **values)
        decide(ledger, waiting)
        response = l3.receive()
        assert (response["decision"]["code"], response["hold_id"]) == (code, None)


def test_a_notebook_that_is_renamed_meanwhile(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    waiting = l3.waits()
    ledger.execute(MoveNotebook(key="", origin=ADA, owner="ada", root="/srv", old="work", new="play"))
    l3.caller = replace(CALLER, notebook=NotebookKey("ada", "/srv", "play/agents.ipynb"))
    l3.act("same")
    assert l3.waits() == waiting
    decide(ledger, waiting)
    assert l3.receive()["state"]["path"] == "play/agents.ipynb"


# ---- requests that are no valid action


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"shown": None}, "the field shown, an object"),
        ({"shown": "code"}, "the field shown, an object"),
        ({"shown": {"code": "x" * 60_000}}, "at most 50000 characters"),
        ({"amount": None}, "must be a number of US dollars"),
        ({"amount": "-1"}, "must not be negative"),
        ({"required_level": 7}, "from 0 to 5"),
        ({"timeout": 0}, "more than 0 seconds"),
        ({"timeout": "soon"}, "a number of seconds"),
        ({"timeout": True}, "a number of seconds"),
        ({"timeout": 1e9}, "a week"),
        ({"wait": "no"}, "must be true or false"),
        ({"detail": []}, "must be an object"),
        ({"until": 5}, "'until' is not known here"),
    ],
)
def test_what_makes_no_sense_is_refused(l3: Kernel, ledger: Ledger, body: dict[str, Any], why: str) -> None:
    l3.act(**body)
    response = l3.receive()
    assert not response["ok"]
    assert why in response["message"]
    assert not pending(ledger)
