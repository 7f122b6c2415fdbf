"""The chats of the tests of failing calls, with a governed client or a plain one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from openai import (
    AsyncOpenAI,
    OpenAI,
)

from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

ResponseT = TypeVar("ResponseT")
MESSAGES: Any = [{"role": "user", "content": "What is six times seven?"}]
COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})


def plain(endpoint: Endpoint, **options: Any) -> OpenAI:
    return OpenAI(**{"base_url": endpoint.openai_url, "api_key": "key", "max_retries": 0} | options)


Run = Callable[[Callable[[AsyncOpenAI], Coroutine[Any, Any, ResponseT]]], ResponseT]
"""Runs a coroutine with a governed client in a loop of its own."""


def chat(client: OpenAI, **options: Any) -> Any:
    return client.chat.completions.create(**{"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 50} | options)


async def chat_async(client: AsyncOpenAI, **options: Any) -> Any:
    return await client.chat.completions.create(**{"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 50} | options)
