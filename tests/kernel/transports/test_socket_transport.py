"""The kernel's side of the local socket, with a fake process at its address."""

from __future__ import annotations

import json
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from aumos_governance.errors import ServerUnreachableError
from aumos_governance.kernel.requests.client import Client
from aumos_governance.kernel.transports.socket_transport import SocketTransport, _SocketConnection
from aumos_governance.kernel.transports.spawned import SpawnedTransport
from aumos_governance.kernel.transports.waiter import Waiter
from aumos_governance.wire.protocol import WireRequest, socket_proof
from tests.bridge.live_server import until

Responses = Callable[[dict[str, Any]], Any]


class Peer:
    """A fake server on loopback that responds to the greeting with ``greet``, and allows all requests."""

    def __init__(self, greet: Responses) -> None:
        self.greet = greet
        self.heard: list[dict[str, Any]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.offer = {"address": list(self.listener.getsockname()[:2]), "token": "t", "secret": "s"}
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, suppress(OSError):
            for number, line in enumerate(lines):
                message = json.loads(line)
                if number:
                    self.heard.append(message)
                    reported = {"ok": True, "server_time": time.time()}
                    response = {"v": 1, "answers": [{"id": request["id"], **reported} for request in message["asks"]]}
                else:
                    response = self.greet(message)
                connection.sendall(json.dumps(response).encode() + b"\n")

    def close(self) -> None:
        # Closing the socket would not end an `accept` that waits.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(20)


@pytest.fixture
def responds_as() -> Iterator[Callable[[Responses], Peer]]:
    there: list[Peer] = []

    def make(greet: Responses) -> Peer:
        there.append(Peer(greet))
        return there[-1]

    yield make
    for peer in there:
        peer.close()


def proven(message: Mapping[str, Any]) -> dict[str, Any]:
    return {"v": 1, "ok": True, "proof": socket_proof("s", message["challenge"])}


def request(number: int = 0) -> WireRequest:
    return WireRequest(f"a-{number}", "status", time.time() + 60)


def test_a_server_that_proves_itself_gets_requests(responds_as: Callable[[Responses], Peer]) -> None:
    server = responds_as(proven)
    responses: list[Mapping[str, Any]] = []
    transport = SocketTransport(responses.append)
    transport.take_offer(server.offer)
    waiter = Waiter()
    until(lambda: transport.send(request()), "it is connected")
    until(lambda: transport.wait(waiter, 0.1) or responses, "the answer is read by who waits")
    assert [(response["id"], response["ok"]) for response in responses] == [("a-0", True)]


@pytest.mark.parametrize(
    "greet",
    [
        lambda message: {"v": 1, "ok": True},
        lambda message: {"v": 1, "ok": True, "proof": message["challenge"]},
        lambda message: {"v": 1, "ok": True, "proof": socket_proof("t", message["challenge"])},
        lambda message: {"v": 1, "ok": True, "proof": "é"},
        lambda message: {"v": 1, "ok": True, "proof": None},
        lambda message: ["ok"],
    ],
    ids=["no proof", "an echo", "from the token", "no hexadecimal", "null", "no object"],
)
def test_another_process_at_that_address_is_found_out(
    responds_as: Callable[[Responses], Peer], greet: Responses
) -> None:
    impostor = responds_as(greet)
    transport = SocketTransport(lambda response: None)
    transport.take_offer(impostor.offer)
    connection = transport._connection
    assert connection is not None
    assert connection.settled.wait(20)
    with pytest.raises(ServerUnreachableError, match="nothing is authorised"):
        transport.send_from_child(request())
    assert transport.send(request()) is False
    assert impostor.heard == []


def test_many_tasks_and_threads_at_once_each_get_what_they_requested(responds_as: Callable[[Responses], Peer]) -> None:
    server = responds_as(proven)
    waiters: dict[object, Waiter] = {}
    seen: set[object] = set()

    def take(response: Mapping[str, Any]) -> None:
        seen.add(response["id"])
        waiters[response["id"]].wake()

    transport = SocketTransport(take)
    transport.take_offer(server.offer)
    connection = transport._connection
    assert connection is not None
    assert connection.settled.wait(20)
    failed: list[object] = []

    def go(start: int) -> None:
        for number in range(start, start + 100):
            waiter, one = Waiter(), request(number)
            waiters[one.id] = waiter
            assert transport.send(one)
            until_then = time.monotonic() + 20
            while one.id not in seen:
                transport.wait(waiter, 1.0)
                waiter.rest()
                if time.monotonic() > until_then:
                    failed.append(one.id)
                    return

    threads = [threading.Thread(target=go, args=(1_000 * n,), daemon=True) for n in range(8)]
    for thread in threads:
        thread.start()
    with transport.awaited():
        for thread in threads[:4]:
            thread.join(60)
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert len(seen) == 800


class Interrupts:
    """SIGINT raises KeyboardInterrupt as in a kernel, but only within this context, and only once."""

    def __init__(self) -> None:
        self.armed = False

    def __call__(self, number: int, frame: object) -> None:
        if self.armed:
            self.armed = False
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        self.armed = True

    def __exit__(self, *_: object) -> None:
        self.armed = False


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    made = Interrupts()
    before = signal.signal(signal.SIGINT, made)
    yield made
    signal.signal(signal.SIGINT, before)


# Python reports an interrupt within a finalizer as unraisable, and does not raise it in the test.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_interrupts_at_any_moment_keep_no_caller_from_its_response(
    responds_as: Callable[[Responses], Peer], interrupts: Interrupts
) -> None:
    client = Client(SpawnedTransport(responds_as(proven).offer), incarnation="one")
    client.request("status")
    until_then = time.monotonic() + 1.5
    requested, failed = [0, 0], []

    def go(number: int) -> None:
        while time.monotonic() < until_then:
            began = time.monotonic()
            client.request("status")
            requested[number] += 1
            if time.monotonic() - began > 5:
                failed.append(number)

    def press() -> None:
        chance = random.Random(7)
        main = threading.main_thread().ident
        assert main is not None
        while time.monotonic() < until_then - 0.2:
            time.sleep(chance.random() * 0.01)
            signal.pthread_kill(main, signal.SIGINT)

    others = [threading.Thread(target=go, args=(number,), daemon=True) for number in range(2)]
    for thread in others:
        thread.start()
    presses, pressed = threading.Thread(target=press, daemon=True), 0
    presses.start()
    while presses.is_alive() or time.monotonic() < until_then:
        try:
            with interrupts:
                client.request("status")
        except KeyboardInterrupt:
            pressed += 1
    presses.join()
    for thread in others:
        thread.join(20)
        assert not thread.is_alive()
    assert pressed > 10
    assert min(requested) > 0
    assert failed == []
    assert client.request("status")["ok"] is True


def test_a_connection_that_an_interrupt_kept_from_being_begun_is_begun_by_the_next_offer(
    responds_as: Callable[[Responses], Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = responds_as(proven)
    transport = SocketTransport(lambda response: None)

    def press(connection: _SocketConnection) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(_SocketConnection, "start", press)
        with pytest.raises(KeyboardInterrupt):
            transport.take_offer(server.offer)
    transport.take_offer(server.offer)
    until(lambda: transport.send(request()), "it is connected")
