"""Requests are sent on iopub in as few messages as possible, and responses arrive on the control channel."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar

import comm
import pytest

from aumos_governance.errors import InvalidRequestError, UnavailableError
from aumos_governance.kernel.transports.comm_transport import CommTransport
from aumos_governance.wire.protocol import WireRequest, parse_requests, responses_message


class RecordedComm(comm.BaseComm):
    """A comm that records its messages."""

    published: ClassVar[list[tuple[str, str, Any]]] = []

    def publish_msg(self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **_: Any) -> None:
        self.published.append((msg_type, self.comm_id, data))


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, Any]]]:
    messages: list[tuple[str, str, Any]] = []
    monkeypatch.setattr(RecordedComm, "published", messages)
    monkeypatch.setattr(comm, "create_comm", RecordedComm)
    manager = comm.base_comm.CommManager()
    monkeypatch.setattr(comm, "get_comm_manager", lambda: manager)
    yield messages
    for registered in list(manager.comms.values()):
        registered.close()


class Line:
    """A `CommTransport` with a fake kernel."""

    def __init__(self, published: list[tuple[str, str, Any]]) -> None:
        self.kernel = SimpleNamespace(control_handlers={}, control_thread=object())
        self.published = published
        self.transport = CommTransport(self.kernel)
        self.responses: list[Mapping[str, Any]] = []
        self.transport.connect(self.responses.append)

    def send(self, *ids: str, **options: Any) -> None:
        for request_id in ids:
            self.transport.send(WireRequest(request_id, "status", 1.0), **options)

    def reply(self, *ids: str | None) -> None:
        self.hand_in(responses_message([{"id": request_id, "ok": True} for request_id in ids]))

    def hand_in(self, content: object) -> None:
        self.kernel.control_handlers["governance_reply"](None, None, {"content": content})

    @property
    def batches(self) -> list[list[str]]:
        return [[raw["id"] for raw in parse_requests(data)] for _, _, data in self.published]  # type: ignore[index]


@pytest.fixture
def line(published: list[tuple[str, str, Any]]) -> Line:
    return Line(published)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message counts as lost after a time."""
    monkeypatch.setattr("aumos_governance.kernel.transports.comm_transport._UNDER_WAY_SECONDS", 3600.0)


def test_only_comm_messages_are_published_on_a_registered_comm(line: Line) -> None:
    assert line.published == []
    line.send("a")
    ((kind, comm_id, _),) = line.published
    assert kind == "comm_msg"
    assert comm_id.startswith("aumos-gov-")
    assert comm_id in comm.get_comm_manager().comms


@pytest.mark.usefixtures("patient")
def test_what_is_requested_while_a_message_is_under_way_goes_out_together(line: Line) -> None:
    line.send("a", "b", "c")
    assert line.batches == [["a"]]
    line.reply("a")
    assert line.batches == [["a"], ["b", "c"]]
    line.send("d")
    line.reply("c")
    assert line.batches == [["a"], ["b", "c"], ["d"]]
    line.reply("d")
    line.reply("b")
    line.send("e")
    assert line.batches[3:] == [["e"]]
    assert [response["id"] for response in line.responses] == ["a", "c", "d", "b"]


@pytest.mark.usefixtures("patient")
def test_an_urgent_request_takes_what_was_kept_back_with_it(line: Line) -> None:
    line.send("a", "b")
    line.send("cancel", urgent=True)
    assert line.batches == [["a"], ["b", "cancel"]]


@pytest.mark.usefixtures("patient")
def test_a_late_response_ends_no_message_that_is_under_way(line: Line) -> None:
    line.send("a", "b")
    line.reply("long ago")
    assert line.batches == [["a"]]


def test_a_message_that_may_be_lost_holds_nothing_up(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aumos_governance.kernel.transports.comm_transport._UNDER_WAY_SECONDS", 0.0)
    line.send("a")
    line.send("b")
    assert line.batches == [["a"], ["b"]]


@pytest.mark.usefixtures("patient")
def test_a_message_carries_a_bounded_number_of_requests(line: Line) -> None:
    line.send("first", *(f"n{number}" for number in range(450)))
    line.reply("first")
    line.reply("n0")
    line.reply("n200")
    assert [len(batch) for batch in line.batches] == [1, 200, 200, 50]


@pytest.mark.usefixtures("patient")
def test_only_what_was_kept_back_can_be_withdrawn(line: Line) -> None:
    line.send("a", "b")
    assert line.transport.withdraw("b") is True
    assert line.transport.withdraw("b") is False
    assert line.transport.withdraw("a") is False
    line.reply("a")
    assert line.batches == [["a"]]


def test_a_reply_that_cannot_be_read_harms_no_caller_and_explains_a_silence(line: Line) -> None:
    line.send("a")
    for content in (None, {"v": 2, "answers": []}, {"v": 1}, {"v": 1, "answers": ["x"]}):
        line.hand_in(content)
    line.hand_in({"v": 1, "answers": [{"id": None, "ok": False, "code": "INVALID_REQUEST", "message": "Too long."}]})
    assert line.responses == []
    line.reply("a")
    assert [response["id"] for response in line.responses] == ["a"]
    assert line.transport.silence(7.2).message.startswith("The governance server did not respond within 7 seconds")
    assert line.transport.silence(7.2).message.endswith("Its last error was: Too long.")


def test_what_is_too_long_to_travel_is_refused_at_once(line: Line) -> None:
    with pytest.raises(InvalidRequestError, match="at most 16000 characters"):
        line.transport.send(WireRequest("a", "spend", 1.0, body={"amount": "1" * 20_000}))
    assert line.published == []


def test_a_failure_to_publish_is_no_permission(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("closed")

    with monkeypatch.context() as patch:
        patch.setattr(RecordedComm, "publish_msg", broken)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            line.send("a")


def test_another_process_cannot_send_requests(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    with pytest.raises(UnavailableError, match="forked process"):
        line.send("a")


@pytest.mark.parametrize(
    "kernel",
    [
        SimpleNamespace(),
        SimpleNamespace(control_handlers={}),
        SimpleNamespace(control_handlers={}, control_thread=None),
    ],
    ids=["other kernel", "no thread", "in process"],
)
@pytest.mark.usefixtures("published")
def test_a_kernel_without_control_handlers_gets_one_plain_sentence(kernel: object) -> None:
    with pytest.raises(UnavailableError, match="needs ipykernel"):
        CommTransport(kernel)


def test_keeping_back_costs_no_more_than_a_moment(line: Line) -> None:
    line.send("a", "b")
    deadline = time.monotonic() + 5
    while line.batches == [["a"]]:
        assert time.monotonic() < deadline
        line.send("c")
    assert line.batches[1][:2] == ["b", "c"]
