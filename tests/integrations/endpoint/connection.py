"""One connection: reads requests, writes their responses, and notices when the client hangs up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from .exchanges import Exchange
from .requests import Received
from .responses import Response


class ClientGoneError(Exception):
    """The client closed the connection before its response was complete."""


class BrokenError(Exception):
    """The reply requires the endpoint to drop the connection here."""


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._next_byte: asyncio.Task[bytes] | None = None

    async def read(self, number: Callable[[], int]) -> Received | None:
        """Return the next request, or None when the client has no more."""
        first = await (self._next_byte or asyncio.ensure_future(self._reader.read(1)))
        self._next_byte = None
        if not first:
            return None
        lines = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        pairs = (line.partition(":") for line in lines[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        content = await self._content(headers)
        # This read ends when the client hangs up, or with the first byte of the client's next request.
        self._next_byte = asyncio.ensure_future(self._reader.read(1))
        return Received(number(), method, path, headers, content)

    async def write(self, exchange: Exchange, response: Response) -> None:
        """Send the response as its reply describes it. Raises ClientGoneError and BrokenError."""
        reply, pieces = exchange.reply, response.pieces
        last = len(pieces) if reply.error_after is None or not response.streamed else reply.error_after
        await self._hold_up(exchange)
        await self._send(_head(response))
        for place, piece in enumerate(pieces[:last]):
            if place and reply.interval:
                await self._unless_gone(asyncio.sleep(reply.interval))
            if reply.break_after and not response.streamed:
                await self._send(piece[: len(piece) // 2])
                raise BrokenError
            await self._send(_chunk(piece) if response.streamed else piece)
            exchange.note_sent()
            await self._hold_up(exchange)
        if response.streamed:
            await self._send((_chunk(response.error) if last < len(pieces) else b"") + _chunk(b""))

    def drop(self) -> None:
        if self._next_byte is not None:
            self._next_byte.cancel()
        self._writer.transport.abort()

    async def _content(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding") != "chunked":
            return await self._reader.readexactly(int(headers.get("content-length", "0")))
        content = b""
        while size := int(await self._reader.readline(), 16):
            content += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
        return content

    async def _hold_up(self, exchange: Exchange) -> None:
        if exchange.reply.pause_after == exchange.sent:
            await self._unless_gone(exchange.released())
        if exchange.reply.break_after == exchange.sent:
            raise BrokenError

    async def _send(self, data: bytes) -> None:
        assert self._next_byte is not None
        if self._next_byte.done():
            raise ClientGoneError
        self._writer.write(data)
        try:
            await self._writer.drain()
        except ConnectionError:
            raise ClientGoneError from None

    async def _unless_gone(self, waiting: object) -> None:
        assert self._next_byte is not None
        task = asyncio.ensure_future(waiting)  # type: ignore[call-overload]
        try:
            await asyncio.wait({task, self._next_byte}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ClientGoneError
        finally:
            task.cancel()


def _head(response: Response) -> bytes:
    length = sum(len(piece) for piece in response.pieces)
    headers = {
        "content-type": response.content_type,
        **({"transfer-encoding": "chunked"} if response.streamed else {"content-length": str(length)}),
        **response.headers,
    }
    known = {status.value: status.phrase for status in HTTPStatus}
    lines = [f"HTTP/1.1 {response.status} {known.get(response.status, 'Overloaded')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _chunk(piece: bytes) -> bytes:
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
