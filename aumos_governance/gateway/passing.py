"""Passes a provider's response on to the client as it comes, and settles the call by what it reports."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from ..integrations.guarding.readers import Reader
from .charges import OpenCharge
from .refusals import RefusedError

__all__ = ["BROKEN", "broken_off", "pass_on", "pass_unpaid"]

BROKEN: Final = (aiohttp.ClientError, asyncio.TimeoutError, OSError)
"""How reading a provider's response can end before its end."""
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
    request: web.BaseRequest, response: aiohttp.ClientResponse, headers: CIMultiDict[str], key: str | None, name: str
) -> web.StreamResponse:
    """Pass on a response that costs nothing, such as an error, without the provider's key. Raises RefusedError."""
    if response.status < HTTPStatus.BAD_REQUEST and not _is_short(response):
        return await _passed(request, response, headers, None, None)
    try:
        body = await response.read()
    except BROKEN as error:
        response.close()
        if response.status < HTTPStatus.BAD_REQUEST:
            raise RefusedError(
                HTTPStatus.BAD_GATEWAY,
                "UPSTREAM_BROKEN",
                f"AumOS Governance: the response of {name} broke off ({type(error).__name__}).",
            ) from None
        body = b""
    if key:
        # Some servers repeat the key that they refuse.
        body = body.replace(key.encode(), b"***")
    return web.Response(status=response.status, reason=response.reason, headers=headers, body=body)


async def pass_on(
    request: web.BaseRequest,
    response: aiohttp.ClientResponse,
    headers: CIMultiDict[str],
    charge: OpenCharge,
    reader: Reader,
    *,
    streamed: bool,
    name: str,
) -> web.StreamResponse:
    """Pass on the response to a paid call, and settle its charge. Raises RefusedError where nothing could go on."""
    if streamed or not _is_short(response):
        return await _passed(request, response, headers, charge, reader, streamed=streamed)
    try:
        body = await response.read()
    except BROKEN as error:
        charge.settle_partly(reader)
        response.close()
        raise broken_off(name, error) from None
    body = reader.feed(body) + reader.rest()
    charge.settle(reader)
    return web.Response(status=response.status, reason=response.reason, headers=headers, body=body)


async def _passed(
    request: web.BaseRequest,
    response: aiohttp.ClientResponse,
    headers: CIMultiDict[str],
    charge: OpenCharge | None,
    reader: Reader | None,
    *,
    streamed: bool = False,
) -> web.StreamResponse:
    out = web.StreamResponse(status=response.status, reason=response.reason, headers=headers)
    complete = False
    try:
        await out.prepare(request)
        # The head goes out now, even where the first event takes long.
        await out.write(b"")
        kept = b""
        async for chunk in response.content.iter_any():
            shown = chunk if reader is None else reader.feed(chunk)
            if charge is not None and reader is not None:
                if reader.ended and charge.open:
                    charge.settle(reader)
                if not streamed:
                    # The last bytes go on once it is settled: who has them has the whole response.
                    shown, kept = kept, shown
            if shown:
                await out.write(shown)
        complete = True
        if charge is not None and reader is not None:
            charge.settle(reader)
            kept += reader.rest()
        if kept:
            await out.write(kept)
        await out.write_eof()
    except BROKEN as error:
        # The provider's response or the client's connection: the client must not take the part for the whole.
        logging.getLogger(__name__).debug("A response was not passed on to its end: %s", error)
        if request.transport is not None:
            request.transport.abort()
    finally:
        if charge is not None and reader is not None:
            charge.settle_partly(reader)
        if not complete:
            response.close()
    return out


def _is_short(response: aiohttp.ClientResponse) -> bool:
    return response.content_length is not None and response.content_length <= _AT_ONCE
