"""The gateway's requests to the service: their time limits, cancelled holds, and posted requests that are resent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from aumos_governance.gateway.service_requests import ServiceRequests
from aumos_governance.service.callers import Caller
from aumos_governance.wire.protocol import WireRequest
from tests.gateway.gateway_server import CALLER

OK = {"ok": True, "state": {}}
WAITS = {"waiting": True}
SILENCE: tuple[dict[str, Any], ...] = ()
LOG = logging.getLogger("tests.gateway.service_requests")


def refused(code: str) -> dict[str, Any]:
    return {"ok": False, "code": code, "message": "No."}


class Service:
    """Sends these replies to one request after the other, and none to later ones."""

    def __init__(self, *replies: dict[str, Any] | tuple[dict[str, Any], ...]) -> None:
        self._replies = list(replies)
        self.requests: list[WireRequest] = []
        self.reply: Callable[[dict[str, Any]], None] | None = None
        self.delays: list[float] = []
        """The seconds of each wait; they pass a thousand times faster."""
        self.at_delay: dict[int, dict[str, Any]] = {}
        """Replies that are sent when the first, second, ... wait begins, by its number."""
        self.busy = 0.0
        """For how many seconds the loop does nothing else after each of these replies."""
        self.errors: list[dict[str, Any]] = []
        self.now = 0.0

    def submit(self, caller: Caller, message: WireRequest, reply: Callable[[dict[str, Any]], None]) -> None:
        assert caller is CALLER
        self.requests.append(message)
        self.reply = reply
        self.now += 1
        found = self._replies.pop(0) if self._replies else SILENCE
        for one in found if isinstance(found, tuple) else (found,):
            reply(one)

    @property
    def ops(self) -> list[str]:
        return [message.op for message in self.requests]

    def run(self, work: Callable[[ServiceRequests], Coroutine[Any, Any, Any]]) -> Any:
        async def main() -> Any:
            loop = asyncio.get_running_loop()
            later = loop.call_later

            def sooner(delay: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
                self.delays.append(delay)
                handle = later(delay / 1000, *arguments, **options)
                if len(self.delays) in self.at_delay and self.reply is not None:
                    self.reply(self.at_delay[len(self.delays)])
                    time.sleep(self.busy)
                return handle

            loop.call_later = sooner  # type: ignore[method-assign]
            loop.set_exception_handler(lambda _, context: self.errors.append(context))
            return await work(ServiceRequests(self, LOG, clock=lambda: self.now))  # type: ignore[arg-type]

        return asyncio.run(main())


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def request(op: str = "hold", **options: Any) -> Callable[[ServiceRequests], Awaitable[dict[str, Any]]]:
    return lambda requests: requests.request(CALLER, op, {"amount": "1"}, **options)


def test_a_response_is_returned_and_its_request_is_sent_once() -> None:
    service = Service(OK)
    assert service.run(request(seconds=10)) == OK
    [message] = service.requests
    assert (message.op, message.body, message.exp) == ("hold", {"amount": "1"}, 10)
    assert service.delays == [5]


@pytest.mark.parametrize(("op", "sent"), [("hold", ["hold", "cancel"]), ("evaluate", ["evaluate"])])
def test_without_a_sign_it_is_given_up_and_a_hold_is_taken_back(op: str, sent: list[str]) -> None:
    service = Service()
    response = service.run(request(op, seconds=10))
    assert (response["ok"], response["code"]) == (False, "UNAVAILABLE")
    assert service.ops == sent
    assert service.delays[:2] == [5, 5]
    if op == "hold":
        assert service.requests[1].body == {"of": service.requests[0].id}
        assert service.requests[1].id != service.requests[0].id


def test_a_call_that_waits_is_kept_waiting_by_copies_of_its_request() -> None:
    service = Service(WAITS, WAITS, (WAITS, OK))
    assert service.run(request(seconds=10)) == OK
    assert service.ops == ["hold"] * 3
    assert len({message.id for message in service.requests}) == 1
    assert [message.exp for message in service.requests] == [10, 11, 12]
    assert service.delays == [5, 5, 5]


def test_a_service_that_falls_silent_while_a_call_waits_is_not_waited_for() -> None:
    service = Service(WAITS)
    assert service.run(request(seconds=10))["code"] == "UNAVAILABLE"
    assert service.ops == ["hold", "hold", "cancel"]
    assert service.delays[:3] == [5, 5, 5]


def test_a_sign_after_a_silent_look_is_enough() -> None:
    service = Service(SILENCE, OK)
    service.at_delay[2] = WAITS
    assert service.run(request(seconds=10)) == OK
    assert service.ops == ["hold", "hold"]
    assert service.delays == [5, 5, 5]


@pytest.mark.parametrize("code", ["INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "SERVER_UNREACHABLE"])
def test_a_hold_that_may_have_been_made_is_taken_back(code: str) -> None:
    service = Service(refused(code), OK)

    async def work(requests: ServiceRequests) -> None:
        assert (await request()(requests))["code"] == code
        assert await requests.recorded(10)

    service.run(work)
    assert service.ops == ["hold", "cancel"]


@pytest.mark.parametrize("response", [OK, refused("BUSY"), refused("INVALID"), refused("EXPIRED")])
def test_a_hold_that_was_decided_or_never_begun_is_not_taken_back(response: dict[str, Any]) -> None:
    service = Service(response)
    assert service.run(request()) == response
    assert service.ops == ["hold"]


def test_a_hold_of_a_task_that_is_cancelled_is_taken_back() -> None:
    service = Service(SILENCE, OK)

    async def work(requests: ServiceRequests) -> None:
        task = asyncio.ensure_future(request()(requests))
        await settled()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await requests.recorded(10)

    service.run(work)
    assert service.ops == ["hold", "cancel"]


def test_a_response_ends_the_wait_for_it() -> None:
    service = Service(OK)

    async def work(requests: ServiceRequests) -> None:
        await request(seconds=10)(requests)
        await asyncio.sleep(20)

    service.run(work)
    assert service.delays == [5, 20]


def test_a_response_at_the_last_moment_is_in_time() -> None:
    service = Service()
    service.at_delay[2] = OK
    # The response and the end of the time are both due when the loop goes on.
    service.busy = 0.02
    assert service.run(request(seconds=10)) == OK
    assert service.errors == []


def test_a_second_response_and_a_late_one_change_nothing() -> None:
    service = Service((OK, refused("BUSY")))

    async def work(requests: ServiceRequests) -> None:
        assert await request()(requests) == OK
        assert service.reply is not None
        service.reply(refused("BUSY"))
        await settled()

    service.run(work)
    assert service.errors == []
    assert service.reply is not None
    # The gateway's event loop is closed now.
    service.reply(OK)


# ---- posted requests


def test_what_is_posted_goes_out_at_once_and_once() -> None:
    service = Service((WAITS, OK))

    async def work(requests: ServiceRequests) -> None:
        requests.post(CALLER, "settle", {"hold_id": "h"})
        assert service.ops == ["settle"]
        assert await requests.recorded(10)
        assert await requests.recorded(10)

    service.run(work)
    [message] = service.requests
    assert (message.body, message.exp) == ({"hold_id": "h"}, 20)
    assert service.errors == []


def test_with_nothing_posted_nothing_is_waited_for() -> None:
    service = Service()
    assert service.run(lambda requests: requests.recorded(10)) is True
    assert service.delays == []


def test_what_is_posted_is_sent_again_until_it_is_recorded(caplog: pytest.LogCaptureFixture) -> None:
    codes = ["BUSY", "EXPIRED", "INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED", "SERVER_UNREACHABLE", "UNAVAILABLE"]
    service = Service(*map(refused, codes), OK)

    async def work(requests: ServiceRequests) -> None:
        requests.post(CALLER, "settle", {"hold_id": "h"})
        assert await requests.recorded(10**6)

    service.run(work)
    assert len(service.requests) == len(codes) + 1
    assert len({message.id for message in service.requests}) == 1
    assert [message.exp for message in service.requests] == [20 + number for number in range(len(codes) + 1)]
    pauses = [delay for delay in service.delays if delay not in (10, 10**6)]
    assert pauses == [0.05, 0.2, 1, 5, 5, 5, 5]
    # Only the first failure is logged.
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_what_is_posted_to_a_silent_service_is_sent_again() -> None:
    service = Service(SILENCE, OK)

    async def work(requests: ServiceRequests) -> None:
        requests.post(CALLER, "settle", {"hold_id": "h"})
        assert await requests.recorded(10**6)

    service.run(work)
    assert service.ops == ["settle"] * 2


@pytest.mark.parametrize(("op", "levels"), [("settle", ["WARNING"]), ("adjust", [])])
def test_what_is_refused_for_good_is_not_sent_again(
    op: str, levels: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(refused("CONFLICT"), OK)

    async def work(requests: ServiceRequests) -> None:
        requests.post(CALLER, op, {})
        assert await requests.recorded(10)

    service.run(work)
    assert service.ops == [op]
    assert [record.levelname for record in caplog.records] == levels


def test_what_is_not_recorded_in_time_is_given_up() -> None:
    service = Service(OK)

    async def work(requests: ServiceRequests) -> None:
        for _ in range(2):
            requests.post(CALLER, "settle", {})
        await settled()
        assert await requests.recorded(1) is False
        await settled()
        assert await requests.recorded(1) is True
        assert asyncio.all_tasks() == {asyncio.current_task()}
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 50)

    service.run(work)
    assert service.ops == ["settle"] * 2
