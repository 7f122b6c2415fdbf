"""The responses to all kinds of messages of a kernel, and the threads that make them; without server and transport."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.server.kernels import conversation
from aumos_governance.server.kernels.conversation import Conversation
from aumos_governance.server.kernels.presence import Departures, Presence
from aumos_governance.service.service import Caller, NotebookService
from aumos_governance.wire.protocol import HELLO_REQUIRED, MAX_REQUESTS
from tests.server.kernel_requests import HELLO, LOG, identify, request


class Talk:
    """One conversation, and its responses."""

    def __init__(self, service: Any, readers: ThreadPoolExecutor, identify: Callable[[str], Caller]) -> None:
        self.readers = readers
        self.settled = 0
        departures = Departures(getattr(service, "ledger", None), LOG)  # type: ignore[arg-type]
        self.presence = Presence("k", departures, lambda: None)
        self.quick = False
        self.conversation = Conversation(
            service,
            identify,
            self.presence,
            readers=readers,
            settle=self.settle,
            may_stand_by=lambda: self.quick,
            log=LOG,
        )
        self.responses: list[dict[str, Any]] = []

    def settle(self) -> None:
        self.settled += 1

    def send(self, *requests: Any, **message: Any) -> list[dict[str, Any]]:
        """Send one message, and return its responses when all are there."""
        before = len(self.responses)
        self.conversation.receive({"v": 1, "asks": list(requests), **message}, self.responses.append)
        deadline = time.monotonic() + 10
        while len(self.responses) < before + len(requests) and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.responses[before:]


@pytest.fixture
def service() -> Iterator[NotebookService]:
    ledger = open_ledger("memory://")
    yield NotebookService(ledger)
    ledger.close()


@pytest.fixture
def readers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def talk(service: NotebookService, readers: ThreadPoolExecutor) -> Talk:
    return Talk(service, readers, identify)


def test_nothing_is_done_before_hello(talk: Talk) -> None:
    for op in ("open", "status", "spend", "hold", "settle", "release", "close", "audit", "cancel"):
        [response] = talk.send(request(op))
        assert (response["ok"], response["code"]) == (False, HELLO_REQUIRED)
    assert talk.send(HELLO)[0]["ok"]
    assert talk.send(request("open"))[0]["opened"]


def test_requests_inherit_the_incarnation_of_the_last_hello(
    service: NotebookService, readers: ThreadPoolExecutor
) -> None:
    seen: list[str] = []

    def remember(incarnation: str) -> Caller:
        seen.append(incarnation)
        return identify(incarnation)

    talk = Talk(service, readers, remember)
    talk.send(HELLO)
    talk.send(request("open", incarnation="forged"))
    talk.send({**HELLO, "id": "h2", "incarnation": "i-2"})
    talk.send(request("status"))
    assert seen == ["k:i-1", "k:i-1", "k:i-2", "k:i-2"]


def test_readings_wait_for_what_they_must_see(talk: Talk) -> None:
    talk.send(HELLO, request("open", "o"))
    assert talk.settled == 0
    talk.send(request("status", "s"), request("audit", "u"))
    assert talk.settled == 2


def test_a_reading_that_came_too_late_is_not_read(talk: Talk) -> None:
    talk.send(HELLO)
    assert talk.send(request("status", ttl=-1))[0]["code"] == "EXPIRED"


def test_a_single_status_is_read_where_it_is_received_when_nothing_has_to_be_waited_for(talk: Talk) -> None:
    talk.send(HELLO)
    talk.readers.shutdown()
    talk.quick = True
    assert talk.send(request("status"))[0]["ok"]
    assert talk.settled == 0
    assert talk.send(request("status", ttl=-1))[0]["code"] == "EXPIRED"
    # A request that may take long goes to another thread, and so do many in one message.
    assert talk.send(request("audit"))[0]["code"] == "UNAVAILABLE"
    assert {response["code"] for response in talk.send(request("status", "s1"), request("status", "s2"))} == {
        "UNAVAILABLE"
    }


class Rows:
    """A ledger that notes the thread in which a request is executed."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.done: list[str] = []

    def execute(self, request: Any) -> Any:
        self.done.append("here")
        return self.ledger.execute(request)

    def submit(self, request: Any) -> Any:
        self.done.append("queued")
        return self.ledger.submit(request)


@pytest.fixture
def rows(service: NotebookService) -> Rows:
    return Rows(service.ledger)


@pytest.fixture
def near(rows: Rows, readers: ThreadPoolExecutor) -> Talk:
    talk = Talk(NotebookService(rows), readers, identify)  # type: ignore[arg-type]
    talk.send(HELLO)
    talk.send(request("open", "o"))
    rows.done.clear()
    return talk


def test_a_single_request_is_done_by_a_thread_that_may_be_blocked(near: Talk, rows: Rows) -> None:
    responses: list[dict[str, Any]] = []
    near.conversation.receive({"v": 1, "asks": [request("spend", "s1", amount="1")]}, responses.append, may_block=True)
    assert rows.done == ["here"]
    assert [response["decision"]["allowed"] for response in responses] == [True], "it was answered before that returned"
    assert near.settled == 1, "nothing overtakes a rename"
    near.conversation.receive({"v": 1, "asks": [request("spend", "s1", amount="2")]}, responses.append, may_block=True)
    assert responses[-1]["code"] == "IDEMPOTENCY_KEY_REUSED"


class Waiting(Rows):
    """A ledger that executes a request only when the test allows it."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger)
        self.let = threading.Event()

    def submit(self, request: Any) -> Any:
        future: Future[Any] = Future()

        def do() -> None:
            assert self.let.wait(20)
            future.set_result(self.ledger.execute(request))

        threading.Thread(target=do).start()
        return future


def test_a_near_ledger_is_waited_for_until_it_has_responded(
    service: NotebookService, readers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "_STAND_BY_SECONDS", 20.0)
    ledger = Waiting(service.ledger)
    ledger.let.set()
    talk = Talk(NotebookService(ledger), readers, identify)  # type: ignore[arg-type]
    talk.send(HELLO)
    talk.quick = True
    for number in range(5):
        talk.conversation.receive({"v": 1, "asks": [request("open", f"o{number}")]}, talk.responses.append)
        assert talk.responses[-1]["id"] == f"o{number}"


def test_no_thread_waits_long_or_again_at_once_for_a_ledger_that_is_busy(
    service: NotebookService, readers: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "_NO_STAND_BY_SECONDS", 60.0)
    ledger = Waiting(service.ledger)
    talk = Talk(NotebookService(ledger), readers, identify)  # type: ignore[arg-type]
    talk.send(HELLO)
    talk.quick = True
    talk.conversation.receive({"v": 1, "asks": [request("open", "o")]}, talk.responses.append)
    monkeypatch.setattr(conversation, "_STAND_BY_SECONDS", 20.0)
    began = time.monotonic()
    talk.conversation.receive({"v": 1, "asks": [request("close", "c")]}, talk.responses.append)
    assert time.monotonic() - began < 10
    assert [response["id"] for response in talk.responses] == ["h"]
    ledger.let.set()
    deadline = time.monotonic() + 10
    while len(talk.responses) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert {response["id"] for response in talk.responses} == {"h", "o", "c"}


def test_requests_that_come_together_are_queued_together(near: Talk, rows: Rows) -> None:
    responses: list[dict[str, Any]] = []
    requests = [request("spend", f"s{number}", amount="1") for number in range(2)]
    near.conversation.receive({"v": 1, "asks": requests}, responses.append, may_block=True)
    near.conversation.receive({"v": 1, "asks": [request("spend", "s2", amount="1")]}, responses.append)
    assert rows.done == ["queued", "queued", "queued"]
    assert near.settled == 0


def test_when_the_server_stops_a_reading_is_refused(talk: Talk) -> None:
    talk.send(HELLO)
    talk.readers.shutdown()
    assert talk.send(request("status"))[0]["code"] == "UNAVAILABLE"


@pytest.mark.parametrize("op", ["open", "status"])
def test_a_failure_inside_is_a_response(readers: ThreadPoolExecutor, op: str, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def submit(self, caller: Any, requested: Any, reply: Any) -> None:
            if requested.op != "hello":
                raise ZeroDivisionError("a secret")
            reply({"id": requested.id, "ok": True})

    talk = Talk(Broken(), readers, identify)
    talk.send(HELLO)
    [response] = talk.send(request(op))
    assert (response["id"], response["code"]) == ("a1", "INTERNAL")
    assert "secret" not in response["message"]
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("message", [None, "x", [], {"v": 2}, {"v": 1}, {"v": 1, "asks": "x"}, {"v": 3, "asks": [7]}])
def test_an_unreadable_message_gets_one_response(talk: Talk, message: Any) -> None:
    talk.conversation.receive(message, talk.responses.append)
    [response] = talk.responses
    assert (response["id"], response["ok"], response["code"]) == (None, False, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("message", "owed"),
    [
        ({"v": 1, "asks": [{"id": str(number)} for number in range(MAX_REQUESTS + 1)]}, MAX_REQUESTS),
        ({"v": 9, "asks": [{"id": "one"}, "no ask", {"id": "two"}]}, 2),
        ({"v": 9, "asks": [{}, {}]}, 1),
        ({"v": 1, "asks": [{"id": "one"}, "no ask"]}, 2),
        (None, 1),
    ],
)
def test_as_many_responses_are_announced_as_come(talk: Talk, message: Any, owed: int) -> None:
    # A response that is expected but never comes would keep all later ones waiting for the loop.
    announced: list[int] = []
    talk.conversation.receive(message, talk.responses.append, expect=announced.append)
    assert (announced, len(talk.responses)) == ([owed], owed)


def test_how_a_kernel_requests_is_known(talk: Talk, service: NotebookService, readers: ThreadPoolExecutor) -> None:
    assert talk.presence.transport is None
    talk.send(request("status"))
    assert talk.presence.transport is None
    talk.send(HELLO)
    assert talk.presence.transport == "comm"
    near = Conversation(service, identify, talk.presence, nonce="i-1", readers=readers, settle=lambda: None, log=LOG)
    near.receive({"v": 1, "asks": [request("close", "b1")]}, talk.responses.append)
    assert talk.presence.transport == "socket"
    talk.send(request("close", "b2"))
    assert talk.presence.transport == "comm"
