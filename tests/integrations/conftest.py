from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from aumos_governance import govern
from tests.integrations.chats import Run, plain
from tests.integrations.clerk import Clerk
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """A provider on the loopback interface."""
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def clerk() -> Iterator[Clerk]:
    """An agent with a governed tool that sends mail."""
    with Clerk() as clerk:
        yield clerk


@pytest.fixture
def till() -> Iterator[Till]:
    """An engine with a budget; nothing may be left held in it when the test is over."""
    till = Till()
    with till.engine:
        yield till
        assert till.held == 0


@pytest.fixture
def client(endpoint: Endpoint, till: Till) -> Iterator[OpenAI]:
    """A governed client without retries."""
    with govern(plain(endpoint), engine=till.engine, budget_category="llm") as client:
        yield client


@pytest.fixture
def run(endpoint: Endpoint, till: Till) -> Run[Any]:
    """Runs a coroutine with a governed client in a loop of its own."""

    def running(work: Callable[[AsyncOpenAI], Coroutine[Any, Any, Any]]) -> Any:
        async def with_client() -> Any:
            async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key", max_retries=0) as client:
                return await work(govern(client, engine=till.engine, budget_category="llm"))

        return asyncio.run(with_client())

    return running
