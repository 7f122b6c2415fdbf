"""Sends a client's request to its provider: once more where the key was replaced, or what was added is refused."""

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

__all__ = ["Sending"]

_FORM: Final = "multipart/form-data"


class Sending:
    """One client's request on its way, and the one response that is open at a time.

    What a provider refused cost nothing, so what is held for a call is there for its next attempt.
    """

    def __init__(self, destination: Destination, request: web.BaseRequest, query: str, secret: str) -> None:
        """``query`` is the request's without the client's key, which is ``secret``."""
        self._destination = destination
        self._request = request
        self._query = query
        self._secret = secret
        self._response: aiohttp.ClientResponse | None = None
        self._path = ""
        self._model: object = None
        self.key: str | None = None
        """The provider's key, with which the request was sent last."""

    @property
    def is_form(self) -> bool:
        """Whether the request's body is a form, which is sent as it came."""
        return self._request.headers.get("content-type", "").lower().startswith(_FORM)

    def is_bare(self, path: str, body: Mapping[str, Any]) -> bool:
        """Whether the request is sent without the field for a stream's usage, which its server refuses."""
        self._path, self._model = path.partition("?")[0], body.get("model")
        return stream_options.withheld(self._place)

    @property
    def _place(self) -> tuple[str, str]:
        # The path as well: Azure's names the model, whatever the body names.
        return f"{self._destination.upstream.base_url}{self._path}", str(self._model)

    async def read_key(self) -> None:
        """Read the provider's key. Raises RefusedError."""
        self.key = await self._destination.key()

    async def free(self, call: ClientCall, content: bytes | None) -> aiohttp.ClientResponse:
        """Send a request that costs nothing; gives the head of its response. Raises what aiohttp raises."""
        return await self._sent(call, content)

    async def content(self, measured: Measured, body: Body, content: bytes, size: int) -> bytes:
        """What is sent of a paid call: a form as it came, else the JSON that was measured. Raises RefusedError.

        ``size`` is that of the client's ``body``, whose place it takes.
        """
        return content if self.is_form else await body.written(measured.paid.body or measured.call.request.body, size)

    async def paid(self, measured: Measured, content: bytes, body: Body) -> aiohttp.ClientResponse:
        """Send a paid request; gives the head of its response. Raises what aiohttp raises."""
        call = measured.call
        response = await self._sent(call, content, is_json=not self.is_form)
        if measured.paid.body is None or self.is_form:
            return response
        if response.status < HTTPStatus.BAD_REQUEST:
            stream_options.accepts(self._place)
        if not stream_options.may_refuse_with(self._place, response.status):
            return response
        # The server may refuse a request for the usage. As its client wrote it, the request is not longer.
        content = await body.written(call.request.body, len(content))
        response = await self._sent(call, content, is_json=True)
        if response.status < HTTPStatus.BAD_REQUEST:
            stream_options.refuses(self._place)
        return response

    def close(self) -> None:
        """Nothing more of the response is read."""
        response, self._response = self._response, None
        if response is not None:
            # Of one that was read to its end the connection is kept.
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
            # Whatever the client called it: it was read as JSON.
            headers["content-type"] = "application/json"
        self._response = await self._destination.send(call, self._query, headers, self.key, content)
        return self._response
