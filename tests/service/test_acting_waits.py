"""An action that waits for a user: how long, and what may happen meanwhile, also to the server."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, UnavailableError
from aumos_governance.ledger.contract.charges import KernelGone, KernelsPresent
from aumos_governance.ledger.contract.facts import Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import ReadState
from aumos_governance.service.users import User
from tests.service.acts import (
    CALLER,
    NOTEBOOK,
    Clock,
    Kernel,
    decide,
    pending,
    served,
)

# ---- the wait and its ends


def test_it_is_notified_again_and_again_that_it_waits(l3: Kernel) -> None:
    l3.act()
    first = l3.waits()
    l3.silent()
    for _ in range(3):
        l3.clock.now += 5
        l3.service.governed_actions.watch.check()
        assert l3.waits() == first


@pytest.mark.parametrize(("body", "seconds"), [({}, 600), ({"timeout": 20}, 20)])
def test_no_decision_in_time(l3: Kernel, ledger: Ledger, body: dict[str, Any], seconds: float) -> None:
    l3.act(lasts=10_000, **body)
    waiting = l3.waits()
    l3.clock.now += seconds - 1
    l3.service.governed_actions.watch.check()
    assert l3.waits() == waiting
    l3.clock.now += 2
    l3.service.governed_actions.watch.check()
    notices = l3.receive()["decision"]
    assert (notices["code"], notices["reasons"]) == ("APPROVAL_TIMEOUT", ["No decision in time"])
    assert not pending(ledger)


def test_no_client_waits_any_more(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    l3.waits()
    for _ in range(3):
        l3.clock.now += 25
        l3.act("same")
        l3.waits()
    l3.clock.now += 31
    l3.service.governed_actions.watch.check()
    while "waiting" in (response := l3.receive()):
        pass
    assert response["decision"]["code"] == "APPROVAL_WITHDRAWN"
    assert not pending(ledger)


def test_a_copy_that_comes_too_late_changes_nothing(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.act("same", lasts=-1)
    assert l3.receive()["code"] == "EXPIRED"
    l3.act("same", amount="0.7")
    assert l3.receive()["code"] == "IDEMPOTENCY_KEY_REUSED"
    decide(ledger, waiting)
    assert l3.receive()["decision"]["allowed"]


def test_cancelled_while_it_waits(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.send("cancel", "c", of="same", act=True)
    notices = {response["id"]: response for response in (l3.receive(), l3.receive())}
    assert notices["c"]["voided"] is True
    assert notices["same"]["decision"]["code"] == "APPROVAL_WITHDRAWN"
    assert not pending(ledger)
    with pytest.raises(ConflictError, match="withdrawn already"):
        decide(ledger, waiting)
    assert l3.request("status")["state"]["held"] == "0"


def test_cancelled_when_a_yes_has_let_it_run(l3: Kernel, ledger: Ledger) -> None:
    l3.act("same")
    decide(ledger, l3.waits())
    assert l3.receive()["state"]["held"] == "0.5"
    assert l3.request("cancel", of="same", act=True)["voided"] is True
    assert l3.request("status")["state"]["held"] == "0"


def test_cancelled_where_no_approval_is_requested(kernel: Kernel) -> None:
    kernel.request("open", trust_level=5, budget="5")
    kernel.act("same")
    assert kernel.receive()["state"]["held"] == "0.5"
    assert kernel.request("cancel", of="same", act=True)["voided"] is True
    assert kernel.request("status")["state"]["held"] == "0"


def test_cancelled_before_it_came(l3: Kernel, ledger: Ledger) -> None:
    assert l3.request("cancel", of="later", act=True)["voided"] is True
    l3.act("later")
    assert l3.receive()["code"] == "CONFLICT"
    assert not pending(ledger)


def test_a_kernel_that_is_gone(l3: Kernel, ledger: Ledger) -> None:
    l3.act()
    l3.waits()
    ledger.execute(KernelGone(key="", origin=Origin("server"), incarnation=CALLER.incarnation))
    assert l3.receive()["decision"]["code"] == "APPROVAL_WITHDRAWN"


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
    assert l3.receive()["code"] == "UNAVAILABLE"
    l3.caller = CALLER
    assert l3.request("status")["state"]["held"] == "0"


def test_a_session_that_is_closed_meanwhile(l3: Kernel, ledger: Ledger) -> None:
    l3.act()
    l3.waits()
    l3.service.close(User("ada"), NOTEBOOK)
    assert l3.receive()["decision"]["code"] == "APPROVAL_WITHDRAWN"
    assert not pending(ledger)


# ---- another server


def test_the_next_server_waits_for_the_same_decision(l3: Kernel, ledger: Ledger, clock: Clock) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.service.governed_actions.close()
    clock.now += 20
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    assert after.waits() == waiting
    assert len(pending(ledger)) == 1
    decide(ledger, waiting)
    response = after.receive()
    assert (response["decision"]["allowed"], response["state"]["held"]) == (True, "0.5")
    # The response was lost, so the request is sent again.
    last = Kernel(served(ledger, clock), clock)
    last.act("same")
    assert last.receive() == response


def test_an_approval_that_came_while_no_server_ran(l3: Kernel, ledger: Ledger, clock: Clock) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.service.governed_actions.close()
    decide(ledger, waiting)
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    assert after.receive()["decision"]["allowed"]


def test_a_server_that_took_the_kernel_for_gone_requests_again(l3: Kernel, ledger: Ledger, clock: Clock) -> None:
    l3.act("same")
    waiting = l3.waits()
    l3.service.governed_actions.close()
    ledger.execute(KernelsPresent(key="", origin=Origin("server"), owner="ada", root="/srv"))
    after = Kernel(served(ledger, clock), clock)
    after.act("same")
    again = after.waits()
    assert (again["digest"], again["until"]) == (waiting["digest"], waiting["until"])
    assert again["approval_id"] != waiting["approval_id"]
    decide(ledger, again)
    assert after.receive()["decision"]["allowed"]


def test_a_denial_whose_figures_cannot_be_read_is_an_error(
    l3: Kernel, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    l3.act("same")
    waiting = l3.waits()
    read = ledger.read

    def failing(query: Any) -> Any:
        if isinstance(query, ReadState):
            raise UnavailableError("The disk is gone.")
        return read(query)

    monkeypatch.setattr(ledger, "read", failing)
    decide(ledger, waiting, approve=False)
    assert l3.receive()["code"] == "UNAVAILABLE"
    assert not l3.service.governed_actions._actions
