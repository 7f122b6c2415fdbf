"""A fake provider on the loopback interface that records its requests, and sends the responses of the test."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Sent:
    """A request that the provider received."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class CannedResponse:
    """A response to send; with ``status`` 0 none is sent.

    With a ``length`` longer than ``body`` the response never ends.
    """

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None


def completion(text: str = "Yes.", **fields: Any) -> bytes:
    """Return a chat completion that reports 11 input and 7 output tokens."""
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "model": "gpt-4o",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
            **fields,
        }
    ).encode()


def event(text: str = "", **fields: Any) -> bytes:
    """Return an event of a streamed chat completion."""
    choices = [{"index": 0, "delta": {"content": text}}] if text else []
    return (
        b"data: " + json.dumps({"id": "chatcmpl-1", "model": "gpt-4o", "choices": choices, **fields}).encode() + b"\n\n"
    )


USED = event(usage={"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
DONE = b"data: [DONE]\n\n"


class Recorder:
    """A provider that sends these responses one after the other, and the last one to all further requests."""

    def __init__(self, *responses: CannedResponse) -> None:
        self.responses = list(responses)
        self.sent: list[Sent] = []
        self.connections: set[int] = set()
        """The ports of the clients' connections."""
        self.cut = threading.Event()
        """Set when a client has closed the connection before the response ended."""
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # `BaseHTTPRequestHandler` calls the method of this name
                recorder.connections.add(self.client_address[1])
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                recorder.sent.append(
                    Sent(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                )
                canned = recorder.responses.pop(0) if len(recorder.responses) > 1 else recorder.responses[0]
                if not canned.status:
                    self.close_connection = True
                    return
                self.send_response(canned.status)
                for name, value in {"content-type": "application/json", **canned.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(canned.length or len(canned.body)))
                self.end_headers()
                self.wfile.write(canned.body)
                if canned.length is not None:
                    self.close_connection = True
                    try:
                        ended = not self.connection.recv(1)
                    except OSError:
                        ended = True
                    if ended:
                        recorder.cut.set()

            def do_GET(self) -> None:
                self.do_POST()

            def log_message(self, *args: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.address}/v1"

    def __enter__(self) -> Recorder:  # noqa: PYI034 - Self needs Python 3.11
        self._thread.start()
        return self

    def __exit__(self, *of: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
