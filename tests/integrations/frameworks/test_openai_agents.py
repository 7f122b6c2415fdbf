from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest
from agents import Agent, FunctionTool, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

from aumos_governance import TrustLevel
from aumos_governance.integrations.openai_agents import governed_tool
from tests.integrations.clerk import FAULTY_CALL, Clerk
from tests.integrations.endpoint.server import Endpoint


@pytest.fixture(autouse=True)
def _untraced() -> Iterator[None]:
    # Traces would go to the provider.
    set_tracing_disabled(True)
    yield
    set_tracing_disabled(False)


def run(endpoint: Endpoint, clerk: Clerk, prompt: str, *, tell_model: bool = False) -> str:
    async def main() -> str:
        async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
            tool = governed_tool(function_tool(clerk.send), clerk.guard, tell_model=tell_model)
            agent = Agent("clerk", model=OpenAIChatCompletionsModel("gpt-4o", openai_client=client), tools=[tool])
            return (await Runner.run(agent, prompt)).final_output_as(str)

    return asyncio.run(main())


def test_an_error_that_the_sdk_tells_the_model_counts_as_a_run(endpoint: Endpoint, clerk: Clerk) -> None:
    endpoint.script(FAULTY_CALL)
    run(endpoint, clerk, "Greet nobody.")
    assert (clerk.spent, clerk.held) == (Decimal("0.04"), 0)


def test_arguments_that_are_no_json_are_left_to_the_tool(endpoint: Endpoint, clerk: Clerk) -> None:
    seen = []

    async def invoke(context: object, arguments: str) -> str:
        seen.append(arguments)
        return "refused"

    tool = FunctionTool("send", "", {"type": "object", "properties": {}}, invoke, strict_json_schema=False)
    clerk.level(TrustLevel.L3_ACT_APPROVE)
    governed = governed_tool(tool, clerk.guard)
    assert asyncio.run(governed.on_invoke_tool(None, "{not JSON")) == "refused"  # type: ignore[arg-type]
    assert seen == ["{not JSON"]
    assert clerk.shown[0]["arguments"] == {"arguments": "{not JSON"}
