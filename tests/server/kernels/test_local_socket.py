"""The local socket on real connections: which clients are served, and that none can harm the others."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import NotAllowedError
from aumos_governance.server.kernels import local_socket, socket_connection
from aumos_governance.server.kernels.local_socket import LocalSocket
from aumos_governance.server.kernels.socket_tokens import Tokens
from aumos_governance.wire.protocol import MAX_LINE, socket_proof
from tests.server.socket_guests import (
    LOG,
    Guest,
    Kernels,
    known_kernels,
    message,
)


@pytest.fixture
def kernels() -> Iterator[Kernels]:
    with known_kernels() as known:
        yield known


@pytest.fixture(params=["unix", "tcp"])
def local(request: pytest.FixtureRequest, kernels: Kernels, tmp_path: Path) -> Iterator[LocalSocket]:
    served = LocalSocket(tmp_path / "runtime", LOG, tcp=request.param == "tcp")
    served.open(kernels.admit)
    yield served
    served.close()


Enter = Callable[[], Guest]


@pytest.fixture
def connect(local: LocalSocket) -> Iterator[Callable[[], Guest]]:
    guests: list[Guest] = []

    def make() -> Guest:
        guests.append(Guest(local.offer("k", "one")))
        return guests[-1]

    yield make
    for guest in guests:
        guest.close()


def test_a_kernel_with_its_token_requests(connect: Enter) -> None:
    guest = connect().enter()
    assert guest.request("open", budget="5")["opened"]
    assert guest.request("spend", request_id="s", amount="1")["state"]["spent"] == "1"
    assert guest.request("status")["state"]["remaining"] == "4"
    hello = guest.request("hello", incarnation="one", version="1", python="3")
    assert (hello["ok"], hello["notebook"]) == (True, "a.ipynb")
    other = guest.request("hello", incarnation="two", version="1", python="3")
    assert "another process" in other["message"]


@pytest.mark.parametrize(
    ("greeting", "code", "word"),
    [
        ({"v": 1, "token": "x"}, "NOT_ALLOWED", "token"),
        ({"v": 1, "token": None}, "NOT_ALLOWED", "token"),
        ({"v": 1, "token": "\ud800.k.one"}, "NOT_ALLOWED", "token"),
        ({"v": 1}, "NOT_ALLOWED", "token"),
        ({"v": 2, "token": "x"}, "INVALID_REQUEST", "version"),
        ([], "INVALID_REQUEST", "token"),
        (b"GET / HTTP/1.1\r\n\r\n", "INVALID_REQUEST", "token"),
        (b"\xff\xfe\n", "INVALID_REQUEST", "token"),
        (b"[" * 5_000 + b"\n", "INVALID_REQUEST", "token"),
    ],
)
def test_without_it_no_connection_is_accepted(connect: Enter, greeting: object, code: str, word: str) -> None:
    guest = connect()
    guest.send(greeting)
    refused = guest.receive()
    assert (refused["ok"], refused["code"]) == (False, code)
    assert word in refused["message"]
    with suppress(ConnectionResetError):
        assert guest.receive() is None


def test_a_greeting_without_end_is_cut_short(connect: Enter) -> None:
    guest = connect()
    guest.send(b"x" * 20_000)
    with suppress(ConnectionResetError):
        assert guest.receive() is None


def test_a_greeting_in_drops_has_no_more_time_than_another(connect: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_connection, "_GREETING_SECONDS", 0.5)
    guest = connect()
    guest.socket.settimeout(0.05)
    began, drops = time.monotonic(), 0
    while time.monotonic() < began + 5:
        try:
            guest.send(b"{")
            drops += 1
            if guest.socket.recv(1) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    assert drops > 2
    assert time.monotonic() < began + 5, "it was never cut"


def test_one_kernel_has_its_share_of_the_connections(
    connect: Enter, local: LocalSocket, kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_socket, "_MOST_OF_A_KERNEL", 3)
    guests = [connect().enter() for _ in range(3)]
    refused = connect()
    refused.send({"v": 1, "token": refused.offer["token"]})
    response = refused.receive()
    assert (response["ok"], response["code"]) == (False, "TOO_MANY_CONNECTIONS")
    assert "3 connections" in response["message"]
    assert refused.receive() is None
    # Existing connections continue, and another kernel has a limit of its own.
    assert all(guest.request("status")["ok"] for guest in guests)
    other = Guest(local.offer("other", "one")).enter()
    other.close()
    # A connection that ends makes room for another.
    guests[0].close()
    assert wait_until(lambda: len(local._connections) == 2)
    assert connect().enter().request("status")["ok"]


def test_those_who_show_no_token_leave_room_for_kernels(
    connect: Enter, local: LocalSocket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_socket, "_MOST_GREETING", 2)
    inside = connect().enter()
    idle = [connect() for _ in range(2)]
    assert wait_until(lambda: len(local._connections) == 3)
    refused = connect()
    assert refused.receive()["code"] == "TOO_MANY_CONNECTIONS"
    assert inside.request("status")["ok"]
    idle[0].close()
    assert wait_until(lambda: len(local._connections) == 2)
    assert connect().enter().request("status")["ok"]


def wait_until(condition: Callable[[], bool]) -> bool:
    """Return whether the condition becomes true within seconds, since another thread notices a connection's end."""
    pause, until = threading.Event(), time.monotonic() + 10
    while not condition() and time.monotonic() < until:
        pause.wait(0.005)
    return condition()


def test_tokens_of_another_server_and_of_a_process_before_are_worth_nothing(
    connect: Enter, local: LocalSocket, kernels: Kernels
) -> None:
    guest = connect()
    guest.send({"v": 1, "token": Tokens().issue("k", "one")})
    assert guest.receive()["code"] == "NOT_ALLOWED"
    inside = connect().enter()
    kernels.presence.meet("two")
    late = connect()
    late.send({"v": 1, "token": late.offer["token"]})
    assert late.receive()["code"] == "HELLO_REQUIRED"
    assert inside.request("status")["code"] == "HELLO_REQUIRED", "what was let in before is no longer heard"


def test_the_server_proves_itself_to_who_holds_a_token(connect: Enter, local: LocalSocket) -> None:
    guest, other = connect(), local.offer("k", "two")
    assert other is not None
    guest.send({"v": 1, "token": guest.offer["token"], "challenge": "c"})
    response = guest.receive()
    assert response == {"v": 1, "ok": True, "proof": socket_proof(guest.offer["secret"], "c")}
    assert response["proof"] != socket_proof(guest.offer["secret"], "d")
    assert other["secret"] != guest.offer["secret"]
    assert guest.offer["secret"] not in guest.offer["token"]


def test_a_token_names_one_kernel_alone() -> None:
    tokens = Tokens()
    token = tokens.issue("k", "one")
    assert tokens.read(token) == ("k", "one")
    for forged in (token.replace(".k.", ".other."), token + "x", token.replace(".k.one", ".k.o.ne"), "", "..", None, 7):
        with pytest.raises(NotAllowedError):
            tokens.read(forged)


@pytest.mark.parametrize(
    ("garbled", "word"),
    [
        (b"not json\n", "JSON"),
        (b"\xff\n", "JSON"),
        (b"[" * 100_000 + b"\n", "nested"),
        (b"\n", "JSON"),
        (b"null\n", "object"),
        (b'{"v": 2, "asks": []}\n', "version"),
        (b'{"v": 1, "asks": [{"id": "u", "op": "refund", "exp": 1}]}\n', "refund"),
        (b'{"v": 1, "asks": [{"id": "t", "op": "status", "exp": NaN}]}\n', "exp"),
        (b"x" * (MAX_LINE + 10) + b"\n", "bytes"),
    ],
    ids=["text", "no utf-8", "deep", "empty", "null", "version", "op", "nan", "oversized"],
)
def test_a_garbled_line_gets_one_response_and_harms_nothing(connect: Enter, garbled: bytes, word: str) -> None:
    guest, other = connect().enter(), connect().enter()
    guest.send(garbled + json.dumps(message("status", "next")).encode() + b"\n")
    (refused,), (after,) = guest.receive()["answers"], guest.receive()["answers"]
    assert (refused["ok"], refused["code"]) == (False, "INVALID_REQUEST")
    assert word in refused["message"]
    assert (after["id"], after["ok"]) == ("next", True)
    assert other.request("status")["ok"] is True


def test_a_line_in_pieces_and_many_in_one(connect: Enter) -> None:
    guest = connect().enter()
    whole = json.dumps(message("status", "slow")).encode() + b"\n"
    for start in range(0, len(whole), 7):
        guest.send(whole[start : start + 7])
    assert guest.receive()["answers"][0]["id"] == "slow"
    guest.send(b"".join(json.dumps(message("status", f"n{n}")).encode() + b"\n" for n in range(500)))
    assert [guest.receive()["answers"][0]["id"] for _ in range(500)] == [f"n{n}" for n in range(500)]


def test_one_request_is_done_by_the_connections_own_thread(
    connect: Enter, kernels: Kernels, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = kernels.service.ledger
    execute, submit = ledger.execute, ledger.submit
    threads: list[str] = []
    queued: list[object] = []

    def executed(request: Any) -> Any:
        threads.append(threading.current_thread().name)
        return execute(request)

    def submitted(request: Any) -> Any:
        queued.append(request)
        return submit(request)

    monkeypatch.setattr(ledger, "execute", executed)
    monkeypatch.setattr(ledger, "submit", submitted)
    guest = connect().enter()
    guest.request("open")
    assert guest.request("spend", request_id="s", amount="1")["state"]["spent"] == "1"
    assert threads == ["aumos-governance-kernel"] * 2
    assert queued == []
    # Both are executed in one commit, so the connection must be read further before the first response.
    guest.send(b"".join(json.dumps(message("spend", f"n{n}", amount="1")).encode() + b"\n" for n in range(2)))
    assert [guest.receive()["answers"][0]["state"]["spent"] for _ in range(2)] == ["2", "3"]
    assert len(queued) == 2


def test_who_does_not_read_blocks_no_caller_and_is_let_go(connect: Enter) -> None:
    dead, other = connect().enter(), connect().enter()
    dead.request("open", budget="1000")
    flood = b"".join(json.dumps(message("spend", f"s{n}", amount="0.01")).encode() + b"\n" for n in range(100))
    dead.socket.settimeout(0.5)
    audit = json.dumps(message("audit", "u", limit=1000)).encode() + b"\n"

    def keeps_on(number: int) -> bool:
        try:
            dead.send(flood.replace(b'"id": "s', b'"id": "%d-' % number) + audit)
        except OSError:
            return False
        return True

    flooded = 0
    while keeps_on(flooded):
        flooded += 1
        assert flooded < 2_000, "nobody may keep that much for one who does not read"
        began = time.monotonic()
        assert other.request("status")["ok"] is True
        assert time.monotonic() - began < 5
    assert other.request("status")["ok"] is True


def test_the_end_takes_everything_away(connect: Enter, local: LocalSocket) -> None:
    guest = connect().enter()
    address = guest.offer["address"]
    local.close()
    local.close()
    assert local.offer("k", "one") is None
    assert guest.receive() is None
    if isinstance(address, str):
        assert not Path(address).parent.exists()
    with pytest.raises(OSError):  # noqa: PT011 - refused, or no such file
        Guest(guest.offer)
