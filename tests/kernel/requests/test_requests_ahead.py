"""Requests whose callers wait later, or not at all: later requests are never decided without them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, ServerUnreachableError, UnavailableError
from aumos_governance.kernel.requests.client import Client
from aumos_governance.kernel.requests.posted_requests import PostedRequest
from aumos_governance.kernel.transports.waiter import Waiter
from aumos_governance.wire.protocol import WireRequest
from tests.interrupting import press_ctrl_c
from tests.kernel.fake_transport import FakeTransport


class Server:
    """A fake server that responds to settlements when ``may_settle`` is set, and to other requests at once."""

    def __init__(self, **response: Any) -> None:
        self.may_settle = threading.Event()
        self.lost = 0
        self.first: PostedRequest | None = None
        """A posted request that must have its response before a hold gets one."""
        self.response = response or {"ok": True}
        self.transport = FakeTransport(self._respond)
        self.client = Client(self.transport, incarnation="n-1", timeout=10.0)
        self.client.request("status")

    def _respond(self, send: WireRequest) -> dict[str, Any] | None:
        if send.op == "settle":
            if self.lost:
                self.lost -= 1
                return None
            assert self.may_settle.wait(20)
            return self.response
        if send.op == "hold" and self.first is not None:
            self.first.result()
        return {"ok": True, "hold_id": f"of {send.id}"}

    def ops(self) -> list[str]:
        return [send.op for send in self.transport.sent[2:]]


def requested(client: Client, op: str) -> dict[str, Any]:
    return client.request(op, {})


def awaited(client: Client, op: str) -> dict[str, Any]:
    return asyncio.run(client.request_async(op, {}))


def test_what_is_posted_is_not_waited_for() -> None:
    server = Server()
    posted = server.client.post("settle", {"hold_id": "h"})
    assert (posted.over, server.ops()) == (False, ["settle"])
    server.may_settle.set()
    assert posted.result()["ok"] is True


@pytest.mark.parametrize("send", [requested, awaited])
@pytest.mark.parametrize("op", ["status", "spend", "authorize"])
def test_what_is_requested_later_goes_out_when_the_posted_request_has_its_response(
    send: Callable[[Client, str], dict[str, Any]], op: str
) -> None:
    server = Server()
    server.client.post("settle", {"hold_id": "h"})
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(send, server.client, op)
        with pytest.raises(TimeoutError):
            later.result(0.1)
        assert server.ops() == ["settle"]
        server.may_settle.set()
        assert later.result(20)["ok"] is True
    assert server.ops() == ["settle", op]


@pytest.mark.parametrize("send", [requested, awaited])
def test_a_hold_that_overtook_what_was_posted_is_taken_back_and_requested_anew(
    send: Callable[[Client, str], dict[str, Any]],
) -> None:
    server = Server()
    server.client.post("settle", {"hold_id": "h"})
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(send, server.client, "hold")
        (overtaking,) = server.transport.wait_for("hold")
        (cancel,) = server.transport.wait_for("cancel")
        assert cancel.body == {"of": overtaking.id}
        with pytest.raises(TimeoutError):
            later.result(0.1)
        server.may_settle.set()
        response = later.result(20)
    assert server.ops() == ["settle", "hold", "cancel", "hold"]
    assert response["hold_id"] == f"of {server.transport.of('hold')[1].id}"


def test_a_hold_that_gets_its_response_after_what_was_posted_stands() -> None:
    server = Server()
    server.may_settle.set()
    for _ in range(20):
        server.first = server.client.post("settle", {"hold_id": "h"})
        server.client.request("hold", {})
    assert server.ops() == ["settle", "hold"] * 20


def test_what_was_lost_is_posted_again_in_the_same_words_and_not_forgotten() -> None:
    server = Server()
    server.transport.lossy = True
    server.may_settle.set()
    server.lost = 2
    posted = server.client.post("settle", {"hold_id": "h"})
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(server.client.request, "status")
        assert posted.result()["ok"] is True
        later.result(20)
    settlements = server.transport.of("settle")
    assert len(settlements) >= 3
    assert {(send.id, send.body["hold_id"]) for send in settlements} == {(settlements[0].id, "h")}
    assert server.ops() == ["settle"] * len(settlements) + ["status"]


def test_a_no_is_for_the_caller_that_requests_the_result_and_blocks_no_caller() -> None:
    server = Server(ok=False, code="CONFLICT", message="It was settled already.")
    posted = server.client.post("settle", {"hold_id": "h"})
    server.may_settle.set()
    server.client.catch_up()
    assert server.client.request("status")["ok"] is True
    with pytest.raises(ConflictError, match="settled already"):
        posted.result()


def test_a_silent_server_keeps_what_is_requested_later_waiting_for_a_bounded_time() -> None:
    server = Server()
    client = Client(server.transport, incarnation="n-2", timeout=0.5)
    client.request("status")
    server.lost = 1_000
    posted = client.post("settle", {"hold_id": "h"})
    assert client.request("status")["ok"] is True
    with pytest.raises(ServerUnreachableError):
        posted.result()


def test_nothing_is_posted_to_a_server_that_was_not_met() -> None:
    transport = FakeTransport()
    with pytest.raises(UnavailableError, match="not connected"):
        Client(transport, incarnation="n-1").post("settle", {})
    assert transport.sent == []


def test_what_cannot_be_sent_blocks_no_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()

    def failing(send: WireRequest, *, urgent: bool = False) -> None:
        raise UnavailableError("There is no way.")

    with monkeypatch.context() as patch:
        patch.setattr(server.transport, "send", failing)
        with pytest.raises(UnavailableError, match="no way"):
            server.client.post("settle", {})
    assert server.client.request("status")["ok"] is True


def test_a_child_does_not_wait_for_what_its_parent_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server()
    posted = server.client.post("settle", {"hold_id": "h"})
    monkeypatch.setattr(posted, "pid", posted.pid + 1)
    assert server.client.request("status")["ok"] is True
    server.may_settle.set()


# ---- requests whose callers wait later


def test_a_request_that_is_started_is_on_its_way_before_it_is_waited_for() -> None:
    server = Server()
    started = server.client.start("hold", {})
    (hold,) = server.transport.wait_for("hold")
    assert started.response()["hold_id"] == f"of {hold.id}"
    assert started.drop() is not None


def test_a_request_that_is_not_wanted_any_more_is_taken_back() -> None:
    server = Server()
    server.transport.response = lambda _: None
    started = server.client.start("hold", {})
    assert started.drop() is None
    assert [send.body for send in server.transport.of("cancel")] == [{"of": server.transport.of("hold")[0].id}]
    assert started.drop() is None
    assert len(server.transport.of("cancel")) == 1


def test_a_response_that_is_here_when_it_is_not_wanted_any_more_is_handed_over() -> None:
    server = Server()
    server.transport.response = lambda _: None
    started = server.client.start("hold", {})
    (hold,) = server.transport.of("hold")
    server.transport.deliver(hold.id, ok=True, hold_id="h")
    response = started.drop()
    assert response is not None
    assert response["hold_id"] == "h"
    assert server.transport.of("cancel") == []


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_while_it_is_waited_for_takes_it_back() -> None:
    server = Server()
    waited_for = threading.Event()

    def interrupt(send: WireRequest) -> None:
        if send.op == "hold":
            assert waited_for.wait(20)
            press_ctrl_c()

    def wait(waiter: Waiter, seconds: float) -> None:
        waited_for.set()
        waiter.sleep(seconds)

    server.transport.response = interrupt
    server.transport.wait = wait  # type: ignore[method-assign]
    started = server.client.start("hold", {})
    with pytest.raises(KeyboardInterrupt):
        started.response()
    assert server.transport.of("cancel")[0].body == {"of": server.transport.of("hold")[0].id}
    assert started.drop() is None
