"""A provider on the loopback interface that speaks enough of OpenAI's API for one chat completion."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

PATIENCE_SECONDS = 60.0


class Provider:
    """A running HTTP server, until it is closed. While the event ``responses`` is cleared, it sends no response."""

    def __init__(self) -> None:
        self.responses = threading.Event()
        self.responses.set()
        self.arrived = threading.Semaphore(0)
        """A semaphore that is released with each request that arrives."""
        outer = self

        class Handler(_Handler):
            provider = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="provider", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The ``base_url`` of an OpenAI client."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self.responses.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    provider: ClassVar[Provider]

    def do_POST(self) -> None:
        requested = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.provider.arrived.release()
        self.provider.responses.wait(PATIENCE_SECONDS)
        body = json.dumps(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1_790_000_000,
                "model": requested["model"],
                "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A short answer"}}
                ],
                "usage": {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500},
            }
        ).encode()
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            # The client has closed the connection, since the test stopped its call.
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
