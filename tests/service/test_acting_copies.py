"""Copies of an action's request, and cancels of it, before and after its response."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import UnavailableError
from aumos_governance.ledger.contract.agreements import AskApproval, FileReport
from aumos_governance.ledger.contract.charges import KernelsPresent, Void
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ListReports
from aumos_governance.service.approval_watch import Awaited
from tests.service.acts import CALLER, Clock, Kernel, decide, pending, served


def before(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, kind: type, then: Callable[[], None]) -> None:
    """Call ``then`` once, before the ledger executes the first request of this kind."""
    submit, waiting = ledger.submit, [then]

    def submitting(request: Any) -> Any:
        if isinstance(request, kind) and waiting:
            waiting.pop()()
        return submit(request)

    monkeypatch.setattr(ledger, "submit", submitting)


def gone(ledger: Ledger) -> None:
    """Start a server that knows no kernel, which marks all kernels as gone."""
    ledger.execute(KernelsPresent(key="", origin=Origin("server"), owner="ada", root="/srv"))


# ---- copies after the response


@pytest.mark.parametrize("level", [1, 4, 5])
def test_a_copy_after_the_decision_gets_the_same_response(kernel: Kernel, level: int) -> None:
    kernel.request("open", trust_level=level, budget="5")
    kernel.act("same")
    response = kernel.receive()
    kernel.act("same")
    assert kernel.receive() == response
    assert kernel.request("status")["state"]["held"] == ("0" if level == 1 else "0.5")


def test_a_copy_after_an_approval_gets_the_same_response(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    decide(ledger, l3.waits())
    response = l3.receive()
    l3.act("same")
    assert l3.receive() == response
    assert not pending(ledger)


def test_a_copy_after_a_failure_is_tried_anew(kernel: Kernel) -> None:
    def attending() -> AbstractContextManager[None]:
        raise UnavailableError("gone")

    kernel.request("open", trust_level=5, budget="5")
    kernel.caller = replace(CALLER, attending=attending)
    kernel.act("same")
    assert kernel.receive()["code"] == "UNAVAILABLE"
    kernel.caller = CALLER
    kernel.act("same")
    assert kernel.receive()["decision"]["allowed"]


# ---- copies while it waits


def test_a_copy_waits_without_a_notification_until_the_request_is_known_to_be_pending(
    l3: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = l3.service.governed_actions.watch
    add = watch.add

    def adding(awaited: Awaited) -> None:
        l3.act("same")
        add(awaited)

    monkeypatch.setattr(watch, "add", adding)
    l3.act("same")
    l3.waits()
    l3.silent()


def test_each_copy_says_that_it_waits_longer(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    waiting = l3.waits()
    for _ in range(3):
        l3.clock.now += 25
        l3.act("same")
        assert l3.waits() == waiting
        l3.service.governed_actions.watch.check()
        assert l3.waits() == waiting
        assert pending(ledger)


def test_a_copy_while_a_yes_is_carried_out_is_not_made_to_wait(l3: Kernel, ledger: Ledger) -> None:
    copies: list[str] = []

    def attending() -> AbstractContextManager[None]:
        if copies:
            l3.act(copies.pop())
        return nullcontext()

    l3.caller = replace(CALLER, attending=attending)
    l3.act("same")
    waiting = l3.waits()
    copies.append("same")
    decide(ledger, waiting)
    assert l3.receive()["decision"]["allowed"]
    l3.silent()


def test_a_wait_that_its_own_kernel_gave_up_does_not_begin_anew(l3: Kernel, ledger: Ledger, clock: Clock) -> None:
    l3.act("same")
    l3.waits()
    clock.now += 31
    l3.service.governed_actions.watch.check()
    assert l3.receive()["decision"]["code"] == "APPROVAL_WITHDRAWN"
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    assert after.receive()["decision"]["code"] == "APPROVAL_WITHDRAWN"
    assert not pending(ledger)


def test_a_kernel_taken_for_gone_twice_is_checked_once_more_and_no_further(
    l3: Kernel, ledger: Ledger, clock: Clock
) -> None:
    l3.act("same")
    l3.waits()
    l3.service.governed_actions.close()
    gone(ledger)
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    after.waits()
    after.service.governed_actions.close()
    gone(ledger)
    last = Kernel(served(ledger, clock), clock)
    last.act("same")
    assert last.receive()["decision"]["code"] == "APPROVAL_WITHDRAWN"
    assert not pending(ledger)


def test_a_wait_that_cannot_begin_anew_is_refused(
    l3: Kernel, ledger: Ledger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def attending() -> AbstractContextManager[None]:
        if asked:
            raise UnavailableError("gone")
        return nullcontext()

    l3.act("same")
    l3.waits()
    l3.service.governed_actions.close()
    gone(ledger)
    after = Kernel(served(ledger, clock), clock)
    after.caller = replace(CALLER, attending=attending)
    before(ledger, monkeypatch, AskApproval, lambda: asked.append(True))
    after.act("same")
    assert after.receive()["code"] == "UNAVAILABLE"
    # The service keeps no state that a copy would only renew.
    asked.clear()
    after.act("same")
    after.waits()


def test_a_no_that_a_server_heard_first_is_a_no(l3: Kernel, ledger: Ledger, clock: Clock) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.service.governed_actions.close()
    decide(ledger, waiting, approve=False)
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    assert after.receive()["decision"]["code"] == "APPROVAL_DENIED"


# ---- cancels on the way


def test_a_cancel_before_it_waits_withdraws_it(l3: Kernel, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    before(ledger, monkeypatch, AskApproval, lambda: l3.send("cancel", "c", of="same", act=True))
    l3.act("same")
    heard = {response["id"]: response for response in (l3.receive(), l3.receive())}
    assert heard["c"]["voided"] is True
    assert not heard["same"].get("decision", {}).get("allowed", False)
    assert "waiting" not in heard["same"]
    assert not pending(ledger)
    assert l3.request("status")["state"]["held"] == "0"


def test_a_copy_after_a_cancel_gets_the_response_of_what_was_cancelled(
    l3: Kernel, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel_and_copy() -> None:
        l3.send("cancel", "c", of="same", act=True)
        l3.act("same")

    before(ledger, monkeypatch, AskApproval, cancel_and_copy)
    l3.act("same")
    heard = {answer["id"]: answer for answer in (l3.receive(), l3.receive())}
    assert heard["c"]["voided"] is True
    assert not heard["same"].get("decision", {}).get("allowed", False)
    l3.silent()


@pytest.mark.parametrize("step", ["/act", ""])
def test_a_cancel_that_the_ledger_does_not_take_in_is_an_error(
    kernel: Kernel, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    submit = ledger.submit

    def submitting(request: Any) -> Any:
        if isinstance(request, Void) and request.of == f"same{step}":
            failed: Future[Any] = Future()
            failed.set_exception(UnavailableError("gone"))
            return failed
        return submit(request)

    kernel.request("open", trust_level=5, budget="5")
    kernel.act("same")
    assert kernel.receive()["decision"]["allowed"]
    monkeypatch.setattr(ledger, "submit", submitting)
    response = kernel.request("cancel", of="same", act=True)
    assert (response["ok"], response["code"]) == (False, "UNAVAILABLE")
    monkeypatch.undo()
    assert kernel.request("cancel", of="same", act=True)["voided"] is True
    assert kernel.request("status")["state"]["held"] == "0"


def test_a_cancel_while_its_report_is_filed_says_there_that_it_was_not_run(
    kernel: Kernel, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel.request("open", trust_level=4, budget="5")
    before(ledger, monkeypatch, FileReport, lambda: kernel.send("cancel", "c", of="same", act=True))
    kernel.act("same")
    heard = {response["id"]: response for response in (kernel.receive(), kernel.receive())}
    assert heard["c"]["voided"] is True
    (report,) = ledger.read(ListReports(owner="ada", root="/srv"))
    assert json.loads(report.shown or "")["result"] == "not run: interrupted"
    assert kernel.request("status")["state"]["held"] == "0"


def test_a_report_of_what_was_not_cancelled_says_nothing_of_its_end(kernel: Kernel, ledger: Ledger) -> None:
    kernel.request("open", trust_level=4, budget="5")
    kernel.act()
    kernel.receive()
    (report,) = ledger.read(ListReports(owner="ada", root="/srv"))
    assert json.loads(report.shown or "")["result"] is None


def test_a_copy_counts_up_to_its_expiry(l3: Kernel) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.act("same", lasts=0)
    assert l3.waits() == waiting
    l3.act("same", lasts=-0.001)
    assert l3.receive()["code"] == "EXPIRED"


def test_a_copy_at_the_moment_of_the_decision_is_not_notified(l3: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    l3.act("same")
    l3.waits()
    actions = l3.service.governed_actions
    (action,) = actions._actions.values()

    def decided(awaited: Awaited, lease: float) -> None:
        action.awaited = None

    monkeypatch.setattr(actions.watch, "extend", decided)
    l3.act("same")
    assert l3.notices.empty()
