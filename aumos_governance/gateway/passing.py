"""Passes a provider's response on to the client while it arrives, and settles the call by the reported usage."""

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

__all__ = ["BROKEN", "Process", "broken_off", "pass_on", "pass_unpaid"]

Process = Callable[[Callable[[], Any], int], Awaitable[Any]]
"""Calls a function that processes a body of the given size in bytes, as `Bodies.process` does."""

BROKEN: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
"""The errors that are raised if a provider's response, or the connection to it, breaks off."""
_MOST_OF_ERROR: Final = 1024 * 1024
"""The most bytes of an error's body that are passed on."""
_AT_ONCE: Final = 256 * 1024
"""The most bytes of a body that is passed on in one piece."""


def broken_off(name: str, error: Exception, *, paid: bool = True) -> RefusedError:
    """Return the refusal for a call that was sent, but whose response did not arrive completely.

    It may be used only if no part of the response was passed on.
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
    """Pass on a response that costs nothing, such as an error, with the provider's key masked.

    ``later`` reads from the response the cost of an earlier call. Raises RefusedError if a short response breaks off;
    if a longer one does, the client has a part of it already, so its connection is closed.
    """
    if response.status < HTTPStatus.BAD_REQUEST and not _is_short(response):
        return await _pass_in_pieces(request, response, headers, _FreeResponse(later), Mask(key))
    try:
        body = await _read(response)
    except BROKEN as error:
        response.close()
        if response.status < HTTPStatus.BAD_REQUEST:
            raise broken_off(name, error, paid=False) from None
        body = b""
    if later is not None and response.status < HTTPStatus.BAD_REQUEST:
        later.feed(body)
        later.done()
    return web.Response(status=response.status, reason=response.reason, headers=headers, body=Mask(key).whole(body))


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a response, cut after `_MOST_OF_ERROR` bytes; only the body of an error may be longer."""
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MOST_OF_ERROR:
            response.close()
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
    """Pass on the response to a paid call, and settle its charge.

    Raises RefusedError if a short response breaks off. If a longer response or a stream breaks off, the client has a
    part of it already, so its connection is closed.
    """
    if streamed or not _is_short(response):
        reading = _PaidResponse(charge, reader, process, streamed=streamed)
        return await _pass_in_pieces(request, response, headers, reading, Mask(key))
    try:
        body = await response.read()
    except BROKEN as error:
        charge.settle_partly(reader)
        response.close()
        raise broken_off(name, error) from None
    body = reader.feed(body) + reader.rest()
    charge.settle(reader)
    return web.Response(status=response.status, reason=response.reason, headers=headers, body=Mask(key).whole(body))


class _PaidResponse:
    """Reads the usage from the response to a paid call while it is passed on, and settles its charge."""

    def __init__(self, charge: OpenCharge, reader: Reader, process: Process, *, streamed: bool) -> None:
        self._charge = charge
        self._reader = reader
        self._process = process
        self._streamed = streamed
        self._kept = b""
        self._size = 0
        self._complete = False

    def feed(self, chunk: bytes) -> bytes:
        """Read the next bytes of the response, and return the bytes to pass on to the client now."""
        self._size += len(chunk)
        shown = self._reader.feed(chunk)
        if self._reader.ended and self._charge.open:
            self._charge.settle(self._reader)
        if not self._streamed:
            # The last bytes are passed on after the settlement: a client that has the whole response is charged.
            shown, self._kept = self._kept, shown
        return shown

    async def done(self) -> bytes:
        """Settle the charge by the complete response, and return the bytes that were held back."""
        self._complete = True
        if not self._streamed:
            # The reader keeps the parsed response, which `settle` reads.
            await self._process(self._reader.response, self._size)
        rest = self._reader.rest()
        self._charge.settle(self._reader)
        return self._kept + rest

    def close(self) -> None:
        """Settle the charge if it is still open; called when nothing more is passed on to the client."""
        if not self._charge.open:
            return
        if self._complete:
            # The client disconnected while the complete response was parsed.
            self._charge.settle(self._reader)
        else:
            self._charge.settle_partly(self._reader)


class _FreeResponse:
    """Reads the cost of an earlier call from a response that costs nothing, while it is passed on."""

    def __init__(self, later: Later | None) -> None:
        self._later = later

    def feed(self, chunk: bytes) -> bytes:
        """Read the next bytes of the response, and return all of them."""
        if self._later is not None:
            self._later.feed(chunk)
        return chunk

    async def done(self) -> bytes:
        """Adjust the earlier call's charge by the complete response; no bytes were held back."""
        if self._later is not None:
            self._later.done()
        return b""

    def close(self) -> None:
        """Do nothing: no charge is open."""


async def _pass_in_pieces(
    request: web.BaseRequest,
    response: aiohttp.ClientResponse,
    headers: CIMultiDict[str],
    reading: _PaidResponse | _FreeResponse,
    mask: Mask,
) -> web.StreamResponse:
    """Pass on a response piece by piece. If the response breaks off, close the client's connection."""
    out = web.StreamResponse(status=response.status, reason=response.reason, headers=headers)
    complete = False
    try:
        await out.prepare(request)
        # Writing nothing sends the head now, even if the first event of a stream takes long.
        await out.write(b"")
        async for chunk in response.content.iter_any():
            if shown := mask.feed(reading.feed(chunk)):
                await out.write(shown)
        complete = True
        if rest := mask.feed(await reading.done()) + mask.rest():
            await out.write(rest)
        await out.write_eof()
    except BROKEN as error:
        # The provider's response or the client's connection broke off, and the client must not take the part that it
        # has for the whole response.
        logging.getLogger(__name__).debug("A response was not passed on to its end: %s", error)
        if request.transport is not None:
            request.transport.abort()
    finally:
        reading.close()
        if not complete:
            response.close()
    return out


def _is_short(response: aiohttp.ClientResponse) -> bool:
    return response.content_length is not None and response.content_length <= _AT_ONCE
