"""A later response of the provider corrects an estimate once, whichever client or process retrieves it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openai import APIConnectionError, OpenAI

from aumos_governance import GovernanceEngine
from aumos_governance.errors import InvalidRequestError, LedgerError
from tests.integrations.desk import Desk
from tests.integrations.till import Till, priced
from tests.integrations.wire import http

COST = priced("gpt-4o", {"input_tokens": 10, "output_tokens": 20})
REQUEST: Any = {"model": "gpt-4o", "input": "x"}
RESPONSE = "GET /responses/resp_1"


def response(status: str = "completed", *, id: str = "resp_1", output: int = 20, **fields: Any) -> dict[str, Any]:
    text = {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "hi", "annotations": []}],
    }
    usage = {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 10 + output,
    }
    done = status == "completed"
    reported = {
        "id": id,
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "gpt-4o",
        "usage": usage if done else None,
        "output": [text] if done else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "background": True,
    }
    return reported | fields


def events(*reported: dict[str, Any]) -> bytes:
    return b"".join(f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in reported)


CREATED = {"type": "response.created", "sequence_number": 0, "response": response("queued")}
DELTA = {"type": "response.output_text.delta", "sequence_number": 1, "item_id": "m", "output_index": 0}
DELTA |= {"content_index": 0, "delta": "hi", "logprobs": []}
COMPLETED = {"type": "response.completed", "sequence_number": 2, "response": response()}


def stream(*reported: dict[str, Any], error: bool = False) -> http.Response:
    def pieces() -> Iterator[bytes]:
        yield events(*reported)
        if error:
            raise http.ReadError("The line is gone.")

    return http.Response(200, headers={"content-type": "text/event-stream"}, content=pieces())


@pytest.fixture
def desk(till: Till) -> Desk:
    desk = Desk(till.engine)
    desk.responses = {
        "POST /responses": response("queued"),
        RESPONSE: response(),
        "POST /responses/resp_1/cancel": response("cancelled"),
    }
    return desk


def adjusted(till: Till) -> list[str]:
    return ["estimated" if entry.detail.get("estimated") else entry.event for entry in till.records("settle", "adjust")]


# ---- background responses


def test_a_background_response_is_adjusted_once_it_is_polled(desk: Desk, till: Till) -> None:
    client = desk.openai()
    begun = client.responses.create(**REQUEST, background=True)
    estimate = till.spent
    desk.responses[RESPONSE] = response("in_progress")
    client.responses.retrieve(begun.id)
    assert (till.spent, adjusted(till)) == (estimate, ["estimated"])
    desk.responses[RESPONSE] = response()
    for _ in range(3):
        assert client.responses.retrieve(begun.id).usage is not None
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])
    (record,) = till.records("adjust")
    assert (Decimal(record.detail["before"]), Decimal(record.detail["after"])) == (estimate, COST)


@pytest.mark.parametrize("raw", ["raw", "streaming", "copy", "options"])
def test_however_it_is_retrieved(desk: Desk, till: Till, raw: str) -> None:
    client = desk.openai()
    client.responses.create(**REQUEST, background=True)
    if raw == "raw":
        client.responses.with_raw_response.retrieve("resp_1").parse()
    elif raw == "streaming":
        with client.responses.with_streaming_response.retrieve("resp_1") as response:
            response.read()
    elif raw == "copy":
        client.copy().responses.retrieve("resp_1")
    else:
        client.with_options(timeout=9).responses.retrieve("resp_1", timeout=8)
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])


@pytest.mark.parametrize("after", [None, 1])
def test_a_background_response_that_is_streamed_on(desk: Desk, till: Till, after: int | None) -> None:
    client = desk.openai()
    client.responses.create(**REQUEST, background=True)
    desk.responses[RESPONSE] = stream(CREATED, DELTA, COMPLETED)
    more = {} if after is None else {"starting_after": after}
    kinds = [event.type for event in client.responses.retrieve("resp_1", stream=True, **more)]
    assert kinds == ["response.created", "response.output_text.delta", "response.completed"]
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])


def test_a_stream_that_breaks_off_is_adjusted_when_it_is_retrieved(desk: Desk, till: Till) -> None:
    client = desk.openai()
    desk.responses["POST /responses"] = stream(CREATED, DELTA, error=True)
    with pytest.raises((APIConnectionError, http.ReadError)):
        list(client.responses.create(**REQUEST, background=True, stream=True))
    assert adjusted(till) == ["estimated"]
    client.responses.retrieve("resp_1")
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])


def test_a_cancelled_one_costs_what_it_used_until_then(desk: Desk, till: Till) -> None:
    client = desk.openai()
    client.responses.create(**REQUEST, background=True)
    estimate = till.spent
    client.responses.cancel("resp_1")
    assert (till.spent, adjusted(till)) == (estimate, ["estimated"])
    desk.responses["POST /responses/resp_1/cancel"] = response("cancelled", usage=response(output=5)["usage"])
    client.responses.cancel("resp_1")
    assert till.spent == priced("gpt-4o", {"input_tokens": 10, "output_tokens": 5})


def test_more_than_was_held_is_charged_in_full(desk: Desk, till: Till) -> None:
    client = desk.openai()
    client.responses.create(**REQUEST, background=True, max_output_tokens=16)
    desk.responses[RESPONSE] = response(output=9_000)
    client.responses.retrieve("resp_1")
    assert till.spent == priced("gpt-4o", {"input_tokens": 10, "output_tokens": 9_000})
    (record,) = till.records("adjust")
    assert record.detail["overrun"] is True


def test_what_is_retrieved_and_was_charged_truly_stays(desk: Desk, till: Till) -> None:
    client = desk.openai()
    desk.responses["POST /responses"] = response()
    client.responses.create(**REQUEST)
    desk.responses[RESPONSE] = response(output=500)
    client.responses.retrieve("resp_1")
    assert (till.spent, adjusted(till)) == (COST, ["settle"])


def test_awaited(desk: Desk, till: Till) -> None:
    async def polled() -> None:
        client = desk.async_openai()
        begun = await client.responses.create(**REQUEST, background=True)
        await client.responses.retrieve(begun.id)

    asyncio.run(polled())
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])


def test_awaited_and_streamed(desk: Desk, till: Till) -> None:
    async def polled() -> None:
        client = desk.async_openai()
        await client.responses.create(**REQUEST, background=True)
        desk.responses[RESPONSE] = stream(CREATED, DELTA, COMPLETED)
        async for _ in await client.responses.retrieve("resp_1", stream=True):
            pass

    asyncio.run(polled())
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])


def test_a_stored_chat_is_adjusted_too(desk: Desk, till: Till) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    chat = {"id": "chat_1", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [choice]}
    usage = {"prompt_tokens": 10, "completion_tokens": 20, "total_tokens": 30}
    desk.responses |= {
        "POST /chat/completions": chat,
        "GET /chat/completions/chat_1": {**chat, "usage": usage},
    }
    client = desk.openai()
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "x"}], store=True)
    client.chat.completions.retrieve("chat_1")
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])


def test_another_process_finds_the_estimate_in_the_ledger(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with GovernanceEngine(ledger=url) as engine:
        desk = Desk(Till(engine).engine)
        desk.responses["POST /responses"] = response("queued")
        desk.openai().responses.create(**REQUEST, background=True)
    with GovernanceEngine(ledger=url) as engine:
        desk = Desk(engine)
        desk.responses[RESPONSE] = response()
        for _ in range(2):
            desk.openai().responses.retrieve("resp_1")
        assert engine.budget.balance("llm").spent == COST
        assert [entry.event for entry in engine.audit.entries()].count("adjust") == 1


def test_a_ledger_that_fails_withholds_no_response(desk: Desk, till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    client = desk.openai()
    client.responses.create(**REQUEST, background=True)
    execute, failures = till.engine.realm.execute, iter([True])

    def failing(request: Any) -> Any:
        if type(request).__name__ == "Adjust" and next(failures, False):
            raise LedgerError("The disk is full.")
        return execute(request)

    monkeypatch.setattr(till.engine.realm, "execute", failing)
    with pytest.warns(RuntimeWarning, match=r"not recorded yet.*The disk is full"):
        assert client.responses.retrieve("resp_1").status == "completed"
    client.responses.retrieve("resp_1")
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])


@pytest.mark.parametrize(
    "retrieved",
    [
        response(usage=None),
        response(usage={**response()["usage"], "input_tokens": -1}),
        response(output=0),
    ],
    ids=["no usage", "no count", "less than is visible"],
)
def test_a_response_that_does_not_state_its_cost_leaves_the_estimate(
    desk: Desk, till: Till, retrieved: dict[str, Any]
) -> None:
    client = desk.openai()
    client.responses.create(**REQUEST, background=True)
    charged = till.spent
    desk.responses[RESPONSE] = retrieved
    client.responses.retrieve("resp_1")
    assert (till.spent, adjusted(till)) == (charged, ["estimated"])
    desk.responses[RESPONSE] = response()
    client.responses.retrieve("resp_1")
    assert (till.spent, adjusted(till)) == (COST, ["estimated", "adjust"])


def test_an_adjustment_that_is_refused_withholds_no_response_and_is_logged(
    desk: Desk, till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = desk.openai()
    client.responses.create(**REQUEST, background=True)

    def refusing(*_: Any, **__: Any) -> None:
        raise InvalidRequestError("It cannot be adjusted.")

    monkeypatch.setattr(type(till.engine.budget), "adjust_estimate", refusing)
    assert client.responses.retrieve("resp_1").status == "completed"
    assert "could not be adjusted: It cannot be adjusted." in caplog.text


def test_what_was_never_paid_for_here_changes_nothing(desk: Desk, till: Till) -> None:
    client: OpenAI = desk.openai()
    client.responses.retrieve("resp_1")
    assert (till.spent, till.records("hold", "settle", "adjust")) == (Decimal(0), [])
