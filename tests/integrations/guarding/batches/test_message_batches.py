"""A batch of Anthropic's messages is held when it is submitted, and settled when its results are read."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from aumos_governance import ConfigurationError
from tests.integrations.desk import Desk
from tests.integrations.guarding.batches.openai_batches import HALF, lines
from tests.integrations.till import Till, priced

MODEL = "claude-haiku-4-5"


def message(id: str, output: int = 100, *, kind: str = "succeeded", model: str = MODEL, **usage: Any) -> dict[str, Any]:
    reported = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": model,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "content": [{"type": "text", "text": "hi"}],
        "usage": {"input_tokens": 10, "output_tokens": output, "service_tier": "batch", **usage},
    }
    return {"custom_id": id, "result": {"type": kind, **({"message": reported} if kind == "succeeded" else {})}}


def message_batch(status: str = "in_progress", succeeded: int = 0) -> dict[str, Any]:
    counts = {"processing": 0, "succeeded": succeeded, "errored": 0, "canceled": 0, "expired": 0}
    return {
        "id": "msgbatch_1",
        "type": "message_batch",
        "processing_status": status,
        "request_counts": counts,
        "created_at": "2026-01-01T00:00:00Z",
        "expires_at": "2026-01-02T00:00:00Z",
        "results_url": "https://api.anthropic.com/v1/messages/batches/msgbatch_1/results" if succeeded else None,
    }


def request(id: str, model: str = MODEL, **params: Any) -> Any:
    requested = {"model": model, "max_tokens": 200, "messages": [{"role": "user", "content": "Hello"}]}
    return {"custom_id": id, "params": requested | params}


def cost(output: int = 100, model: str = MODEL) -> Decimal:
    return priced(model, {"input_tokens": 10, "output_tokens": output}, provider="anthropic")


@pytest.fixture
def messages(till: Till) -> Desk:
    desk = Desk(till.engine)
    desk.responses = {
        "POST /messages/batches": message_batch(),
        "GET /messages/batches/msgbatch_1": message_batch("ended", 2),
        "GET /messages/batches/msgbatch_1/results": lines(
            message("a"), message("b", 50), message("c", kind="errored"), message("d", kind="expired")
        ),
    }
    return desk


@pytest.mark.parametrize("beta", [False, True])
def test_a_batch_of_messages_is_settled_when_its_results_are_read(messages: Desk, till: Till, beta: bool) -> None:
    client = messages.anthropic()
    batches = client.beta.messages.batches if beta else client.messages.batches
    batches.create(requests=[request(id) for id in "abcd"])
    held = till.held
    assert held > 4 * cost(200) * HALF
    batches.retrieve("msgbatch_1")
    assert (till.held, till.spent) == (held, 0)
    assert len(list(batches.results("msgbatch_1"))) == 4
    assert (till.held, till.spent) == (0, (cost() + cost(50)) * HALF)
    assert till.events() == ["hold", "settle"]


def test_a_batch_of_several_models(messages: Desk, till: Till) -> None:
    opus = "claude-opus-4-5"
    client = messages.anthropic()
    client.messages.batches.create(requests=[request("a"), request("b", opus)])
    assert till.held > (cost(200) + cost(200, opus)) * HALF
    messages.responses["GET /messages/batches/msgbatch_1/results"] = lines(message("a"), message("b", model=opus))
    list(client.messages.batches.results("msgbatch_1"))
    assert till.spent == (cost() + cost(model=opus)) * HALF


def test_a_batch_of_messages_that_all_failed_costs_nothing(messages: Desk, till: Till) -> None:
    client = messages.anthropic()
    client.messages.batches.create(requests=[request("a")])
    messages.responses["GET /messages/batches/msgbatch_1"] = message_batch("ended")
    client.messages.batches.retrieve("msgbatch_1")
    assert (till.held, till.events()) == (0, ["hold", "release"])


def test_a_search_in_a_batch_is_an_estimate_at_the_full_price(messages: Desk, till: Till) -> None:
    client = messages.anthropic()
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    client.messages.batches.create(requests=[request("a", tools=[search])])
    held = till.held
    used = {"server_tool_use": {"web_search_requests": 1}}
    messages.responses["GET /messages/batches/msgbatch_1/results"] = lines(message("a", **used))
    list(client.messages.batches.results("msgbatch_1"))
    assert held > till.spent == cost() + Decimal("0.01")
    assert till.events() == ["hold", "estimated"]


def test_awaited_messages(messages: Desk, till: Till) -> None:
    async def batched() -> None:
        client = messages.async_anthropic()
        await client.messages.batches.create(requests=[request(id) for id in "ab"])
        async for _ in await client.messages.batches.results("msgbatch_1"):
            pass

    asyncio.run(batched())
    assert (till.held, till.spent) == (0, (cost() + cost(50)) * HALF)


def test_a_batch_without_params_is_refused(messages: Desk, till: Till) -> None:
    with pytest.raises(ConfigurationError, match="must have a custom_id and params"):
        messages.anthropic().messages.batches.create(requests=[{"custom_id": "a"}])  # type: ignore[typeddict-item]
    assert (messages.requested, till.held) == ([], 0)
