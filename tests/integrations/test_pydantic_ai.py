from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from openai import AsyncOpenAI
from pydantic_ai import Agent, FunctionToolset
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from aumos_governance import GovernanceDeniedError, TrustLevel
from aumos_governance.integrations.pydantic_ai import GovernedToolset
from tests.integrations.clerk import CALL, FAULTY_CALL, Clerk
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint


def run(endpoint: Endpoint, clerk: Clerk, prompt: str, *, tell_model: bool = False) -> str:
    async def main() -> str:
        async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
            tools = GovernedToolset(FunctionToolset([clerk.send]), guard=clerk.guard, tell_model=tell_model)
            model = OpenAIChatModel("gpt-4o", provider=OpenAIProvider(openai_client=client))
            return (await Agent(model, toolsets=[tools]).run(prompt)).output

    return asyncio.run(main())


def test_an_allowed_tool_runs_and_is_charged(endpoint: Endpoint, clerk: Clerk) -> None:
    endpoint.script(CALL)
    assert run(endpoint, clerk, "Greet Ann.") == Reply().text
    assert (clerk.sent, clerk.spent) == ([("ann", "Hello")], Decimal("0.04"))


def test_a_person_is_asked_before_the_tool_runs(endpoint: Endpoint, clerk: Clerk) -> None:
    clerk.level(TrustLevel.L3_ACT_APPROVE)
    endpoint.script(CALL)
    run(endpoint, clerk, "Greet Ann.")
    assert [shown["arguments"] for shown in clerk.shown] == [{"to": "ann", "text": "Hello"}]
    assert clerk.sent == [("ann", "Hello")]


def test_a_denied_tool_ends_the_run(endpoint: Endpoint, clerk: Clerk) -> None:
    clerk.level(TrustLevel.L2_SUGGEST)
    endpoint.script(CALL)
    with pytest.raises(GovernanceDeniedError, match="only suggested"):
        run(endpoint, clerk, "Greet Ann.")
    assert (clerk.sent, endpoint.count) == ([], 1)


def test_or_the_model_is_told_and_goes_on(endpoint: Endpoint, clerk: Clerk) -> None:
    clerk.level(TrustLevel.L2_SUGGEST)
    endpoint.script(CALL)
    assert run(endpoint, clerk, "Greet Ann.", tell_model=True) == Reply().text
    told = endpoint.exchange(1).received.json["messages"][-1]
    assert told["role"] == "tool"
    assert "only suggested" in told["content"]
    assert clerk.sent == []


def test_a_tool_that_fails_is_not_charged(endpoint: Endpoint, clerk: Clerk) -> None:
    endpoint.script(FAULTY_CALL)
    with pytest.raises(ValueError, match="no address"):
        run(endpoint, clerk, "Greet nobody.")
    assert (clerk.spent, clerk.held) == (0, 0)
