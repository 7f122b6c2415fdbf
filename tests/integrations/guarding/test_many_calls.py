"""Many calls at once, forks, and clients that only look governed."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import os
import threading
import warnings
from decimal import Decimal
from typing import Any

import pytest
from openai import (
    AsyncOpenAI,
    OpenAI,
)

from aumos_governance import ConfigurationError, GovernanceDeniedError
from aumos_governance.integrations.guarding.calls import ApiRequest
from aumos_governance.integrations.guarding.leftovers import leftovers
from aumos_governance.integrations.openai.calls import PROVIDER
from aumos_governance.integrations.pricing.prices import Prices
from tests.integrations.chats import COST, MESSAGES, Run, chat
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till


def test_fifty_streams_at_once_spend_no_more_than_there_is(run: Run[Any], till: Till, endpoint: Endpoint) -> None:
    endpoint.default = Reply(pause_after=1)
    action = {"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 50, "stream": True}
    worst = _worst(action)
    till.engine.budget.set_limit("llm", worst * 10)

    async def one(client: AsyncOpenAI) -> bool:
        try:
            stream = await client.chat.completions.create(**action)
        except GovernanceDeniedError:
            return False
        return len([chunk async for chunk in stream]) > 0

    async def all_of_them(client: AsyncOpenAI) -> list[bool]:
        tasks = [asyncio.create_task(one(client)) for _ in range(50)]
        await asyncio.to_thread(endpoint.wait_received, 10)
        # Those that are denied are done; ten wait for the endpoint.
        for task in itertools.islice(asyncio.as_completed(tasks), 40):
            assert await task is False
        assert till.engine.budget.balance("llm").held == worst * 10
        endpoint.default = Reply()
        endpoint.release()
        return await asyncio.gather(*tasks)

    ran = run(all_of_them)
    assert (sum(ran), endpoint.count) == (10, 10)
    assert (till.held, till.spent) == (0, 10 * COST)


def test_fifty_threads_at_once_spend_no_more_than_there_is(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    worst = _worst({"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 50, "stream": True})
    till.engine.budget.set_limit("llm", worst * 10)
    together, denied = threading.Barrier(50), []

    def one() -> None:
        together.wait()
        try:
            list(chat(client, stream=True))
        except GovernanceDeniedError as error:
            denied.append(error)

    threads = [threading.Thread(target=one) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert endpoint.count == 50 - len(denied)
    assert (till.held, till.spent) == (0, endpoint.count * COST)
    assert till.spent <= worst * 10


def _worst(body: dict[str, Any]) -> Decimal:
    paid = PROVIDER.paid(ApiRequest("post", "/chat/completions", body, streamed=True))
    assert paid is not None
    worst = paid.worst(Prices().rates("gpt-4o", provider="openai"))
    return worst.quantize(Decimal(1).scaleb(-9))


def test_a_fork_leaves_what_its_parent_holds_alone(client: OpenAI, till: Till, endpoint: Endpoint) -> None:
    if not hasattr(os, "fork"):
        return
    endpoint.default = Reply(pause_after=2)
    stream = chat(client, stream=True)
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        # Python warns of forks while threads run, which is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = context.Process(target=leftovers.finish)
        child.start()
    child.join()
    assert child.exitcode == 0
    assert till.held > 0
    stream.close()
    assert till.held == 0


def test_a_client_made_from_the_governed_class_is_not_governed_by_chance(client: OpenAI, endpoint: Endpoint) -> None:
    other = type(client)(base_url=endpoint.openai_url, api_key="key")
    with pytest.raises(ConfigurationError, match="govern\\(\\) it as well"):
        chat(other)
    assert endpoint.count == 0
