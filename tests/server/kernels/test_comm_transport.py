"""The comm transport on real sockets, with a kernel that sends arbitrary messages."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import zmq
from jupyter_client.session import Session

from aumos_governance.server.kernels.comm_transport import CommTransport
from aumos_governance.wire.protocol import IOPUB_TOPIC
from tests.server.fake_kernel import TOPIC, FakeKernel


class Echo:
    """A replacement for a conversation, which responds with the request that it received."""

    def __init__(self) -> None:
        self.fail = False

    def receive(self, data: Any, reply: Callable[[dict[str, Any]], None], *, expect: Callable[[int], None]) -> None:
        if self.fail:
            raise ZeroDivisionError
        expect(len(data["asks"]))
        for request in data["asks"]:
            reply({"id": request, "ok": True})


class Line:
    def __init__(self, kernel: FakeKernel, echo: Echo, transport: CommTransport) -> None:
        self.kernel, self.echo, self.transport = kernel, echo, transport

    async def responses(self) -> list[dict[str, Any]]:
        body = await asyncio.to_thread(self.kernel.responded)
        assert body["v"] == 1
        return body["answers"]


Open = Callable[[], Any]


@pytest.fixture
def line(jp_asyncio_loop: Any) -> Callable[[], Any]:
    """Return a context manager that opens a transport to a fake kernel."""

    @asynccontextmanager
    async def connected() -> AsyncIterator[Line]:
        context: zmq.Context[Any] = zmq.Context()
        kernel, echo = FakeKernel(context), Echo()
        kernel.control.rcvtimeo = 10_000
        transport = CommTransport(
            kernel,
            echo,
            loop=asyncio.get_running_loop(),
            log=logging.getLogger("line"),  # type: ignore[arg-type]
        )
        transport.open()
        try:
            # The kernel's socket receives each change of the subscription: to all, to nothing, to the topic of
            # governance.
            kernel.iopub.rcvtimeo = 10_000
            while await asyncio.to_thread(kernel.iopub.recv) != b"\1" + IOPUB_TOPIC:
                pass
            yield Line(kernel, echo, transport)
        finally:
            transport.close()
            transport.close()
            assert all(stream.closed() for stream in kernel.opened)
            context.destroy(linger=0)

    return connected


async def test_a_request_gets_its_response(line: Any) -> None:
    async with line() as connected:
        connected.kernel.send(["a"])
        assert await connected.responses() == [{"id": "a", "ok": True}]


async def test_responses_that_are_ready_together_travel_together(line: Any) -> None:
    async with line() as connected:
        connected.kernel.send([f"a{number}" for number in range(1_000)])
        assert len(await connected.responses()) == 1_000


GARBLED: dict[str, Callable[[FakeKernel], Any]] = {
    "no message": lambda kernel: kernel.iopub.send_multipart([TOPIC]),
    "no frames": lambda kernel: kernel.iopub.send_multipart([TOPIC, b"<IDS|MSG>"]),
    "no delimiter": lambda kernel: kernel.iopub.send_multipart([TOPIC, b"x"]),
    "a bad signature": lambda kernel: kernel.iopub.send_multipart([TOPIC, b"<IDS|MSG>", b"0" * 64, *[b"{}"] * 4]),
    "no object": lambda kernel: Session(key=b"the key").send(kernel.iopub, "comm_msg", "x", ident=TOPIC),
    "too long": lambda kernel: kernel.send(["x" * 5_000_000]),
}


@pytest.mark.parametrize("what", GARBLED)
async def test_what_is_garbled_is_refused_and_silences_nothing(line: Any, what: str) -> None:
    async with line() as connected:
        GARBLED[what](connected.kernel)
        [refusal] = await connected.responses()
        assert (refusal["id"], refusal["ok"], refusal["code"]) == (None, False, "INVALID_REQUEST")
        connected.kernel.send(["a"])
        assert await connected.responses() == [{"id": "a", "ok": True}]


async def test_a_failure_inside_silences_nothing(line: Any) -> None:
    async with line() as connected:
        connected.echo.fail = True
        connected.kernel.send(["a"])
        assert (await connected.responses())[0]["ok"] is False
        connected.echo.fail = False
        connected.kernel.send(["b"])
        assert await connected.responses() == [{"id": "b", "ok": True}]


async def test_what_is_not_for_us_is_left_alone(line: Any) -> None:
    async with line() as connected:
        connected.kernel.publish("comm_close", {"comm_id": "aumos-gov-1", "data": {"asks": ["no"]}})
        connected.kernel.publish("comm_msg", {"comm_id": "other", "data": {"asks": ["no"]}})
        connected.kernel.publish("stream", {"text": "x"}, b"kernel.stream.stdout")
        connected.kernel.send(["yes"])
        assert await connected.responses() == [{"id": "yes", "ok": True}]


async def test_a_response_goes_out_though_the_loop_stands_still(line: Any) -> None:
    async with line() as connected:
        taken: asyncio.Future[Callable[[dict[str, Any]], None]] = asyncio.get_running_loop().create_future()
        connected.echo.receive = lambda data, reply, expect: (expect(len(data["asks"])), taken.set_result(reply))
        connected.kernel.send(["a"])
        responding = threading.Thread(target=await taken, args=[{"id": "a"}])
        responding.start()
        # This test runs in the loop's thread.
        assert connected.kernel.responded()["answers"] == [{"id": "a"}]
        responding.join()


async def test_the_last_of_several_responses_takes_the_others_along(line: Any) -> None:
    async with line() as connected:
        taken: asyncio.Future[Callable[[dict[str, Any]], None]] = asyncio.get_running_loop().create_future()
        connected.echo.receive = lambda data, reply, expect: (expect(len(data["asks"])), taken.set_result(reply))
        connected.kernel.send(["a", "b", "c"])
        reply = await taken
        for request in ("a", "b", "c"):
            reply({"id": request})
        assert [response["id"] for response in await connected.responses()] == ["a", "b", "c"]


async def test_a_response_after_the_end_is_dropped(line: Any) -> None:
    async with line() as connected:
        connected.transport.close()
        connected.transport._outbox.put({"id": "late"})
        await asyncio.sleep(0)
        connected.kernel.control.rcvtimeo = 50
        with pytest.raises(zmq.Again):
            await asyncio.to_thread(connected.kernel.responded)
