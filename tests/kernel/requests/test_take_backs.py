"""A request that ends without its response, for any reason, leaves nothing charged or held."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance import GovernanceAction
from aumos_governance.authority.authorization import Grant
from aumos_governance.errors import ServerUnreachableError, UnavailableError
from aumos_governance.kernel.engine.notebook_engine import NotebookEngine
from aumos_governance.kernel.magics import commands, spending
from aumos_governance.kernel.requests import connection, in_flight
from aumos_governance.kernel.requests.client import Client
from aumos_governance.kernel.text.arguments import Arguments
from aumos_governance.wire.protocol import WireRequest, requests_message
from tests.bridge.processless_server import Server
from tests.interrupting import PACKAGE, interrupted, press_ctrl_c
from tests.kernel.fake_transport import FakeTransport

ALLOWED = {"ok": True, "decision": {"allowed": True}, "hold_id": "h"}
DENIED = {"ok": True, "decision": {"allowed": False}, "hold_id": None}


def client_of(transport: FakeTransport, timeout: float = 0.3) -> Client:
    client = Client(transport, incarnation="n-1", timeout=timeout)
    client.request("status")
    return client


def unheard(request: WireRequest) -> Mapping[str, Any] | None:
    return None if request.op in ("spend", "hold", "authorize", "open", "close", "settle", "release") else {"ok": True}


@pytest.mark.parametrize(
    ("op", "body"), [("spend", {}), ("hold", {}), ("authorize", {"act": True}), ("open", {}), ("close", {})]
)
@pytest.mark.parametrize("lossy", [False, True])
def test_a_time_out_takes_the_request_back(op: str, body: dict[str, Any], lossy: bool) -> None:
    transport = FakeTransport(unheard, lossy=lossy)
    with pytest.raises(ServerUnreachableError):
        client_of(transport).request(op, {"amount": "1"})
    assert transport.of("cancel")[0].body == {"of": transport.of(op)[0].id, **body}
    assert transport.urgent == transport.of("cancel")


@pytest.mark.parametrize("op", ["settle", "release", "status"])
def test_a_time_out_of_what_charges_nothing_takes_nothing_back(op: str) -> None:
    transport = FakeTransport()
    client = client_of(transport)
    transport.response = lambda _: None
    with pytest.raises(ServerUnreachableError):
        client.request(op, {"hold_id": "h"})
    assert transport.of("cancel") == []


@pytest.mark.parametrize(("response", "cancels"), [(ALLOWED, 1), (DENIED, 0)])
def test_a_response_that_comes_after_the_deadline_is_none(
    monkeypatch: pytest.MonkeyPatch, response: dict[str, Any], cancels: int
) -> None:
    """The clock jumps ahead, as when the machine or the kernel was suspended meanwhile."""
    transport = FakeTransport(unheard)
    client = client_of(transport, timeout=10.0)
    real, ahead = in_flight.monotonic, 0.0
    monkeypatch.setattr(in_flight, "monotonic", lambda: real() + ahead)
    started = client.start("spend", {"amount": "1"})
    transport.deliver(transport.of("spend")[0].id, **response)
    ahead = 60.0
    with pytest.raises(ServerUnreachableError) if cancels else pytest.raises(StopIteration):
        started.response()
        raise StopIteration
    assert [request.body for request in transport.of("cancel")] == [
        {"of": transport.of("spend")[0].id, "delivered": True}
    ] * cancels


def test_a_cancelled_task_whose_response_was_here_takes_it_back() -> None:
    transport = FakeTransport(unheard)
    client = client_of(transport, timeout=10.0)

    async def main() -> None:
        task = asyncio.create_task(client.request_async("hold", {"amount": "1"}))
        (hold,) = await asyncio.to_thread(transport.wait_for, "hold")
        transport.deliver(hold.id, **ALLOWED)
        # The task is cancelled before it can run and read the response.
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert [request.body for request in transport.of("cancel")] == [
        {"of": transport.of("hold")[0].id, "delivered": True}
    ]


def test_an_abandoned_coroutine_takes_its_request_back() -> None:
    transport = FakeTransport(unheard)
    client = client_of(transport)

    async def main() -> None:
        requesting = client.request_async("spend", {"amount": "1"})
        requesting.send(None)
        requesting.close()

    asyncio.run(main())
    assert [request.body for request in transport.of("cancel")] == [{"of": transport.of("spend")[0].id}]


@pytest.mark.usefixtures("interrupts")
def test_an_interrupt_when_another_thread_took_the_response_in() -> None:
    transport = FakeTransport(unheard)
    client = client_of(transport, timeout=10.0)

    def wait(waiter: Any, seconds: float) -> None:
        transport.deliver(transport.of("spend")[0].id, **ALLOWED)
        press_ctrl_c()
        waiter.sleep(seconds)

    transport.wait = wait  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        client.request("spend", {"amount": "1"})
    assert [request.body for request in transport.of("cancel")] == [
        {"of": transport.of("spend")[0].id, "delivered": True}
    ]


def test_a_cancel_that_is_lost_is_sent_again_until_its_response() -> None:
    responded = threading.Event()

    def third_time(request: WireRequest) -> Mapping[str, Any] | None:
        if request.op != "cancel":
            return unheard(request)
        if len(transport.of("cancel")) == 2:
            # A restarted server responds with this.
            return {"ok": False, "code": "HELLO_REQUIRED", "message": "Say hello."}
        if len(transport.of("cancel")) < 4:
            return None
        responded.set()
        return {"ok": True, "voided": True}

    transport = FakeTransport(third_time, lossy=True)
    with pytest.raises(ServerUnreachableError):
        client_of(transport).request("spend", {"amount": "1"})
    assert responded.wait(20)
    assert len({request.id for request in transport.of("cancel")}) == 1
    assert len(transport.of("hello")) == 2


def test_what_cannot_leave_needs_no_cancel() -> None:
    transport = FakeTransport()
    client = client_of(transport)
    transport.kept_back.add("none")

    def failing(request: WireRequest, *, urgent: bool = False) -> None:
        transport.sent.append(request)
        raise ServerUnreachableError("There is no way.")

    transport.send = failing  # type: ignore[method-assign]
    with pytest.raises(ServerUnreachableError, match="no way"):
        client.request("spend", {"amount": "1"})
    assert transport.of("cancel") == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_takes_back_nothing_of_its_parents() -> None:
    transport = FakeTransport(unheard)
    client = client_of(transport, timeout=10.0)
    started = client.start("spend", {"amount": "1"})
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        started.take_back()
        os.write(write, str(len(transport.of("cancel"))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(read, 10) == b"0"
    assert started.take_back()
    assert len(transport.of("cancel")) == 1


def test_an_opening_that_was_given_up_and_stands_is_named() -> None:
    def response(request: WireRequest) -> Mapping[str, Any] | None:
        return {"ok": True, "voided": False, "state": {"budget": "5"}} if request.op == "cancel" else unheard(request)

    client = client_of(FakeTransport(response))
    with pytest.raises(ServerUnreachableError):
        client.request("open", {"budget": "5"})
    assert client.took_effect() == [("open", {"budget": "5"})]
    assert client.took_effect() == []


# ---- at any line, with a real service: what is printed is charged


class Shell:
    """The part of an IPython shell that the commands use."""

    kernel = None


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    client = Client(made, incarnation="one")
    client.request("open", {"budget": "100000"})
    connected = connection.Connection(client, os.getpid())
    monkeypatch.setattr(spending, "connect", lambda _: connected)
    monkeypatch.setattr("aumos_governance.kernel.engine.notebook_engine.connect", lambda _: connected)
    made.client = client  # type: ignore[attr-defined]
    yield made
    made.ledger.close()


def figures(server: Server) -> tuple[Decimal, Decimal]:
    state = server.client.request("status")["state"]  # type: ignore[attr-defined]
    return Decimal(state["spent"]), Decimal(state["held"])


def everywhere(call: Callable[[], object], after: Callable[[str], object]) -> int:
    """Repeat a call and interrupt it at each of its lines in the kernel's modules; return how often."""
    at = 1
    while where := interrupted(call, at, PACKAGE / "kernel"):
        after(where)
        at += 1
    return at


def test_an_interrupt_at_any_line_leaves_printed_and_charged_equal(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = Arguments(values={"--tool": "m"}, flags=frozenset(), positional="1")
    printed = io.StringIO()

    def compare(where: str) -> None:
        text = printed.getvalue()
        assert (figures(server)[0], where) == (text.count("Recorded: $1.00") - text.count("Taken back: $1.00"), where)

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", printed)
        spending.spend(Shell(), arguments)
        lines = everywhere(lambda: spending.spend(Shell(), arguments), compare)
    compare("the last was interrupted by nothing")
    assert lines > 60
    assert server.ledger.verify().ok


def test_an_interrupt_at_any_line_of_a_request_leaves_had_and_charged_equal(server: Server) -> None:
    client: Client = server.client  # type: ignore[attr-defined]
    had: list[object] = []

    def compare(where: str) -> None:
        assert (figures(server)[0], where) == (len(had), where)

    assert everywhere(lambda: had.append(client.request("spend", {"amount": "1"})), compare) > 50


ACTION = GovernanceAction("", budget_amount=Decimal(2), tool="m")


@pytest.mark.parametrize(
    "begin", [lambda engine: engine.begin(ACTION), lambda engine: engine.authorize(ACTION).__enter__()]
)
def test_an_interrupt_at_any_line_on_the_way_to_a_grant_holds_nothing(
    server: Server, begin: Callable[[NotebookEngine], Grant]
) -> None:
    engine = NotebookEngine(None)
    grants: list[Grant] = [begin(engine)]

    def compare(where: str) -> None:
        while grants:
            grants.pop().release()
        assert (figures(server)[1], where) == (0, where)

    compare("the first")
    at = 1
    while where := interrupted(
        lambda: grants.append(begin(engine)), at, PACKAGE / "kernel", PACKAGE / "authorization.py"
    ):
        compare(where)
        at += 1
    assert at > 50


def test_the_next_magic_names_what_was_given_up_and_stands(
    server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client: Client = server.client  # type: ignore[attr-defined]
    heard = server.send

    def unheard_opening(request: WireRequest, *, urgent: bool = False) -> None:
        if request.op == "open":
            server.conversation.receive(requests_message([request]), lambda _: None)
        else:
            heard(request, urgent=urgent)

    monkeypatch.setattr(server, "send", unheard_opening)
    monkeypatch.setattr(client, "_timeout", 0.3)
    shell = Shell()
    with pytest.raises(UnavailableError):
        commands.open_session(shell, Arguments(values={"--budget": "7"}, flags=frozenset(), positional=None))
    assert capsys.readouterr().out == ""
    spend = Arguments(values={}, flags=frozenset(), positional="1")
    spending.spend(shell, spend)
    named, recorded = capsys.readouterr().out.splitlines()
    assert named == "The %governance that was interrupted or timed out took effect: trust_level=L2, budget=$7.00."
    assert recorded == "Recorded: $1.00 for unknown ($6.00 remaining)"
    commands.close_session(shell)
    assert "given up" not in capsys.readouterr().out
