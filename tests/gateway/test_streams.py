"""Streams are passed on as they arrive, in bounded memory, and settled before their end."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from typing import Any

import pytest

from aumos_governance.gateway.charges import OpenCharge
from aumos_governance.integrations.guarding import readers
from tests.gateway.gateway_server import PATIENCE, GatewayServer
from tests.gateway.raw import CHAT, Raw, requested
from tests.gateway.recorder import CannedResponse, Recorder, event
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
STREAM = json.dumps(CHAT | {"stream": True}).encode()


def test_each_event_goes_on_before_the_next_one_comes(server: GatewayServer) -> None:
    server.endpoint.script(Reply(pause_after=2))
    with Raw(server) as raw:
        raw.send(STREAM)
        received = b""
        while received.count(b"data:") < 2:
            received += raw.socket.recv(65_536)
        assert server.endpoint.exchange(0).sent == 2
        server.endpoint.release()
        while not received.endswith(b"0\r\n\r\n"):
            received += raw.socket.recv(65_536)
    assert b"[DONE]" in received
    assert server.spent == COST


def test_the_head_of_a_stream_goes_on_before_its_first_event(endpoint: Endpoint) -> None:
    # The fake provider sends the head only with the first event, so another server sends a head alone here.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with GatewayServer(endpoint, base_url=url) as server, Raw(server) as raw:
            raw.send(STREAM)
            upstream, _ = listener.accept()
            with upstream:
                upstream.recv(65_536)
                upstream.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
                assert raw.socket.recv(65_536).startswith(b"HTTP/1.1 200")
            assert server.events() == ["hold", "estimated"]


@pytest.mark.parametrize("options", [{"body": b"", "method": "GET", "path": "/llm/openai/v1/models"}, {}])
def test_a_long_response_goes_on_as_it_comes(endpoint: Endpoint, options: dict[str, Any]) -> None:
    # The rest of the body never comes, and the last piece of what was paid for waits for it.
    begun = CannedResponse(body=b"x" * 2_000_000, length=3_000_000)
    with Recorder(begun) as provider, GatewayServer(endpoint, base_url=provider.url) as server, Raw(server) as raw:
        raw.send(**options)
        received = b""
        while received.count(b"x") < 10_000:
            received += raw.socket.recv(65_536)
        assert received.startswith(b"HTTP/1.1 200")


def test_a_slow_reader_holds_up_its_provider_and_not_the_memory(endpoint: Endpoint) -> None:
    # Each event is 64 KiB, and there are 512 of them.
    endpoint.script(Reply(text=" ".join(["x" * 65_536] * 512), usage={"prompt_tokens": 11, "completion_tokens": 7}))
    with GatewayServer(endpoint, budget="1000") as server, Raw(server) as raw:
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        raw.send(STREAM)
        exchange = endpoint.exchange(0)
        exchange.wait_sent(2)
        before = -1
        while before != exchange.sent:
            before = exchange.sent
            time.sleep(0.2)
        assert before < 200
        size = 0
        while not (chunk := raw.socket.recv(1 << 20)).endswith(b"0\r\n\r\n"):
            size += len(chunk)
        assert size > 512 * 65_536
        exchange.wait_ended("answered")


def test_the_last_bytes_of_a_long_body_come_once_it_is_settled(server: GatewayServer) -> None:
    text = "word " * 100_000
    server.endpoint.script(Reply(text=text, usage={"prompt_tokens": 11, "completion_tokens": 100_000}))
    response = requested(server, json.dumps(CHAT | {"max_tokens": 120_000}).encode())
    assert response.json["choices"][0]["message"]["content"] == text
    assert server.spent == priced("gpt-4o", {"input_tokens": 11, "output_tokens": 100_000})


def test_a_stream_that_was_not_requested_is_read_as_one(server: GatewayServer) -> None:
    events = (
        b'data: {"choices": [{"delta": {"content": "hi"}}], "model": "gpt-4o"}\n\n'
        b'data: {"choices": [], "model": "gpt-4o", "usage": {"prompt_tokens": 11, "completion_tokens": 7,'
        b' "total_tokens": 18}}\n\ndata: [DONE]\n\n'
    )
    server.endpoint.script(Reply(body=events, headers={"content-type": "text/event-stream"}))
    response = requested(server)
    assert response.body == events
    assert server.spent == COST


def test_a_stream_whose_event_has_no_end_takes_bounded_memory_and_is_charged_what_was_held(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "_LONGEST", 100_000)
    body = event("Yes.") + b"data: " + b"a" * 1_000_000
    canned = CannedResponse(body=body, headers={"content-type": "text/event-stream"})
    cut = CannedResponse(body=body, headers={"content-type": "text/event-stream"}, length=2_000_000)
    with Recorder(canned, cut) as provider, GatewayServer(endpoint, base_url=provider.url) as server:
        assert requested(server, STREAM).body == body
        with Raw(server) as raw:
            raw.send(STREAM)
            size = 0
            while size < 1_000_000:
                size += len(raw.socket.recv(65_536))
        assert provider.cut.wait(PATIENCE)
        assert server.events() == ["hold", "estimated"] * 2
        held = [entry["amount"] for entry in server.records("hold")]
        assert [entry["amount"] for entry in server.records("settle")] == held


def test_a_stream_during_which_the_gateway_fails_is_not_taken_for_a_whole_one(
    server: GatewayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(OpenCharge, "settle", fail)
    received = b""
    with Raw(server) as raw, suppress(ConnectionError):
        raw.send(STREAM)
        while chunk := raw.socket.recv(65_536):
            received += chunk
    assert received.count(b"HTTP/1.1") == 1
    assert not received.endswith(b"0\r\n\r\n")
    assert server.events() == ["hold", "estimated"]
