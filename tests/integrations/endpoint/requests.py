"""A request as the endpoint received it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """One request. Header names are in lower case."""

    number: int
    """The number of the request among all that this endpoint received, from 0."""
    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The JSON body, or the plain fields of a form with files."""
        if self.headers.get("content-type", "").startswith("multipart/form-data"):
            return _fields(self.headers["content-type"], self.content)
        body = json.loads(self.content) if self.content else {}
        assert isinstance(body, dict)
        return body


def _fields(content_type: str, content: bytes) -> dict[str, Any]:
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    found: dict[str, Any] = {}
    for part in content.split(b"--" + boundary):
        head, _, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
        if b"filename=" in head or b'name="' not in head:
            continue
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        text = value.decode()
        found[name] = {"true": True, "false": False}.get(text, text)
    return found
