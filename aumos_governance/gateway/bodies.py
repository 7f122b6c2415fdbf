"""Reads clients' request bodies within bounds: 64 MiB each, and what all take in memory 256 MiB."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib import import_module
from typing import Any, Final, TypeVar

from aiohttp import web

from .contents import LARGE, fields_of, memory_of, object_of, text_of, written
from .refusals import RefusedError

__all__ = ["MOST_IN_ALL", "MOST_OF_ONE", "Bodies", "Body"]

ResultT = TypeVar("ResultT")
MOST_OF_ONE: Final = 64 * 1024 * 1024
"""Bytes of one body, decompressed."""
MOST_IN_ALL: Final = 256 * 1024 * 1024
"""Bytes that the bodies of all calls under way take in memory: as they came, as values, and as they are sent."""
_SILENCE_SECONDS: Final = 60.0
"""The longest pause within a body."""
_STEP: Final = 1024 * 1024
"""The most bytes that one step of decompressing makes."""
_ZLIB: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Bodies:
    """Counts what is in memory of the bodies of all calls, and of those that are made with each key."""

    def __init__(self, *, most_of_one: int = MOST_OF_ONE, most_in_all: int = MOST_IN_ALL) -> None:
        self.most_of_one = most_of_one
        self.most_of_key = most_in_all * 3 // 4
        """So that no kernel alone keeps the others from making calls."""
        self._turn = asyncio.Lock()
        self._most_in_all = most_in_all
        self._size = 0
        self._of_key: Counter[str] = Counter()

    def take(self, key_id: str, size: int) -> None:
        """Count so many bytes more. Raises RefusedError where they are too many."""
        if self._of_key[key_id] + size > self.most_of_key:
            raise _busy("the calls that are made with this key hold as many large requests as one key may have")
        if self._size + size > self._most_in_all:
            raise _busy("the gateway holds as many large requests as it can")
        self.give_back(key_id, -size)

    def give_back(self, key_id: str, size: int) -> None:
        """Count so many bytes less."""
        self._size -= size
        self._of_key[key_id] -= size
        if not self._of_key[key_id]:
            del self._of_key[key_id]

    async def aside(self, work: Callable[[], ResultT], size: int) -> ResultT:
        """Work on a request's or response's body of this size: on a large one in a thread, and on one such at a time.

        Meanwhile it takes more memory than is counted.
        """
        if size <= LARGE:
            return work()
        async with self._turn:
            working = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(working)
            finally:
                if not working.done():
                    # No thread ends because its task is cancelled, so the next one's turn comes later.
                    await asyncio.wait((working,))


class Body:
    """One call's body, counted until `close`; ``key_id`` is the client's key."""

    def __init__(self, bodies: Bodies, key_id: str) -> None:
        self._bodies = bodies
        self._key_id = key_id
        self._size = 0
        self._values = 0

    def close(self) -> None:
        """The call is over."""
        self._bodies.give_back(self._key_id, self._size)
        self._size = 0

    async def object(self, content: bytes) -> Mapping[str, Any]:
        """The JSON object that the body is. Raises RefusedError for anything else."""
        aside, size = self._bodies.aside, len(content)
        text = await aside(lambda: text_of(content), size)
        self._hold(content, await aside(lambda: memory_of(text), size))
        return await aside(lambda: object_of(text), size)

    async def form(self, content: bytes, content_type: str) -> tuple[Mapping[str, Any], tuple[int, ...]]:
        """The plain fields of the form that the body is, and the sizes of its files. Raises RefusedError."""
        fields, files = await self._bodies.aside(lambda: fields_of(content, content_type), len(content))
        self._hold(content, len(content) - sum(files))
        return fields, files

    async def written(self, body: Mapping[str, Any], size: int) -> bytes:
        """The JSON of an object that takes the place of the body, which had this size. Raises RefusedError."""
        # Of a small one the same bytes, in a fraction of the time.
        content = json.dumps(body).encode() if size <= LARGE else await self._bodies.aside(lambda: written(body), size)
        self._hold(content, self._values)
        return content

    def _hold(self, content: bytes, values: int) -> None:
        """Count what the call has in memory now."""
        self._values = values
        size = len(content) + values
        if size > self._bodies.most_of_key:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "TOO_LARGE",
                "AumOS Governance: the request body takes more memory than the gateway has for the calls of one key;"
                " send less, or in parts.",
            )
        self._add(size - self._size)

    def _add(self, size: int) -> None:
        self._bodies.take(self._key_id, size)
        self._size += size

    async def read(self, request: web.BaseRequest) -> bytes:
        """The whole body, decompressed. Raises RefusedError for one that is too large, or in another encoding."""
        encoding = request.headers.get("content-encoding", "").strip().lower()
        decompress = None if encoding in ("", "identity") else _decompressor(encoding)
        if (request.content_length or 0) > self._bodies.most_of_one:
            raise _too_large(self._bodies.most_of_one)
        if not request.can_read_body:
            return b""
        if request.headers.get("expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # These bytes are no part of the response.
            request.writer.output_size = 0
        pieces: list[bytes] = []
        while piece := await self._piece(request):
            if decompress is None:
                self._keep(pieces, piece)
            else:
                decompress(piece, lambda made: self._keep(pieces, made))
        if decompress is not None:
            decompress(b"", lambda made: self._keep(pieces, made))
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _piece(self, request: web.BaseRequest) -> bytes:
        reading = asyncio.ensure_future(request.content.readany())
        try:
            # Not `wait_for`, which before Python 3.12 may swallow that its task is cancelled.
            await asyncio.wait((reading,), timeout=_SILENCE_SECONDS)
            if reading.done():
                return reading.result()
        finally:
            reading.cancel()
        # Its bytes take a share of what all clients have together.
        raise RefusedError(
            HTTPStatus.REQUEST_TIMEOUT,
            "TIMEOUT",
            "AumOS Governance: the request's body did not arrive in time, so it was not sent.",
        )

    def _keep(self, pieces: list[bytes], piece: bytes) -> None:
        if self._size + len(piece) > self._bodies.most_of_one:
            raise _too_large(self._bodies.most_of_one)
        self._add(len(piece))
        pieces.append(piece)


_Decompress = Callable[[bytes, Callable[[bytes], None]], None]
"""Reads some bytes, the empty ones at the end, and passes what they make on in steps of bounded size."""


def _decompressor(encoding: str) -> _Decompress:
    if encoding in _ZLIB:
        return _Inflate(_ZLIB[encoding])
    if encoding == "br":
        try:
            brotli = import_module("brotli")
        except ImportError:
            pass
        else:
            return _Brotli(brotli)
    raise RefusedError(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_ENCODING",
        f"AumOS Governance: the gateway cannot read a request body in the encoding {encoding[:40]!r}; send it as gzip,"
        " deflate, or not compressed.",
    )


class _Inflate:
    def __init__(self, window: int) -> None:
        self._window = window
        self._zlib = zlib.decompressobj(window)
        self._begun = False
        self._first = b""

    def __call__(self, data: bytes, made: Callable[[bytes], None]) -> None:
        if not data:
            if not self._zlib.eof:
                raise _damaged()
            return
        # Two bytes show whether there is a frame: https://www.rfc-editor.org/rfc/rfc1950#section-2.2.
        data, self._first = self._first + data, b""
        if not self._begun and len(data) == 1:
            self._first = data
            return
        try:
            while data:
                made(self._decompressed(data))
                data = self._zlib.unconsumed_tail
        except zlib.error:
            raise _damaged() from None
        if self._zlib.unused_data:
            raise _damaged()

    def _decompressed(self, data: bytes) -> bytes:
        begun, self._begun = self._begun, True
        try:
            return self._zlib.decompress(data, _STEP)
        except zlib.error:
            if begun or self._window != zlib.MAX_WBITS:
                raise
        # Some clients send deflate without zlib's frame: https://www.rfc-editor.org/rfc/rfc9110#section-8.4.1.2.
        self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        return self._zlib.decompress(data, _STEP)


class _Brotli:
    def __init__(self, brotli: Any) -> None:
        self._error: type[Exception] = brotli.error
        self._decompressor = brotli.Decompressor()

    def __call__(self, data: bytes, made: Callable[[bytes], None]) -> None:
        try:
            if not data:
                if not self._decompressor.is_finished():
                    raise _damaged()
                return
            made(self._decompressor.process(data, output_buffer_limit=_STEP))
            while not self._decompressor.can_accept_more_data():
                made(self._decompressor.process(b"", output_buffer_limit=_STEP))
        except self._error:
            raise _damaged() from None


def _busy(why: str) -> RefusedError:
    return RefusedError(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "BUSY",
        f"AumOS Governance: {why}, so this one was not sent; try again in a moment.",
        headers={"retry-after": "1"},
    )


def _damaged() -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST,
        "INVALID_REQUEST",
        "AumOS Governance: the compressed request body is damaged or cut off, so it was not sent.",
    )


def _too_large(most: int) -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "TOO_LARGE",
        f"AumOS Governance: a request body may have at most {most // (1024 * 1024)} MiB; send less.",
    )
