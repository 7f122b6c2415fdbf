"""Reads clients' request bodies within bounds: 64 MiB each, 256 MiB in all."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib import import_module
from typing import Any, Final

from aiohttp import web

from .refusals import RefusedError

__all__ = ["MOST_IN_ALL", "MOST_OF_ONE", "Bodies", "Body", "fields_of", "object_of"]

MOST_OF_ONE: Final = 64 * 1024 * 1024
"""Bytes of one body, decompressed."""
MOST_IN_ALL: Final = 256 * 1024 * 1024
"""Bytes of the bodies of all calls that are under way."""
_SILENCE_SECONDS: Final = 60.0
"""The longest pause within a body."""
_STEP: Final = 1024 * 1024
"""The most bytes that one step of decompressing makes."""
_ZLIB: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Bodies:
    """Counts what is in memory of the bodies of all calls."""

    def __init__(self, *, most_of_one: int = MOST_OF_ONE, most_in_all: int = MOST_IN_ALL) -> None:
        self.most_of_one = most_of_one
        self._most_in_all = most_in_all
        self._size = 0

    def take(self, size: int) -> None:
        """Count so many bytes more. Raises RefusedError where they are too many."""
        if self._size + size > self._most_in_all:
            raise RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "BUSY",
                "AumOS Governance: the gateway holds as many large requests as it can, so this one was not sent; try"
                " again in a moment.",
                headers={"retry-after": "1"},
            )
        self._size += size

    def give_back(self, size: int) -> None:
        """Count so many bytes less."""
        self._size -= size


class Body:
    """One call's body, counted until `close`."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._size = 0

    def close(self) -> None:
        """The call is over."""
        self._bodies.give_back(self._size)
        self._size = 0

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
                self._add(pieces, piece)
            else:
                decompress(piece, lambda made: self._add(pieces, made))
        if decompress is not None:
            decompress(b"", lambda made: self._add(pieces, made))
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

    def _add(self, pieces: list[bytes], piece: bytes) -> None:
        if self._size + len(piece) > self._bodies.most_of_one:
            raise _too_large(self._bodies.most_of_one)
        self._bodies.take(len(piece))
        self._size += len(piece)
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

    def __call__(self, data: bytes, made: Callable[[bytes], None]) -> None:
        if not data:
            if not self._zlib.eof:
                raise _damaged()
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


def object_of(content: bytes) -> Mapping[str, Any]:
    """The JSON object that a body is. Raises RefusedError for anything else."""
    if not content:
        return {}
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise RefusedError(
            HTTPStatus.BAD_REQUEST,
            "INVALID_REQUEST",
            "AumOS Governance: the request body is no JSON object, so what it may cost cannot be known and it was not"
            " sent.",
        )
    return body


def fields_of(content: bytes, content_type: str) -> tuple[Mapping[str, Any], tuple[int, ...]]:
    """The plain fields of a form, and the sizes of its files in bytes.

    Raises RefusedError for a form that two readers could read differently: it is forwarded as it is, and what the
    provider reads in it must be what was measured.
    """
    fields: dict[str, Any] = {}
    files: list[tuple[str, int]] = []
    for part in _parts_of(content, content_type):
        head, separator, value = part.partition(b"\r\n\r\n")
        name, is_file = _named(head)
        if not separator:
            raise _no_form()
        if is_file:
            files.append((name, len(value)))
            continue
        text = _text(value)
        if name.endswith("[]"):
            values = fields.setdefault(name[:-2], [])
            if not isinstance(values, list):
                raise _no_form()
            values.append(text)
        elif name in fields:
            # Which of the two the provider reads is not known.
            raise _no_form()
        else:
            fields[name] = {"true": True, "false": False}.get(text, text)
    if any(name.removesuffix("[]") in fields for name, _ in files):
        raise _no_form()
    return fields, tuple(size for _, size in files)


_BOUNDARY: Final = re.compile(
    r"multipart/form-data *; *boundary=(\"?)([0-9A-Za-z'()+_,./:=?-]{1,70})\1 *", re.IGNORECASE
)
_DISPOSITION: Final = re.compile(
    r"""form-data;[ ]*name="([^"\\\r\n;]*)"(;[ ]*filename="(?:[^"\\\r\n]|\\.)*")?(;[ ]*filename\*=[^;"\s]+)?""",
    re.IGNORECASE,
)
_PART_HEADERS: Final = frozenset({"content-disposition", "content-type", "content-length"})
"""The headers of a part that change nothing of how its value is read."""


def _parts_of(content: bytes, content_type: str) -> list[bytes]:
    boundary = _BOUNDARY.fullmatch(content_type.strip())
    if boundary is None:
        raise _no_form()
    line = b"--" + boundary[2].encode()
    if not content.startswith(line + b"\r\n"):
        raise _no_form()
    parts = (b"\r\n" + content).split(b"\r\n" + line)
    # Before the first line there is nothing, each one ends, and after the last one nothing comes.
    if parts[-1] not in (b"--", b"--\r\n") or any(not part.startswith(b"\r\n") for part in parts[1:-1]):
        raise _no_form()
    return [part[2:] for part in parts[1:-1]]


def _named(head: bytes) -> tuple[str, bool]:
    found: re.Match[str] | None = None
    for line in _text(head).split("\r\n"):
        header, separator, value = line.partition(":")
        if not separator or header.lower() not in _PART_HEADERS:
            raise _no_form()
        if header.lower() == "content-disposition":
            if found is not None:
                raise _no_form()
            found = _DISPOSITION.fullmatch(value.strip())
            if found is None:
                raise _no_form()
    if found is None:
        raise _no_form()
    return found[1], found[2] is not None or found[3] is not None


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise _no_form() from None


def _no_form() -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST,
        "INVALID_REQUEST",
        "AumOS Governance: the request's form cannot be read without doubt, so what it may cost cannot be known and it"
        " was not sent.",
    )
