"""Calls that wait at a limit, until a user raises it or denies them, or their time is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aumos_governance.ledger.contract.budgets import ConfigureEnvelopes, EnvelopeKind, EnvelopeSpec
from aumos_governance.ledger.contract.facts import Balance, NotebookKey, Origin
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.ledger.contract.queries import AuditQuery, ReadState
from aumos_governance.service.callers import Caller
from aumos_governance.service.service import NotebookService
from tests.service.acts import ADA, CALLER, NOTEBOOK, Clock, Kernel, change

WAITS = {"at_limit": "ask"}


@pytest.fixture
def kernel(ledger: Ledger, clock: Clock) -> Iterator[Kernel]:
    service = NotebookService(ledger, at_limit="deny", clock=clock, monotonic=clock)
    kernel = Kernel(service, clock)
    kernel.request("open", trust_level=5, budget="1")
    yield kernel
    service.stop_waiting()


def records(ledger: Ledger) -> list[tuple[str, str | None]]:
    page = ledger.read(AuditQuery(oldest_first=True))
    return [(record.event, None if record.outcome is None else record.outcome.value) for record in page.records]


def raised(ledger: Ledger, dollars: int) -> None:
    change(ledger, budget=dollars * 1_000_000_000)


def response_of(kernel: Kernel) -> dict[str, Any]:
    """Return the next response, skipping the messages that the call waits."""
    while "waiting" in (response := kernel.receive()):
        pass
    return response


def quiet(kernel: Kernel) -> None:
    """Check everything that waits once more, and assert that no message comes."""
    kernel.service.limit_waits.check()
    assert kernel.notices.empty(), kernel.notices.get()


@pytest.mark.parametrize(
    ("op", "body"),
    [
        ("spend", {"amount": "1.4"}),
        ("hold", {"amount": "1.4"}),
        ("authorize", {"amount": "1.4", "tool": "shell", "shown": {"tool": "shell"}}),
    ],
)
def test_a_call_goes_on_when_a_user_makes_room(kernel: Kernel, ledger: Ledger, op: str, body: dict[str, Any]) -> None:
    kernel.send(op, **body, **WAITS)
    waiting = kernel.waits()
    assert (waiting["needs"], waiting["limit"]["kind"], waiting["until"]) == ("0.4", "session", kernel.clock.now + 600)
    quiet(kernel)
    raised(ledger, 2)
    response = kernel.receive()
    assert response["decision"]["allowed"], response
    assert response["state"]["remaining"] == "0.6"
    events = [record for record in records(ledger) if record[0] not in ("open", "configure", "change")]
    assert events == [("limit_requested", None), ("spend" if op == "spend" else "hold", "allow")]
    assert ledger.verify().ok


def test_less_than_what_it_needs_is_not_enough(kernel: Kernel, ledger: Ledger) -> None:
    kernel.send("spend", amount="3", **WAITS)
    assert kernel.waits()["needs"] == "2"
    raised(ledger, 2)
    assert kernel.waits()["needs"] == "1"
    quiet(kernel)
    raised(ledger, 3)
    assert response_of(kernel)["decision"]["allowed"]


def test_room_made_by_what_is_released(kernel: Kernel, ledger: Ledger) -> None:
    held = kernel.request("hold", amount="0.8")
    kernel.send("spend", amount="0.5", **WAITS)
    kernel.waits()
    kernel.send("release", hold_id=held["hold_id"])
    responses = [kernel.receive(), kernel.receive()]
    assert {"decision" in response for response in responses} == {True, False}
    assert ledger.read(ReadState(notebook=NOTEBOOK)).balance == Balance(10**9, 5 * 10**8, 0)


def test_a_user_denies_all_that_wait(kernel: Kernel, ledger: Ledger) -> None:
    for _ in range(3):
        kernel.send("spend", amount="1.2", **WAITS)
        kernel.waits()
    (first, *_) = kernel.service.limit_waits.waiting()
    assert kernel.service.limit_waits.deny(ADA, str(first.session_id)) == 3
    decisions = [kernel.receive()["decision"] for _ in range(3)]
    assert {(decision["allowed"], decision["code"]) for decision in decisions} == {(False, "BUDGET_EXCEEDED")}
    assert not kernel.service.limit_waits.waiting()
    assert records(ledger).count(("limit_denied", "deny")) == 1
    assert records(ledger).count(("spend", "deny")) == 3
    assert kernel.service.limit_waits.deny(ADA, str(first.session_id)) == 0


def test_its_time_is_over(kernel: Kernel, ledger: Ledger) -> None:
    kernel.send("spend", amount="1.2", lasts=3600, **WAITS)
    kernel.waits()
    kernel.clock.now += 600
    kernel.service.limit_waits.check()
    response = response_of(kernel)
    assert response["decision"]["code"] == "BUDGET_EXCEEDED"
    assert records(ledger)[-1] == ("spend", "deny")


def test_its_client_waits_no_more(kernel: Kernel, ledger: Ledger) -> None:
    kernel.send("spend", amount="1.2", lasts=30, **WAITS)
    kernel.waits()
    kernel.clock.now += 31
    kernel.service.limit_waits.check()
    assert not kernel.service.limit_waits.waiting()
    raised(ledger, 5)
    assert kernel.notices.empty()
    assert ("limit_withdrawn", None) in records(ledger)
    assert ledger.read(ReadState(notebook=NOTEBOOK)).balance == Balance(5 * 10**9, 0, 0)


@pytest.mark.parametrize("act", [False, True])
def test_an_interrupt_takes_it_back(kernel: Kernel, ledger: Ledger, act: bool) -> None:
    if act:
        kernel.send("authorize", "x", amount="1.2", tool="shell", shown={"tool": "shell"}, **WAITS)
    else:
        kernel.send("hold", "x", amount="1.2", **WAITS)
    kernel.waits()
    assert kernel.request("cancel", of="x", **({"act": True} if act else {}))["voided"]
    raised(ledger, 5)
    quiet(kernel)
    assert ledger.read(ReadState(notebook=NOTEBOOK)).balance == Balance(5 * 10**9, 0, 0)
    assert not kernel.service.governed_actions._actions


def test_a_copy_of_it_waits_at_the_same_place(kernel: Kernel, ledger: Ledger) -> None:
    kernel.send("spend", "x", amount="1.2", **WAITS)
    kernel.waits()
    kernel.clock.now += 20
    kernel.send("spend", "x", amount="1.2", lasts=30, **WAITS)
    kernel.waits()
    kernel.clock.now += 20
    kernel.service.limit_waits.check()
    kernel.waits()
    assert len(kernel.service.limit_waits.waiting()) == 1
    kernel.send("spend", "x", amount="1.3", **WAITS)
    assert response_of(kernel)["code"] == "IDEMPOTENCY_KEY_REUSED"
    raised(ledger, 2)
    assert response_of(kernel)["decision"]["allowed"]
    again = kernel.request("spend", "x", amount="1.2", **WAITS)
    assert again["decision"]["allowed"]
    assert ledger.read(ReadState(notebook=NOTEBOOK)).balance == Balance(2 * 10**9, 12 * 10**8, 0)


@pytest.mark.parametrize(
    ("server", "stated", "waits"),
    [
        ("deny", None, False),
        ("deny", "deny", False),
        ("deny", "ask", True),
        ("ask", None, True),
        ("ask", "deny", False),
        (None, "ask", False),
    ],
)
def test_who_says_whether_it_waits(
    ledger: Ledger, clock: Clock, server: str | None, stated: str | None, waits: bool
) -> None:
    service = NotebookService(ledger, at_limit=server, clock=clock, monotonic=clock)
    kernel = Kernel(service, clock)
    kernel.request("open", trust_level=5, budget="1")
    body = {} if stated is None else {"at_limit": stated}
    responses = [kernel.request("spend", amount="1.2", **body)]
    responses.append(kernel.request("authorize", amount="1.2", tool="shell", shown={}, **body))
    service.stop_waiting()
    assert ["waiting" in response for response in responses] == [waits, waits]


def test_anything_else_is_refused(kernel: Kernel) -> None:
    stated = kernel.request("spend", amount="0.1", at_limit="maybe")["message"]
    assert stated == "at_limit must be ask or deny, not 'maybe'."
    assert kernel.request("spend", amount="0.1", at_limit=True)["code"] == "INVALID_REQUEST"


def test_what_a_level_refuses_does_not_wait(kernel: Kernel, ledger: Ledger) -> None:
    change(ledger, trust_level=level_of(0))
    assert kernel.request("spend", amount="5", **WAITS)["decision"]["code"] == "TRUST_LEVEL_INSUFFICIENT"


def test_a_level_that_is_lowered_meanwhile_ends_the_wait(kernel: Kernel, ledger: Ledger) -> None:
    kernel.send("spend", amount="5", **WAITS)
    kernel.waits()
    change(ledger, trust_level=level_of(0))
    assert kernel.receive()["decision"]["code"] == "TRUST_LEVEL_INSUFFICIENT"


def test_a_closed_session_ends_the_wait(kernel: Kernel, ledger: Ledger) -> None:
    kernel.send("spend", amount="5", **WAITS)
    kernel.waits()
    kernel.send("close")
    responses = [kernel.receive(), kernel.receive()]
    (response,) = [response for response in responses if "decision" in response]
    assert response["decision"]["code"] == "NO_SESSION"


def test_a_kernel_that_is_gone_waits_for_nothing(kernel: Kernel, ledger: Ledger) -> None:
    from contextlib import contextmanager

    from aumos_governance.errors import UnavailableError

    here = [True]

    @contextmanager
    def attending() -> Iterator[None]:
        if not here[0]:
            raise UnavailableError("The kernel has left.")
        yield

    caller = Caller(NOTEBOOK, CALLER.scope, CALLER.incarnation, attending=attending)
    kernel.caller = caller
    kernel.send("spend", amount="5", **WAITS)
    kernel.waits()
    here[0] = False
    raised(ledger, 10)
    assert kernel.receive()["code"] == "UNAVAILABLE"
    assert not kernel.service.limit_waits.waiting()
    assert ("limit_withdrawn", None) in records(ledger)


def test_a_ceiling_that_others_share_is_looked_at_again(ledger: Ledger, clock: Clock) -> None:
    spec = EnvelopeSpec("mine", 10**9, EnvelopeKind.OWNER)
    ledger.execute(ConfigureEnvelopes(key="", origin=Origin("server"), owner="ada", root="/srv", envelopes=(spec,)))
    service = NotebookService(ledger, at_limit="ask", clock=clock, monotonic=clock)
    kernel = Kernel(service, clock)
    other = Kernel(service, clock, Caller(NotebookKey("ada", "/srv", "other.ipynb"), "kernel:k2", "k2:n1"))
    for one in (kernel, other):
        one.request("open", trust_level=5, budget="5")
    held = other.request("hold", amount="0.9")
    kernel.send("spend", amount="0.5")
    waiting = kernel.waits()
    assert (waiting["limit"]["kind"], waiting["limit"]["name"]) == ("owner", "mine")
    other.request("release", hold_id=held["hold_id"])
    clock.now += 1
    kernel.service.limit_waits.check()
    assert response_of(kernel)["decision"]["allowed"]
    service.stop_waiting()


def level_of(level: int) -> Any:
    from aumos_governance.types import TrustLevel

    return TrustLevel(level)


def test_a_copy_of_an_action_waits_at_the_same_place(kernel: Kernel, ledger: Ledger) -> None:
    def act() -> None:
        kernel.send("authorize", "x", amount="1.2", tool="shell", shown={"tool": "shell"}, lasts=30, **WAITS)
        kernel.waits()

    act()
    kernel.clock.now += 20
    act()
    # The time that the first copy stated is over, and that of the second one is not.
    kernel.clock.now += 20
    kernel.service.limit_waits.check()
    kernel.waits()
    assert len(kernel.service.limit_waits.waiting()) == 1
    raised(ledger, 5)
    assert response_of(kernel)["decision"]["allowed"]
