"""A provider in this process with a response for each path, and governed clients that call it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, OpenAI

from aumos_governance import GovernanceEngine, govern
from tests.integrations.wire import http

__all__ = ["Desk"]

Response = Callable[[dict[str, Any]], Any]


class Desk:
    """A fake provider and its governed clients.

    ``responses`` has the responses by method and path: the bytes of a body, a mapping for a JSON body, an HTTP
    response, or a function that returns one of these for the request's body.
    """

    def __init__(self, engine: GovernanceEngine) -> None:
        self.responses: dict[str, Any] = {}
        self.requested: list[str] = []
        self._engine = engine

    def __call__(self, request: http.Request) -> http.Response:
        name = f"{request.method} {request.url.path.removeprefix('/v1')}"
        self.requested.append(name)
        response = self.responses.get(name)
        if callable(response):
            is_json = request.headers.get("content-type") == "application/json"
            response = response(json.loads(request.content) if is_json else {})
        if response is None:
            return http.Response(404, json={"error": {"message": "There is no such thing."}})
        if isinstance(response, http.Response):
            return response
        if isinstance(response, bytes):
            return http.Response(200, content=_Pieces(response))
        return http.Response(200, json=response)

    async def awaited(self, request: http.Request) -> http.Response:
        response = self(request)
        content = response.stream
        return http.Response(response.status_code, headers=response.headers, content=_pieces(content))

    def openai(self, **options: Any) -> OpenAI:
        responding = http.Client(transport=http.MockTransport(self))
        return self.governed(OpenAI(api_key="k", max_retries=0, http_client=responding), **options)

    def async_openai(self) -> AsyncOpenAI:
        responding = http.AsyncClient(transport=http.MockTransport(self.awaited))
        return self.governed(AsyncOpenAI(api_key="k", max_retries=0, http_client=responding))

    def anthropic(self, **options: Any) -> Anthropic:
        responding = http.Client(transport=http.MockTransport(self))
        return self.governed(Anthropic(api_key="k", max_retries=0, http_client=responding), **options)

    def async_anthropic(self) -> AsyncAnthropic:
        responding = http.AsyncClient(transport=http.MockTransport(self.awaited))
        return self.governed(AsyncAnthropic(api_key="k", max_retries=0, http_client=responding))

    def governed(self, client: Any, **options: Any) -> Any:
        return govern(client, engine=self._engine, budget_category="llm", **options)


class _Pieces(http.SyncByteStream):
    """A body that arrives in pieces of ten bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self) -> Any:
        for start in range(0, len(self._content), 10):
            yield self._content[start : start + 10]


async def _pieces(content: Any) -> Any:
    for piece in content:
        yield piece
