"""Holds that wait for their turn: in order, only for amounts that live callers hold, and no longer than they state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.charges import KernelGone
from aumos_governance.ledger.contract.facts import Balance, NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery, ReadState
from aumos_governance.service import turns
from aumos_governance.service.callers import Caller
from aumos_governance.service.limit_requests import LimitRequests
from aumos_governance.service.service import NotebookService
from aumos_governance.types import TrustLevel
from tests.service.acts import CALLER, NOTEBOOK, Clock, Kernel, change

USD = 10**9
OTHER = Caller(NOTEBOOK, "kernel:k2", "k2:n1")


@pytest.fixture
def service(ledger: Ledger, clock: Clock) -> Iterator[NotebookService]:
    service = NotebookService(ledger, at_limit="deny", clock=clock, monotonic=clock)
    yield service
    service.stop_waiting()


@pytest.fixture
def kernel(service: NotebookService, clock: Clock) -> Kernel:
    kernel = Kernel(service, clock)
    kernel.request("open", trust_level=5, budget="1")
    return kernel


def turn(kernel: Kernel, id: str, amount: str, **body: Any) -> None:
    """Request a hold that waits for its turn, and receive the message that it waits."""
    kernel.send("hold", id, lasts=300, **{"amount": amount, "waits_turn": 60} | body)


def waiting_message(kernel: Kernel) -> dict[str, Any]:
    waiting = kernel.waits()
    assert waiting["turn"] is True
    assert "needs" not in waiting, "it is no question to a user"
    return waiting


def response_of(kernel: Kernel) -> dict[str, Any]:
    while "waiting" in (response := kernel.receive()):
        pass
    return response


def responses_of(kernel: Kernel, *ids: str) -> dict[str, dict[str, Any]]:
    """Return the responses to these requests; responses to others are skipped."""
    found: dict[str, dict[str, Any]] = {}
    while found.keys() < set(ids):
        response = response_of(kernel)
        if response["id"] in ids:
            found[response["id"]] = response
    return found


def quiet(kernel: Kernel) -> None:
    kernel.service.limit_waits.check()
    assert kernel.notices.empty(), kernel.notices.get()


def balance(ledger: Ledger) -> Balance | None:
    return ledger.read(ReadState(notebook=NOTEBOOK)).balance


def events(ledger: Ledger) -> list[str]:
    return [record.event for record in ledger.read(AuditQuery(oldest_first=True)).records]


def test_it_waits_for_what_another_call_holds(kernel: Kernel, ledger: Ledger) -> None:
    held = kernel.request("hold", amount="0.8")
    turn(kernel, "x", "0.5")
    waiting = waiting_message(kernel)
    assert (waiting["limit"]["kind"], waiting["until"]) == ("session", kernel.clock.now + 60)
    assert kernel.service.limit_waits.waiting() == (), "no user is asked"
    assert LimitRequests(ledger, kernel.service.limit_waits).waiting(NOTEBOOK) == {"limit_requests": []}
    quiet(kernel)
    kernel.send("settle", hold_id=held["hold_id"], amount="0.1")
    assert responses_of(kernel, "x")["x"]["decision"]["allowed"]
    assert balance(ledger) == Balance(USD, USD // 10, USD // 2)
    assert events(ledger)[-3:] == ["hold", "settle", "hold"]
    assert ledger.verify().ok


@pytest.mark.parametrize("spent", [True, False])
def test_what_is_spent_or_of_unknown_outcome_is_denied_at_once(kernel: Kernel, ledger: Ledger, spent: bool) -> None:
    if spent:
        kernel.request("spend", amount="0.8")
    else:
        kernel.request("hold", amount="0.8")
        ledger.execute(KernelGone(key="", origin=Origin("server"), incarnation=CALLER.incarnation))
    assert kernel.request("hold", amount="0.5", waits_turn=60)["decision"]["code"] == "BUDGET_EXCEEDED"


def test_a_hold_whose_caller_goes_is_waited_for_no_longer(kernel: Kernel, service: NotebookService) -> None:
    other = Kernel(service, kernel.clock, OTHER)
    other.request("hold", amount="0.8")
    turn(kernel, "x", "0.5")
    waiting_message(kernel)
    service.ledger.execute(KernelGone(key="", origin=Origin("server"), incarnation="k2:n1"))
    kernel.clock.now += 1
    service.limit_waits.check()
    assert response_of(kernel)["decision"]["code"] == "BUDGET_EXCEEDED"


def test_the_first_to_come_is_the_first_to_go_on(kernel: Kernel) -> None:
    held = kernel.request("hold", amount="0.9")
    turn(kernel, "large", "0.8")
    waiting_message(kernel)
    turn(kernel, "small", "0.05")
    assert waiting_message(kernel)["limit"] is None, "it would fit, and stands behind the other one all the same"
    kernel.send("hold", "plain", amount="0.05")
    # A hold without `waits_turn` is decided at once.
    assert responses_of(kernel, "plain")["plain"]["decision"]["allowed"]
    quiet(kernel)
    kernel.send("settle", hold_id=held["hold_id"], amount="0")
    responses = [response_of(kernel) for _ in range(3)]
    assert [response["id"] for response in responses if "decision" in response] == ["large", "small"]
    assert all(response["decision"]["allowed"] for response in responses if "decision" in response)


@pytest.mark.parametrize("way", ["cancel", "time", "lease"])
def test_those_behind_move_up_when_one_leaves(kernel: Kernel, ledger: Ledger, way: str) -> None:
    kernel.request("hold", amount="0.9")
    turn(kernel, "large", "0.8", waits_turn=10, tool="x")
    waiting_message(kernel)
    turn(kernel, "small", "0.05")
    waiting_message(kernel)
    if way == "cancel":
        kernel.send("cancel", of="large")
    elif way == "time":
        kernel.clock.now += 10
    else:
        kernel.service.limit_waits._calls[CALLER.scope, "large"].lease = kernel.clock.now
    kernel.service.limit_waits.check()
    kernel.service.limit_waits.check()
    ids = ("small", "large") if way == "time" else ("small",)
    responses = responses_of(kernel, *ids)
    assert responses["small"]["decision"]["allowed"]
    if way == "time":
        assert responses["large"]["decision"]["code"] == "BUDGET_EXCEEDED"
        assert events(ledger).count("hold") == 3
    assert "limit_withdrawn" not in events(ledger)


def test_a_call_that_was_cancelled_takes_no_room(kernel: Kernel, ledger: Ledger) -> None:
    held = kernel.request("hold", amount="0.9")
    turn(kernel, "x", "0.8")
    waiting_message(kernel)
    assert kernel.request("cancel", of="x")["voided"]
    kernel.request("settle", hold_id=held["hold_id"], amount="0")
    quiet(kernel)
    assert balance(ledger) == Balance(USD, 0, 0)


@pytest.mark.parametrize("level", [None, TrustLevel.L0_OBSERVER])
def test_a_closed_session_ends_the_wait_of_all(kernel: Kernel, ledger: Ledger, level: TrustLevel | None) -> None:
    kernel.request("hold", amount="0.9")
    for id in ("a", "b", "c"):
        turn(kernel, id, "0.8")
        waiting_message(kernel)
    if level is None:
        kernel.send("close")
    else:
        change(ledger, trust_level=level)
    responses = responses_of(kernel, "a", "b", "c").values()
    code = "NO_SESSION" if level is None else "TRUST_LEVEL_INSUFFICIENT"
    assert {response["decision"]["code"] for response in responses} == {code}


def test_first_its_turn_and_then_the_question(kernel: Kernel, ledger: Ledger) -> None:
    held = kernel.request("hold", amount="0.9")
    turn(kernel, "x", "0.5", at_limit="ask")
    waiting_message(kernel)
    kernel.send("settle", hold_id=held["hold_id"], amount="0.7")
    while "needs" not in (response := kernel.receive()).get("waiting", {}):
        pass
    assert response["waiting"]["needs"] == "0.2"
    assert len(kernel.service.limit_waits.waiting()) == 1
    assert events(ledger).count("limit_requested") == 1
    change(ledger, budget=2 * USD)
    assert responses_of(kernel, "x")["x"]["decision"]["allowed"]


def test_the_question_when_its_turn_does_not_come(kernel: Kernel, ledger: Ledger) -> None:
    kernel.request("hold", amount="0.9")
    turn(kernel, "x", "0.5", at_limit="ask")
    waiting_message(kernel)
    kernel.clock.now += 60
    kernel.service.limit_waits.check()
    while "needs" not in kernel.waits():
        pass
    assert events(ledger).count("limit_requested") == 1


def test_a_bounded_hold_gets_its_share_when_its_turn_comes(kernel: Kernel) -> None:
    held = kernel.request("hold", amount="0.99")
    bounds = {"least": "0.02", "most": "0.9"}
    turn(kernel, "a", "3", **bounds)
    assert waiting_message(kernel)["limit"]["asked"] == "1.01"
    turn(kernel, "b", "3", **bounds)
    waiting_message(kernel)
    kernel.send("release", hold_id=held["hold_id"])
    responses = responses_of(kernel, "a", "b")
    # The first gets a third, since one waits and one may come next; then a third of the rest, since one is in flight.
    assert responses["a"]["decision"]["amount"] == "0.333333333"
    assert responses["b"]["decision"]["amount"] == "0.222222222"
    again = kernel.request("hold", "a", amount="3", waits_turn=60, least="0.02", most="0.5")
    assert again["decision"]["amount"] == "0.333333333"


def test_a_copy_takes_the_place_of_the_first(kernel: Kernel) -> None:
    held = kernel.request("hold", amount="0.9")
    turn(kernel, "x", "0.5")
    waiting_message(kernel)
    turn(kernel, "x", "0.5")
    waiting_message(kernel)
    turn(kernel, "x", "0.6")
    assert response_of(kernel)["code"] == "IDEMPOTENCY_KEY_REUSED"
    kernel.send("release", hold_id=held["hold_id"])
    assert responses_of(kernel, "x")["x"]["decision"]["allowed"]


def test_calls_wait_at_a_shared_ceiling_in_one_line(ledger: Ledger, service: NotebookService, clock: Clock) -> None:
    spec = EnvelopeSpec("mine", USD, EnvelopeKind.OWNER)
    ledger.execute(ConfigureEnvelopes(key="", origin=Origin("server"), owner="ada", root="/srv", envelopes=(spec,)))
    one = Kernel(service, clock)
    two = Kernel(service, clock, replace(OTHER, notebook=NotebookKey("ada", "/srv", "other.ipynb")))
    far = Kernel(service, clock, replace(OTHER, scope="kernel:k3", notebook=NotebookKey("bob", "/bob", "far.ipynb")))
    for each in (one, two, far):
        each.request("open", trust_level=5, budget="5")
    held = two.request("hold", amount="0.9")
    turn(one, "large", "0.95")
    assert waiting_message(one)["limit"]["kind"] == "owner"
    turn(two, "small", "0.01")
    assert waiting_message(two)["limit"] is None
    assert far.request("hold", amount="0.01", waits_turn=60)["decision"]["allowed"], "it lies under another ceiling"
    # The release lets the call be tried at once, though its commit has no state of the waiting call's session.
    two.send("release", hold_id=held["hold_id"])
    assert response_of(one)["decision"]["allowed"]
    assert responses_of(two, "small")["small"]["decision"]["allowed"]


def test_no_more_wait_than_there_is_room_for(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_MOST_OF_CALLER", 2)
    monkeypatch.setattr(turns, "_MOST_OF_NOTEBOOK", 3)
    other, third = Kernel(kernel.service, kernel.clock, OTHER), Kernel(kernel.service, kernel.clock, OTHER)
    held = kernel.request("hold", amount="0.9")
    for id in ("a", "b"):
        turn(kernel, id, "0.5")
        waiting_message(kernel)
    turn(kernel, "c", "0.5")
    assert response_of(kernel)["code"] == "BUSY"
    turn(other, "a", "0.1")
    waiting_message(other)
    turn(third, "b", "0.1")
    assert response_of(third)["code"] == "BUSY"
    kernel.send("release", hold_id=held["hold_id"])
    assert all(response["decision"]["allowed"] for response in responses_of(kernel, "a", "b").values())


@pytest.mark.parametrize("seconds", [-1, 3601, True, "60", float("nan")])
def test_a_time_that_is_none_is_refused(kernel: Kernel, seconds: object) -> None:
    response = kernel.request("hold", amount="0.1", waits_turn=seconds)
    assert response["code"] == "INVALID_REQUEST"
    assert "waits_turn" in response["message"]


def test_without_the_field_nothing_waits(kernel: Kernel) -> None:
    kernel.request("hold", amount="0.9")
    for body in ({}, {"waits_turn": 0}, {"waits_turn": None}):
        assert kernel.request("hold", amount="0.5", **body)["decision"]["code"] == "BUDGET_EXCEEDED"
    assert kernel.request("spend", amount="0.05", waits_turn=60)["code"] == "INVALID_REQUEST"
