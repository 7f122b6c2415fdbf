from __future__ import annotations

import asyncio

import pytest
from openai import AsyncOpenAI
from pydantic_ai import Agent, FunctionToolset
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aumos_governance.integrations.pydantic_ai import GovernedToolset
from tests.integrations.clerk import FAULTY_CALL, Clerk
from tests.integrations.endpoint.server import Endpoint


def run(endpoint: Endpoint, clerk: Clerk, prompt: str, *, tell_model: bool = False) -> str:
    async def main() -> str:
        async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
            tools = GovernedToolset(FunctionToolset([clerk.send]), guard=clerk.guard, tell_model=tell_model)
            model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
            return (await Agent(model, toolsets=[tools]).run(prompt)).output

    return asyncio.run(main())


def test_a_tool_that_fails_is_not_charged(endpoint: Endpoint, clerk: Clerk) -> None:
    endpoint.script(FAULTY_CALL)
    with pytest.raises(ValueError, match="no address"):
        run(endpoint, clerk, "Greet nobody.")
    assert (clerk.spent, clerk.held) == (0, 0)
