"""Attempts of one call that are sent in parallel are held and charged by themselves, even after the call is over."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from anthropic import AsyncAnthropic

from aumos_governance import GovernanceDeniedError, GovernanceEngine, govern
from tests.integrations.guarding.attempting import HAIKU, OPUS, REQUEST, Provider, chained, cost, message, to_opus
from tests.integrations.till import Till
from tests.integrations.wire import http


@pytest.fixture
def provider() -> Provider:
    return Provider()


def test_requests_side_by_side_are_each_charged(provider: Provider, till: Till) -> None:
    both = threading.Barrier(2)

    def hedging(request: Any, go: Any) -> Any:
        # Neither thread has this one's context.
        with ThreadPoolExecutor(2) as pool:
            sent = [pool.submit(go, one) for one in (request, to_opus(request))]
            return next(one.result() for one in sent)

    def response(body: dict[str, Any], _: int) -> Any:
        both.wait(10)
        return message(body)

    provider.response = response
    assert provider.client(till, hedging).messages.create(**REQUEST).model == HAIKU
    assert till.held == 0
    assert till.spent == cost(HAIKU) + cost(OPUS)


def test_a_request_that_outlives_its_call_is_charged(provider: Provider, till: Till) -> None:
    late, pool = threading.Event(), ThreadPoolExecutor(1)

    def hedging(request: Any, go: Any) -> Any:
        slow = pool.submit(go, to_opus(request))
        slower.append(slow)
        return go(request)

    def response(body: dict[str, Any], _: int) -> Any:
        if body["model"] == OPUS:
            late.wait(10)
        return message(body)

    slower: list[Any] = []
    provider.response = response
    provider.client(till, hedging).messages.create(**REQUEST)
    late.set()
    slower[0].result(10)
    pool.shutdown()
    assert (till.held, till.spent) == (Decimal(0), cost(HAIKU) + cost(OPUS))


def test_awaited_side_by_side_the_slower_one_is_an_estimate_when_it_is_cancelled(till: Till) -> None:
    provider, opus_sent = Provider(), asyncio.Event()

    async def response(request: http.Request) -> http.Response:
        if json.loads(request.content)["model"] == OPUS:
            opus_sent.set()
            await asyncio.Event().wait()
        await opus_sent.wait()
        return provider(request)

    async def hedging(request: Any, go: Any) -> Any:
        sent = [asyncio.create_task(go(one)) for one in (request, to_opus(request))]
        done, slow = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        for task in slow:
            task.cancel()
        await asyncio.wait(slow)
        return done.pop().result()

    async def hedged() -> None:
        responding = http.AsyncClient(transport=http.MockTransport(response))
        plain = AsyncAnthropic(api_key="k", http_client=responding, max_retries=0, **chained([hedging]))
        client = govern(plain, engine=till.engine, budget_category="llm")
        assert (await client.messages.create(**REQUEST)).model == HAIKU

    asyncio.run(hedged())
    assert till.held == 0
    assert sorted(till.events()) == ["estimated", "hold", "hold", "settle"]
    (opus,) = [record for record in till.records("hold") if record.tool == OPUS]
    assert till.spent == cost(HAIKU) + Decimal(opus.amount).scaleb(-9)


def test_of_requests_side_by_side_the_one_that_does_not_fit_is_denied(provider: Provider) -> None:
    def hedging(request: Any, go: Any) -> Any:
        first = go(request)
        with ThreadPoolExecutor(1) as pool, pytest.raises(GovernanceDeniedError):
            pool.submit(go, to_opus(request)).result()
        return first

    with GovernanceEngine() as engine:
        till = Till(engine, limit=0.02)
        provider.client(till, hedging).messages.create(**REQUEST)
        assert (provider.models, till.spent, till.held) == ([HAIKU], cost(HAIKU), Decimal(0))
