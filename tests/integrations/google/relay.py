"""A relay between a client and a provider on the loopback interface, which holds and settles each request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aumos_governance.errors import AumOSGovernanceError
from aumos_governance.gateway.dialects.api import Refusal
from aumos_governance.gateway.dialects.google import API
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.guarding.guard import Guard
from aumos_governance.integrations.guarding.provider import paid_by
from aumos_governance.integrations.guarding.readers import evidence_of
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.till import Till
from tests.integrations.wire import http


@contextmanager
def relay(upstream: str, till: Till) -> Iterator[str]:
    """Yield the address of a relay between a client and the provider."""
    guard = Guard(till.engine, Prices(), provider="google", budget_category="llm")

    class Handler(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            requested = ApiRequest(self.command, self.path, json.loads(content) if content else {})
            try:
                paid = paid_by(API.provider, API.read(requested).request)
                charge = None if paid is None else guard.begin(paid)
            except AumOSGovernanceError as error:
                refused = json.dumps(API.error(Refusal(402, error.code, error.message))).encode()
                self._head(402, "application/json", len(refused))
                self.wfile.write(refused)
                return
            headers = {"content-type": "application/json", **API.credential(upstream, "theirs")}
            with http.stream(self.command, upstream + self.path, content=content, headers=headers) as response:
                kind = response.headers["content-type"]
                if charge is None or paid is None:
                    body = response.read()
                    self._head(response.status_code, kind, len(body))
                    self.wfile.write(body)
                    return
                reader = API.reader(paid, kind)
                self._head(response.status_code, kind, None)
                for chunk in response.iter_bytes():
                    self.wfile.write(reader.feed(chunk))
                charge.settle(*evidence_of(reader))
                self.wfile.write(reader.rest())

        do_GET = do_POST = _forward  # noqa: N815 - named by the standard library

        def _head(self, status: int, content_type: str, length: int | None) -> None:
            self.send_response(status)
            self.send_header("content-type", content_type)
            if length is not None:
                self.send_header("content-length", str(length))
            self.send_header("connection", "close")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
