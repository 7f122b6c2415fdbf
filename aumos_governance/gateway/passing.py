"""Passes a provider's response on to the client as it comes, and settles the call by what it reports."""

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

__all__ = ["BROKEN", "Aside", "broken_off", "pass_on", "pass_unpaid"]

Aside = Callable[[Callable[[], Any], int], Awaitable[Any]]
"""Does work on so many bytes: on many of them in a thread, so that other calls go on meanwhile."""

BROKEN: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
"""How reading a provider's response can end before its end."""
_MOST_OF_ERROR: Final = 1024 * 1024
"""Bytes of an error's body that go on."""
_AT_ONCE: Final = 256 * 1024
"""Bytes of a body that goes on in one piece."""


def broken_off(name: str, error: Exception) -> RefusedError:
    """There is no response of the provider, or not all of it, and nothing of it went on to the client."""
    if isinstance(error, asyncio.TimeoutError):
        return RefusedError(
            HTTPStatus.GATEWAY_TIMEOUT,
            "UPSTREAM_TIMEOUT",
            f"AumOS Governance: {name} did not respond in time; the call is charged as an estimate, since it may have"
            " been carried out.",
        )
    return RefusedError(
        HTTPStatus.BAD_GATEWAY,
        "UPSTREAM_BROKEN",
        f"AumOS Governance: the connection to {name} broke off before its response was complete; the call is charged as"
        " an estimate, since it may have been carried out.",
    )


async def pass_unpaid(
    request: web.BaseRequest,
    response: aiohttp.ClientResponse,
    headers: CIMultiDict[str],
    key: str | None,
    name: str,
    later: Later | None = None,
) -> web.StreamResponse:
    """Pass on a response that costs nothing, such as an error, without the provider's key. Raises RefusedError.

    ``later`` reads what it states of an earlier call.
    """
    if response.status < HTTPStatus.BAD_REQUEST and not _is_short(response):
        return await _passed(request, response, headers, _Free(later), Mask(key))
    try:
        body = await _read(response) if response.status >= HTTPStatus.BAD_REQUEST else await response.read()
    except BROKEN as error:
        response.close()
        if response.status < HTTPStatus.BAD_REQUEST:
            raise RefusedError(
                HTTPStatus.BAD_GATEWAY,
                "UPSTREAM_BROKEN",
                f"AumOS Governance: the response of {name} broke off ({type(error).__name__}).",
            ) from None
        body = b""
    if later is not None and response.status < HTTPStatus.BAD_REQUEST:
        later.feed(body)
        later.done()
    return web.Response(status=response.status, reason=response.reason, headers=headers, body=Mask(key).whole(body))


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """An error's body, of which no more is read than an error needs."""
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
    aside: Aside,
) -> web.StreamResponse:
    """Pass on the response to a paid call, and settle its charge. Raises RefusedError where nothing could go on."""
    if streamed or not _is_short(response):
        return await _passed(request, response, headers, _Paid(charge, reader, aside, streamed=streamed), Mask(key))
    try:
        body = await response.read()
    except BROKEN as error:
        charge.settle_partly(reader)
        response.close()
        raise broken_off(name, error) from None
    body = reader.feed(body) + reader.rest()
    charge.settle(reader)
    return web.Response(status=response.status, reason=response.reason, headers=headers, body=Mask(key).whole(body))


class _Paid:
    """Reads the response to a paid call, and settles its charge."""

    def __init__(self, charge: OpenCharge, reader: Reader, aside: Aside, *, streamed: bool) -> None:
        self._charge = charge
        self._reader = reader
        self._aside = aside
        self._streamed = streamed
        self._kept = b""
        self._size = 0
        self._complete = False

    def feed(self, chunk: bytes) -> bytes:
        """The bytes that go on to the client now."""
        self._size += len(chunk)
        shown = self._reader.feed(chunk)
        if self._reader.ended and self._charge.open:
            self._charge.settle(self._reader)
        if not self._streamed:
            # The last bytes go on once it is settled: who has them has the whole response.
            shown, self._kept = self._kept, shown
        return shown

    async def done(self) -> bytes:
        """The response is complete: the bytes that are left."""
        self._complete = True
        if not self._streamed:
            # Parsed once: what follows finds it.
            await self._aside(self._reader.response, self._size)
        rest = self._reader.rest()
        self._charge.settle(self._reader)
        return self._kept + rest

    def left(self) -> None:
        """Nothing more of it goes on."""
        if not self._charge.open:
            return
        if self._complete:
            # The client left while the whole of it was parsed.
            self._charge.settle(self._reader)
        else:
            self._charge.settle_partly(self._reader)


class _Free:
    """Passes a response on that costs nothing, and reads what it states of an earlier call."""

    def __init__(self, later: Later | None) -> None:
        self._later = later

    def feed(self, chunk: bytes) -> bytes:
        """As `_Paid.feed`."""
        if self._later is not None:
            self._later.feed(chunk)
        return chunk

    async def done(self) -> bytes:
        """As `_Paid.done`."""
        if self._later is not None:
            self._later.done()
        return b""

    def left(self) -> None:
        """As `_Paid.left`."""


async def _passed(
    request: web.BaseRequest,
    response: aiohttp.ClientResponse,
    headers: CIMultiDict[str],
    hearing: _Paid | _Free,
    mask: Mask,
) -> web.StreamResponse:
    out = web.StreamResponse(status=response.status, reason=response.reason, headers=headers)
    complete = False
    try:
        await out.prepare(request)
        # The head goes out now, even where the first event takes long.
        await out.write(b"")
        async for chunk in response.content.iter_any():
            if shown := mask.feed(hearing.feed(chunk)):
                await out.write(shown)
        complete = True
        if rest := mask.feed(await hearing.done()) + mask.rest():
            await out.write(rest)
        await out.write_eof()
    except BROKEN as error:
        # The provider's response or the client's connection: the client must not take the part for the whole.
        logging.getLogger(__name__).debug("A response was not passed on to its end: %s", error)
        if request.transport is not None:
            request.transport.abort()
    finally:
        hearing.left()
        if not complete:
            response.close()
    return out


def _is_short(response: aiohttp.ClientResponse) -> bool:
    return response.content_length is not None and response.content_length <= _AT_ONCE
