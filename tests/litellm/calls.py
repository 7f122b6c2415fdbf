"""Calls of LiteLLM's completions in each way: whole or streamed, awaited or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from aumos_governance.integrations.litellm import GovernedLiteLLM
from tests.integrations.endpoint.replies import Reply, Tokens
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till, priced

__all__ = [
    "COST",
    "EACH_WAY",
    "TEXT",
    "TOKENS",
    "Call",
    "awaited",
    "complete",
    "denied",
    "request",
    "stream",
    "streamed_awaited",
    "text_of",
]

MESSAGES: Any = [{"role": "user", "content": "What is the answer?"}]
TEXT = Reply().text
TOKENS = Tokens(input=1000, output=300, cached=400)
COST = priced("gpt-4o", {"input_tokens": 1000, "output_tokens": 300, "cache_read_tokens": 400})


def request(endpoint: Endpoint, **options: Any) -> dict[str, Any]:
    requested = {"model": "openai/gpt-4o", "messages": MESSAGES, "api_base": endpoint.openai_url, "api_key": "key"}
    return {**requested, "max_retries": 0, **options}


def text_of(chunks: list[Any]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def denied(till: Till) -> list[tuple[str | None, str | None]]:
    """Return the code and the model of each recorded denial."""
    return [(entry.code, entry.tool) for entry in till.engine.audit.entries() if entry.outcome == "deny"]


def complete(governed: GovernedLiteLLM, requested: dict[str, Any]) -> str:
    return str(governed.completion(**requested).choices[0].message.content)


def stream(governed: GovernedLiteLLM, requested: dict[str, Any]) -> str:
    chunks = list(governed.completion(**requested, stream=True))
    assert all(getattr(chunk, "usage", None) is None for chunk in chunks)
    return text_of(chunks)


def awaited(governed: GovernedLiteLLM, requested: dict[str, Any]) -> str:
    return str(asyncio.run(governed.acompletion(**requested)).choices[0].message.content)


def streamed_awaited(governed: GovernedLiteLLM, requested: dict[str, Any]) -> str:
    async def main() -> list[Any]:
        return [chunk async for chunk in await governed.acompletion(**requested, stream=True)]

    return text_of(asyncio.run(main()))


EACH_WAY = pytest.mark.parametrize("call", [complete, stream, awaited, streamed_awaited])
Call = Callable[[GovernedLiteLLM, dict[str, Any]], str]
