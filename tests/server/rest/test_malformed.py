"""Malformed requests: each gets one clear error of its own, and the connection stays usable."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import zmq

from aumos_governance.ledger.contract.facts import NotebookKey
from aumos_governance.ledger.contract.ledger import Ledger
from aumos_governance.server.kernels.comm_transport import CommTransport
from aumos_governance.server.kernels.conversation import Conversation, InlineExecutor
from aumos_governance.server.kernels.local_socket import LocalSocket
from aumos_governance.server.kernels.presence import Departures, Presence
from aumos_governance.service.service import Caller, NotebookService
from aumos_governance.wire.operations import OPERATIONS
from aumos_governance.wire.protocol import IOPUB_TOPIC
from tests.ledger.conftest import (  # noqa: F401 - fixtures
    memory,
    postgres_database,
    postgres_server,
    postgresql,
    sqlite,
)
from tests.ledger.kit import Backend
from tests.server.fake_kernel import TOPIC, FakeKernel
from tests.server.malformed import BODIES, CHARGE, NASTY, RAW, attacks
from tests.server.socket_guests import LOG, Guest, known_kernels, message

NOTEBOOK = NotebookKey("ada", "/root", "a.ipynb")
DEEP = {"970 levels": '{"a":' * 970 + "1" + "}" * 970, "lists of 970 levels": "[" * 970 + "]" * 970}
"""Given as text, since they are too deep for Python's JSON writer."""
FAILURES = {"INTERNAL", "LEDGER_UNAVAILABLE", "NOT_CONFIRMED"}


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Backend:
    made: Backend = request.getfixturevalue(request.param)
    return made


def conversation(ledger: Ledger) -> Conversation:
    """Return a conversation with a kernel that has sent its hello."""

    def identify(incarnation: str) -> Caller:
        return Caller(NOTEBOOK, "kernel:k", incarnation)

    presence = Presence("k", Departures(ledger, LOG), lambda: None)
    presence.meet("one")
    return Conversation(
        NotebookService(ledger),
        identify,
        presence,
        readers=InlineExecutor(),
        settle=lambda: None,
        log=LOG,
    )


class Talk:
    def __init__(self, ledger: Ledger) -> None:
        self.conversation = conversation(ledger)

    def send(self, *requests: Any) -> list[dict[str, Any]]:
        """Send one message, and return all responses to it, which must come within seconds."""
        responses: list[dict[str, Any]] = []
        complete = threading.Event()

        def reply(response: dict[str, Any]) -> None:
            responses.append(response)
            if len(responses) >= len(requests):
                complete.set()

        self.conversation.receive({"v": 1, "asks": list(requests)}, reply)
        assert complete.wait(20), requests
        return responses


def right(op: str, request_id: str, **body: Any) -> dict[str, Any]:
    return {"id": request_id, "op": op, "exp": time.time() + 60, **body}


def charged(talk: Talk, request: dict[str, Any]) -> dict[str, Any]:
    """Return the request with a new charge where it names one, so that only its wrong value can be refused."""
    places = [field for field in ("hold_id", "reference") if request.get(field) == CHARGE]
    if not places:
        return request
    hold_id = talk.send(right("hold", uuid.uuid4().hex, amount="0.01"))[0]["hold_id"]
    assert hold_id
    if request["op"] == "adjust":
        estimate = {"hold_id": hold_id, "reference": hold_id, "amount": "0.001", "estimated": True}
        assert talk.send(right("settle", uuid.uuid4().hex, **estimate))[0]["ok"]
    return request | dict.fromkeys(places, hold_id)


def test_what_is_made_wrong_is_right_otherwise_and_has_all_fields(memory: Backend) -> None:  # noqa: F811 - the fixture
    talk = Talk(memory.open(clock=lambda: time.time_ns() // 1_000))
    assert talk.send(right("open", "o", budget="5"))[0]["ok"]
    fields: dict[str, set[str]] = {}
    for name, body in BODIES.items():
        op = name.split()[0]
        [response] = talk.send(charged(talk, right(op, name, **body)))
        assert response["ok"], (name, response)
        fields.setdefault(op, set()).update(body)
    assert fields == {
        name: {member.name for member in operation.request.members} for name, operation in OPERATIONS.items()
    }


@pytest.mark.soak
def test_a_wrong_value_anywhere_is_a_refusal_and_no_failure(backend: Backend, soak: bool) -> None:
    ledger = backend.open(clock=lambda: time.time_ns() // 1_000)
    talk = Talk(ledger)
    assert talk.send(right("open", "o", budget="1000"))[0]["ok"]
    failed = []
    for name, request in attacks(soak):
        [response] = talk.send(charged(talk, request))
        if not response["ok"] and (response["code"] in FAILURES or not response["message"].endswith(".")):
            failed.append((name, response))
        # Every response can be encoded for either transport.
        json.dumps(response, ensure_ascii=False).encode()
    assert failed == []
    assert ledger.verify().ok
    assert talk.send(right("open", "again", new=True))[0]["ok"]


@pytest.mark.parametrize("same", [True, False], ids=["same content", "other content"])
def test_one_id_twice_in_one_message_is_done_once(backend: Backend, same: bool) -> None:
    talk = Talk(backend.open(clock=lambda: time.time_ns() // 1_000))
    talk.send(right("open", "o", budget="5"))
    first, second = talk.send(right("spend", "s", amount="1"), right("spend", "s", amount="1" if same else "2"))
    assert first["decision"]["allowed"]
    if same:
        assert second == first
    else:
        assert second["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert talk.send(right("status", "t"))[0]["state"]["spent"] == "1"


def test_one_bad_request_costs_the_others_of_its_message_nothing(backend: Backend) -> None:
    talk = Talk(backend.open(clock=lambda: time.time_ns() // 1_000))
    talk.send(right("open", "o", budget="5"))
    bad = [right("hold", f"b{number}", amount="1", detail=value) for number, value in enumerate(NASTY.values())]
    good = [right("spend", f"g{number}", amount="0.01") for number in range(len(bad))]
    mixed = [request for pair in zip(bad, good, strict=True) for request in pair]
    responses = {response["id"]: response for response in talk.send(*mixed, right("cancel", "c", of="c"))}
    assert all(responses[request["id"]]["decision"]["allowed"] for request in good)
    assert responses["c"]["code"] == "INVALID_REQUEST"
    assert not FAILURES & {response.get("code") for response in responses.values()}


def raw_message(text: str) -> bytes:
    text = text.replace("EXP", f"{time.time() + 60:.0f}")
    return b'{"v": 1, "asks": [' + text.encode() + b"]}"


def is_refused(response: dict[str, Any], word: str) -> None:
    assert (response["ok"], response["code"]) == (False, "INVALID_REQUEST")
    assert word in response["message"]
    assert len(response["message"]) < 300


@pytest.fixture(params=["unix", "tcp"])
def guest(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Guest]:
    with known_kernels() as kernels:
        local = LocalSocket(tmp_path / "runtime", LOG, tcp=request.param == "tcp")
        local.open(kernels.admit)
        guest = Guest(local.offer("k", "one")).enter()
        yield guest
        guest.close()
        local.close()


@pytest.mark.parametrize("name", RAW)
def test_over_the_socket_each_gets_one_error_and_the_connection_goes_on(guest: Guest, name: str) -> None:
    text, word = RAW[name]
    guest.send(raw_message(text) + b"\n" + json.dumps(message("status", "next")).encode() + b"\n")
    (refused,), (after,) = guest.receive()["answers"], guest.receive()["answers"]
    is_refused(refused, word)
    assert (after["id"], after["ok"]) == ("next", True)


@pytest.mark.parametrize("name", NASTY)
def test_a_message_of_any_kind_gets_one_error_and_the_connection_goes_on(guest: Guest, name: str) -> None:
    text = DEEP[name] if name in DEEP else json.dumps(NASTY[name])
    messages = [text, f'{{"v": {text}, "asks": []}}', f'{{"v": 1, "asks": [{text}]}}']
    if NASTY[name] != []:
        # An empty list of requests is valid and gets no response, so it is not sent.
        messages.append(f'{{"v": 1, "asks": {text}}}')
    for data in messages:
        guest.send(data.encode() + b"\n")
        (refused,) = guest.receive()["answers"]
        assert (refused["id"], refused["ok"], refused["code"]) == (None, False, "INVALID_REQUEST")
        assert len(refused["message"]) < 300
    assert guest.request("status")["ok"] is True


@pytest.mark.parametrize("name", RAW)
async def test_over_comm_each_gets_one_error_and_the_channel_goes_on(name: str, near: Any) -> None:
    text, word = RAW[name]
    async with near() as kernel:
        publish(kernel, raw_message(text))
        publish(kernel, json.dumps(message("status", "next")).encode())
        responses = [response for _ in range(2) for response in await heard(kernel)]
        is_refused(responses[0], word)
        assert (responses[1]["id"], responses[1]["ok"]) == ("next", True)


def publish(kernel: FakeKernel, data: bytes) -> None:
    """Send a comm message with this JSON, signed as the kernel signs it."""
    header = kernel.session.pack(kernel.session.msg_header("comm_msg"))
    content = b'{"comm_id": "aumos-gov-1", "data": ' + data + b"}"
    signed = [header, b"{}", b"{}", content]
    kernel.iopub.send_multipart([TOPIC, b"<IDS|MSG>", kernel.session.sign(signed), *signed])


async def heard(kernel: FakeKernel) -> list[dict[str, Any]]:
    body = await asyncio.to_thread(kernel.responded)
    responses: list[dict[str, Any]] = body["answers"]
    return responses


@pytest.fixture
def near(jp_asyncio_loop: Any, memory: Backend) -> Callable[[], Any]:  # noqa: F811 - the fixture
    """Return a context manager that opens the comm channel to a fake kernel, with a real conversation."""

    @asynccontextmanager
    async def connected() -> AsyncIterator[FakeKernel]:
        context: zmq.Context[Any] = zmq.Context()
        kernel = FakeKernel(context)
        kernel.control.rcvtimeo = kernel.iopub.rcvtimeo = 10_000
        ledger = memory.open(clock=lambda: time.time_ns() // 1_000)
        loop = asyncio.get_running_loop()
        transport = CommTransport(kernel, conversation(ledger), loop=loop, log=logging.getLogger("line"))
        transport.open()
        try:
            while await asyncio.to_thread(kernel.iopub.recv) != b"\1" + IOPUB_TOPIC:
                pass
            yield kernel
        finally:
            transport.close()
            context.destroy(linger=0)

    return connected
