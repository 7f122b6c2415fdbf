"""OpenAI's own client, unmodified, through the gateway."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from openai import APIStatusError, AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.gateway.gateway_server import PROVIDER_KEY, SECRET, GatewayServer
from tests.gateway.raw import Canned
from tests.integrations.endpoint.replies import Reply, Tokens, ToolCall
from tests.integrations.endpoint.server import Endpoint
from tests.integrations.till import priced

TOOL: Any = {"type": "function", "function": {"name": "send", "parameters": {"type": "object", "properties": {}}}}
MESSAGES: Any = [{"role": "user", "content": "What is six times seven?"}]
COST = priced("gpt-4o", {"input_tokens": 11, "output_tokens": 7})


def client_of(server: GatewayServer, **options: Any) -> OpenAI:
    return OpenAI(**{"base_url": server.openai_url, "api_key": SECRET, "max_retries": 0} | options)


def test_a_chat_is_held_and_charged_what_it_cost(server: GatewayServer) -> None:
    with client_of(server) as client:
        response = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=50)
    assert response.choices[0].message.content == "The answer is forty-two."
    assert server.spent == COST
    assert server.events() == ["hold", "settle"]
    [received] = server.endpoint.exchanges
    assert received.received.headers["authorization"] == f"Bearer {PROVIDER_KEY}"
    assert SECRET not in str(received.received)


def test_a_stream_is_passed_on_without_the_usage_that_the_client_did_not_request(server: GatewayServer) -> None:
    with client_of(server) as client:
        chunks = list(client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=50, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "The answer is forty-two."
    assert all(chunk.usage is None for chunk in chunks)
    assert server.endpoint.exchanges[0].received.json["stream_options"] == {"include_usage": True}
    assert server.spent == COST


def test_the_usage_of_a_stream_is_passed_on_where_the_client_requests_it(server: GatewayServer) -> None:
    with client_of(server) as client:
        stream = client.chat.completions.create(
            model="gpt-4o", messages=MESSAGES, max_tokens=50, stream=True, stream_options={"include_usage": True}
        )
        usage = [chunk.usage for chunk in stream if chunk.usage is not None]
    assert [each.total_tokens for each in usage] == [18]
    assert server.spent == COST


def test_an_awaited_client_calls_and_streams(server: GatewayServer) -> None:
    async def work() -> tuple[str, str]:
        async with AsyncOpenAI(base_url=server.openai_url, api_key=SECRET, max_retries=0) as client:
            response = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=50)
            stream = await client.responses.create(model="gpt-4o", input="What?", max_output_tokens=50, stream=True)
            kinds = [event.type async for event in stream]
            return str(response.choices[0].message.content), kinds[-1]

    assert asyncio.run(work()) == ("The answer is forty-two.", "response.completed")
    assert server.spent == 2 * COST


def test_responses_tools_and_structured_output(server: GatewayServer) -> None:
    class Answer(BaseModel):
        value: int

    call = Reply(tool_calls=(ToolCall("send", {"to": "ann"}),))
    server.endpoint.script(Reply(), call, Reply(text='{"value": 42}'), call)
    with client_of(server) as client:
        assert client.responses.create(model="gpt-4o", input="What?", max_output_tokens=50).output_text
        used = client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=50, tools=[TOOL])
        assert used.choices[0].message.tool_calls
        parsed = client.chat.completions.parse(model="gpt-4o", messages=MESSAGES, max_tokens=50, response_format=Answer)
        assert parsed.choices[0].message.parsed == Answer(value=42)
        with client.chat.completions.stream(model="gpt-4o", messages=MESSAGES, max_tokens=50, tools=[TOOL]) as stream:
            assert stream.get_final_completion().choices[0].message.tool_calls
    assert server.spent == 4 * COST


def test_embeddings_and_completions_are_charged(server: GatewayServer) -> None:
    with client_of(server) as client:
        client.embeddings.create(model="text-embedding-3-small", input="What?")
        client.completions.create(model="gpt-3.5-turbo-instruct", prompt="What?", max_tokens=50)
    embedded = priced("text-embedding-3-small", {"input_tokens": 11})
    completed = priced("gpt-3.5-turbo-instruct", {"input_tokens": 11, "output_tokens": 7})
    assert server.spent == embedded + completed


def test_media_whose_cost_is_known_are_charged(server: GatewayServer) -> None:
    sound = Tokens(input=20, output=5, audio_input=15)
    image = Tokens(input=20, output=300)
    server.endpoint.script(Reply(usage=image), Reply(usage=sound), Reply(usage=image))
    with client_of(server) as client:
        client.images.generate(model="gpt-image-1", prompt="A cat.", n=1)
        client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("a.mp3", b"x" * 7_500))
        client.images.edit(model="gpt-image-1", prompt="A cat.", image=("a.png", b"x" * 100))
    assert server.events() == ["hold", "settle"] * 3
    assert [entry["tool"] for entry in server.records("settle")] == ["gpt-image-1", "gpt-4o-transcribe", "gpt-image-1"]
    assert server.endpoint.exchanges[1].received.json["model"] == "gpt-4o-transcribe"


def test_models_and_moderations_are_free_also_without_a_session(endpoint: Endpoint) -> None:
    with GatewayServer(endpoint, budget=None) as server, client_of(server) as client:
        assert [model.id for model in client.models.list()]
        client.moderations.create(input="What?")
        assert server.records() == []


@pytest.mark.parametrize(
    "work",
    [
        lambda client: client.files.list(),
        lambda client: client.realtime.client_secrets.create(),
        lambda client: client.responses.with_raw_response.retrieve("..%2Ffiles"),
        lambda client: client.post("/fine_tuning/jobs", body={"model": "gpt-4o"}, cast_to=object),
        lambda client: client.post("/batches", body={"input_file_id": "x"}, cast_to=object),
        lambda client: client.get("/organization/usage", cast_to=object),
        lambda client: client.get("/chat/completions", cast_to=object),
    ],
)
def test_what_concerns_others_or_cannot_be_measured_is_refused(server: GatewayServer, work: Any) -> None:
    with client_of(server) as client, pytest.raises(APIStatusError) as raised:
        work(client)
    assert raised.value.status_code in (400, 404)
    assert "govern" not in raised.value.message
    assert server.endpoint.count == 0


def test_the_record_says_which_model_and_key_and_how_many_tokens_of_each_kind(server: GatewayServer) -> None:
    server.endpoint.script(Reply(usage=Tokens(input=2_000, output=7, cached=1_500)))
    with client_of(server) as client:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES, max_tokens=50)
    hold, settle = server.records()
    assert hold["detail"] | {"provider": "openai", "kind": "gateway", "key": "kernel of agents.ipynb"} == hold["detail"]
    assert hold["tool"] == settle["tool"] == "gpt-4o"
    usage = settle["detail"]["usage"]
    assert usage["prompt_tokens"] == 2_000
    assert usage["prompt_tokens_details.cached_tokens"] == 1_500
    assert usage["completion_tokens"] == 7


def test_a_response_in_the_background_is_corrected_when_it_is_retrieved(endpoint: Endpoint) -> None:
    queued: dict[str, Any] = {"id": "resp_7", "object": "response", "model": "gpt-4o", "output": [], "status": "queued"}
    usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
    stated = (_http(queued), _http(queued | {"status": "completed", "usage": usage}))
    with Canned(*stated) as canned, GatewayServer(endpoint, base_url=canned.url) as server, client_of(server) as client:
        begun = client.responses.create(model="gpt-4o", input="What?", max_output_tokens=500, background=True)
        assert server.events() == ["hold", "estimated"]
        assert server.spent > COST
        assert client.responses.retrieve(begun.id).status == "completed"
        until = time.monotonic() + 10
        while server.spent != COST:
            assert time.monotonic() < until
            time.sleep(0.002)
        assert len(server.records("adjust")) == 1


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        # Fewer tokens than the response has words, and input tokens that must be concluded from the total.
        ({"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}, 1_000),
        ({"output_tokens": 7, "total_tokens": 18}, 1),
    ],
)
def test_a_response_whose_cost_is_in_doubt_corrects_no_estimate(
    endpoint: Endpoint, usage: dict[str, int], words: int
) -> None:
    text = {"type": "output_text", "text": "word " * words, "annotations": []}
    shown = [{"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}]
    response = {"id": "resp_7", "object": "response", "model": "gpt-4o", "output": [], "status": "queued"}
    stated = _http(response | {"status": "completed", "output": shown, "usage": usage})
    with (
        Canned(_http(response), stated) as canned,
        GatewayServer(endpoint, base_url=canned.url) as server,
        client_of(server) as client,
    ):
        begun = client.responses.create(model="gpt-4o", input="What?", max_output_tokens=500, background=True)
        spent = server.spent
        client.responses.retrieve(begun.id)
        # An adjustment would be posted before the next request of this client.
        client.responses.retrieve(begun.id)
        assert server.records("adjust") == []
        assert server.spent == spent


def _http(body: object) -> bytes:
    content = json.dumps(body)
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n{content}".encode()
