from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, StructuredTool, Tool, tool
from langchain_openai import ChatOpenAI

from aumos_governance import GovernanceDeniedError, TrustLevel
from aumos_governance.integrations.langchain import governed_tool
from tests.integrations.clerk import CALL, Clerk
from tests.integrations.endpoint.server import Endpoint

REQUEST = {"to": "ann", "text": "Hello"}


class Sender(BaseTool):
    """A tool by inheritance, which takes what LangChain injects."""

    name: str = "send"
    description: str = "Send a mail."
    clerk: Any

    def _run(self, to: str, text: str, config: RunnableConfig, run_manager: Any = None) -> str:
        assert run_manager is not None
        assert config is not None
        response: str = self.clerk.send(to, text)
        return response


def function_tool(clerk: Clerk) -> BaseTool:
    return StructuredTool.from_function(clerk.send)


def coroutine_tool(clerk: Clerk) -> BaseTool:
    async def send(to: str, text: str) -> str:
        """Send a mail."""
        return clerk.send(to, text)

    return StructuredTool.from_function(clerk.send, coroutine=send)


def inherited_tool(clerk: Clerk) -> BaseTool:
    return Sender(clerk=clerk)


@pytest.mark.parametrize("make", [function_tool, coroutine_tool, inherited_tool])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_each_kind_of_tool_is_one_act_a_call(
    clerk: Clerk, make: Callable[[Clerk], BaseTool], asynchronous: bool
) -> None:
    clerk.level(TrustLevel.L3_ACT_APPROVE)
    governed = governed_tool(make(clerk), clerk.guard)
    response = asyncio.run(governed.ainvoke(REQUEST)) if asynchronous else governed.invoke(REQUEST)
    assert (response, clerk.sent, clerk.spent) == ("sent", [("ann", "Hello")], Decimal("0.04"))
    assert [shown["arguments"] for shown in clerk.shown] == [REQUEST]
    clerk.says_yes = False
    with pytest.raises(GovernanceDeniedError, match="denied it"):
        asyncio.run(governed.ainvoke(REQUEST)) if asynchronous else governed.invoke(REQUEST)
    assert len(clerk.sent) == 1


def test_the_copy_is_the_same_tool_to_a_model(clerk: Clerk) -> None:
    plain = function_tool(clerk)
    governed = governed_tool(plain, clerk.guard)
    assert type(governed) is type(plain)
    assert (governed.name, governed.args) == (plain.name, plain.args)
    plain.invoke(REQUEST)
    assert clerk.spent == 0


def test_a_tool_of_one_text(clerk: Clerk) -> None:
    clerk.level(TrustLevel.L3_ACT_APPROVE)
    governed = governed_tool(Tool("echo", str.upper, "Echo."), clerk.guard)
    assert governed.invoke("hello") == "HELLO"
    assert clerk.shown[0]["arguments"] == {"input": ["hello"]}


def test_the_model_reads_what_was_refused(endpoint: Endpoint, clerk: Clerk) -> None:
    clerk.level(TrustLevel.L2_SUGGEST)
    endpoint.script(CALL)
    with_artifact = StructuredTool.from_function(clerk.send, response_format="content_and_artifact")
    for plain in (function_tool(clerk), with_artifact):
        governed = governed_tool(plain, clerk.guard, tell_model=True)
        endpoint.script(CALL)
        model = ChatOpenAI(model="gpt-4o", base_url=endpoint.openai_url, api_key="key").bind_tools([governed])  # type: ignore[arg-type]
        response = model.invoke("Greet Ann.")
        reported = governed.invoke(response.tool_calls[0])
        assert isinstance(reported, ToolMessage)
        assert "only suggested" in reported.content
    assert clerk.sent == []


def test_a_tool_that_fails_is_not_charged(clerk: Clerk) -> None:
    governed = governed_tool(function_tool(clerk), clerk.guard)
    with pytest.raises(ValueError, match="no address"):
        governed.invoke({"to": "nobody", "text": "Hello"})
    assert (clerk.spent, clerk.held) == (0, 0)


def test_the_default_engine_decides_where_none_is_named() -> None:
    @tool
    def echo(text: str) -> str:
        """Echo."""
        return text

    with pytest.raises(Exception, match="load_ext aumos_governance"):
        governed_tool(echo).invoke({"text": "hello"})
