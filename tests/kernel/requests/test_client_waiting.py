"""A request that waits for a user lasts as long as the client renews it and the server responds that it waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from aumos_governance.errors import ConflictError, GovernanceDeniedError, ServerUnreachableError
from aumos_governance.kernel.requests import in_flight
from aumos_governance.kernel.requests.client import Client
from aumos_governance.wire.protocol import WireRequest
from tests.kernel.fake_transport import FakeTransport

WAITING = {"approval_id": "p-1", "digest": "d-1", "until": 1.0}


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renewals and their time limit take fractions of a second, so that a test needs no minutes."""
    monkeypatch.setattr(in_flight, "_RENEWED_EVERY", 0.1)
    monkeypatch.setattr(in_flight, "_RENEWED_FOR", 0.5)


class User:
    """A user who decides when the action's request has been sent ``copies`` times; the earlier copies wait."""

    def __init__(self, copies: int, *, silent_after: int | None = None) -> None:
        self.copies = copies
        self.silent_after = silent_after
        self.heard = 0

    def __call__(self, request: WireRequest) -> Mapping[str, Any] | None:
        if request.op != "authorize":
            return {"ok": True}
        self.heard += 1
        if self.silent_after is not None and self.heard > self.silent_after:
            return None
        return {"ok": True, "hold_id": "h-1"} if self.heard >= self.copies else {"ok": True, "waiting": WAITING}


def requested(transport: FakeTransport, on_waiting: Any = None) -> dict[str, Any]:
    return Client(transport, incarnation="n", timeout=0.3).request("authorize", {"amount": "1"}, on_waiting=on_waiting)


def test_a_user_is_waited_for_longer_than_a_response() -> None:
    notices: list[tuple[Mapping[str, Any], threading.Thread]] = []
    transport = FakeTransport(User(15), lossy=True)
    response = requested(transport, lambda waiting: notices.append((waiting, threading.current_thread())))
    assert response["hold_id"] == "h-1"
    assert notices == [(WAITING, threading.current_thread())]
    sent = transport.of("authorize")
    assert len(sent) >= 15
    assert len({request.id for request in sent}) == 1
    expiries = [request.exp for request in sent]
    assert expiries == sorted(expiries)
    assert expiries[-1] - expiries[0] > 0.8, "whoever waits goes on saying so"
    assert transport.of("cancel") == []


def test_what_waits_for_something_else_is_notified_again() -> None:
    waits = [WAITING, WAITING, {"needs": "0.4", "until": 1.0}, {"needs": "0.4", "until": 1.0}, {"needs": "0.2"}]
    transport = FakeTransport(
        lambda request: {"ok": True, "waiting": waits.pop(0)} if waits else {"ok": True, "hold_id": "h-1"}, lossy=True
    )
    notices: list[Mapping[str, Any]] = []
    assert requested(transport, notices.append)["hold_id"] == "h-1"
    assert [waiting.get("needs") for waiting in notices] == [None, "0.4", "0.2"]


def test_what_can_get_lost_nowhere_is_posted_once_more_and_then_left() -> None:
    transport = FakeTransport(User(2))
    assert requested(transport)["hold_id"] == "h-1"
    first, renewed = transport.of("authorize")
    assert renewed.exp - first.exp > 86_400


def test_a_server_that_falls_silent_is_not_waited_for() -> None:
    transport = FakeTransport(User(99, silent_after=3), lossy=True)
    with pytest.raises(ServerUnreachableError, match="silent for"):
        requested(transport)
    (cancel,) = transport.wait_for("cancel")
    assert cancel.body == {"of": transport.of("authorize")[0].id, "act": True}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ConflictError("decided"), RuntimeError("shown badly")])
def test_what_ends_the_wait_takes_the_question_back(error: Any) -> None:
    def end(waiting: Mapping[str, Any]) -> None:
        raise error

    transport = FakeTransport(User(99), lossy=True)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        requested(transport, end)
    (cancel,) = transport.wait_for("cancel")
    assert cancel.body["act"] is True
    assert cancel in transport.urgent


def test_a_server_that_has_forgotten_the_kernel_is_met_again_and_gets_the_same_request() -> None:
    forgets = iter([True])

    def response(request: WireRequest) -> Mapping[str, Any] | None:
        copies = len(transport.of("authorize"))
        if request.op == "authorize" and copies >= 3 and next(forgets, False):
            return {"ok": False, "code": "HELLO_REQUIRED", "message": "Say hello."}
        return {"ok": True, "hold_id": "h-1"} if copies >= 6 else {"ok": True, "waiting": WAITING}

    notices: list[Any] = []
    transport = FakeTransport(response, lossy=True)
    assert requested(transport, notices.append)["hold_id"] == "h-1"
    assert (len(transport.of("hello")), len({request.id for request in transport.of("authorize")}), len(notices)) == (
        2,
        1,
        1,
    )


def test_an_error_of_a_waiting_act_is_raised() -> None:
    def response(request: WireRequest) -> Mapping[str, Any]:
        if len(transport.of("authorize")) >= 3:
            return {"ok": False, "code": "CONFLICT", "message": "It was cancelled."}
        return {"ok": True, "waiting": WAITING}

    transport = FakeTransport(response, lossy=True)
    with pytest.raises(ConflictError, match="cancelled") as caught:
        requested(transport)
    assert not isinstance(caught.value, GovernanceDeniedError)


def test_a_task_waits_and_lets_its_loop_go_on() -> None:
    async def story() -> tuple[dict[str, Any], int]:
        transport = FakeTransport(User(8), lossy=True)
        client = Client(transport, incarnation="n", timeout=0.3)
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0.01)

        counting = asyncio.ensure_future(count())
        response = await client.request_async("authorize", {}, on_waiting=lambda waiting: None)
        counting.cancel()
        return response, turns

    response, turns = asyncio.run(story())
    assert response["hold_id"] == "h-1"
    assert turns > 10


def test_a_task_that_is_cancelled_takes_the_question_back() -> None:
    transport = FakeTransport(User(99), lossy=True)

    async def story() -> None:
        client = Client(transport, incarnation="n", timeout=0.3)
        waits = asyncio.Event()
        requesting = asyncio.ensure_future(
            client.request_async("authorize", {}, on_waiting=lambda waiting: waits.set())
        )
        await waits.wait()
        requesting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await requesting

    asyncio.run(story())
    assert transport.wait_for("cancel")[0].body["act"] is True
