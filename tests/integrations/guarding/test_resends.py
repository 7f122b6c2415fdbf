"""A request that the user's own HTTP client or transport sends several times is held and charged for each time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, DefaultHttpxClient, OpenAI

from aumos_governance import GovernanceDeniedError, GovernanceEngine, govern
from tests.integrations.chats import COST, chat, chat_async, plain
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till
from tests.integrations.wire import http


class Hedging(http.Client):
    """Sends each request twice in parallel, and returns the response to the first one."""

    def send(self, request: Any, **options: Any) -> Any:
        send = super().send
        with ThreadPoolExecutor(2) as pool:
            first, second = (pool.submit(send, request, **options) for _ in range(2))
            second.result()
            return first.result()


class Again(http.BaseTransport):
    """Sends a request again after an error response, or after any response that it rejects."""

    def __init__(self, *, dislikes: int = 0) -> None:
        self._inner = http.HTTPTransport()
        self._dislikes = dislikes

    def handle_request(self, request: Any) -> Any:
        while True:
            response = self._inner.handle_request(request)
            if response.status_code < 400 and self._dislikes == 0:
                return response
            self._dislikes = max(0, self._dislikes - (response.status_code < 400))
            response.read()

    def close(self) -> None:
        self._inner.close()


class AgainAsync(http.AsyncBaseTransport):
    def __init__(self) -> None:
        self._inner = http.AsyncHTTPTransport()

    async def handle_async_request(self, request: Any) -> Any:
        await (await self._inner.handle_async_request(request)).aread()
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def governed(endpoint: Endpoint, till: Till, http_client: Any) -> Iterator[OpenAI]:
    with plain(endpoint, http_client=http_client) as client:
        yield govern(client, engine=till.engine, budget_category="llm")


def test_side_by_side(endpoint: Endpoint, till: Till) -> None:
    with governed(endpoint, till, Hedging()) as client:
        chat(client)
    assert endpoint.count == 2
    # Which of them the response is of does not matter: they are the same.
    assert sorted(till.events()) == ["estimated", "hold", "hold", "settle"]
    assert till.spent > COST


def test_one_that_does_not_fit_is_not_sent(endpoint: Endpoint) -> None:
    with GovernanceEngine() as engine:
        till = Till(engine, limit=0.001)
        with governed(endpoint, till, Hedging()) as client, pytest.raises(GovernanceDeniedError):
            chat(client)
        assert endpoint.count <= 1
        assert till.held == 0


@pytest.mark.parametrize("streamed", [False, True])
def test_a_response_that_a_transport_does_not_like_is_paid_for_too(
    endpoint: Endpoint, till: Till, streamed: bool
) -> None:
    with governed(endpoint, till, http.Client(transport=Again(dislikes=2))) as client:
        response = chat(client, stream=streamed)
        if streamed:
            list(response)
    assert endpoint.count == 3
    assert sorted(till.events()) == ["estimated"] * 2 + ["hold"] * 3 + ["settle"]


def test_errors_cost_nothing_and_one_hold_is_enough(endpoint: Endpoint, till: Till) -> None:
    endpoint.script(Reply(status=500), Reply(status=429))
    with governed(endpoint, till, http.Client(transport=Again())) as client:
        chat(client)
    assert (endpoint.count, till.spent, till.events()) == (3, COST, ["hold", "settle"])


def test_an_extension_of_the_user_s_own_is_called_too(endpoint: Endpoint, till: Till) -> None:
    seen: list[str] = []

    class Tracing(http.Client):
        def build_request(self, *arguments: Any, **options: Any) -> Any:
            options["extensions"] = {**(options.get("extensions") or {}), "trace": lambda event, _: seen.append(event)}
            return super().build_request(*arguments, **options)

    with governed(endpoint, till, Tracing()) as client:
        chat(client)
    assert "http11.send_request_headers.started" in seen
    assert (till.spent, till.events()) == (COST, ["hold", "settle"])


def test_awaited(endpoint: Endpoint, till: Till) -> None:
    async def requested() -> None:
        async with http.AsyncClient(transport=AgainAsync()) as responding:
            made = AsyncOpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0, http_client=responding)
            await chat_async(govern(made, engine=till.engine, budget_category="llm"))

    asyncio.run(requested())
    assert endpoint.count == 2
    assert sorted(till.events()) == ["estimated", "hold", "hold", "settle"]


def test_the_libraries_own_clients_are_not_traced(endpoint: Endpoint, till: Till) -> None:
    traced: list[bool] = []

    def look(request: Any) -> None:
        traced.append("trace" in request.extensions)

    async def look_async(request: Any) -> None:
        look(request)

    with governed(endpoint, till, DefaultHttpxClient(event_hooks={"request": [look]})) as client:
        chat(client)

    async def requested() -> None:
        hooks: Any = {"request": [look_async]}
        async with DefaultAsyncHttpxClient(event_hooks=hooks) as responding:
            made = AsyncOpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0, http_client=responding)
            await chat_async(govern(made, engine=till.engine, budget_category="llm"))

    asyncio.run(requested())
    assert traced == [False, False]
