"""Readers that find the reported usage in a response's bytes while the bytes are passed on to the client.

Most providers stream server-sent events; AWS streams binary frames.
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
from .elements import Elements, MeteredReader

_END_OF_EVENT: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LONGEST_END: Final = 4
_MOST_BODY: Final = 64 * 1024 * 1024
"""The most bytes of a body that are kept to find its usage; the usage of a longer body is not read."""


CONTENT_TYPE: Final = "application/vnd.amazon.eventstream"
"""The content type of a stream in AWS's binary frames."""
_PRELUDE: Final = 12
"""Bytes before a frame's headers: the length of the frame, the length of the headers, and a checksum."""
_CHECKSUM: Final = 4
_LONGEST: Final = 24 * 1024 * 1024
"""The most bytes of a frame or an event that are read; AWS's longest frames are shorter, and so are pictures in events.
"""


class Reader(Protocol):
    """A reader of one response's bytes; it decides which bytes the client gets, and when."""

    @property
    def ended(self) -> bool:
        """Whether the response has reported all of its usage."""
        ...

    def feed(self, chunk: bytes) -> bytes:
        """Read more bytes, and return the bytes to pass on to the client now."""
        ...

    def rest(self) -> bytes:
        """Return the bytes that were held back, now that the response is complete."""
        ...

    def response(self) -> Mapping[str, Any] | None:
        """Return the usage reported so far, in the shape of `Meter.response`."""
        ...

    def seen(self) -> Seen | None:
        """Return the measure of the output that has arrived; None if it must be measured in the body of `response`."""
        ...


class Events(MeteredReader):
    """A reader of server-sent events; each complete event is passed on unchanged, unless the meter hides it.

    The meter reads the usage in the events. It hides a usage event that the client did not request.

    An event that is longer than any that an API sends is passed on in pieces, and the meter does not read it. Then the
    held amount is charged, unless another event of the stream reports the usage of the whole response.
    """

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter)
        self._searched = 0
        self._id: str | None = None
        self._end: bytes | None = None
        """The last bytes of an event that is passed on in pieces; they may be the beginning of the event's end mark.

        It is None while no event is passed on in pieces.
        """

    def feed(self, chunk: bytes) -> bytes:
        """Read more bytes, and return the complete events among them for the client."""
        if self._end is not None:
            return self._pass_long_event(chunk, self._end)
        if not self._pending:
            is_one_event = self._id is not None and 0 <= chunk.find(b"\n\n") == len(chunk) - 2
            if is_one_event and b"\r" not in chunk:
                # Most chunks are exactly one event, and this branch is faster for them.
                return b"" if self._meter.see(_data_of(chunk)) else chunk
            return self._read(chunk)
        self._pending += chunk
        if _END_OF_EVENT.search(self._pending, self._searched) is None:
            return self._hold_back()
        return self._read(bytes(self._pending))

    def _read(self, pending: bytes) -> bytes:
        start, shown = 0, []
        for end in _END_OF_EVENT.finditer(pending, self._searched):
            event = pending[start : end.end()]
            # A stream may begin with a byte order mark.
            data = _data_of(event if self._id is not None else event.removeprefix(codecs.BOM_UTF8))
            if self._id is None:
                self._id = _id_of(data)
            if not self._meter.see(data):
                shown.append(event)
            start = end.end()
        self._pending = bytearray(pending[start:])
        shown.append(self._hold_back())
        return b"".join(shown)

    def _hold_back(self) -> bytes:
        """Hold an incomplete event back, and return no bytes; if the event is too long, return its bytes instead."""
        if len(self._pending) <= _LONGEST:
            self._searched = max(0, len(self._pending) - _LONGEST_END + 1)
            return b""
        shown = self._pop_pending()
        self._end, self._missed = shown[-_LONGEST_END + 1 :], True
        return shown

    def _pass_long_event(self, chunk: bytes, before: bytes) -> bytes:
        """Pass on a chunk of an event that is too long to be read, and read the bytes after the event's end.

        ``before`` are the last bytes before the chunk.
        """
        end = _END_OF_EVENT.search(before + chunk)
        if end is None:
            self._end = (before + chunk)[-_LONGEST_END + 1 :]
            return chunk
        self._end = None
        rest = end.end() - len(before)
        return chunk[:rest] + self._read(chunk[rest:])

    def _pop_pending(self) -> bytes:
        """Return the bytes that were held back, and forget them."""
        rest, self._pending, self._searched = bytes(self._pending), bytearray(), 0
        return rest

    def rest(self) -> bytes:
        """Read the last event, and return its bytes for the client."""
        rest = self._pop_pending()
        # Some servers end the stream without the empty line after the last event.
        return b"" if rest and self._meter.see(_data_of(rest)) else rest

    def response(self) -> Mapping[str, Any] | None:
        """Return a mapping with the usage reported so far, or with only the response's id if none was reported yet.

        Return None if the stream has sent neither yet.
        """
        response = super().response()
        # If the stream breaks off, its estimated charge is stored under this id, and corrected by a later retrieval.
        return {"id": self._id} if response is None and self._id else response


class Body:
    """A reader of one JSON body; the body is passed on piece by piece."""

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
        return None  # What arrived is measured in the body itself.


class Frames(MeteredReader):
    """A reader of the events in AWS's binary frames; it holds no bytes back, and does not verify their checksums."""

    def feed(self, chunk: bytes) -> bytes:
        """Read a chunk of bytes, and return it whole for the caller."""
        self._pending += chunk
        while len(self._pending) >= _PRELUDE:
            length, headers = (int.from_bytes(self._pending[place : place + 4], "big") for place in (0, 4))
            if not _PRELUDE + headers + _CHECKSUM <= length <= _LONGEST:
                # The stream has no valid frames in spite of its content type, so its usage stays unknown.
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
    """Return the response's id from the stream's first event; an empty string if the event has no id."""
    event = body_of_json(data)
    response = event.get("response")
    id = response.get("id") if isinstance(response, dict) else event.get("id")
    return id if isinstance(id, str) else ""


def _data_of(event: bytes) -> bytes:
    """Return the data of a server-sent event; its ``data:`` lines are joined by newlines."""
    if event.startswith(b"data: ") and event.find(b"\n", 0, -2) < 0 and b"\r" not in event:
        return event[6:].rstrip()
    lines = (line for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)


def evidence_of(reader: Reader) -> tuple[Mapping[str, Any], Seen | None]:
    """Return the usage that a complete response reports, and the measure of its output, with `Seen.whole` set."""
    seen = reader.seen()
    if seen is not None:
        seen.whole = True
    return reader.response() or {}, seen


def reader_of(paid: Paid, content_type: str, *, streamed: bool | None = None) -> Reader:
    """Return a reader for the response to a paid call.

    ``streamed`` is whether the response is a stream; with None, the content type decides.
    """
    if streamed is None:
        streamed = content_type.startswith("text/event-stream")
    if not streamed or not is_streamed(paid):
        return Body()
    meter = paid.meter()
    if getattr(paid, "sends_array", False) and not content_type.startswith("text/event-stream"):
        return Elements(meter)
    return Frames(meter) if content_type.startswith(CONTENT_TYPE) else Events(meter)
