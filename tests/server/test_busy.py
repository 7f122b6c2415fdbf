"""Requests of a kernel while it, or the whole server, has too many requests in flight."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest

from aumos_governance.errors import AumOSGovernanceError
from aumos_governance.ledger import open_ledger
from aumos_governance.server.kernels.conversation import Conversation, InlineExecutor
from aumos_governance.server.kernels.presence import Admission, Departures, Presence
from aumos_governance.service.service import NotebookService
from tests.server.kernel_requests import HELLO, LOG, identify, request


class Slow:
    """A ledger that executes its requests only when `let` is called, in the order in which they came."""

    def __init__(self, ledger: Any) -> None:
        self.ledger = ledger
        self.waiting: list[tuple[Any, Future[Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ledger, name)

    def submit(self, request: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((request, future))
        return future

    def let(self, count: int = 1) -> None:
        for _ in range(count):
            request, future = self.waiting.pop(0)
            try:
                future.set_result(self.ledger.execute(request))
            except AumOSGovernanceError as error:
                future.set_exception(error)


@pytest.fixture
def slow() -> Iterator[Slow]:
    ledger = open_ledger("memory://")
    yield Slow(ledger)
    ledger.close()


class Talk:
    """A kernel's conversation over one transport, and its responses."""

    def __init__(self, slow: Slow, admission: Admission, readers: Executor | None = None, now: Any = time.time) -> None:
        self.responses: list[dict[str, Any]] = []
        presence = Presence("k", Departures(slow.ledger, LOG), lambda: None)
        self.service = NotebookService(slow)  # type: ignore[arg-type]
        self.conversation = Conversation(
            self.service,
            identify,
            presence,
            readers=readers or InlineExecutor(),
            settle=lambda: None,
            admission=admission,
            log=logging.getLogger("busy"),
            clock=now,
        )
        self.send(HELLO)
        self.responses.clear()

    def send(self, *requests: Any, may_block: bool = False) -> list[dict[str, Any]]:
        """Send one message, and return the responses that come before the receiving thread continues."""
        before = len(self.responses)
        self.conversation.receive({"v": 1, "asks": list(requests)}, self.responses.append, may_block=may_block)
        return self.responses[before:]


def spends(first: int, count: int) -> list[dict[str, Any]]:
    return [request("spend", f"s{number}", amount="0.01") for number in range(first, first + count)]


def test_what_is_too_much_is_refused_at_once_and_not_done(slow: Slow) -> None:
    admission = Admission(3)
    talk = Talk(slow, admission)
    refused = talk.send(*spends(0, 5))
    assert [(response["id"], response["ok"], response["code"]) for response in refused] == [
        ("s3", False, "BUSY"),
        ("s4", False, "BUSY"),
    ]
    assert len(slow.waiting) == 3
    slow.let(2)
    assert [response["id"] for response in talk.responses[2:]] == ["s0", "s1"]
    # The same request is sent again, now that there is room.
    assert talk.send(*spends(3, 3))[0]["id"] == "s5"
    slow.let(3)
    assert [response["id"] for response in talk.responses[5:]] == ["s2", "s3", "s4"]
    assert admission.in_flight() == 0


def test_a_kernel_that_may_be_blocked_is_served_at_once_whatever_is_in_flight(slow: Slow) -> None:
    talk = Talk(slow, Admission(1))
    talk.send(*spends(0, 2))
    assert talk.send(request("open", "o"), may_block=True)[0]["opened"]


def test_what_cannot_be_read_is_not_in_flight(slow: Slow) -> None:
    admission = Admission(1)
    talk = Talk(slow, admission)
    for _ in range(3):
        assert talk.send(request("spend"), request("spend", amount="x"))[1]["code"] == "INVALID_AMOUNT"
        assert talk.send(request("authorize"))[0]["code"] == "INVALID_REQUEST"
    assert admission.in_flight() == 0


def test_a_failure_inside_leaves_nothing_in_flight(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(1)
    talk = Talk(slow, admission)

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(NotebookService, "submit", broken)
    for _ in range(3):
        assert {response["code"] for response in talk.send(*spends(0, 2))} == {"INTERNAL"}
        assert talk.send(request("audit"))[0]["code"] == "INTERNAL"
    assert admission.in_flight() == 0


def test_readings_are_in_flight_until_their_responses(slow: Slow) -> None:
    let = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        admission = Admission(2)
        talk = Talk(slow, admission, pool)
        pool.submit(let.wait, 20)
        assert [
            response["id"] for response in talk.send(*(request("status", f"r{number}") for number in range(3)))
        ] == ["r2"]
        let.set()
    assert [response["id"] for response in talk.responses] == ["r2", "r0", "r1"]
    assert admission.in_flight() == 0
    assert talk.send(request("status"))[0]["code"] == "UNAVAILABLE", "the threads are gone"
    assert admission.in_flight() == 0


def test_a_reading_that_waited_past_its_expiry_is_not_read(slow: Slow) -> None:
    let, late = threading.Event(), 0.0
    with ThreadPoolExecutor(1) as pool:
        talk = Talk(slow, Admission(), pool, lambda: time.time() + late)
        pool.submit(let.wait, 20)
        assert talk.send(request("audit", ttl=60)) == []
        late = 61.0
        let.set()
    assert [response["code"] for response in talk.responses] == ["EXPIRED"]


def test_an_action_that_waits_for_a_user_is_in_flight_no_more(slow: Slow) -> None:
    admission = Admission(1)
    talk = Talk(slow, admission)
    talk.send(request("open", "o", trust_level=3, budget="10"))
    slow.let()
    act = request("authorize", "act", amount="1", shown={"tool": "mail"}, tool="mail", required_level=3)
    talk.send(act)
    assert admission.in_flight() == 1
    assert talk.send(act) == [], "a copy is the same request"
    assert admission.in_flight() == 1
    deadline = time.monotonic() + 20
    while admission.in_flight() and time.monotonic() < deadline:
        slow.let(len(slow.waiting))
        time.sleep(0.005)
    assert "waiting" in talk.responses[-1]
    assert admission.in_flight() == 0
    assert talk.send(request("spend", "s", amount="1")) == []
    talk.service.stop_waiting()
