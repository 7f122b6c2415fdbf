"""Which requests are served, which bodies can be read, and what is forwarded of them."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.gateway.gateway_server import PROVIDER_KEY, SECRET, GatewayServer
from tests.gateway.raw import CHAT, Raw, requested
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})
BODY = json.dumps(CHAT).encode()
_FREE = "/llm/openai/v1/models"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (_FREE, {"authorization": f"Bearer {SECRET}"}),
        (_FREE, {"authorization": f"bearer {SECRET}"}),
        (_FREE, {"x_api_key": SECRET}),
        (_FREE, {"x_api_key": SECRET, "authorization": "Basic YTpi"}),
        (_FREE, {"api_key": SECRET}),
        (_FREE, {"x_goog_api_key": SECRET}),
        (f"{_FREE}?key={SECRET}&page=2", {}),
    ],
)
def test_a_key_is_found_wherever_an_api_has_it_and_never_sent_on(
    server: GatewayServer, path: str, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    assert requested(server, b"", method="GET", path=path, secret=None, **headers).status == 200
    [exchange] = server.endpoint.exchanges
    assert SECRET not in str(exchange.received)
    assert exchange.received.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert exchange.received.path == "/v1/models" + ("?page=2" if "page" in path else "")
    assert SECRET not in caplog.text


@pytest.mark.parametrize("secret", [None, "sk-aumos-another", "sk-proj-of-the-provider", PROVIDER_KEY])
@pytest.mark.parametrize("provider", ["openai", "anthropic", "unknown"])
def test_any_other_credential_is_refused_and_not_sent_on(
    server: GatewayServer, secret: str | None, provider: str
) -> None:
    response = requested(server, path=f"/llm/{provider}/v1/messages", secret=secret)
    assert response.status == 401
    assert response.headers["x-should-retry"] == "false"
    assert response.json["error"]["type"] in ("authentication_error", "gateway_error")
    assert secret is None or secret not in response.body.decode()
    assert server.endpoint.count == 0


@pytest.mark.parametrize(
    "path", ["/", "/llm", "/llm/", "/llm/openai", "/api/contents", "/llm/unknown/v1/models", "/lab", "/llm/../lab"]
)
def test_a_key_opens_nothing_but_the_providers(server: GatewayServer, path: str) -> None:
    assert requested(server, b"", method="GET", path=path).status == 404
    assert server.endpoint.count == 0


def test_a_provider_that_is_not_configured_is_refused_with_the_names_of_the_others(server: GatewayServer) -> None:
    message = requested(server, b"", method="GET", path="/llm/unknown/v1/models").json["error"]["message"]
    assert all(name in message for name in ("unknown", "anthropic", "google", "openai"))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(server: GatewayServer, method: str) -> None:
    assert requested(server, b"", method=method).status in (400, 405)
    assert server.endpoint.count == 0


def test_a_websocket_is_refused_so_that_its_client_falls_back(server: GatewayServer) -> None:
    headers = {"upgrade": "websocket", "connection": "upgrade"}
    response = requested(server, b"", method="GET", path="/llm/openai/v1/responses", **headers)
    assert response.status == 405


def test_headers_of_the_connection_cookies_and_accounts_stay_here(server: GatewayServer) -> None:
    response = requested(
        server,
        connection="close, x-hop",
        x_hop="1",
        cookie="session=1",
        openai_organization="org-1",
        idempotency_key="call-7",
        x_forwarded_for="10.0.0.1",
        user_agent="agent/1",
        x_echo=f"my key is {SECRET}",
    )
    assert response.status == 200
    headers = server.endpoint.exchanges[0].received.headers
    assert not {"x-hop", "cookie", "openai-organization", "x-forwarded-for", "x-echo"} & set(headers)
    assert headers["idempotency-key"] == "call-7"
    assert headers["user-agent"] == "agent/1"


def test_the_providers_headers_go_back_but_for_cookies(endpoint: Endpoint, server: GatewayServer) -> None:
    endpoint.script(Reply(headers={"x-request-id": "req-1", "set-cookie": "a=b", "x-key": f"of {PROVIDER_KEY}"}))
    response = requested(server)
    assert response.headers["x-request-id"] == "req-1"
    assert not {"set-cookie", "x-key"} & set(response.headers)


def _deflated(data: bytes) -> bytes:
    raw = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return raw.compress(data) + raw.flush()


# The bodies are in the tests' ids. With a time in gzip's header the workers of pytest-xdist would have different ids.
@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BODY, mtime=0)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", _deflated(BODY)),
        ("identity", BODY),
    ],
)
def test_compressed_bodies_are_read(server: GatewayServer, encoding: str, body: bytes) -> None:
    assert requested(server, body, content_encoding=encoding).status == 200
    received = server.endpoint.exchanges[0].received
    assert received.json == CHAT
    assert "content-encoding" not in received.headers
    assert server.spent == COST


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("zstd", BODY, 415),
        ("gzip, gzip", BODY, 415),
        ("gzip", BODY, 400),
        ("gzip", gzip.compress(BODY, mtime=0)[:-9], 400),
    ],
)
def test_other_encodings_and_damaged_bodies_are_refused(
    server: GatewayServer, encoding: str, body: bytes, status: int
) -> None:
    assert requested(server, body, content_encoding=encoding).status == status
    assert server.endpoint.count == 0
    assert server.events() == []


def test_chunked_bodies_and_kept_connections(server: GatewayServer) -> None:
    with Raw(server) as raw:
        for _ in range(3):
            raw.send(b"", transfer_encoding="chunked", content_length="")
            for at in range(0, len(BODY), 10):
                piece = BODY[at : at + 10]
                raw.socket.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            raw.socket.sendall(b"0\r\n\r\n")
            assert raw.receive().status == 200
    assert server.spent == 3 * COST


def test_a_client_that_waits_for_leave_to_send_gets_it(server: GatewayServer) -> None:
    with Raw(server) as raw:
        raw.send(b"", expect="100-continue", content_length=str(len(BODY)))
        assert raw.socket.recv(100).startswith(b"HTTP/1.1 100")
        raw.socket.sendall(BODY)
        assert raw.receive().status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"no json",
        b"\xff",
        b'{"model":' * 100_000,
        json.dumps(CHAT | {"max_tokens": "900000"}).encode(),
        json.dumps(CHAT | {"n": 1.5}).encode(),
        json.dumps(CHAT | {"stream": "true"}).encode(),
    ],
)
def test_what_cannot_be_measured_is_not_sent(server: GatewayServer, body: bytes) -> None:
    response = requested(server, body)
    assert response.status == 400
    assert response.json["error"]["message"].startswith("AumOS Governance: ")
    assert server.endpoint.count == 0


def test_what_is_sent_is_what_was_measured(server: GatewayServer) -> None:
    body = b'{"max_tokens": 900000, "max_tokens": 50, "model": "gpt-4o", "messages": []}'
    assert requested(server, body).status == 200
    assert server.endpoint.exchanges[0].received.content.count(b"max_tokens") == 1
