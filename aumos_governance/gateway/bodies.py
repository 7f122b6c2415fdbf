"""Reads the bodies of clients' requests to the gateway, and limits the memory that they take.

A body may have at most 64 MiB, and the bodies of all calls in progress together take at most 256 MiB.
"""

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

from .contents import LARGE, fields_of, json_bytes, memory_of, object_of, text_of
from .refusals import RefusedError

ResultT = TypeVar("ResultT")
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
"""The largest request body that the gateway accepts, in bytes after decompression."""
MAX_TOTAL_BYTES: Final = 256 * 1024 * 1024
"""The most bytes of memory for the request bodies of all calls in progress. A body counts with its bytes and with the
values that were parsed from it."""
_SILENCE_SECONDS: Final = 60.0
"""The longest time, in seconds, that a client may send no more of a body that is not complete; then its request is
refused."""
_STEP: Final = 1024 * 1024
"""The most bytes that one step of decompression produces, so that the size of a compressed body is checked while it
grows."""
_ZLIB: Final = {**dict.fromkeys(("gzip", "x-gzip"), 16 + zlib.MAX_WBITS), "deflate": zlib.MAX_WBITS}


class Bodies:
    """Counts the memory that the request bodies of all calls in progress take, in total and for each gateway key.

    There is one instance for each gateway. `reserve` refuses a body that would exceed a limit.
    """

    def __init__(self, *, max_body_bytes: int = MAX_BODY_BYTES, max_total_bytes: int = MAX_TOTAL_BYTES) -> None:
        self.max_body_bytes = max_body_bytes
        self.max_key_bytes = max_total_bytes * 3 // 4
        """The most bytes for all calls with one key, so that one kernel cannot keep other kernels from making calls."""
        self._turn = asyncio.Lock()
        self._max_total_bytes = max_total_bytes
        self._size = 0
        self._of_key: Counter[str] = Counter()

    def reserve(self, key_id: str, size: int) -> None:
        """Count ``size`` more bytes for the request bodies of the calls with this gateway key.

        Raises RefusedError if the limit for one key, or the limit for all keys, would be exceeded; then nothing is
        counted.
        """
        if self._of_key[key_id] + size > self.max_key_bytes:
            raise _busy(
                "the request bodies of the calls in progress with this key take all the memory that one key may use"
            )
        if self._size + size > self._max_total_bytes:
            raise _busy("the request bodies of the calls in progress take all the memory that the gateway has for them")
        self.release(key_id, -size)

    def release(self, key_id: str, size: int) -> None:
        """Count ``size`` fewer bytes for the request bodies of the calls with this gateway key."""
        self._size -= size
        self._of_key[key_id] -= size
        if not self._of_key[key_id]:
            del self._of_key[key_id]

    async def process(self, work: Callable[[], ResultT], size: int) -> ResultT:
        """Call ``work``, which parses or writes a body of ``size`` bytes, and return its result.

        For a body of more than `LARGE` bytes, ``work`` runs in a thread, so that other calls go on. Only one such
        thread runs at a time, because parsing takes temporary memory that is not counted here.
        """
        if size <= LARGE:
            return work()
        async with self._turn:
            working = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                return await asyncio.shield(working)
            finally:
                if not working.done():
                    # Cancelling the task does not end the thread, so the lock is held until the thread has ended.
                    await asyncio.wait((working,))


class Body:
    """The request body of one call. The memory that it takes is counted in its `Bodies` until `close` is called."""

    def __init__(self, bodies: Bodies, key_id: str) -> None:
        self._bodies = bodies
        self._key_id = key_id
        self._size = 0
        self._values = 0

    def close(self) -> None:
        """Stop counting the memory of this body, since its call has ended."""
        self._bodies.release(self._key_id, self._size)
        self._size = 0

    async def json_object(self, content: bytes) -> Mapping[str, Any]:
        """Return the JSON object in ``content``, this body as `read` returned it; an empty body gives an empty dict.

        Raises RefusedError if the content is anything else than a JSON object, or takes too much memory.
        """
        process, size = self._bodies.process, len(content)
        text = await process(lambda: text_of(content), size)
        self._count(content, await process(lambda: memory_of(text), size))
        return await process(lambda: object_of(text), size)

    async def form(self, content: bytes, content_type: str) -> tuple[Mapping[str, Any], tuple[int, ...]]:
        """Return the plain fields in ``content``, a form as `read` returned it, and the sizes of its files in bytes.

        Raises RefusedError for a form that the provider could read differently, for example one that has a field twice,
        and for a form that takes too much memory.
        """
        fields, files = await self._bodies.process(lambda: fields_of(content, content_type), len(content))
        self._count(content, len(content) - sum(files))
        return fields, files

    async def encode(self, body: Mapping[str, Any], size: int) -> bytes:
        """Return ``body``, the values to send to the provider, as JSON; from now on count the JSON as this body.

        ``size`` is the size of the client's body in bytes: the JSON of a large one is written in a thread. Raises
        RefusedError if the JSON takes too much memory.
        """
        # For a small body `json.dumps` makes the same bytes in a fraction of the time.
        content = (
            json.dumps(body).encode() if size <= LARGE else await self._bodies.process(lambda: json_bytes(body), size)
        )
        self._count(content, self._values)
        return content

    def _count(self, content: bytes, values: int) -> None:
        """Set the memory that this body counts for: the bytes of ``content``, plus ``values`` bytes of parsed values.

        Raises RefusedError if that is more than the calls with one key may take.
        """
        self._values = values
        size = len(content) + values
        if size > self._bodies.max_key_bytes:
            raise RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "TOO_LARGE",
                "AumOS Governance: the request body takes more memory than the gateway has for the calls of one key;"
                " send less, or split it into several requests.",
            )
        self._add(size - self._size)

    def _add(self, size: int) -> None:
        self._bodies.reserve(self._key_id, size)
        self._size += size

    async def read(self, request: web.BaseRequest) -> bytes:
        """Return the whole decompressed body of a client's request; the body counts as memory from its first piece on.

        Raises RefusedError for a body that is too large, damaged, in an unknown encoding, or that arrives too slowly.
        """
        encoding = request.headers.get("content-encoding", "").strip().lower()
        decompress = None if encoding in ("", "identity") else _decompressor(encoding)
        if (request.content_length or 0) > self._bodies.max_body_bytes:
            raise _too_large(self._bodies.max_body_bytes)
        if not request.can_read_body:
            return b""
        if request.headers.get("expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # aiohttp counts the bytes of the final response here, and the interim response is not part of them.
            request.writer.output_size = 0
        pieces: list[bytes] = []
        while piece := await self._piece(request):
            if decompress is None:
                self._keep(pieces, piece)
            else:
                decompress(piece, lambda made: self._keep(pieces, made))
        if decompress is not None:
            decompress(b"", lambda made: self._keep(pieces, made))
        return b"".join(pieces)

    async def _piece(self, request: web.BaseRequest) -> bytes:
        reading = asyncio.ensure_future(request.content.readany())
        try:
            # `asyncio.wait_for` may swallow the cancellation of its task before Python 3.12.
            await asyncio.wait((reading,), timeout=_SILENCE_SECONDS)
            if reading.done():
                return reading.result()
        finally:
            reading.cancel()
        # A slow body must not keep its share of the memory that all clients have together.
        raise RefusedError(
            HTTPStatus.REQUEST_TIMEOUT,
            "TIMEOUT",
            f"AumOS Governance: the client sent nothing more of the request body for {_SILENCE_SECONDS:g} seconds, so"
            " the request was not forwarded; make it again.",
        )

    def _keep(self, pieces: list[bytes], piece: bytes) -> None:
        if self._size + len(piece) > self._bodies.max_body_bytes:
            raise _too_large(self._bodies.max_body_bytes)
        self._add(len(piece))
        pieces.append(piece)


_Decompress = Callable[[bytes, Callable[[bytes], None]], None]
"""The type of a decompressor. It decompresses its first argument, the next bytes of the body, and calls its second
argument with pieces of the output, each of about `_STEP` bytes at most. ``b""`` states that the body has ended."""


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
        # The first two bytes show whether there is a zlib frame: https://www.rfc-editor.org/rfc/rfc1950#section-2.2.
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
        f"AumOS Governance: {why}, so this call was not sent; try again in a moment.",
        headers={"retry-after": "1"},
    )


def _damaged() -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST,
        "INVALID_REQUEST",
        "AumOS Governance: the compressed request body is damaged or cut off, so it was not sent; make the request"
        " again, or send its body not compressed.",
    )


def _too_large(most: int) -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "TOO_LARGE",
        f"AumOS Governance: the request body has more than {most // (1024 * 1024)} MiB, the most that the gateway"
        " accepts; send less, or split it into several requests.",
    )
