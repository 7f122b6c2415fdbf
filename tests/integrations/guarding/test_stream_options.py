"""Streams from servers that refuse ``stream_options`` work, and are charged the held amount."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from openai import APIStatusError, OpenAI

from aumos_governance.integrations.guarding.stream_options import StreamOptions
from tests.integrations.chats import COST, Run, chat, chat_async
from tests.integrations.endpoint.replies import Reply
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import Till

REFUSALS = {
    "named": Reply(status=400, body=b'{"error": {"message": "Unknown parameter: stream_options"}}'),
    "other words": Reply(status=400, body=b'{"detail": "Extra inputs are not permitted"}'),
    "422": Reply(status=422, body=b"<html>no</html>"),
}
NO_USAGE = Reply(usage=None)


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests found out about an address, which may be used again."""
    fresh = StreamOptions()
    monkeypatch.setattr("aumos_governance.integrations.clients.stream_options", fresh)
    monkeypatch.setattr("aumos_governance.integrations.guarding.stream_options.stream_options", fresh)


def usage_requested(endpoint: Endpoint) -> list[bool]:
    return ["stream_options" in exchange.received.json for exchange in endpoint.exchanges]


def text(chunks: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_it_is_sent_again_as_it_was_written(client: OpenAI, endpoint: Endpoint, till: Till, refusal: Reply) -> None:
    endpoint.script(refusal, NO_USAGE, NO_USAGE)
    assert text(chat(client, stream=True)) == NO_USAGE.text
    assert usage_requested(endpoint) == [True, False]
    assert till.events() == ["hold", "release", "hold", "estimated"]
    # Once found out, it is remembered.
    assert text(chat(client, stream=True)) == NO_USAGE.text
    assert usage_requested(endpoint) == [True, False, False]
    assert till.events()[4:] == ["hold", "estimated"]


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_awaited(endpoint: Endpoint, till: Till, run: Run[Any], refusal: Reply) -> None:
    endpoint.script(refusal, NO_USAGE)

    async def read(client: Any) -> str:
        return "".join([chunk.choices[0].delta.content or "" async for chunk in await chat_async(client, stream=True)])

    assert run(read) == NO_USAGE.text
    assert usage_requested(endpoint) == [True, False]
    assert till.events() == ["hold", "release", "hold", "estimated"]


def test_a_request_that_is_refused_either_way_fails_as_a_plain_client_s(
    client: OpenAI, endpoint: Endpoint, till: Till
) -> None:
    second = Reply(status=400, body=json.dumps({"error": {"message": "too long"}}).encode())
    endpoint.script(REFUSALS["named"], second)
    with pytest.raises(APIStatusError, match="too long"):
        chat(client, stream=True)
    assert (till.spent, till.events()) == (Decimal(0), ["hold", "release"] * 2)
    # Nothing was learned: the next one requests again.
    assert text(chat(client, stream=True)) == Reply().text
    assert usage_requested(endpoint) == [True, False, True]
    assert till.spent == COST


def test_where_it_was_accepted_a_refusal_is_for_another_reason(client: OpenAI, endpoint: Endpoint) -> None:
    assert text(chat(client, stream=True)) == Reply().text
    endpoint.script(REFUSALS["422"])
    with pytest.raises(APIStatusError):
        chat(client, stream=True)
    assert endpoint.count == 2


def test_what_the_caller_requested_is_not_taken_out(client: OpenAI, endpoint: Endpoint) -> None:
    endpoint.script(REFUSALS["named"])
    with pytest.raises(APIStatusError):
        chat(client, stream=True, stream_options={"include_usage": True})
    assert endpoint.count == 1


def test_each_model_at_an_address_is_found_out_by_itself(client: OpenAI, endpoint: Endpoint, till: Till) -> None:
    endpoint.script(REFUSALS["named"], NO_USAGE)
    text(chat(client, stream=True))
    text(chat(client, stream=True, model="gpt-4o-mini"))
    assert usage_requested(endpoint) == [True, False, True]
    assert till.spent > COST
