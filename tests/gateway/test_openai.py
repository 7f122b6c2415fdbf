"""OpenAI's own client, unmodified, through the gateway."""

from __future__ import annotations

from openai import OpenAI

from tests.gateway.house import PROVIDER_KEY, SECRET, House
from tests.integrations.till import priced

ASKED = [{"role": "user", "content": "What is six times seven?"}]
COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})


def client_of(house: House, **options: object) -> OpenAI:
    return OpenAI(**{"base_url": house.openai_url, "api_key": SECRET, "max_retries": 0} | options)


def test_a_chat_is_held_and_charged_what_it_cost(house: House) -> None:
    with client_of(house) as client:
        answer = client.chat.completions.create(model="gpt-4o", messages=ASKED, max_tokens=50)
    assert answer.choices[0].message.content == "The answer is forty-two."
    assert house.spent == COST
    assert house.events() == ["hold", "settle"]
    [received] = house.endpoint.exchanges
    assert received.received.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert SECRET not in str(received.received)


def test_a_stream_is_passed_on_without_the_usage_that_the_client_did_not_request(house: House) -> None:
    with client_of(house) as client:
        chunks = list(client.chat.completions.create(model="gpt-4o", messages=ASKED, max_tokens=50, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "The answer is forty-two."
    assert all(chunk.usage is None for chunk in chunks)
    assert house.endpoint.exchanges[0].received.json["stream_options"] == {"include_usage": True}
    assert house.spent == COST


def test_the_usage_of_a_stream_is_passed_on_where_the_client_requests_it(house: House) -> None:
    with client_of(house) as client:
        stream = client.chat.completions.create(
            model="gpt-4o", messages=ASKED, max_tokens=50, stream=True, stream_options={"include_usage": True}
        )
        usage = [chunk.usage for chunk in stream if chunk.usage is not None]
    assert [each.total_tokens for each in usage] == [18]
    assert house.spent == COST
