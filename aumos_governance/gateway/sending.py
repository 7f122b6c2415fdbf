"""Sends a client's request to its provider, and again if the provider refused the key or a field the gateway added."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from aiohttp import web

from ..integrations.guarding.calls import READS
from ..integrations.guarding.stream_options import stream_options
from .bodies import Body
from .dialects.api import ClientCall
from .headers import from_client
from .measuring import Measured
from .upstreams import Destination

_FORM: Final = "multipart/form-data"


class Sending:
    """One client's request on its way to the provider. At most one response of the provider is open at a time.

    A request that the provider refused costs nothing, so the same hold covers the next attempt.
    """

    def __init__(self, destination: Destination, request: web.BaseRequest, query: str, secret: str) -> None:
        """``secret`` is the client's gateway key, and ``query`` the request's query string without that key."""
        self._destination = destination
        self._request = request
        self._query = query
        self._secret = secret
        self._response: aiohttp.ClientResponse | None = None
        self._path = ""
        self._model: object = None
        self.key: str | None = None
        """The provider's key to send, or that was last sent; None if the provider needs no key."""

    @property
    def is_form(self) -> bool:
        """Whether the client's request has a form as its body, which is forwarded unchanged."""
        return self._request.headers.get("content-type", "").lower().startswith(_FORM)

    def is_bare(self, path: str, body: Mapping[str, Any]) -> bool:
        """Return whether the gateway may add no ``stream_options`` to the request, and note its path and model.

        The field makes a stream report its usage. It is not added if the server is known to refuse it at this path and
        model.
        """
        self._path, self._model = path.partition("?")[0], body.get("model")
        return stream_options.withheld(self._place)

    @property
    def _place(self) -> tuple[str, str]:
        # The path is included because Azure's path names the model, and the body may name another one.
        return f"{self._destination.upstream.base_url}{self._path}", str(self._model)

    async def read_key(self) -> None:
        """Set `key` to the provider's current key. Raises RefusedError if the key cannot be read."""
        self.key = await self._destination.key()

    async def send_free(self, call: ClientCall, content: bytes | None) -> aiohttp.ClientResponse:
        """Send a free request, and return the response as soon as its headers have arrived.

        ``content`` is the request's body, or None. Raises the errors of aiohttp.
        """
        return await self._sent(call, content)

    async def paid_content(self, measured: Measured, body: Body, content: bytes, size: int) -> bytes:
        """Return the bytes of the body to send for a paid call: the client's form unchanged, or the measured JSON.

        ``content`` is the client's form, and ``size`` the size of the client's body in bytes. Raises RefusedError if
        the JSON takes too much memory.
        """
        return content if self.is_form else await body.encode(measured.paid.body or measured.call.request.body, size)

    async def send_paid(self, measured: Measured, content: bytes, body: Body) -> aiohttp.ClientResponse:
        """Send a paid request with the body ``content``, and return the response as soon as its headers have arrived.

        If the server refuses the ``stream_options`` that the gateway added, the request is sent again without them.
        Raises the errors of aiohttp.
        """
        call = measured.call
        response = await self._sent(call, content, is_json=not self.is_form)
        if measured.paid.body is None:
            return response
        if response.status < HTTPStatus.BAD_REQUEST:
            stream_options.accepts(self._place)
        if not stream_options.may_refuse_with(self._place, response.status):
            return response
        # The server may have refused the field for the usage. The client's own request, without it, is not longer.
        content = await body.encode(call.request.body, len(content))
        response = await self._sent(call, content, is_json=True)
        if response.status < HTTPStatus.BAD_REQUEST:
            stream_options.refuses(self._place)
        return response

    def close(self) -> None:
        """Close the provider's response, if one is open."""
        response, self._response = self._response, None
        if response is not None:
            # aiohttp still keeps the connection of a response that was read to its end.
            response.close()

    async def _sent(self, call: ClientCall, content: bytes | None, *, is_json: bool = False) -> aiohttp.ClientResponse:
        response = await self._once(call, content, is_json=is_json)
        if response.status == HTTPStatus.UNAUTHORIZED and self.key is not None:
            key = await self._destination.key_after(self.key)
            if key is not None:
                self.key = key
                response = await self._once(call, content, is_json=is_json)
        return response

    async def _once(self, call: ClientCall, content: bytes | None, *, is_json: bool) -> aiohttp.ClientResponse:
        self.close()
        headers = from_client(self._request.headers, self._secret, self._destination.api.withheld_headers)
        if call.request.method.lower() in READS:
            content = None
        elif content is not None and (is_json or "content-type" not in headers):
            # The body was measured as JSON, whatever type the client stated.
            headers["content-type"] = "application/json"
        self._response = await self._destination.send(call, self._query, headers, self.key, content)
        return self._response
