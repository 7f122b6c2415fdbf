"""A response as bytes: the pieces of a stream, or one body."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .requests import Received


class NotServedError(Exception):
    """The provider has no such path."""


@dataclass(frozen=True, slots=True)
class Response:
    pieces: tuple[bytes, ...]
    content_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    error: bytes = b""
    """The last piece of a stream that fails before its end."""

    @property
    def streamed(self) -> bool:
        events = self.content_type.startswith(("text/event-stream", "application/vnd.amazon.eventstream"))
        return events or len(self.pieces) > 1


def json_response(body: object, **fields: Any) -> Response:
    return Response((json.dumps(body).encode(),), **fields)


def identifier(prefix: str, received: Received) -> str:
    return f"{prefix}{received.number:06d}"
