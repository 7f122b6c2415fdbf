"""The providers' own libraries understand the endpoint's responses, and handle its faults like a provider's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from anthropic import Anthropic, AsyncAnthropic
from openai import AsyncOpenAI, AzureOpenAI, OpenAI

from tests.integrations.endpoint.replies import Reply, Tokens, ToolCall
from tests.integrations.endpoint.server import Endpoint

MESSAGES: Any = [{"role": "user", "content": "What is the answer?"}]
TEXT = Reply().text
BROKEN = r"Connection error|incomplete chunked read|peer closed"
TOOL: Any = {
    "type": "function",
    "function": {"name": "look_up", "parameters": {"type": "object", "properties": {"word": {"type": "string"}}}},
}


@pytest.fixture
def openai_client(endpoint: Endpoint) -> Iterator[OpenAI]:
    with OpenAI(base_url=endpoint.openai_url, api_key="key") as client:
        yield client


@pytest.fixture
def anthropic_client(endpoint: Endpoint) -> Iterator[Anthropic]:
    with Anthropic(base_url=endpoint.anthropic_url, api_key="key") as client:
        yield client


class TestOpenAI:
    def test_chat_responds_with_every_kind_of_token(self, endpoint: Endpoint, openai_client: OpenAI) -> None:
        endpoint.script(
            Reply(usage=Tokens(input=100, output=50, cached=40, reasoning=30, audio_input=5, audio_output=6))
        )
        response = openai_client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        assert response.choices[0].message.content == TEXT
        assert response.usage is not None
        assert response.usage.prompt_tokens_details is not None
        assert response.usage.completion_tokens_details is not None
        assert (response.usage.prompt_tokens, response.usage.completion_tokens, response.usage.total_tokens) == (
            100,
            50,
            150,
        )
        assert response.usage.prompt_tokens_details.cached_tokens == 40
        assert response.usage.completion_tokens_details.reasoning_tokens == 30
        assert endpoint.exchange(0).received.json["messages"] == MESSAGES

    def test_a_streamed_chat_states_its_usage_only_on_request(self, openai_client: OpenAI) -> None:
        plain = list(openai_client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))
        assert "".join(chunk.choices[0].delta.content or "" for chunk in plain) == TEXT
        assert all(chunk.usage is None for chunk in plain)
        reported = list(
            openai_client.chat.completions.create(
                model="gpt-4o", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
            )
        )
        assert reported[-1].choices == []
        assert reported[-1].usage is not None
        assert reported[-1].usage.total_tokens == 18

    def test_the_librarys_own_stream_helper_sums_it_up(self, endpoint: Endpoint, openai_client: OpenAI) -> None:
        endpoint.script(Reply(tool_calls=(ToolCall("look_up", {"word": "answer"}),)))
        with openai_client.chat.completions.stream(model="gpt-4o", messages=MESSAGES, tools=[TOOL]) as stream:
            stream.until_done()
            message = stream.get_final_completion().choices[0].message
        assert message.tool_calls is not None
        assert message.tool_calls[0].function.arguments == '{"word": "answer"}'

    def test_responses(self, endpoint: Endpoint, openai_client: OpenAI) -> None:
        endpoint.script(Reply(usage=Tokens(input=9, output=8, cached=7, reasoning=6)))
        response = openai_client.responses.create(model="gpt-4o", input="What is the answer?")
        assert response.output_text == TEXT
        assert response.usage is not None
        assert response.usage.output_tokens_details.reasoning_tokens == 6
        with openai_client.responses.stream(model="gpt-4o", input="What is the answer?") as stream:
            text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
            final = stream.get_final_response()
        assert text == final.output_text == TEXT
        assert final.usage is not None
        endpoint.script(Reply(tool_calls=(ToolCall("look_up", {"word": "x"}),)))
        call = openai_client.responses.create(model="gpt-4o", input="?").output[0]
        assert call.type == "function_call"
        assert call.arguments == '{"word": "x"}'

    def test_embeddings_images_audio_moderations_and_models(self, endpoint: Endpoint, openai_client: OpenAI) -> None:
        embedded = openai_client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
        assert [item.embedding for item in embedded.data] == [[0.25, -0.5, 0.125]] * 2
        assert embedded.usage.prompt_tokens == 11
        endpoint.script(Reply(usage=Tokens(input=10, output=1000, image_input=4)))
        drawn = openai_client.images.generate(model="gpt-image-1", prompt="a cat", n=2)
        assert drawn.data is not None
        assert drawn.usage is not None
        assert (len(drawn.data), drawn.usage.input_tokens_details.image_tokens) == (2, 4)
        assert openai_client.audio.speech.create(model="tts-1", voice="alloy", input="Hello").read().startswith(b"ID3")
        endpoint.script(Reply(usage=Tokens(seconds=2.5)))
        heard = openai_client.audio.transcriptions.create(model="whisper-1", file=("a.wav", b"RIFF"))
        assert heard.text == TEXT
        assert heard.usage is not None
        assert heard.usage.type == "duration"
        assert endpoint.exchanges[-1].received.json == {"model": "whisper-1"}
        assert not openai_client.moderations.create(input="Hello").results[0].flagged
        assert "gpt-4o" in [model.id for model in openai_client.models.list()]

    def test_azures_paths(self, endpoint: Endpoint) -> None:
        with AzureOpenAI(azure_endpoint=endpoint.url, api_key="key", api_version="2024-10-21") as client:
            assert client.chat.completions.create(model="mine", messages=MESSAGES).choices[0].message.content == TEXT
        assert endpoint.exchange(0).received.path.startswith("/openai/deployments/mine/chat/completions?")

    def test_errors_are_tried_again(self, endpoint: Endpoint, openai_client: OpenAI) -> None:
        endpoint.script(Reply(status=429), Reply(status=500))
        assert (
            openai_client.chat.completions.create(model="gpt-4o", messages=MESSAGES).choices[0].message.content == TEXT
        )
        assert endpoint.count == 3
        endpoint.script(Reply(status=400))
        with pytest.raises(openai.BadRequestError, match="Refused with 400"):
            openai_client.chat.completions.create(model="gpt-4o", messages=MESSAGES)

    def test_a_connection_without_a_response(self, endpoint: Endpoint, openai_client: OpenAI) -> None:
        client = openai_client.with_options(max_retries=0)
        endpoint.script(Reply(break_after=0), Reply(break_after=1), Reply(pause_after=0))
        for _ in range(2):
            with pytest.raises(openai.APIConnectionError):
                client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
        with pytest.raises(openai.APITimeoutError):
            client.with_options(timeout=0.2).chat.completions.create(model="gpt-4o", messages=MESSAGES)
        endpoint.exchange(0).wait_ended("broken")
        endpoint.exchange(2).wait_ended("hung_up")

    def test_a_stream_that_is_paused_released_broken_or_failed(self, endpoint: Endpoint, openai_client: OpenAI) -> None:
        endpoint.script(Reply(pause_after=2, break_after=3), Reply(error_after=2))
        stream = openai_client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        exchange = endpoint.exchange(0)
        exchange.wait_sent(2)
        assert exchange.sent == 2
        assert exchange.ended is None
        exchange.release()
        with pytest.raises(Exception, match=BROKEN):
            list(stream)
        exchange.wait_ended("broken")
        with pytest.raises(openai.APIError, match="had an error"):
            list(openai_client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True))

    def test_a_client_that_goes_away_is_noticed(self, endpoint: Endpoint, openai_client: OpenAI) -> None:
        endpoint.script(Reply(pause_after=2))
        stream = openai_client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        next(iter(stream))
        stream.close()
        endpoint.exchange(0).wait_ended("hung_up")

    async def _stream(self, client: AsyncOpenAI) -> str:
        chunks = await client.chat.completions.create(model="gpt-4o", messages=MESSAGES, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])

    def test_fifty_streams_at_once(self, endpoint: Endpoint) -> None:
        endpoint.default = Reply(pause_after=1)

        async def main() -> list[str]:
            async with AsyncOpenAI(base_url=endpoint.openai_url, api_key="key") as client:
                streams = [asyncio.ensure_future(self._stream(client)) for _ in range(50)]
                await asyncio.to_thread(endpoint.wait_received, 50)
                endpoint.release()
                return await asyncio.gather(*streams)

        assert asyncio.run(main()) == [TEXT] * 50


class TestAnthropic:
    def test_messages(self, endpoint: Endpoint, anthropic_client: Anthropic) -> None:
        endpoint.script(Reply(usage=Tokens(input=5, output=6, cached=100, cache_written=20, cache_written_1h=3)))
        response = anthropic_client.messages.create(model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES)
        assert response.content[0].type == "text"
        assert response.content[0].text == TEXT
        assert (response.usage.input_tokens, response.usage.output_tokens) == (5, 6)
        assert (response.usage.cache_read_input_tokens, response.usage.cache_creation_input_tokens) == (100, 23)
        assert response.usage.cache_creation is not None
        assert response.usage.cache_creation.ephemeral_1h_input_tokens == 3
        assert anthropic_client.messages.count_tokens(model="claude-sonnet-5-5", messages=MESSAGES).input_tokens == 11
        assert anthropic_client.models.list().data[0].id == "claude-sonnet-5-5"

    def test_both_kinds_of_stream(self, endpoint: Endpoint, anthropic_client: Anthropic) -> None:
        endpoint.default = Reply(usage=Tokens(input=5, output=6, cached=100))
        events = list(
            anthropic_client.messages.create(model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES, stream=True)
        )
        assert events[0].type == "message_start"
        assert (events[0].message.usage.input_tokens, events[0].message.usage.output_tokens) == (5, 1)
        assert events[-2].type == "message_delta"
        assert events[-2].usage.output_tokens == 6
        with anthropic_client.messages.stream(model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES) as stream:
            assert "".join(stream.text_stream) == TEXT
            assert stream.get_final_message().usage.cache_read_input_tokens == 100

    def test_a_tool_is_called(self, endpoint: Endpoint, anthropic_client: Anthropic) -> None:
        endpoint.default = Reply(tool_calls=(ToolCall("look_up", {"word": "answer"}),))
        with anthropic_client.messages.stream(model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES) as stream:
            final = stream.get_final_message()
        assert final.stop_reason == "tool_use"
        assert final.content[0].type == "tool_use"
        assert final.content[0].input == {"word": "answer"}

    def test_errors_before_and_within_a_stream(self, endpoint: Endpoint, anthropic_client: Anthropic) -> None:
        endpoint.script(Reply(status=429), Reply(status=529), Reply(), Reply(error_after=3), Reply(break_after=3))
        message = anthropic_client.messages.create(model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES)
        assert message.usage.output_tokens == 7
        assert endpoint.count == 3
        with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
            list(
                anthropic_client.messages.create(
                    model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES, stream=True
                )
            )
        with pytest.raises(Exception, match=BROKEN):
            list(
                anthropic_client.messages.create(
                    model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES, stream=True
                )
            )

    def test_usage_that_is_missing_or_malformed(self, endpoint: Endpoint, anthropic_client: Anthropic) -> None:
        endpoint.script(Reply(usage=None), Reply(usage={"input_tokens": "many"}))
        reported = [
            anthropic_client.messages.create(model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES)
            for _ in range(2)
        ]
        assert getattr(reported[0], "usage", None) is None
        assert reported[1].usage.input_tokens == "many"

    def test_a_stream_read_asynchronously(self, endpoint: Endpoint) -> None:
        async def main() -> str:
            async with (
                AsyncAnthropic(base_url=endpoint.anthropic_url, api_key="key") as client,
                client.messages.stream(model="claude-sonnet-5-5", max_tokens=64, messages=MESSAGES) as stream,
            ):
                return "".join([text async for text in stream.text_stream])

        assert asyncio.run(main()) == TEXT
