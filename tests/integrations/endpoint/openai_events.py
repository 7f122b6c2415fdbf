"""Server-sent events as OpenAI writes them."""

from __future__ import annotations

import json

CREATED = 1_760_000_000


def sse(data: str, event: str | None = None) -> bytes:
    head = "" if event is None else f"event: {event}\n"
    return f"{head}data: {data}\n\n".encode()


def error_event() -> bytes:
    problem = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
    return sse(json.dumps({"error": problem}))
