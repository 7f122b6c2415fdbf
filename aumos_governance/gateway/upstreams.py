"""The gateway's connections to the providers.

One HTTP client is shared by all; a `Destination` for each configured provider has its API, key and time limits.
"""

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

NOT_SENT: Final = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    ConnectionRefusedError,
)
"""The errors of aiohttp that mean that no part of the request was sent to the provider, so that the call cost
nothing."""
_KEPT_SECONDS: Final = 60.0
"""How long, in seconds, the gateway uses a provider's key before it reads the key from its source again."""
_IDLE_SECONDS: Final = 15.0
"""How long, in seconds, the gateway keeps an idle connection to a provider. It is shorter than any provider keeps one,
so that no request is lost on a connection that the provider is just closing."""
_READ_AHEAD: Final = 16 * 1024
"""The most bytes of a provider's response that are buffered before they are forwarded to the client."""


def session() -> aiohttp.ClientSession:
    """Return a new HTTP client for the connections to all providers; the gateway makes one when it starts.

    It keeps no cookies, since all users would share them, and uses no proxy that the environment configures.
    """
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
    """One configured provider while the gateway runs: its API, its prices, its current key and its connections."""

    def __init__(
        self, upstream: Upstream, http: aiohttp.ClientSession, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.upstream = upstream
        self.api: ProviderApi = api_of(upstream.dialect)
        self.measuring = Measuring(upstream, self.api)
        self.base_path = urlsplit(upstream.base_url).path
        """The path of the provider's base URL, such as ``/v1``. A client's path may begin with it or leave it out."""
        self._http = http
        self._monotonic = monotonic
        self._key: tuple[float, str | None] | None = None
        self._timeout = aiohttp.ClientTimeout(
            connect=upstream.connect_seconds, sock_connect=upstream.connect_seconds, sock_read=upstream.read_seconds
        )

    async def key(self) -> str | None:
        """Return the provider's current key, or None if the provider needs no key.

        Raises RefusedError if the key cannot be read.
        """
        if self._key is None or self._key[0] < self._monotonic():
            try:
                # Reading the key may open a file or run a command.
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
        """Return a new key after the provider refused the key ``refused``; None if there is no new key."""
        if self._key is not None and self._key[1] == refused:
            self._key = None
            self.upstream.key_refused(refused)
        try:
            key = await self.key()
        except RefusedError:
            # The next call reads the key first, and its client gets the reason.
            return None
        return None if key == refused else key

    async def send(
        self, call: ClientCall, query: str, headers: CIMultiDict[str], key: str | None, content: bytes | None
    ) -> aiohttp.ClientResponse:
        """Send a request to the provider, and return the response as soon as its headers have arrived.

        The client's gateway key is already removed from ``query`` and ``headers``; ``key`` is the provider's. Raises
        the errors of aiohttp.
        """
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
            # aiohttp sends a file piece by piece, so that other calls are served while a large body is sent.
            data=BytesIO(content) if content is not None and len(content) > LARGE else content,
            allow_redirects=False,
            timeout=self._timeout,
        )
