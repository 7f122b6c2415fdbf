"""A busy server: the client resends refused requests, and never after their expiry."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import pytest

from aumos_governance.errors import BusyError, ServerUnreachableError
from aumos_governance.kernel.requests import in_flight
from aumos_governance.kernel.requests.client import Client
from aumos_governance.kernel.requests.in_flight import LONGEST_PAUSE, pauses
from aumos_governance.wire.protocol import WireRequest
from tests.kernel.fake_transport import FakeTransport

BUSY = {"ok": False, "code": "BUSY", "message": "Too many requests."}
ALLOWED = {"ok": True, "decision": {"allowed": True}}


def client_of(transport: FakeTransport, *, timeout: float = 20.0) -> Client:
    return Client(transport, incarnation="n-1", timeout=timeout)


class Crowded:
    """Refuses each request ``refusals`` times as busy, and then carries it out."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.seen: Counter[str] = Counter()

    def __call__(self, request: WireRequest) -> dict[str, Any]:
        self.seen[request.id] += 1
        return BUSY if self.seen[request.id] <= self.refusals else ALLOWED


def test_a_refused_request_goes_out_again_with_its_id_and_expiry() -> None:
    transport = FakeTransport(Crowded(3))
    assert client_of(transport).request("spend", {"amount": "1"})["decision"]["allowed"]
    sent = transport.of("spend")
    assert len(sent) == 4
    assert len({(request.id, request.exp) for request in sent}) == 1
    assert transport.of("cancel") == []


def test_threads_and_tasks_go_on_at_the_pace_of_the_server() -> None:
    crowded = Crowded(1)
    transport = FakeTransport(crowded)
    client = client_of(transport)

    async def tasks() -> list[dict[str, Any]]:
        return await asyncio.gather(*[client.request_async("hold", {"amount": "1"}) for _ in range(20)])

    with ThreadPoolExecutor(16) as pool:
        responses = [*pool.map(lambda _: client.request("spend", {"amount": "1"}), range(40)), *asyncio.run(tasks())]
    assert all(response["decision"]["allowed"] for response in responses)
    assert len(crowded.seen) == 60


@pytest.mark.parametrize("lossy", [False, True])
def test_a_server_that_stays_busy_is_given_up_in_time_with_its_own_words(lossy: bool) -> None:
    transport = FakeTransport(lambda _: BUSY, lossy=lossy)
    with pytest.raises(BusyError, match="Too many requests"):
        client_of(transport, timeout=0.5).request("spend", {"amount": "1"})
    assert len(transport.of("spend")) > 2
    if not lossy:
        # Each copy was refused, so nothing is taken back. With a lossy transport a late copy may still be queued.
        assert transport.of("cancel") == []


def test_an_interrupt_while_the_server_is_busy_takes_nothing_back() -> None:
    transport = FakeTransport(lambda _: BUSY)
    client = client_of(transport)

    async def main() -> None:
        task = asyncio.create_task(client.request_async("spend", {"amount": "1"}))
        await asyncio.to_thread(transport.wait_for, "spend", 3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    # Only a copy without a response yet may have been carried out; earlier ones were refused.
    assert len(transport.of("cancel")) <= 1


def test_a_cancel_that_is_refused_goes_out_again() -> None:
    crowded = Crowded(2)

    def response(request: WireRequest) -> dict[str, Any] | None:
        return None if request.op == "spend" else {**crowded(request), "voided": True}

    transport = FakeTransport(response)
    with pytest.raises(ServerUnreachableError):
        client_of(transport, timeout=0.05).request("spend", {"amount": "1"})
    assert len({request.id for request in transport.wait_for("cancel", 3)}) == 1


def test_a_posted_settlement_that_is_refused_goes_out_again_by_itself() -> None:
    transport = FakeTransport(Crowded(1))
    client = client_of(transport)
    client.request("status")
    over = threading.Event()
    posted = client.post("settle", {"hold_id": "h", "amount": "1"})
    posted.then(over.set)
    assert over.wait(20)
    assert posted.result() == {**ALLOWED, "id": posted.request.id}
    assert len(transport.of("settle")) == 2


def test_the_pauses_grow_and_differ() -> None:
    first, second = (list(islice(pauses(), 12)) for _ in range(2))
    assert first != second
    assert 0.005 <= first[0] <= 0.01
    assert all(LONGEST_PAUSE / 2 <= seconds <= LONGEST_PAUSE for seconds in first[-5:])


LATE = [
    ("spend", ALLOWED, True),
    ("evaluate", ALLOWED, True),
    ("evaluate", {"ok": True, "decision": {"allowed": False}}, False),
    ("open", {"ok": True, "state": {"active": True}}, True),
    ("settle", {"ok": True, "resolution": {}}, False),
    ("status", {"ok": False, "code": "INVALID_REQUEST", "message": "Not so."}, None),
]


@pytest.mark.parametrize(("op", "response", "silent"), LATE)
def test_no_yes_is_given_after_its_time(
    monkeypatch: pytest.MonkeyPatch, op: str, response: dict[str, Any], silent: bool | None
) -> None:
    transport = FakeTransport()
    client = client_of(transport)
    client.request("status")
    transport.response = lambda _: None
    real, ahead = in_flight.monotonic, 0.0
    monkeypatch.setattr(in_flight, "monotonic", lambda: real() + ahead)
    started = client.start(op, {"amount": "1"})
    transport.deliver(transport.of(op)[-1].id, **response)
    ahead = 60.0
    if silent is False:
        assert started.response()["ok"]
    else:
        with pytest.raises(Exception, match="silent" if silent else "Not so"):
            started.response()
    if op == "open":
        assert client.took_effect() == [("open", {"active": True})], "what stands is named with the next response"
