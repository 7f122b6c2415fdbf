"""A provider on the loopback interface that records what it is sent, and responds with whatever the test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Sent:
    """What the provider received."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Says:
    """A response. ``length`` promises more bytes than there are, so that it never ends; ``status`` 0 gives none."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None


def completion(text: str = "Yes.", **fields: Any) -> bytes:
    """A chat completion that used 11 and 7 tokens."""
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
    """An event of a streamed chat completion."""
    choices = [{"index": 0, "delta": {"content": text}}] if text else []
    return (
        b"data: " + json.dumps({"id": "chatcmpl-1", "model": "gpt-4o", "choices": choices, **fields}).encode() + b"\n\n"
    )


USED = event(usage={"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})
DONE = b"data: [DONE]\n\n"


class Recorder:
    """Gives each request the next response, and the last one to all that follow."""

    def __init__(self, *says: Says) -> None:
        self.says = list(says)
        self.sent: list[Sent] = []
        self.connections: set[int] = set()
        """The ports of the clients' connections."""
        self.cut = threading.Event()
        """A client gave a response up that had not ended."""
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # the name that the library calls
                recorder.connections.add(self.client_address[1])
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                recorder.sent.append(
                    Sent(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                )
                says = recorder.says.pop(0) if len(recorder.says) > 1 else recorder.says[0]
                if not says.status:
                    self.close_connection = True
                    return
                self.send_response(says.status)
                for name, value in {"content-type": "application/json", **says.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(says.length or len(says.body)))
                self.end_headers()
                self.wfile.write(says.body)
                if says.length is not None:
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
                """Nothing is logged."""

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
