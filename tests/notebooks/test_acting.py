"""An act over the wire, from its ask to its end: by level, through a person's answer, and through what may go wrong."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, UnavailableError
from aumos_governance.ledger import base, open_ledger
from aumos_governance.ledger.base import ApprovalStatus, Ledger, NotebookKey, Origin
from aumos_governance.ledger.terms import SessionTerms
from aumos_governance.notebooks.callers import Caller
from aumos_governance.notebooks.service import NotebookService
from aumos_governance.protocol import Ask, Cell
from aumos_governance.types import TrustLevel

NOTEBOOK = NotebookKey("ada", "/srv", "work/agents.ipynb")
CALLER = Caller(NOTEBOOK, "kernel:k1", "k1:n1")
ADA = Origin("ada", person=True, scope="user:ada")
SHOWN = {"tool": "shell", "cost": "0.5", "code": "rm -r build"}


class Clock:
    """Time that only the test moves on."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now

    def micros(self) -> int:
        return int(self.now * 1_000_000)


class Kernel:
    """A kernel's side of the conversation, whose answers come when they come."""

    def __init__(self, service: NotebookService, clock: Clock, caller: Caller = CALLER) -> None:
        self.service, self.clock, self.caller = service, clock, caller
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()
        self.sent = 0

    def send(self, op: str, ask_id: str | None = None, *, lasts: float = 30, **body: Any) -> None:
        self.sent += 1
        ask = Ask(ask_id or f"a{self.sent}", op, self.clock.now + lasts, Cell("c1", 3), body)
        self.service.submit(self.caller, ask, lambda answer: self.told.put(json.loads(json.dumps(answer))))

    def hear(self) -> dict[str, Any]:
        return self.told.get(timeout=20)

    def ask(self, op: str, ask_id: str | None = None, **body: Any) -> dict[str, Any]:
        self.send(op, ask_id, **body)
        return self.hear()

    def act(self, ask_id: str | None = None, *, lasts: float = 30, **body: Any) -> None:
        self.send("authorize", ask_id, lasts=lasts, **{"amount": "0.5", "tool": "shell", "shown": SHOWN} | body)

    def waits(self) -> dict[str, Any]:
        """It is told that a person is waited for; gives for what."""
        told = self.hear()
        assert told["ok"], told
        waiting: dict[str, Any] = told["waiting"]
        return waiting

    def silent(self) -> None:
        """Nothing more has come, after another look at all that waits."""
        self.service.acting.watch.look()
        assert self.told.empty(), self.told.get()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Iterator[Ledger]:
    ledger = open_ledger("memory://", clock=clock.micros)
    yield ledger
    ledger.close()


def served(ledger: Ledger, clock: Clock) -> NotebookService:
    return NotebookService(ledger, clock=clock, monotonic=clock)


@pytest.fixture
def kernel(ledger: Ledger, clock: Clock) -> Iterator[Kernel]:
    service = served(ledger, clock)
    yield Kernel(service, clock)
    service.acting.close()


def pending(ledger: Ledger) -> tuple[base.Approval, ...]:
    return ledger.read(base.ListApprovals(owner="ada", root="/srv"))


def decide(ledger: Ledger, waiting: dict[str, Any], *, approve: bool = True) -> None:
    request = base.DecideApproval(
        key="", origin=ADA, approval_id=waiting["approval_id"], digest=waiting["digest"], approve=approve
    )
    ledger.execute(request)


def change(ledger: Ledger, **values: Any) -> None:
    ledger.execute(base.ChangeSession(key="", origin=ADA, notebook=NOTEBOOK, terms=SessionTerms(), **values))


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
def test_a_level_that_asks_nobody(kernel: Kernel, level: int, outcome: str, code: str | None, decided_at: int) -> None:
    kernel.ask("open", trust_level=level, budget="5")
    kernel.act(required_level=3 if level else 0)
    answer = kernel.hear()
    told = answer["decision"]
    assert (told["outcome"], told["code"], told["level"]) == (outcome, code, decided_at)
    assert (answer["hold_id"] is not None, answer["report_id"]) == (outcome == "allow", None)
    assert answer["state"]["held"] == ("0.5" if outcome == "allow" else "0")


def test_at_l4_the_report_is_there_before_the_go(kernel: Kernel, ledger: Ledger) -> None:
    kernel.ask("open", trust_level=4, budget="5")
    kernel.act()
    answer = kernel.hear()
    (report,) = ledger.read(base.ListReports(owner="ada", root="/srv"))
    assert (answer["decision"]["allowed"], answer["report_id"]) == (True, report.report_id)
    assert json.loads(report.shown or "") == {**SHOWN, "result": None}
    settled = kernel.ask(
        "settle", hold_id=answer["hold_id"], amount="0.25", report_id=report.report_id, result="failed: KeyError"
    )
    assert settled["resolution"]["spent"] == "0.25"
    (report,) = ledger.read(base.ListReports(owner="ada", root="/srv"))
    assert json.loads(report.shown or "") == {**SHOWN, "result": "failed: KeyError", "spent": "0.25"}


def test_a_settlement_stands_though_its_report_is_nobodys(kernel: Kernel) -> None:
    kernel.ask("open", trust_level=4, budget="5")
    kernel.act()
    settled = kernel.ask("settle", hold_id=kernel.hear()["hold_id"], amount="0.5", report_id="nobody's", result="done")
    assert (settled["ok"], settled["state"]["spent"]) == (True, "0.5")


def test_required_above_the_sessions_level_is_denied(kernel: Kernel, ledger: Ledger) -> None:
    kernel.ask("open", trust_level=3, budget="5")
    kernel.act(required_level=4)
    assert kernel.hear()["decision"]["code"] == "TRUST_LEVEL_INSUFFICIENT"
    assert not pending(ledger)


def test_the_agents_own_level_decides(kernel: Kernel) -> None:
    kernel.ask("open", trust_level=5, budget="5")
    kernel.ask("trust", agent_id="bot", level=2)
    kernel.act(agent_id="bot")
    assert kernel.hear()["decision"]["code"] == "SUGGESTED"


# ---- a person's answer


@pytest.fixture
def l3(kernel: Kernel) -> Kernel:
    kernel.ask("open", trust_level=3, budget="5")
    return kernel


def test_a_yes_lets_it_run_once(l3: Kernel, ledger: Ledger) -> None:
    l3.act()
    waiting = l3.waits()
    (asked,) = pending(ledger)
    assert (asked.approval_id, asked.digest) == (waiting["approval_id"], waiting["digest"])
    assert json.loads(asked.shown or "") == SHOWN
    assert waiting["until"] == pytest.approx(l3.clock.now + 600, abs=0.01)
    decide(ledger, waiting)
    answer = l3.hear()
    assert (answer["decision"]["allowed"], answer["state"]["held"]) == (True, "0.5")
    assert ledger.read(base.ReadApproval(approval_id=asked.approval_id)).status is ApprovalStatus.USED
    l3.act()
    again = l3.waits()
    assert (again["digest"], again["approval_id"] == asked.approval_id) == (waiting["digest"], False)


def test_a_no_says_whose(l3: Kernel, ledger: Ledger) -> None:
    l3.act()
    decide(ledger, l3.waits(), approve=False)
    answer = l3.hear()
    assert (answer["decision"]["code"], answer["hold_id"]) == ("APPROVAL_DENIED", None)
    assert answer["decision"]["reasons"] == ["ada said no"]
    # As things stand now, and not as they stood before the wait.
    assert answer["state"]["seq"] == l3.ask("status")["state"]["seq"]


def test_what_is_changed_is_asked_anew(l3: Kernel) -> None:
    digests = set()
    for body in ({}, {"shown": {**SHOWN, "code": "rm -r /"}}, {"amount": "0.6"}, {"tool": "sh"}):
        l3.act(**body)
        digests.add(l3.waits()["digest"])
    assert len(digests) == 4


def test_without_waiting_it_is_denied_at_once(l3: Kernel, ledger: Ledger) -> None:
    l3.act(wait=False)
    assert l3.hear()["decision"]["code"] == "APPROVAL_REQUIRED"
    assert not pending(ledger)


def test_everything_is_checked_again_after_the_yes(l3: Kernel, ledger: Ledger) -> None:
    for values, code in (({"budget": 1}, "BUDGET_EXCEEDED"), ({"trust_level": TrustLevel.L1_MONITOR}, "SUGGESTED")):
        l3.act()
        waiting = l3.waits()
        change(ledger, **values)
        decide(ledger, waiting)
        answer = l3.hear()
        assert (answer["decision"]["code"], answer["hold_id"]) == (code, None)


def test_a_notebook_that_is_renamed_meanwhile(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    waiting = l3.waits()
    ledger.execute(base.MoveNotebook(key="", origin=ADA, owner="ada", root="/srv", old="work", new="play"))
    l3.caller = replace(CALLER, notebook=NotebookKey("ada", "/srv", "play/agents.ipynb"))
    l3.act("same")
    assert l3.waits() == waiting
    decide(ledger, waiting)
    assert l3.hear()["state"]["path"] == "play/agents.ipynb"


# ---- the wait and its ends


def test_it_is_told_again_and_again_that_it_waits(l3: Kernel) -> None:
    l3.act()
    first = l3.waits()
    l3.silent()
    for _ in range(3):
        l3.clock.now += 5
        l3.service.acting.watch.look()
        assert l3.waits() == first


@pytest.mark.parametrize(("body", "seconds"), [({}, 600), ({"timeout": 20}, 20)])
def test_nobody_answers_in_time(l3: Kernel, ledger: Ledger, body: dict[str, Any], seconds: float) -> None:
    l3.act(lasts=10_000, **body)
    waiting = l3.waits()
    l3.clock.now += seconds - 1
    l3.service.acting.watch.look()
    assert l3.waits() == waiting
    l3.clock.now += 2
    l3.service.acting.watch.look()
    told = l3.hear()["decision"]
    assert (told["code"], told["reasons"]) == ("APPROVAL_TIMEOUT", ["Nobody said yes in time"])
    assert not pending(ledger)


def test_nobody_waits_any_more(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    l3.waits()
    for _ in range(3):
        l3.clock.now += 25
        l3.act("same")
        l3.waits()
    l3.clock.now += 31
    l3.service.acting.watch.look()
    while "waiting" in (answer := l3.hear()):
        pass
    assert answer["decision"]["code"] == "APPROVAL_WITHDRAWN"
    assert not pending(ledger)


def test_a_copy_that_comes_too_late_changes_nothing(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.act("same", lasts=-1)
    assert l3.hear()["code"] == "EXPIRED"
    l3.act("same", amount="0.7")
    assert l3.hear()["code"] == "IDEMPOTENCY_KEY_REUSED"
    decide(ledger, waiting)
    assert l3.hear()["decision"]["allowed"]


def test_cancelled_while_it_waits(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.send("cancel", "c", of="same", act=True)
    told = {answer["id"]: answer for answer in (l3.hear(), l3.hear())}
    assert told["c"]["voided"] is True
    assert told["same"]["decision"]["code"] == "APPROVAL_WITHDRAWN"
    assert not pending(ledger)
    with pytest.raises(ConflictError, match="withdrawn already"):
        decide(ledger, waiting)
    assert l3.ask("status")["state"]["held"] == "0"


def test_cancelled_when_a_yes_has_let_it_run(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    decide(ledger, l3.waits())
    assert l3.hear()["state"]["held"] == "0.5"
    assert l3.ask("cancel", of="same", act=True)["voided"] is True
    assert l3.ask("status")["state"]["held"] == "0"


def test_cancelled_where_nobody_is_asked(kernel: Kernel) -> None:
    kernel.ask("open", trust_level=5, budget="5")
    kernel.act("same")
    assert kernel.hear()["state"]["held"] == "0.5"
    assert kernel.ask("cancel", of="same", act=True)["voided"] is True
    assert kernel.ask("status")["state"]["held"] == "0"


def test_cancelled_before_it_came(l3: Kernel, ledger: Ledger) -> None:
    assert l3.ask("cancel", of="later", act=True)["voided"] is True
    l3.act("later")
    assert l3.hear()["code"] == "CONFLICT"
    assert not pending(ledger)


def test_a_kernel_that_is_gone(l3: Kernel, ledger: Ledger) -> None:
    l3.act()
    l3.waits()
    ledger.execute(base.KernelGone(key="", origin=Origin("server"), incarnation=CALLER.incarnation))
    assert l3.hear()["decision"]["code"] == "APPROVAL_WITHDRAWN"


def test_a_kernel_that_went_after_the_yes_holds_nothing(l3: Kernel, ledger: Ledger) -> None:
    here: list[bool] = [True]

    def attending() -> AbstractContextManager[None]:
        if not here:
            raise UnavailableError("gone")
        return nullcontext()

    l3.caller = replace(CALLER, attending=attending)
    l3.act()
    waiting = l3.waits()
    here.clear()
    decide(ledger, waiting)
    assert l3.hear()["code"] == "UNAVAILABLE"
    l3.caller = CALLER
    assert l3.ask("status")["state"]["held"] == "0"


def test_a_session_that_is_closed_meanwhile(l3: Kernel, ledger: Ledger) -> None:
    l3.act()
    l3.waits()
    l3.service.close("ada", NOTEBOOK)
    assert l3.hear()["decision"]["code"] == "APPROVAL_WITHDRAWN"
    assert not pending(ledger)


# ---- another server


def test_the_next_server_waits_for_the_same_answer(l3: Kernel, ledger: Ledger, clock: Clock) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.service.acting.close()
    clock.now += 20
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    assert after.waits() == waiting
    assert len(pending(ledger)) == 1
    decide(ledger, waiting)
    answer = after.hear()
    assert (answer["decision"]["allowed"], answer["state"]["held"]) == (True, "0.5")
    # The answer got lost, so the ask comes once more.
    last = Kernel(served(ledger, clock), clock)
    last.act("same")
    assert last.hear() == answer


def test_a_yes_that_was_said_while_no_server_ran(l3: Kernel, ledger: Ledger, clock: Clock) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.service.acting.close()
    decide(ledger, waiting)
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    assert after.hear()["decision"]["allowed"]


def test_a_server_that_took_the_kernel_for_gone_asks_again(l3: Kernel, ledger: Ledger, clock: Clock) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.service.acting.close()
    ledger.execute(base.KernelsPresent(key="", origin=Origin("server"), owner="ada", root="/srv"))
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    again = after.waits()
    assert (again["digest"], again["until"]) == (waiting["digest"], waiting["until"])
    assert again["approval_id"] != waiting["approval_id"]
    decide(ledger, again)
    assert after.hear()["decision"]["allowed"]


# ---- what is no act


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"shown": None}, "an object called shown"),
        ({"shown": "code"}, "an object called shown"),
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
    answer = l3.hear()
    assert not answer["ok"]
    assert why in answer["message"]
    assert not pending(ledger)
