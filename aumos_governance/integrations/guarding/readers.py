"""Reads a response's bytes on their way to the client, to know what it cost.

Most providers stream server-sent events, AWS a binary event stream.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

from ..pricing.seen import Seen
from .calls import Meter, Paid, body_of_json, is_streamed
from .elements import Elements, Metered

__all__ = ["CONTENT_TYPE", "Body", "Events", "Frames", "Reader", "evidence_of", "reader_of"]

_END_OF_EVENT: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LONGEST_END: Final = 4
_MOST_BODY: Final = 64 * 1024 * 1024
"""Bytes of a body that is kept to find its usage; a longer one is no response that has any."""


CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
_PRELUDE: Final = 12
"""Bytes before a frame's headers: its length, theirs, and a checksum."""
_CHECKSUM: Final = 4
_LONGEST: Final = 24 * 1024 * 1024
"""Bytes of the longest frame that AWS allows, and more; and of an event, whose largest are pictures."""


class Reader(Protocol):
    """Reads bytes and gives those that the client is to see."""

    @property
    def ended(self) -> bool:
        """Whether the response has reported all of its usage."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """Read more bytes; gives those that go on to the client now."""
        ...

    def rest(self) -> bytes:
        """What was kept back of a response that is complete."""
        ...

    def response(self) -> Mapping[str, Any] | None:
        """What is known of the usage, as `Meter.response`."""
        ...

    def seen(self) -> Seen | None:
        """What of the response has arrived; None: the body itself shows it."""
        ...


class Events(Metered):
    """Server-sent events, each passed on when it is complete, as it came.

    One that is longer than any that an API sends is passed on in pieces and not read. What was seen to arrive is then
    not all that did, so where the usage is not reported to its end the charge is what was held.
    """

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter)
        self._searched = 0
        self._id: str | None = None
        self._end: bytes | None = None
        """The last bytes of an event that is passed on in pieces, with which its end may begin."""

    def feed(self, chunk: bytes) -> bytes:
        if self._end is not None:
            return self._passed(chunk, self._end)
        if not self._pending:
            one = self._id is not None and 0 <= chunk.find(b"\n\n") == len(chunk) - 2
            if one and b"\r" not in chunk:
                # Most often a chunk is one event.
                return b"" if self._meter.see(_data_of(chunk)) else chunk
            return self._read(chunk)
        self._pending += chunk
        if _END_OF_EVENT.search(self._pending, self._searched) is None:
            return self._kept_back()
        return self._read(bytes(self._pending))

    def _read(self, pending: bytes) -> bytes:
        start, kept = 0, []
        for end in _END_OF_EVENT.finditer(pending, self._searched):
            event = pending[start : end.end()]
            # A stream may begin with a byte order mark.
            data = _data_of(event if self._id is not None else event.removeprefix(codecs.BOM_UTF8))
            if self._id is None:
                self._id = _id_of(data)
            if not self._meter.see(data):
                kept.append(event)
            start = end.end()
        self._pending = bytearray(pending[start:])
        kept.append(self._kept_back())
        return b"".join(kept)

    def _kept_back(self) -> bytes:
        """The bytes that go on of an event that has not ended: none, unless it is too long."""
        if len(self._pending) <= _LONGEST:
            self._searched = max(0, len(self._pending) - _LONGEST_END + 1)
            return b""
        shown = self._taken()
        self._end, self._missed = shown[-_LONGEST_END + 1 :], True
        return shown

    def _passed(self, chunk: bytes, before: bytes) -> bytes:
        end = _END_OF_EVENT.search(before + chunk)
        if end is None:
            self._end = (before + chunk)[-_LONGEST_END + 1 :]
            return chunk
        self._end = None
        rest = end.end() - len(before)
        return chunk[:rest] + self._read(chunk[rest:])

    def _taken(self) -> bytes:
        """What was kept back, which nothing reads any more."""
        rest, self._pending, self._searched = bytes(self._pending), bytearray(), 0
        return rest

    def rest(self) -> bytes:
        rest = self._taken()
        # Some servers end the last event with the stream, without an empty line.
        return b"" if rest and self._meter.see(_data_of(rest)) else rest

    def response(self) -> Mapping[str, Any] | None:
        response = super().response()
        # By its name what is charged for a stream that breaks off can be found when the response is retrieved.
        return {"id": self._id} if response is None and self._id else response


class Body:
    """One JSON body, passed on piece by piece."""

    ended = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._found: Mapping[str, Any] | None = None

    def feed(self, chunk: bytes) -> bytes:
        self._found = None
        self._size += len(chunk)
        if self._size <= _MOST_BODY:
            self._pieces.append(chunk)
        return chunk

    def rest(self) -> bytes:
        return b""

    def response(self) -> Mapping[str, Any] | None:
        if self._found is None and self._size <= _MOST_BODY:
            self._found = body_of_json(b"".join(self._pieces))
        return self._found

    def seen(self) -> Seen | None:
        return None  # The body itself shows it.


class Frames(Metered):
    """Reads the events in frames, which pass on as they come. The caller's library checks their sums."""

    def feed(self, chunk: bytes) -> bytes:
        """Read some more bytes; all of them are the caller's."""
        self._pending += chunk
        while len(self._pending) >= _PRELUDE:
            length, headers = (int.from_bytes(self._pending[place : place + 4], "big") for place in (0, 4))
            if not _PRELUDE + headers + _CHECKSUM <= length <= _LONGEST:
                # Not what it says that it is: its usage stays unknown.
                self._pending.clear()
                self._missed = True
                break
            if len(self._pending) < length:
                break
            self._see(bytes(self._pending[_PRELUDE + headers : length - _CHECKSUM]))
            del self._pending[:length]
        return chunk

    def _see(self, payload: bytes) -> None:
        try:
            event = json.loads(payload)
            data = base64.b64decode(event["bytes"], validate=True)
        except (ValueError, TypeError, KeyError, binascii.Error):
            return
        self._meter.see(data)


def _id_of(data: bytes) -> str:
    """The response's id, as its first event has it; empty where that has none."""
    event = body_of_json(data)
    response = event.get("response")
    id = response.get("id") if isinstance(response, dict) else event.get("id")
    return id if isinstance(id, str) else ""


def _data_of(event: bytes) -> bytes:
    if event.startswith(b"data: ") and event.find(b"\n", 0, -2) < 0 and b"\r" not in event:
        return event[6:].rstrip()
    lines = (line for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)


def evidence_of(reader: Reader) -> tuple[Mapping[str, Any], Seen | None]:
    """What a response that arrived to its end reports, and what of it was seen to arrive."""
    seen = reader.seen()
    if seen is not None:
        seen.whole = True
    return reader.response() or {}, seen


def reader_of(paid: Paid, content_type: str, *, streamed: bool | None = None) -> Reader:
    """Reads the response to a paid call; ``streamed``: it sends events, None: if the type of its content says so."""
    if streamed is None:
        streamed = content_type.startswith("text/event-stream")
    if not streamed or not is_streamed(paid):
        return Body()
    meter = paid.meter()
    if getattr(paid, "sends_array", False) and not content_type.startswith("text/event-stream"):
        return Elements(meter)
    return Frames(meter) if content_type.startswith(CONTENT_TYPE) else Events(meter)
