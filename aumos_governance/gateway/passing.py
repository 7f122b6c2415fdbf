"""Forwards a provider's response to the client while it arrives, and charges the call the cost that it reports."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from ..integrations.guarding.later import Later
from ..integrations.guarding.readers import Reader
from .charges import OpenCharge
from .headers import Mask
from .refusals import RefusedError

Process = Callable[[Callable[[], Any], int], Awaitable[Any]]
"""The type of `Bodies.process`. It calls its first argument, which processes a body, and returns the result; its second
argument is the size of the body in bytes."""

BROKEN: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
"""The errors that aiohttp raises when the provider's response, or the connection to the provider or client, breaks
off."""
_MOST_OF_ERROR: Final = 1024 * 1024
"""The most bytes of an error response's body that are forwarded; the rest is cut off."""
_AT_ONCE: Final = 256 * 1024
"""The most bytes of a body that is read completely before it is forwarded; a longer one is forwarded piece by piece."""


def broken_off(name: str, error: Exception, *, paid: bool = True) -> RefusedError:
    """Return the error to send to the client if the provider's response broke off.

    It can be sent only if the client has not received any part of the response. ``name`` is the provider's.
    """
    cost = "charged as an estimate, since it may have been carried out" if paid else "not charged; make it again"
    if isinstance(error, asyncio.TimeoutError):
        return RefusedError(
            HTTPStatus.GATEWAY_TIMEOUT,
            "UPSTREAM_TIMEOUT",
            f"AumOS Governance: {name} did not respond in time; the call is {cost}.",
        )
    return RefusedError(
        HTTPStatus.BAD_GATEWAY,
        "UPSTREAM_BROKEN",
        f"AumOS Governance: the connection to {name} broke off before its response was complete; the call is {cost}.",
    )


async def pass_unpaid(
    request: web.BaseRequest,
    response: aiohttp.ClientResponse,
    headers: CIMultiDict[str],
    key: str | None,
    name: str,
    later: Later | None = None,
) -> web.StreamResponse:
    """Forward a response that costs nothing, such as an error or a list of models.

    Raises RefusedError if a short response breaks off. If a longer one does, the client has received a part of it
    already, so its connection is closed.

    Args:
        request: The client's request.
        response: The provider's response, whose body is not read yet.
        headers: The response's headers to forward.
        key: The provider's key, which is replaced by ``***`` in the body; None if the provider needs no key.
        name: The provider's name, for error messages.
        later: Adjusts an earlier call's charge if this response states its cost; None if it cannot.

    """
    if response.status < HTTPStatus.BAD_REQUEST and not _is_short(response):
        return await _pass_in_pieces(request, response, headers, _FreeResponse(later), Mask(key))
    try:
        body = await _read(response)
    except BROKEN as error:
        if response.status < HTTPStatus.BAD_REQUEST:
            raise broken_off(name, error, paid=False) from None
        body = b""
    if later is not None and response.status < HTTPStatus.BAD_REQUEST:
        later.feed(body)
        later.done()
    return web.Response(status=response.status, reason=response.reason, headers=headers, body=Mask(key).whole(body))


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a response, at most its first `_MOST_OF_ERROR` bytes; only an error's body is longer."""
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST_OF_ERROR:
            break
    return body[:_MOST_OF_ERROR]


async def pass_on(
    request: web.BaseRequest,
    response: aiohttp.ClientResponse,
    headers: CIMultiDict[str],
    charge: OpenCharge,
    reader: Reader,
    *,
    streamed: bool,
    key: str | None,
    name: str,
    process: Process,
) -> web.StreamResponse:
    """Forward the response to a paid call, and charge the call's cost.

    Raises RefusedError if a short response breaks off. If a longer response or a stream does, the client has received a
    part of it already, so its connection is closed.

    Args:
        request: The client's request.
        response: The provider's response, whose body is not read yet.
        headers: The response's headers to forward.
        charge: The hold for the call, which this function ends.
        reader: Reads the usage from the response.
        streamed: Whether the response is a stream of events.
        key: The provider's key, which is replaced by ``***`` in the body; None if the provider needs no key.
        name: The provider's name, for error messages.
        process: Calls a function that parses a large body; see `Process`.

    """
    if streamed or not _is_short(response):
        reading = _PaidResponse(charge, reader, process, streamed=streamed)
        return await _pass_in_pieces(request, response, headers, reading, Mask(key))
    try:
        body = await response.read()
    except BROKEN as error:
        charge.settle_partly(reader)
        raise broken_off(name, error) from None
    body = reader.feed(body) + reader.rest()
    charge.settle(reader)
    return web.Response(status=response.status, reason=response.reason, headers=headers, body=Mask(key).whole(body))


class _PaidResponse:
    """The response to a paid call while it is forwarded piece by piece; its reported cost is charged."""

    def __init__(self, charge: OpenCharge, reader: Reader, process: Process, *, streamed: bool) -> None:
        self._charge = charge
        self._reader = reader
        self._process = process
        self._streamed = streamed
        self._kept = b""
        self._size = 0
        self._complete = False

    def feed(self, chunk: bytes) -> bytes:
        """Read the usage in ``chunk``, the next bytes of the response, and return the bytes to forward now."""
        self._size += len(chunk)
        shown = self._reader.feed(chunk)
        if self._reader.ended and self._charge.open:
            self._charge.settle(self._reader)
        if not self._streamed:
            # The last bytes are passed on after the settlement: a client that has the whole response is charged.
            shown, self._kept = self._kept, shown
        return shown

    async def done(self) -> bytes:
        """Charge the cost, because the response is complete, and return the bytes that `feed` has held back."""
        self._complete = True
        if not self._streamed:
            # The reader keeps the parsed response, which `settle` reads.
            await self._process(self._reader.response, self._size)
        rest = self._reader.rest()
        self._charge.settle(self._reader)
        return self._kept + rest

    def close(self) -> None:
        """End the hold if it is still open, because the client disconnected or the response broke off."""
        if not self._charge.open:
            return
        if self._complete:
            # The client disconnected while the complete response was parsed.
            self._charge.settle(self._reader)
        else:
            self._charge.settle_partly(self._reader)


class _FreeResponse:
    """The response of a free call, forwarded piece by piece; it may state the cost of an earlier, paid call."""

    def __init__(self, later: Later | None) -> None:
        self._later = later

    def feed(self, chunk: bytes) -> bytes:
        """Read ``chunk``, the next bytes of the response, and return it to be forwarded."""
        if self._later is not None:
            self._later.feed(chunk)
        return chunk

    async def done(self) -> bytes:
        """Adjust an earlier call's charge if the complete response states its cost.

        Returns no bytes: none were held back.
        """
        if self._later is not None:
            self._later.done()
        return b""

    def close(self) -> None:
        """Do nothing, since a free call has no hold."""


async def _pass_in_pieces(
    request: web.BaseRequest,
    response: aiohttp.ClientResponse,
    headers: CIMultiDict[str],
    reading: _PaidResponse | _FreeResponse,
    mask: Mask,
) -> web.StreamResponse:
    """Forward a response piece by piece. If it breaks off, close the client's connection.

    ``reading`` reads each piece before ``mask`` hides the provider's key in it.
    """
    out = web.StreamResponse(status=response.status, reason=response.reason, headers=headers)
    try:
        await out.prepare(request)
        # Writing nothing sends the head now, even if the first event of a stream takes long.
        await out.write(b"")
        async for chunk in response.content.iter_any():
            if shown := mask.feed(reading.feed(chunk)):
                await out.write(shown)
        if rest := mask.feed(await reading.done()) + mask.rest():
            await out.write(rest)
        await out.write_eof()
    except BROKEN as error:
        # The provider's response or the client's connection broke off, and the client must not take the part that it
        # has for the whole response.
        logging.getLogger(__name__).debug(
            "A connection broke off before a response was forwarded completely, so the client's is closed: %s", error
        )
        if request.transport is not None:
            request.transport.abort()
    finally:
        reading.close()
    return out


def _is_short(response: aiohttp.ClientResponse) -> bool:
    return response.content_length is not None and response.content_length <= _AT_ONCE
