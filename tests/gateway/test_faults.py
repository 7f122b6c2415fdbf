"""Clients that disconnect, and providers that fail: what is passed on, released and charged."""

from __future__ import annotations

import json
import logging
import logging.config
import socket
from decimal import Decimal
from http.client import IncompleteRead
from typing import Any

import pytest
from openai import APIStatusError, InternalServerError, OpenAI, RateLimitError

from aumos_governance.ledger.contract.charges import KernelsPresent
from aumos_governance.ledger.contract.facts import Origin
from tests.gateway.gateway_server import PROVIDER_KEY, SECRET, GatewayServer
from tests.gateway.raw import CHAT, Canned, Raw, requested
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
STREAM = json.dumps(CHAT | {"stream": True}).encode()


def held(server: GatewayServer) -> Decimal:
    return Decimal(server.records("hold")[-1]["amount"])


def charged(server: GatewayServer) -> Decimal:
    return Decimal(server.records("settle")[-1]["amount"])


def client_of(server: GatewayServer, **options: Any) -> OpenAI:
    return OpenAI(**{"base_url": server.openai_url, "api_key": SECRET, "max_retries": 0} | options)


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_an_error_of_the_provider_is_passed_on_and_costs_nothing(server: GatewayServer, status: int) -> None:
    server.endpoint.script(Reply(status=status, headers={"retry-after": "7"}))
    response = requested(server)
    assert response.status == status
    assert response.headers["retry-after"] == "7"
    assert response.json["error"]["message"]
    assert server.events() == ["hold", "release"]


def test_each_attempt_of_a_client_that_tries_again_is_held(server: GatewayServer) -> None:
    server.endpoint.script(Reply(status=429), Reply(status=500), Reply())
    with client_of(server, max_retries=2) as client:
        client.chat.completions.create(**CHAT)
    assert server.events() == ["hold", "release", "hold", "release", "hold", "settle"]
    assert server.spent == COST


def test_the_clients_own_errors_are_raised(server: GatewayServer) -> None:
    server.endpoint.script(Reply(status=429), Reply(status=500))
    with client_of(server) as client:
        with pytest.raises(RateLimitError):
            client.chat.completions.create(**CHAT)
        with pytest.raises(InternalServerError):
            client.chat.completions.create(**CHAT)


def test_a_client_that_leaves_a_stream_ends_it_and_is_charged_by_what_arrived(server: GatewayServer) -> None:
    server.endpoint.script(Reply(pause_after=3))
    with Raw(server) as raw:
        raw.send(STREAM)
        server.endpoint.exchange(0).wait_sent(3)
        raw.socket.recv(10)
    server.endpoint.exchange(0).wait_ended("hung_up")
    assert server.events() == ["hold", "estimated"]
    assert 0 < charged(server) < held(server)


def test_a_client_that_leaves_before_the_response_is_charged_what_was_held(server: GatewayServer) -> None:
    server.endpoint.script(Reply(pause_after=0))
    with Raw(server) as raw:
        raw.send()
        server.endpoint.wait_received(1)
    server.endpoint.exchange(0).wait_ended("hung_up")
    assert server.events() == ["hold", "estimated"]
    assert charged(server) == held(server)


def test_a_client_that_leaves_within_its_request_is_charged_nothing(server: GatewayServer) -> None:
    with Raw(server) as raw:
        raw.send(b"{", content_length="100")
    assert requested(server).status == 200
    assert server.events() == ["hold", "settle"]


@pytest.mark.parametrize("body", [STREAM, json.dumps(CHAT).encode()])
def test_a_provider_that_breaks_off_is_not_taken_for_a_whole_response(server: GatewayServer, body: bytes) -> None:
    server.endpoint.script(Reply(break_after=3 if body is STREAM else 1))
    with Raw(server) as raw:
        raw.send(body)
        if body is STREAM:
            with pytest.raises((IncompleteRead, ConnectionError)):
                raw.receive()
        else:
            assert raw.receive().status == 502
    assert server.events() == ["hold", "estimated"]


def test_a_provider_that_gives_no_response_is_charged_as_an_estimate(server: GatewayServer) -> None:
    server.endpoint.script(Reply(break_after=0))
    response = requested(server)
    assert response.status == 502
    assert response.headers["x-aumos-code"] == "UPSTREAM_BROKEN"
    assert "charged as an estimate" in response.json["error"]["message"]
    assert server.events() == ["hold", "estimated"]
    assert charged(server) == held(server)


def test_a_silent_provider_is_given_up(endpoint: Endpoint) -> None:
    endpoint.script(Reply(pause_after=0), Reply(pause_after=2))
    with GatewayServer(endpoint, read_seconds=0.05) as server:
        assert requested(server).status == 504
        with Raw(server) as raw:
            raw.send(STREAM)
            with pytest.raises((IncompleteRead, ConnectionError)):
                raw.receive()
        endpoint.exchange(1).wait_ended("hung_up")
        assert server.events() == ["hold", "estimated"] * 2


def test_a_provider_that_is_not_there_costs_nothing(endpoint: Endpoint) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with GatewayServer(endpoint, base_url=f"http://127.0.0.1:{port}/v1") as server:
        response = requested(server)
        assert response.status == 502
        assert "nothing was sent or charged" in response.json["error"]["message"]
        assert server.events() == ["hold", "release"]


@pytest.mark.parametrize(
    "garbage",
    [b"", b"no json", b"[]", b'{"usage": 5}', b'{"choices": 5, "usage": {"prompt_tokens": -1}}', b"\xff\xfe" * 50],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_garbage_is_passed_on_and_charged_as_held(server: GatewayServer, garbage: bytes, streamed: bool) -> None:
    if streamed:
        garbage = b"data: " + garbage + b"\n\ndata: 7\n\nevent: x\n\n"
    server.endpoint.script(Reply(body=garbage, headers={"content-length": str(len(garbage))} if not streamed else {}))
    response = requested(server, STREAM if streamed else json.dumps(CHAT).encode())
    assert (response.status, response.body) == (200, garbage)
    assert server.events() == ["hold", "estimated"]


def test_an_error_within_a_stream_is_passed_on_and_charged_as_an_estimate(server: GatewayServer) -> None:
    server.endpoint.script(Reply(error_after=3))
    response = requested(server, STREAM)
    assert b"error" in response.body
    assert server.events() == ["hold", "estimated"]


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_is_not_followed_nor_passed_on(endpoint: Endpoint, status: int) -> None:
    with (
        Canned(
            f"HTTP/1.1 {status} X\r\nlocation: {endpoint.openai_url}\r\ncontent-length: 0\r\n\r\n".encode()
        ) as canned,
        GatewayServer(endpoint, base_url=canned.url) as server,
    ):
        response = requested(server)
        assert response.status == 502
        assert response.headers["x-aumos-code"] == "UPSTREAM_REDIRECTS"
        assert "location" not in response.headers
        assert server.events() == ["hold", "release"]
    assert endpoint.count == 0


@pytest.mark.parametrize(
    "stated",
    [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n", b"HTTP/1.1 2000\r\n\r\n", b"\x00" * 100],
)
def test_what_is_no_http_is_charged_as_an_estimate(endpoint: Endpoint, stated: bytes) -> None:
    with Canned(stated) as canned, GatewayServer(endpoint, base_url=canned.url) as server:
        assert requested(server).status == 502
        assert server.events() == ["hold", "estimated"]


def test_a_refused_provider_key_is_not_shown(server: GatewayServer) -> None:
    server.endpoint.script(
        Reply(status=401, body=f'{{"error": "{PROVIDER_KEY} is wrong"}}'.encode()),
        Reply(status=403, body=f'{{"error": "{PROVIDER_KEY} is wrong"}}'.encode()),
    )
    response = requested(server)
    assert response.status == 502
    assert response.headers["x-aumos-code"] == "UPSTREAM_KEY_REFUSED"
    other = requested(server)
    assert other.status == 403
    assert PROVIDER_KEY not in str((response, other))
    assert server.events() == ["hold", "release"] * 2


def test_a_server_that_refuses_a_request_for_the_usage_is_served(server: GatewayServer) -> None:
    server.endpoint.script(Reply(status=400), Reply(), Reply(usage=None))
    for _ in range(2):
        assert requested(server, STREAM.replace(b"gpt-4o", b"gpt-4o-mini")).status == 200
    was_requested = ["stream_options" in exchange.received.json for exchange in server.endpoint.exchanges]
    assert was_requested == [True, False, False]
    assert server.events()[:1] == ["hold"]
    assert len(server.records("hold")) == 2


def test_a_revoked_key_ends_its_streams_within_a_second(server: GatewayServer) -> None:
    server.endpoint.script(Reply(pause_after=3))
    with Raw(server) as raw:
        raw.send(STREAM)
        server.endpoint.exchange(0).wait_sent(3)
        server.keys.revoke()
        server.endpoint.exchange(0).wait_ended("hung_up", timeout=1)
        while raw.socket.recv(65_536):
            pass
    assert server.events() == ["hold", "estimated"]
    assert requested(server).status == 401


@pytest.mark.parametrize(("model", "reasons"), [("gpt-4o", False), ("gpt-5-mini", True)])
def test_a_stopped_call_is_charged_by_what_arrived_as_one_whose_client_left(
    endpoint: Endpoint, model: str, *, reasons: bool
) -> None:
    endpoint.script(Reply(pause_after=4), Reply(pause_after=4))
    with GatewayServer(endpoint) as server:
        for number, stops in enumerate((False, True)):
            with Raw(server) as raw:
                raw.send(STREAM.replace(b"gpt-4o", model.encode()))
                received = b""
                while received.count(b"data:") < 4:
                    received += raw.socket.recv(65_536)
                if stops:
                    server.keys.revoke()
                    endpoint.exchange(number).wait_ended("hung_up", timeout=1)
            endpoint.exchange(number).wait_ended("hung_up")
            assert len(server.records("settle")) == number + 1
        left, stopped = (Decimal(entry["amount"]) for entry in server.records("settle"))
        assert server.events() == ["hold", "estimated"] * 2
        assert left == stopped > 0
        # A reasoning model may have used all of its output limit for reasoning that is not in the response.
        assert (stopped == held(server)) == reasons


def test_the_end_of_the_gateway_settles_what_is_under_way(endpoint: Endpoint) -> None:
    endpoint.script(Reply(pause_after=3))
    with GatewayServer(endpoint) as server, Raw(server) as raw:
        raw.send(STREAM)
        endpoint.exchange(0).wait_sent(3)
        raw.socket.recv(10)
        server.gateway.stop()
        assert server.events() == ["hold", "estimated"]


def test_what_a_killed_gateway_held_is_of_unknown_outcome(endpoint: Endpoint) -> None:
    endpoint.script(Reply(pause_after=3))
    with GatewayServer(endpoint) as server, Raw(server) as raw:
        raw.send(STREAM)
        endpoint.exchange(0).wait_sent(3)
        present = KernelsPresent(
            key="", origin=Origin("server"), owner="ada", root="/srv", incarnations=(server.gateway.incarnation,)
        )
        assert server.ledger.execute(present) == 0
        gone = KernelsPresent(key="", origin=Origin("server"), owner="ada", root="/srv", incarnations=("k1:n1",))
        assert server.ledger.execute(gone) == 1
        endpoint.release()


def test_a_denial_is_no_reason_to_try_again(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, budget="0.00001") as server:
        with client_of(server, max_retries=3) as client, pytest.raises(APIStatusError) as raised:
            client.chat.completions.create(**CHAT)
        assert raised.value.status_code == 402
        assert raised.value.response.headers["x-should-retry"] == "false"
        assert raised.value.body["code"] == "BUDGET_EXCEEDED"  # type: ignore[index]
        assert "raise the budget in the Governance panel" in raised.value.message
        assert "$0.00001 is left" in raised.value.message
        assert len(server.records("hold")) == 1
    assert endpoint.count == 0


def test_without_a_session_the_user_is_advised_to_start_one(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, budget=None) as server:
        response = requested(server)
    assert response.status == 402
    assert response.json["error"]["code"] == "NO_SESSION"
    assert "start it in the Governance panel" in response.json["error"]["message"]


def test_no_decision_is_no_denial(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, ending_seconds=0) as server:
        server.ledger.close()
        response = requested(server)
    assert response.status == 503
    assert response.headers["x-should-retry"] == "false"
    assert endpoint.count == 0


@pytest.mark.parametrize("status", [400, 500])
def test_of_an_endless_error_no_more_is_read_than_an_error_needs(endpoint: Endpoint, status: int) -> None:
    head = f"HTTP/1.1 {status} No\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n".encode()
    with Canned(head + b"x" * 3 * 1024 * 1024) as canned, GatewayServer(endpoint, base_url=canned.url) as server:
        response = requested(server)
        assert (response.status, len(response.body)) == (status, 1024 * 1024)
        assert server.events() == ["hold", "release"]


def test_a_malformed_request_with_a_key_is_in_no_log(server: GatewayServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Raw(server) as raw:
        raw.socket.sendall(
            f"POST /llm/openai/v1/models HTTP/1.1\r\nauthorization: Bearer {SECRET}\x01\r\n\r\n".encode()
        )
        assert raw.receive().status == 400
    assert SECRET not in caplog.text
    assert SECRET[:20] not in caplog.text
