"""A client's requests from threads and tasks: sent, resent, expired, interrupted, and their responses."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from aumos_governance.errors import (
    ExpiredError,
    InvalidAmountError,
    LedgerError,
    ServerUnreachableError,
    UnavailableError,
)
from aumos_governance.kernel.requests.client import Client
from aumos_governance.kernel.requests.in_flight import StartedRequest
from aumos_governance.wire.protocol import Cell, WireRequest
from tests.interrupting import press_ctrl_c
from tests.kernel.fake_transport import FakeTransport


def client_of(transport: FakeTransport, *, timeout: float = 10.0, hello_timeout: float = 5.0) -> Client:
    return Client(transport, incarnation="n-1", timeout=timeout, hello_timeout=hello_timeout)


def test_the_first_request_says_hello_and_the_next_does_not() -> None:
    transport = FakeTransport()
    client = client_of(transport)
    assert transport.sent == []
    client.request("status")
    client.request("status")
    assert [request.op for request in transport.sent] == ["hello", "status", "status"]
    assert transport.sent[0].body["incarnation"] == "n-1"
    assert client.greeting["ok"] is True


def test_a_request_carries_its_cell_and_body_and_gives_its_response() -> None:
    transport = FakeTransport(lambda request: {"ok": True, "echo": dict(request.body)})
    response = client_of(transport).request("spend", {"amount": "0.05"}, cell=Cell("c-1", 3))
    assert response["echo"] == {"amount": "0.05"}
    assert transport.of("spend")[0].cell == Cell("c-1", 3)


def test_every_request_has_an_id_of_its_own() -> None:
    transport = FakeTransport()
    client = client_of(transport)
    for _ in range(50):
        client.request("status")
    assert max(Counter(request.id for request in transport.sent).values()) == 1


def test_a_response_that_is_no_decision_raises_what_it_stands_for() -> None:
    transport = FakeTransport(lambda _: {"ok": False, "code": "INVALID_AMOUNT", "message": "The amount must not be 0."})
    with pytest.raises(InvalidAmountError, match="must not be 0"):
        client_of(transport).request("spend", {"amount": "0"})


def test_the_expiry_is_reckoned_in_the_servers_clock() -> None:
    transport = FakeTransport(clock_ahead=-86_400.0)
    client_of(transport, timeout=7.0).request("spend", {"amount": "1"})
    left = transport.of("spend")[0].exp - transport.now()
    # The expiry is never late, and early at most by the time that the response to the hello took.
    assert 5.0 < left <= 7.0


def test_a_lost_message_is_sent_again_with_the_same_id_and_content() -> None:
    def third_time(request: WireRequest) -> dict[str, Any] | None:
        return {"ok": True} if len(transport.of("spend")) >= 3 else None

    transport = FakeTransport(third_time, lossy=True)
    client_of(transport).request("spend", {"amount": "1"})
    sent = transport.of("spend")
    assert len(sent) >= 3
    assert len(set(map(repr, sent))) == 1


def test_a_failure_takes_back_what_was_sent_more_than_once() -> None:
    failure = {"ok": False, "code": "LEDGER_UNAVAILABLE", "message": "The disk is full."}

    def second_time(request: WireRequest) -> dict[str, Any] | None:
        return failure if len(transport.of("spend")) >= 2 else None

    transport = FakeTransport(second_time, lossy=True)
    with pytest.raises(LedgerError, match="disk is full"):
        client_of(transport).request("spend", {"amount": "1"})
    (cancel,) = transport.wait_for("cancel")
    assert cancel.body["of"] == transport.of("spend")[0].id
    once = FakeTransport(lambda _: failure)
    with pytest.raises(LedgerError):
        client_of(once).request("spend", {"amount": "1"})
    assert once.of("cancel") == [], "of what was sent once, that copy failed"


def test_a_settlement_is_never_taken_back() -> None:
    transport = FakeTransport(lambda _: None)
    client = client_of(transport)

    async def interrupted(op: str) -> None:
        task = asyncio.create_task(client.request_async(op, {"hold_id": "h", "amount": "1"}))
        await asyncio.to_thread(transport.wait_for, op)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    for op in ("settle", "release", "hold"):
        asyncio.run(interrupted(op))
    (cancel,) = transport.wait_for("cancel")
    assert cancel.body["of"] == transport.of("hold")[0].id


def test_a_transport_that_loses_nothing_gets_a_request_once() -> None:
    def late(request: WireRequest) -> None:
        timer = threading.Timer(0.6, transport.deliver, [request.id], {"ok": True})
        timer.daemon = True
        timer.start()

    transport = FakeTransport(late)
    client_of(transport).request("spend", {"amount": "1"})
    assert len(transport.of("spend")) == 1


def test_silence_raises_in_bounded_time_and_only_after_the_expiry() -> None:
    transport = FakeTransport(lambda _: None)
    client = client_of(transport, timeout=0.5)
    began = time.monotonic()
    with pytest.raises(ServerUnreachableError):
        client.request("spend", {"amount": "1"})
    assert time.monotonic() - began < 5.0
    assert transport.now() > max(request.exp for request in transport.of("spend"))
    # The request may have been carried out, with only its response lost, so it is cancelled.
    (cancel,) = transport.of("cancel")
    assert cancel.body == {"of": transport.of("spend")[0].id}
    assert cancel.exp > transport.now() + 60


def test_a_server_without_a_greeting_is_unreachable_in_bounded_time() -> None:
    transport = FakeTransport(lossy=True)
    transport._reply = lambda request: None  # type: ignore[method-assign]
    began = time.monotonic()
    with pytest.raises(ServerUnreachableError):
        client_of(transport, hello_timeout=2.0).request("spend", {"amount": "1"})
    assert time.monotonic() - began < 5.0
    # The server may not have subscribed yet, so the hello is resent; no other request is sent before its response.
    assert len(transport.of("hello")) >= 2
    assert transport.of("spend") == []


def test_a_greeting_that_cannot_be_read_is_no_permission() -> None:
    transport = FakeTransport()
    transport._reply = lambda request: transport.deliver(request.id, ok=True)  # type: ignore[method-assign]
    with pytest.raises(UnavailableError, match="same version"):
        client_of(transport).request("status")


@pytest.mark.parametrize("code", ["EXPIRED", "HELLO_REQUIRED"])
def test_a_server_that_was_not_met_is_greeted_and_gets_the_request_again(code: str) -> None:
    def after_a_second_hello(request: WireRequest) -> dict[str, Any]:
        if len(transport.of("hello")) < 2:
            return {"ok": False, "code": code, "message": "Nothing was done."}
        return {"ok": True}

    transport = FakeTransport(after_a_second_hello)
    client = client_of(transport)
    client.request("spend", {"amount": "1"})
    assert [request.op for request in transport.sent] == ["hello", "spend", "hello", "spend"]
    assert len({request.id for request in transport.of("spend")}) == 1


def test_a_server_that_always_says_expired_gets_no_request_for_ever() -> None:
    transport = FakeTransport(lambda _: {"ok": False, "code": "EXPIRED", "message": "Nothing was done."})
    with pytest.raises(ExpiredError):
        client_of(transport).request("spend", {"amount": "1"})
    assert len(transport.of("spend")) == 3


def test_responses_to_no_request_are_ignored() -> None:
    transport = FakeTransport()
    client = client_of(transport)
    client.request("status")
    transport.deliver("unknown", ok=True)
    transport.deliver(None, ok=False, code="INVALID_REQUEST", message="That could not be read.")
    transport.deliver(transport.sent[-1].id, ok=True)
    assert client.request("status")["ok"] is True


def test_threads_each_get_their_own_response() -> None:
    transport = FakeTransport(lambda request: {"ok": True, "amount": request.body["amount"]})
    client = client_of(transport)

    def spend(number: int) -> bool:
        return client.request("spend", {"amount": str(number)})["amount"] == str(number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(spend, range(200)))


def test_tasks_wait_without_blocking_their_loop() -> None:
    released = threading.Event()

    def when_released(request: WireRequest) -> dict[str, Any]:
        assert released.wait(20)
        return {"ok": True, "amount": request.body["amount"]}

    transport = FakeTransport(when_released)
    client = client_of(transport)

    async def main() -> list[str]:
        tasks = [asyncio.create_task(client.request_async("spend", {"amount": str(n)})) for n in range(50)]
        # This task continues, which shows that no request blocks the event loop.
        await asyncio.to_thread(transport.wait_for, "spend", 50)
        released.set()
        return [response["amount"] for response in await asyncio.gather(*tasks)]

    assert asyncio.run(main()) == [str(n) for n in range(50)]


def test_an_async_request_is_sent_again_and_fails_closed_too() -> None:
    transport = FakeTransport(lambda _: None, lossy=True)
    with pytest.raises(ServerUnreachableError):
        asyncio.run(client_of(transport, timeout=2.0).request_async("spend", {"amount": "1"}))
    assert len(transport.of("spend")) >= 2


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_takes_the_request_back_and_goes_on_up() -> None:
    def interrupt(request: WireRequest) -> None:
        if request.op == "spend":
            press_ctrl_c()

    transport = FakeTransport(interrupt)
    with pytest.raises(KeyboardInterrupt):
        client_of(transport).request("spend", {"amount": "1"}, cell=Cell("c-1", 1))
    (spend,) = transport.of("spend")
    (cancel,) = transport.of("cancel")
    assert cancel.body == {"of": spend.id}
    assert cancel.id != spend.id
    assert cancel.exp > spend.exp
    assert transport.urgent == [cancel]


def test_an_interrupt_between_sending_and_waiting_takes_the_request_back(monkeypatch: pytest.MonkeyPatch) -> None:
    response = StartedRequest.response

    def press(started: StartedRequest) -> dict[str, Any]:
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        # Requests of an earlier test are still being taken back in another thread.
        return response(started)

    transport = FakeTransport(lambda request: None if request.op == "spend" else {"ok": True})
    client = client_of(transport)
    client.request("status")
    monkeypatch.setattr(StartedRequest, "response", press)
    # IPython keeps the traceback of the interrupt, and with it the frames and their objects, and so does this test.
    with pytest.raises(KeyboardInterrupt) as kept:
        client.request("spend", {"amount": "1"})
    assert kept.tb is not None
    assert [request.op for request in transport.sent] == ["hello", "status", "spend", "cancel"]


def test_a_cancelled_task_takes_its_request_back() -> None:
    transport = FakeTransport(lambda _: None)
    client = client_of(transport)

    async def main() -> None:
        task = asyncio.create_task(client.request_async("spend", {"amount": "1"}))
        await asyncio.to_thread(transport.wait_for, "spend")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert transport.of("cancel")[0].body == {"of": transport.of("spend")[0].id}


def test_what_never_went_out_needs_no_cancel_and_a_reading_none_either() -> None:
    transport = FakeTransport(lambda _: None)
    client = client_of(transport)

    async def interrupted(op: str) -> None:
        task = asyncio.create_task(client.request_async(op))
        (request,) = await asyncio.to_thread(transport.wait_for, op)
        transport.kept_back.add(request.id)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(interrupted("spend"))
    transport.kept_back.clear()
    asyncio.run(interrupted("status"))
    assert transport.of("cancel") == []


def test_a_request_that_was_sent_before_is_cancelled_though_its_repetition_is_kept_back() -> None:
    transport = FakeTransport(lambda _: None, lossy=True)
    client = client_of(transport)

    async def main() -> None:
        task = asyncio.create_task(client.request_async("spend", {"amount": "1"}))
        sent = await asyncio.to_thread(transport.wait_for, "spend", 2)
        transport.kept_back.add(sent[0].id)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert len(transport.of("cancel")) == 1


def test_what_is_mentioned_is_waited_for_until_it_is_taken_in_and_never_sent_again() -> None:
    taken_in = threading.Event()

    def respond(request: WireRequest) -> dict[str, Any]:
        assert request.op != "cell" or taken_in.wait(20)
        return {"ok": True}

    transport = FakeTransport(respond, lossy=True)
    client = client_of(transport)
    assert not client.notify("cell", cell=Cell("c-1", 1), seconds=20)
    assert transport.sent == []
    client.request("status")
    assert not client.notify("cell", cell=Cell("c-1", 1), seconds=0)
    with ThreadPoolExecutor() as pool:
        mentioned = pool.submit(client.notify, "cell", cell=Cell("c-2", 2), seconds=20)
        transport.wait_for("cell", 2)
        assert not mentioned.done()
        taken_in.set()
        assert mentioned.result(20)
    assert [ask.cell.count for ask in transport.of("cell")] == [1, 2]
