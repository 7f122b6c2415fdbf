"""Watches an answer's bytes on their way to the caller, and settles its charge by what they say.

The caller's stream, response and events stay the provider's own: all of them read the HTTP response, whose reading and
closing are watched here. What breaks off, is closed before its end or dropped is settled as an estimate, by what of it
has arrived.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import Any, Final, Protocol

from ..pricing.seen import Seen
from .aws_frames import CONTENT_TYPE, Frames
from .calls import Meter, body_of_json, is_streamed
from .charge import Charge, Evidence
from .elements import Elements

__all__ = ["Events", "content_of", "watch", "watch_async"]

_END_OF_EVENT: Final = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LONGEST_END: Final = 4
_MOST_BODY: Final = 64 * 1024 * 1024
"""Bytes of a body that is kept to find its usage; a longer one is no answer that has any."""


class _Reader(Protocol):
    """Reads bytes and answers those that the caller is to see."""

    @property
    def ended(self) -> bool: ...

    def feed(self, chunk: bytes) -> bytes: ...

    def rest(self) -> bytes: ...

    def answer(self) -> Mapping[str, Any] | None: ...

    def seen(self) -> Seen | None: ...


class Events:
    """Server-sent events, each passed on when it is complete, as it came."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._pending = b""
        self._searched = 0
        self._id: str | None = None

    @property
    def ended(self) -> bool:
        return self._meter.ended

    def feed(self, chunk: bytes) -> bytes:
        if (
            not self._pending
            and self._id is not None
            and 0 <= chunk.find(b"\n\n") == len(chunk) - 2
            and b"\r" not in chunk
        ):
            # Most often a chunk is one event.
            return b"" if self._meter.see(_data_of(chunk)) else chunk
        pending = self._pending + chunk
        start, kept = 0, []
        for end in _END_OF_EVENT.finditer(pending, self._searched):
            event = pending[start : end.end()]
            data = _data_of(event)
            if self._id is None:
                self._id = _id_of(data)
            if not self._meter.see(data):
                kept.append(event)
            start = end.end()
        self._pending = pending[start:]
        self._searched = max(0, len(self._pending) - _LONGEST_END + 1)
        return b"".join(kept)

    def rest(self) -> bytes:
        rest, self._pending = self._pending, b""
        return rest

    def answer(self) -> Mapping[str, Any] | None:
        answer = self._meter.answer
        # By its name what is charged for a stream that breaks off can be found when the response is retrieved.
        return {"id": self._id} if answer is None and self._id else answer

    def seen(self) -> Seen | None:
        return self._meter.seen


class _Body:
    """One JSON body, passed on piece by piece."""

    ended = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> bytes:
        self._size += len(chunk)
        if self._size <= _MOST_BODY:
            self._pieces.append(chunk)
        return chunk

    def rest(self) -> bytes:
        return b""

    def answer(self) -> Mapping[str, Any] | None:
        return body_of_json(b"".join(self._pieces)) if self._size <= _MOST_BODY else None

    def seen(self) -> Seen | None:
        return None  # The body itself shows it.


def _id_of(data: bytes) -> str:
    """The response's id, as its first event has it; empty where that has none."""
    event = body_of_json(data)
    response = event.get("response")
    id = response.get("id") if isinstance(response, dict) else event.get("id")
    return id if isinstance(id, str) else ""


def _data_of(event: bytes) -> bytes:
    if event.startswith(b"data: ") and event.find(b"\n", 0, -2) < 0:
        return event[6:].rstrip()
    lines = (line for line in event.splitlines() if line.startswith(b"data:"))
    return b"\n".join(line[5:].removeprefix(b" ") for line in lines)


class _Watch:
    """One response under watch."""

    def __init__(self, response: Any, read: Any, close: Any, charge: Charge, reader: _Reader) -> None:
        self._charge = charge
        self._reader = reader
        # Reading to the end closes the response, which is then no sign that somebody gave up.
        self._reading = False
        self._read = read
        self._close = close
        # Called where the garbage collector finds a response that was not read to its end. The reader refers to no
        # response, so that this keeps none alive.
        self._so_far = partial(_so_far, reader)
        weakref.finalize(response, charge.abandon, self._so_far).atexit = False
        charge.watched(self._so_far)

    def iter_bytes(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        chunks = iter(self._read(*arguments, **options))
        try:
            while True:
                self._reading = True
                try:
                    chunk = next(chunks)
                except StopIteration:
                    break
                finally:
                    self._reading = False
                shown = self._reader.feed(chunk)
                if self._reader.ended:
                    self._charge.settle(*self._evidence())
                if shown:
                    yield shown
            # Before the last bytes: who gets them has the whole answer.
            self._charge.settle(*self._evidence())
            if rest := self._reader.rest():
                yield rest
        except Exception:
            self._charge.settle_partly(*self._so_far())
            raise
        finally:
            self._charge.abandon(self._so_far)

    def close(self) -> None:
        try:
            self._close()
        finally:
            if not self._reading:
                self._charge.abandon(self._so_far)

    async def aiter_bytes(self, *arguments: Any, **options: Any) -> AsyncIterator[bytes]:
        chunks = self._read(*arguments, **options).__aiter__()
        try:
            while True:
                self._reading = True
                try:
                    chunk = await chunks.__anext__()
                except StopAsyncIteration:
                    break
                finally:
                    self._reading = False
                shown = self._reader.feed(chunk)
                if self._reader.ended:
                    await self._charge.settle_async(*self._evidence())
                if shown:
                    yield shown
            await self._charge.settle_async(*self._evidence())
            if rest := self._reader.rest():
                yield rest
        except Exception:
            await self._charge.settle_partly_async(*self._so_far())
            raise
        finally:
            self._charge.abandon(self._so_far)

    async def aclose(self) -> None:
        try:
            await self._close()
        finally:
            if not self._reading:
                self._charge.abandon(self._so_far)

    def _evidence(self) -> tuple[Mapping[str, Any], Seen | None]:
        """What a response that arrived to its end reports, and what of it was seen to arrive."""
        seen = self._reader.seen()
        if seen is not None:
            seen.whole = True
        return self._reader.answer() or {}, seen


def _so_far(reader: _Reader) -> Evidence:
    return reader.answer(), reader.seen()


def watch(response: Any, charge: Charge, *, streamed: bool) -> None:
    """Settle ``charge`` by what is read of an httpx response; ``streamed``: it sends events."""
    watched = _Watch(response, response.iter_bytes, response.close, charge, _reader(response, charge, streamed))
    response.iter_bytes = watched.iter_bytes
    response.close = watched.close


def watch_async(response: Any, charge: Charge, *, streamed: bool) -> None:
    """As `watch`, for a response that is awaited."""
    watched = _Watch(response, response.aiter_bytes, response.aclose, charge, _reader(response, charge, streamed))
    response.aiter_bytes = watched.aiter_bytes
    response.aclose = watched.aclose


def content_of(response: Any) -> bytes | None:
    """The body of an httpx response that was read to its end; None for one that was not."""
    try:
        content: bytes = response.content
    except RuntimeError:
        # httpx raises it for a response that is not read yet.
        return None
    return content


def _reader(response: Any, charge: Charge, streamed: bool) -> _Reader:
    if not streamed or not is_streamed(charge.paid):
        return _Body()
    meter = charge.paid.meter()
    if getattr(charge.paid, "sends_array", False):
        return Elements(meter)
    return Frames(meter) if response.headers.get("content-type", "").startswith(CONTENT_TYPE) else Events(meter)
