"""The local socket on real connections: who is let in, and what nobody can do to the others."""

from __future__ import annotations

import json
import logging
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from aumos_governance.errors import NotAllowedError
from aumos_governance.ledger import open_ledger
from aumos_governance.ledger.base import NotebookKey
from aumos_governance.notebooks.service import Caller, NotebookService
from aumos_governance.protocol import MAX_LINE, socket_proof
from aumos_governance.server import socket_folder
from aumos_governance.server.conversation import AtOnce, Conversation
from aumos_governance.server.local_socket import LocalSocket
from aumos_governance.server.presence import Departures, Presence
from aumos_governance.server.socket_peer import check_peer
from aumos_governance.server.socket_tokens import Tokens

LOG = logging.getLogger("local socket")


class Kernels:
    """Stands for the bridge: one kernel, whose process said hello as ``one``."""

    def __init__(self, service: NotebookService) -> None:
        self.service = service
        self.presence = Presence("k", Departures(service.ledger, LOG), lambda: None)
        self.presence.meet("one")
        self.process_id: int | None = os.getpid()

    def admit(self, kernel_id: str, nonce: str, connection: socket.socket) -> Conversation:
        self.presence.check(nonce)
        check_peer(connection, self.process_id)

        def identify(incarnation: str) -> Caller:
            return Caller(NotebookKey("ada", "/root", "a.ipynb"), f"kernel:{kernel_id}", incarnation)

        return Conversation(
            self.service, identify, self.presence, nonce=nonce, readers=AtOnce(), settle=lambda: None, log=LOG
        )


class Guest:
    """A kernel's end of a connection, spoken by hand."""

    def __init__(self, offer: dict[str, Any] | None) -> None:
        assert offer is not None
        self.offer = offer
        address = offer["address"]
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(20)
        try:
            self.socket.connect(address if isinstance(address, str) else tuple(address))
        except OSError:
            self.socket.close()
            raise
        self.lines = self.socket.makefile("rb")

    def say(self, message: object) -> None:
        self.socket.sendall(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")

    def hear(self) -> Any:
        line = self.lines.readline()
        return json.loads(line) if line else None

    def enter(self) -> Guest:
        self.say({"v": 1, "token": self.offer["token"]})
        assert self.hear() == {"v": 1, "ok": True}
        return self

    def ask(self, op: str, **body: Any) -> Any:
        self.say(message(op, **body))
        (answer,) = self.hear()["answers"]
        return answer

    def close(self) -> None:
        self.lines.close()
        self.socket.close()


def message(op: str, ask_id: str = "a", **body: Any) -> dict[str, Any]:
    return {"v": 1, "asks": [{"id": ask_id, "op": op, "exp": time.time() + 60, **body}]}


@pytest.fixture
def kernels() -> Iterator[Kernels]:
    ledger = open_ledger("memory://")
    yield Kernels(NotebookService(ledger))
    ledger.close()


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


def test_a_kernel_with_its_token_asks(connect: Enter) -> None:
    guest = connect().enter()
    assert guest.ask("open", budget="5")["opened"]
    assert guest.ask("spend", ask_id="s", amount="1")["state"]["spent"] == "1"
    assert guest.ask("status")["state"]["remaining"] == "4"
    hello = guest.ask("hello", incarnation="one", version="1", python="3")
    assert (hello["ok"], hello["notebook"]) == (True, "a.ipynb")
    other = guest.ask("hello", incarnation="two", version="1", python="3")
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
def test_without_it_nobody_is_let_in(connect: Enter, greeting: object, code: str, word: str) -> None:
    guest = connect()
    guest.say(greeting)
    refused = guest.hear()
    assert (refused["ok"], refused["code"]) == (False, code)
    assert word in refused["message"]
    with suppress(ConnectionResetError):
        assert guest.hear() is None


def test_a_greeting_without_end_is_cut_short(connect: Enter) -> None:
    guest = connect()
    guest.say(b"x" * 20_000)
    with suppress(ConnectionResetError):
        assert guest.hear() is None


def test_tokens_of_another_server_and_of_a_process_before_are_worth_nothing(
    connect: Enter, local: LocalSocket, kernels: Kernels
) -> None:
    guest = connect()
    guest.say({"v": 1, "token": Tokens().issue("k", "one")})
    assert guest.hear()["code"] == "NOT_ALLOWED"
    inside = connect().enter()
    kernels.presence.meet("two")
    late = connect()
    late.say({"v": 1, "token": late.offer["token"]})
    assert late.hear()["code"] == "HELLO_REQUIRED"
    assert inside.ask("status")["code"] == "HELLO_REQUIRED", "what was let in before is no longer heard"


def test_the_server_proves_itself_to_who_holds_a_token(connect: Enter, local: LocalSocket) -> None:
    guest, other = connect(), local.offer("k", "two")
    assert other is not None
    guest.say({"v": 1, "token": guest.offer["token"], "challenge": "c"})
    answer = guest.hear()
    assert answer == {"v": 1, "ok": True, "proof": socket_proof(guest.offer["secret"], "c")}
    assert answer["proof"] != socket_proof(guest.offer["secret"], "d")
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
        (b"[" * 100_000 + b"\n", "JSON"),
        (b"\n", "JSON"),
        (b"null\n", "object"),
        (b'{"v": 2, "asks": []}\n', "version"),
        (b'{"v": 1, "asks": [{"id": "u", "op": "refund", "exp": 1}]}\n', "refund"),
        (b'{"v": 1, "asks": [{"id": "t", "op": "status", "exp": NaN}]}\n', "exp"),
        (b"x" * (MAX_LINE + 10) + b"\n", "bytes"),
    ],
    ids=["text", "no utf-8", "deep", "empty", "null", "version", "op", "nan", "oversized"],
)
def test_a_garbled_line_gets_one_answer_and_harms_nothing(connect: Enter, garbled: bytes, word: str) -> None:
    guest, other = connect().enter(), connect().enter()
    guest.say(garbled + json.dumps(message("status", "next")).encode() + b"\n")
    (refused,), (after,) = guest.hear()["answers"], guest.hear()["answers"]
    assert (refused["ok"], refused["code"]) == (False, "INVALID_REQUEST")
    assert word in refused["message"]
    assert (after["id"], after["ok"]) == ("next", True)
    assert other.ask("status")["ok"] is True


def test_a_line_in_pieces_and_many_in_one(connect: Enter) -> None:
    guest = connect().enter()
    whole = json.dumps(message("status", "slow")).encode() + b"\n"
    for start in range(0, len(whole), 7):
        guest.say(whole[start : start + 7])
    assert guest.hear()["answers"][0]["id"] == "slow"
    guest.say(b"".join(json.dumps(message("status", f"n{n}")).encode() + b"\n" for n in range(500)))
    assert [guest.hear()["answers"][0]["id"] for _ in range(500)] == [f"n{n}" for n in range(500)]


def test_one_ask_is_done_by_the_connections_own_thread(
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
    guest.ask("open")
    assert guest.ask("spend", ask_id="s", amount="1")["state"]["spent"] == "1"
    assert threads == ["aumos-governance-kernel"] * 2
    assert queued == []
    # Two of them share a commit, and the connection is read on.
    guest.say(b"".join(json.dumps(message("spend", f"n{n}", amount="1")).encode() + b"\n" for n in range(2)))
    assert [guest.hear()["answers"][0]["state"]["spent"] for _ in range(2)] == ["2", "3"]
    assert len(queued) == 2


def test_who_does_not_read_keeps_nobody_waiting_and_is_let_go(connect: Enter) -> None:
    dead, other = connect().enter(), connect().enter()
    dead.ask("open", budget="1000")
    flood = b"".join(json.dumps(message("spend", f"s{n}", amount="0.01")).encode() + b"\n" for n in range(100))
    dead.socket.settimeout(0.5)
    audit = json.dumps(message("audit", "u", limit=1000)).encode() + b"\n"

    def keeps_on(number: int) -> bool:
        try:
            dead.say(flood.replace(b'"id": "s', b'"id": "%d-' % number) + audit)
        except OSError:
            return False
        return True

    flooded = 0
    while keeps_on(flooded):
        flooded += 1
        assert flooded < 2_000, "nobody may keep that much for one who does not read"
        began = time.monotonic()
        assert other.ask("status")["ok"] is True
        assert time.monotonic() - began < 5
    assert other.ask("status")["ok"] is True


def test_the_end_takes_everything_away(connect: Enter, local: LocalSocket) -> None:
    guest = connect().enter()
    address = guest.offer["address"]
    local.close()
    local.close()
    assert local.offer("k", "one") is None
    assert guest.hear() is None
    if isinstance(address, str):
        assert not Path(address).parent.exists()
    with pytest.raises(OSError):  # noqa: PT011 - refused, or no such file
        Guest(guest.offer)


# ---- Unix alone


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not pytest's, whose path may be longer than that of a socket can be.
    with tempfile.TemporaryDirectory(prefix="gov") as short:
        yield Path(short) / "runtime"


def test_only_its_user_can_enter_the_folder(folder: Path, kernels: Kernels) -> None:
    served = LocalSocket(folder, LOG)
    served.open(kernels.admit)
    try:
        offer = served.offer("k", "one")
        assert offer is not None
        assert stat.S_IMODE(Path(offer["address"]).parent.stat().st_mode) == 0o700
    finally:
        served.close()


def test_a_folder_whose_path_is_too_long_is_replaced_by_a_short_one(tmp_path: Path) -> None:
    made = socket_folder.make_folder(tmp_path / ("deep" * 30))
    try:
        assert len(os.fsencode(socket_folder.socket_path(made))) <= 100
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    finally:
        made.rmdir()


def test_what_a_dead_server_left_is_taken_away_and_a_live_one_stays(folder: Path, kernels: Kernels) -> None:
    live = LocalSocket(folder, LOG)
    live.open(kernels.admit)
    dead, young = socket_folder.make_folder(folder), socket_folder.make_folder(folder)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(socket_folder.socket_path(dead)))
    (known,) = set(folder.iterdir()) - {dead, young}
    for old in (dead, known):
        os.utime(old, (1, 1))
    new = LocalSocket(folder, LOG)
    new.open(kernels.admit)
    try:
        assert not dead.exists()
        assert young.exists()
        assert known.exists()
        guest = Guest(live.offer("k", "one")).enter()
        guest.close()
    finally:
        new.close()
        live.close()


CHILD = (
    "import json, socket, sys\n"
    "offer = json.loads(sys.argv[1])\n"
    "link = socket.socket(socket.AF_UNIX); link.connect(offer['address'])\n"
    "link.sendall(json.dumps({'v': 1, 'token': offer['token']}).encode() + b'\\n')\n"
    "print(link.makefile().readline())"
)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who is at the other end")
def test_a_token_in_another_process_opens_nothing(folder: Path, kernels: Kernels) -> None:
    served = LocalSocket(folder, LOG)
    served.open(kernels.admit)
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        command = [sys.executable, "-c", CHILD, json.dumps(served.offer("k", "one"))]
        inside = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(inside.stdout)["ok"] is True, "a child of the kernel's process"
        kernels.process_id = stranger.pid
        outside = subprocess.run(command, capture_output=True, text=True, check=True)
        assert json.loads(outside.stdout)["code"] == "NOT_ALLOWED"
    finally:
        stranger.communicate(b"\n")
        served.close()


# ---- one channel by itself
