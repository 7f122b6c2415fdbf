"""The connections to the providers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from ..errors import ConfigurationError
from .contents import LARGE
from .contract import Upstream
from .dialects.api import ClientCall, ProviderApi
from .dialects.table import api_of
from .measuring import Measuring
from .refusals import RefusedError

__all__ = ["NOT_SENT", "Destination", "session"]

NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    ConnectionRefusedError,
)
"""The errors that come before a request is out."""
_KEPT_SECONDS: Final = 60.0
"""How long a provider's key is used before it is read again."""
_IDLE_SECONDS: Final = 15.0
"""How long a connection is kept without a request: less than any provider keeps it, so that no request is lost on a
connection that the provider closes at that moment."""
_READ_AHEAD: Final = 16 * 1024
"""Bytes of a response that are read before the client takes them."""


def session() -> aiohttp.ClientSession:
    """The client of all upstreams: without cookies, and without a proxy that the environment names."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_IDLE_SECONDS, ttl_dns_cache=60),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),
        trust_env=False,
        read_bufsize=_READ_AHEAD,
        max_line_size=32 * 1024,
        max_field_size=32 * 1024,
        skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
    )


class Destination:
    """One upstream, with all that a call to it needs."""

    def __init__(
        self, upstream: Upstream, http: aiohttp.ClientSession, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.upstream = upstream
        self.api: ProviderApi = api_of(upstream.dialect)
        self.measuring = Measuring(upstream, self.api)
        self.base_path = urlsplit(upstream.base_url).path
        """The part of the base URL that clients have in theirs."""
        self._http = http
        self._monotonic = monotonic
        self._key: tuple[float, str | None] | None = None
        self._timeout = aiohttp.ClientTimeout(
            connect=upstream.connect_seconds, sock_connect=upstream.connect_seconds, sock_read=upstream.read_seconds
        )

    async def key(self) -> str | None:
        """The provider's key; None where it needs none. Raises RefusedError."""
        if self._key is None or self._key[0] < self._monotonic():
            try:
                # It may read a file or run a command.
                key = await asyncio.to_thread(self.upstream.key)
            except ConfigurationError as error:
                raise RefusedError(
                    HTTPStatus.SERVICE_UNAVAILABLE,
                    "KEY_UNAVAILABLE",
                    f"AumOS Governance: the key of {self.upstream.name} cannot be read on the Jupyter server, so the"
                    f" call was not sent; its administrator can repair it. {error.message}",
                ) from None
            self._key = self._monotonic() + _KEPT_SECONDS, key
        return self._key[1]

    async def key_after(self, refused: str) -> str | None:
        """Another key than the one that the provider refused, which may have been replaced; None: there is none."""
        if self._key is not None and self._key[1] == refused:
            self._key = None
            self.upstream.key_refused(refused)
        try:
            key = await self.key()
        except RefusedError:
            # The next call has the reason.
            return None
        return None if key == refused else key

    async def send(
        self, call: ClientCall, query: str, headers: CIMultiDict[str], key: str | None, content: bytes | None
    ) -> aiohttp.ClientResponse:
        """Send a request, and give its response when the head of it has arrived. Raises what aiohttp raises."""
        upstream = self.upstream
        if key is not None:
            headers.update(self.api.credential(upstream.base_url, key))
        headers["accept-encoding"] = "identity"
        headers.update(upstream.headers)
        address = upstream.url(call.path) if call.from_host else f"{upstream.base_url}{call.path}"
        return await self._http.request(
            call.request.method,
            URL(f"{address}?{query}" if query else address, encoded=True),
            headers=headers,
            # Of a large one piece by piece, so that others are served meanwhile.
            data=BytesIO(content) if content is not None and len(content) > LARGE else content,
            allow_redirects=False,
            timeout=self._timeout,
        )
