"""The behaviour that the governed tools of all frameworks share, each tested in the framework's own agent."""

from __future__ import annotations

from decimal import Decimal

import pytest

from aumos_governance import GovernanceDeniedError, TrustLevel
from tests.integrations.clerk import CALL, Clerk
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.frameworks.clerk_agents import Run, run_openai_agents, run_pydantic_ai


@pytest.fixture(params=[run_openai_agents, run_pydantic_ai], ids=["openai_agents", "pydantic_ai"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.param
    return found


def test_an_allowed_tool_runs_and_is_charged(run: Run, endpoint: Endpoint, clerk: Clerk) -> None:
    endpoint.script(CALL)
    assert run(endpoint, clerk, "Greet Ann.") == Reply().text
    assert (clerk.sent, clerk.spent) == ([("ann", "Hello")], Decimal("0.04"))


def test_a_user_approves_before_the_tool_runs(run: Run, endpoint: Endpoint, clerk: Clerk) -> None:
    clerk.level(TrustLevel.L3_ACT_APPROVE)
    endpoint.script(CALL)
    run(endpoint, clerk, "Greet Ann.")
    assert [shown["arguments"] for shown in clerk.shown] == [{"to": "ann", "text": "Hello"}]
    assert clerk.sent == [("ann", "Hello")]


def test_a_denied_tool_ends_the_run(run: Run, endpoint: Endpoint, clerk: Clerk) -> None:
    clerk.level(TrustLevel.L2_SUGGEST)
    endpoint.script(CALL)
    with pytest.raises(GovernanceDeniedError, match="only suggested"):
        run(endpoint, clerk, "Greet Ann.")
    assert (clerk.sent, endpoint.count) == ([], 1)


def test_or_the_model_reads_it_and_goes_on(run: Run, endpoint: Endpoint, clerk: Clerk) -> None:
    clerk.level(TrustLevel.L2_SUGGEST)
    endpoint.script(CALL)
    assert run(endpoint, clerk, "Greet Ann.", tell_model=True) == Reply().text
    reported = endpoint.exchange(1).received.json["messages"][-1]
    assert reported["role"] == "tool"
    assert "only suggested" in reported["content"]
    assert clerk.sent == []
