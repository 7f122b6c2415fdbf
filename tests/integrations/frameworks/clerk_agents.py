"""An agent of each framework, with the tool of `clerk`."""

from __future__ import annotations

import asyncio
from typing import Protocol

from agents import Agent as OpenAIAgent
from agents import OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI
from pydantic_ai import Agent, FunctionToolset
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aumos_governance.integrations.openai_agents import governed_tool
from aumos_governance.integrations.pydantic_ai import GovernedToolset
from tests.integrations.clerk import Clerk
from tests.integrations.endpoint.server import Endpoint

__all__ = ["Run", "run_openai_agents", "run_pydantic_ai"]


class Run(Protocol):
    """Runs an agent with the tool, and returns its last message."""

    def __call__(self, endpoint: Endpoint, clerk: Clerk, prompt: str, *, tell_model: bool = False) -> str: ...


def run_openai_agents(endpoint: Endpoint, clerk: Clerk, prompt: str, *, tell_model: bool = False) -> str:
    async def main() -> str:
        async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
            tool = governed_tool(function_tool(clerk.send), clerk.guard, tell_model=tell_model)
            agent = OpenAIAgent("clerk", model=OpenAIChatCompletionsModel("gpt-4o", openai_client=client), tools=[tool])
            return (await Runner.run(agent, prompt)).final_output_as(str)

    # Traces would go to the provider.
    set_tracing_disabled(True)
    try:
        return asyncio.run(main())
    finally:
        set_tracing_disabled(False)


def run_pydantic_ai(endpoint: Endpoint, clerk: Clerk, prompt: str, *, tell_model: bool = False) -> str:
    async def main() -> str:
        async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
            tools = GovernedToolset(FunctionToolset([clerk.send]), guard=clerk.guard, tell_model=tell_model)
            model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
            return (await Agent(model, toolsets=[tools]).run(prompt)).output

    return asyncio.run(main())
