"""LiteLLM's logger, which records calls that were made without a hold.

The name of this file puts its tests first: LiteLLM logs calls in threads of its own, possibly so late that the call of
an earlier test would be charged to the engine of the next.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import litellm
import pytest

from aumos_governance import TrustLevel
from aumos_governance.integrations.litellm import GovernanceLogger
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till
from tests.litellm.calls import COST, denied, request

# LiteLLM uses deprecated attributes of pydantic, and leaves event loops and sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def _logged(till: Till) -> Iterator[None]:
    litellm.callbacks = [GovernanceLogger(engine=till.engine, budget_category="llm")]
    yield
    # LiteLLM copies its callbacks from the first list into each of the others, and keeps them there.
    for kind in ("", "input_", "success_", "failure_", "_async_input_", "_async_success_", "_async_failure_"):
        setattr(litellm, f"{kind}callback" if kind else "callbacks", [])


@pytest.mark.parametrize("streamed", [False, True])
def test_the_logger_charges_what_was_called_without_a_hold(endpoint: Endpoint, till: Till, streamed: bool) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
    response = litellm.completion(**request(endpoint), **options)
    if streamed:
        list(response)
    _until(lambda: till.spent > 0)
    assert till.spent == COST


def test_the_logger_charges_awaited_calls_once(endpoint: Endpoint, till: Till) -> None:
    async def main() -> None:
        await litellm.acompletion(**request(endpoint))
        await asyncio.to_thread(_until, lambda: till.spent > 0)

    asyncio.run(main())
    assert till.spent == COST


def test_the_logger_cannot_stop_a_call(endpoint: Endpoint, till: Till) -> None:
    till.engine.trust.set_level("agent", TrustLevel.L0_OBSERVER)
    litellm.completion(**request(endpoint))
    _until(lambda: bool(denied(till)))
    assert (endpoint.count, till.spent) == (1, 0)


@pytest.mark.parametrize("awaits", [False, True])
def test_the_logger_records_what_it_cannot_charge_for(endpoint: Endpoint, till: Till, awaits: bool) -> None:
    requested, recorded = (
        request(endpoint, model="openai/ours"),
        lambda: denied(till) == [("PRICE_UNKNOWN", "ours")],
    )

    async def main() -> None:
        await litellm.acompletion(**requested)
        await asyncio.to_thread(_until, recorded)

    if awaits:
        asyncio.run(main())
    else:
        litellm.completion(**requested)
        _until(recorded)
    assert (endpoint.count, till.spent, till.held) == (1, 0, 0)


def test_the_logger_charges_the_worst_case_of_a_response_without_usage(endpoint: Endpoint, till: Till) -> None:
    endpoint.default = Reply(usage={"prompt_tokens": -1, "completion_tokens": 1, "total_tokens": 0})
    litellm.completion(**request(endpoint, max_tokens=50))
    _until(lambda: till.spent > Decimal(10) * 50 / 1_000_000)
    assert till.events() == ["hold", "estimated"]


def _until(happened: Callable[[], bool]) -> None:
    # LiteLLM logs in a thread whose end cannot be awaited.
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)
