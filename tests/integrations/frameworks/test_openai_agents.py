from __future__ import annotations

import asyncio
from decimal import Decimal

from agents import FunctionTool

from aumos_governance import TrustLevel
from aumos_governance.integrations.openai_agents import governed_tool
from tests.integrations.clerk import FAULTY_CALL, Clerk
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.frameworks.clerk_agents import run_openai_agents


def test_an_error_that_the_sdk_passes_to_the_model_counts_as_a_run(endpoint: Endpoint, clerk: Clerk) -> None:
    endpoint.script(FAULTY_CALL)
    run_openai_agents(endpoint, clerk, "Greet nobody.")
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
