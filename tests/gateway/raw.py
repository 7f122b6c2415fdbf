"""An HTTP client on a plain socket, for requests that no library would send."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from tests.gateway.gateway_server import SECRET, GatewayServer

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": "What?"}], "max_tokens": 50}


@dataclass(frozen=True)
class Received:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Raw:
    """A connection to a gateway."""

    def __init__(self, server: GatewayServer) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)

    def send(
        self,
        body: bytes = json.dumps(CHAT).encode(),
        *,
        method: str = "POST",
        path: str = "/llm/openai/v1/chat/completions",
        secret: str | None = SECRET,
        **headers: str,
    ) -> None:
        given = {"host": "gateway", "content-type": "application/json", "content-length": str(len(body))}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        if secret is not None:
            given["authorization"] = f"Bearer {secret}"
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)

    def receive(self, method: str = "POST") -> Received:
        response = HTTPResponse(self.socket, method=method)
        response.begin()
        body = response.read()
        return Received(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Raw:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(self, *of: object) -> None:
        self.close()


def requested(server: GatewayServer, body: bytes = json.dumps(CHAT).encode(), **options: Any) -> Received:
    """Send one request on a new connection, and return the response."""
    with Raw(server) as raw:
        raw.send(body, **options)
        return raw.receive(options.get("method", "POST"))


class Canned:
    """A server that sends these bytes, one after the other, to its connections, and closes each connection.

    The last bytes are sent to all further connections.
    """

    def __init__(self, *responses: bytes) -> None:
        self._responses = list(responses)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}/v1"

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65_536)
                connection.sendall(self._responses.pop(0) if len(self._responses) > 1 else self._responses[0])

    def __enter__(self) -> Canned:  # noqa: PYI034 - Self needs Python 3.11
        self._thread.start()
        return self

    def __exit__(self, *of: object) -> None:
        # Closing the socket would not end an `accept` that waits.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
