from __future__ import annotations

import pytest

from tests.integrations.clerk import FAULTY_CALL, Clerk
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.frameworks.clerk_agents import run_pydantic_ai


def test_a_tool_that_fails_is_not_charged(endpoint: Endpoint, clerk: Clerk) -> None:
    endpoint.script(FAULTY_CALL)
    with pytest.raises(ValueError, match="no address"):
        run_pydantic_ai(endpoint, clerk, "Greet nobody.")
    assert (clerk.spent, clerk.held) == (0, 0)
