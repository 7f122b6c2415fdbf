"""The calls that the READMEs and helper documents of OpenAI's and Anthropic's libraries show.

Each example takes a client and returns its result. A notebook's kernel imports this module as well, so it imports
nothing from the package.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import anthropic
import openai
from pydantic import BaseModel

MESSAGES: Any = [{"role": "user", "content": "What is six times seven?"}]
CHAT: Any = {"model": "gpt-4o", "messages": MESSAGES, "max_tokens": 50}
RESPONSE: Any = {"model": "gpt-4o", "input": "How is this done?", "instructions": "Be brief.", "max_output_tokens": 50}
MESSAGE: Any = {"model": "claude-sonnet-5-5", "messages": MESSAGES, "max_tokens": 50}
IMAGE = "data:image/png;base64," + base64.b64encode(b"pixels").decode()
Example = Callable[[Any], Any]


class Step(BaseModel):
    answer: int


def seeing(url: str) -> Any:
    content = [{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": url}]
    return {**RESPONSE, "input": [{"role": "user", "content": content}]}


def chat_events(client: Any) -> Any:
    with client.chat.completions.stream(**CHAT) as stream:
        return [event.type for event in stream], stream.get_final_completion().choices[0].message.content


def response_events(client: Any) -> Any:
    with client.responses.stream(**RESPONSE) as stream:
        return [event.type for event in stream], stream.get_final_response().output_text


def raw(client: Any) -> Any:
    response = client.chat.completions.with_raw_response.create(**CHAT)
    return response.headers["content-type"], response.parse().choices[0].message.content


def streaming_response(client: Any) -> Any:
    with client.chat.completions.with_streaming_response.create(**CHAT) as response:
        return response.status_code, b"".join(response.iter_bytes())


def undocumented_parameters(client: Any) -> Any:
    response = client.chat.completions.create(
        **CHAT, extra_body={"seed": 3}, extra_headers={"x": "y"}, extra_query={"z": 1}
    )
    return response.model_extra, response.choices[0].message.content


def tools(client: Any) -> Any:
    response = client.chat.completions.parse(**CHAT, tools=[openai.pydantic_function_tool(Step)])
    return response.choices[0].message.content


def another_http_client(client: Any) -> Any:
    with openai.DefaultHttpxClient() as http:
        return client.with_options(http_client=http).responses.create(**RESPONSE).output_text


OPENAI: dict[str, Example] = {
    "responses": lambda client: client.responses.create(**RESPONSE).output_text,
    "chat": lambda client: client.chat.completions.create(**CHAT).choices[0].message.content,
    "vision by address": lambda client: client.responses.create(**seeing("https://a.invalid/b.png")).output_text,
    "vision by content": lambda client: client.responses.create(**seeing(IMAGE)).output_text,
    "stream of a response": lambda client: [each.type for each in client.responses.create(**RESPONSE, stream=True)],
    "stream of a chat": lambda client: [each.choices for each in client.chat.completions.create(**CHAT, stream=True)],
    "stream with usage": lambda client: [
        each.usage
        for each in client.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True})
    ],
    "events of a chat": chat_events,
    "events of a response": response_events,
    "pages": lambda client: [model.id for model in client.models.list()],
    "nested": lambda client: client.chat.completions.create(**CHAT, response_format={"type": "json_object"}).model,
    "request id": lambda client: client.responses.create(**RESPONSE)._request_id,
    "retries": lambda client: client.with_options(max_retries=5).chat.completions.create(**CHAT).model,
    "timeouts": lambda client: client.with_options(timeout=5.0).responses.create(**RESPONSE).output_text,
    "a timeout of one call": lambda client: client.responses.create(**RESPONSE, timeout=5.0).output_text,
    "raw response": raw,
    "streaming response": streaming_response,
    "parameters": undocumented_parameters,
    "another http client": another_http_client,
    "embeddings": lambda client: client.embeddings.create(model="text-embedding-3-small", input="x").data[0].embedding,
    "moderations": lambda client: client.moderations.create(input="x").results,
    "images": lambda client: client.images.generate(model="gpt-image-1", prompt="x").data[0].b64_json,
    "speech": lambda client: client.audio.speech.create(model="tts-1", voice="alloy", input="x").read(),
    "tools of functions": tools,
    "counting": lambda client: client.responses.input_tokens.count(model="gpt-4o", input="x").input_tokens,
}


async def chat_awaited(client: Any) -> Any:
    return (await client.chat.completions.create(**CHAT)).choices[0].message.content


async def response_awaited(client: Any) -> Any:
    return (await client.responses.create(**RESPONSE)).output_text


async def stream_awaited(client: Any) -> Any:
    return [each.type async for each in await client.responses.create(**RESPONSE, stream=True)]


async def events_awaited(client: Any) -> Any:
    async with client.chat.completions.stream(**CHAT) as stream:
        return [event.type async for event in stream]


async def pages_awaited(client: Any) -> Any:
    return [model.id async for model in client.models.list()]


async def streaming_response_awaited(client: Any) -> Any:
    async with client.chat.completions.with_streaming_response.create(**CHAT) as response:
        return [line async for line in response.iter_lines()]


AWAITED = {
    each.__name__: each
    for each in (
        *(chat_awaited, response_awaited, stream_awaited, events_awaited),
        *(pages_awaited, streaming_response_awaited),
    )
}
REFUSED: dict[str, tuple[Example, str]] = {
    "realtime": (lambda client: client.realtime.connect(model="gpt-realtime").__enter__(), "WebSocket"),
    "undocumented endpoint": (
        lambda client: client.post("/foo", cast_to=dict, body={"a": 1}),
        "POST /foo was not sent",
    ),
    "polling a run": (
        lambda client: client.beta.threads.runs.create_and_poll(thread_id="t", assistant_id="a", timeout=1),
        "POST /threads/t/runs was not sent",
    ),
    "polling a vector store": (
        lambda client: client.vector_stores.files.create_and_poll("file", vector_store_id="v"),
        "POST /vector_stores/v/files was not sent",
    ),
    "polling a video": (lambda client: client.videos.create_and_poll(prompt="x"), "POST /videos was not sent"),
}


def message_events(client: Any) -> Any:
    with client.messages.stream(**MESSAGE) as stream:
        return list(stream.text_stream), stream.get_final_message().usage


def tool_runner(client: Any) -> Any:
    @anthropic.beta_tool
    def add(left: int, right: int) -> str:
        """Add.

        Args:
            left: One number.
            right: The other.
        """
        return str(left + right)

    runner = client.beta.messages.tool_runner(**MESSAGE, tools=[add])
    return [[block.type for block in message.content] for message in runner]


ANTHROPIC: dict[str, Example] = {
    "message": lambda client: client.messages.create(**MESSAGE).content,
    "stream": lambda client: [event.type for event in client.messages.create(**MESSAGE, stream=True)],
    "events": message_events,
    "counting": lambda client: client.messages.count_tokens(model=MESSAGE["model"], messages=MESSAGES).input_tokens,
    "raw response": lambda client: client.messages.with_raw_response.create(**MESSAGE).parse().content,
    "options": lambda client: client.with_options(max_retries=3, timeout=9).messages.create(**MESSAGE).content,
    "pages": lambda client: [model.id for model in client.models.list()],
    "parameters": lambda client: client.messages.create(**MESSAGE, extra_headers={"x": "y"}).content,
    "tool runner": tool_runner,
}


def outcome(example: Example, client: Any) -> str:
    """The result of an example, without the ids that differ for each response."""
    try:
        came_to = repr(example(client))
    except Exception as error:  # noqa: BLE001 - whatever the plain client raises
        came_to = f"{type(error).__name__}: {error}"
    return re.sub(r"(chatcmpl-|resp_|msg_|req_)\w+", r"\1", came_to)
