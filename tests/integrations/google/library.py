"""Programs that call Gemini with the unchanged library google-genai. A notebook's kernel imports this module too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google import genai
from google.genai import types
from pydantic import BaseModel

from tests.integrations.endpoint.replies import Reply, Tokens, ToolCall

MODEL = "gemini-2.5-flash"
EMBEDDINGS = "gemini-embedding-001"
QUESTION = "What is six times seven?"
USED = Tokens(input=11, output=7, reasoning=5)
TEXT = Reply().text


class Answer(BaseModel):
    """A structured output."""

    value: int
    reason: str


def multiply(a: int, b: int) -> int:
    """Multiply two numbers.

    Args:
        a: The first.
        b: The second.
    """
    return a * b


@dataclass(frozen=True)
class Program:
    """A program, the provider's replies to it, and the model whose usage it pays for."""

    run: Callable[[Any], Any]
    """Makes the program's calls with a client, and returns their result."""
    got: Any
    replies: tuple[Reply, ...] = (Reply(usage=USED),)
    model: str | None = MODEL
    """The model, or None where the program costs nothing."""


def _once(client: Any) -> Any:
    return client.models.generate_content(model=MODEL, contents=QUESTION).text


def _streamed(client: Any) -> Any:
    chunks = client.models.generate_content_stream(model=MODEL, contents=QUESTION)
    return "".join(chunk.text or "" for chunk in chunks)


def _awaited(client: Any) -> Any:
    async def call() -> Any:
        response = await client.aio.models.generate_content(model=MODEL, contents=QUESTION)
        await client.aio.aclose()
        return response.text

    return asyncio.run(call())


def _awaited_stream(client: Any) -> Any:
    async def call() -> Any:
        chunks = await client.aio.models.generate_content_stream(model=MODEL, contents=QUESTION)
        text = "".join([chunk.text or "" async for chunk in chunks])
        await client.aio.aclose()
        return text

    return asyncio.run(call())


def _chat(client: Any) -> Any:
    chat = client.chats.create(model=MODEL, config=types.GenerateContentConfig(system_instruction="Be brief."))
    return chat.send_message(QUESTION).text + "".join(part.text or "" for part in chat.send_message_stream("Sure?"))


def _tools(client: Any) -> Any:
    config = types.GenerateContentConfig(tools=[multiply], temperature=0)
    return client.models.generate_content(model=MODEL, contents=QUESTION, config=config).text


def _structured(client: Any) -> Any:
    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_schema=Answer, max_output_tokens=500
    )
    return client.models.generate_content(model=MODEL, contents=QUESTION, config=config).parsed


def _image(client: Any) -> Any:
    image = types.Part.from_bytes(data=b"\x89PNG" * 50, mime_type="image/png")
    config = {"thinking_config": {"thinking_budget": 0}, "max_output_tokens": 200}
    return client.models.generate_content(model=MODEL, contents=["What is this?", image], config=config).text


def _embedded(client: Any) -> Any:
    embeddings = client.models.embed_content(model=EMBEDDINGS, contents=["one", "two"]).embeddings
    return [each.values for each in embeddings]


def _counted(client: Any) -> Any:
    return client.models.count_tokens(model=MODEL, contents=QUESTION).total_tokens


def _listed(client: Any) -> Any:
    return [client.models.get(model=MODEL).name, next(iter(client.models.list())).name]


PROGRAMS = {
    "once": Program(_once, TEXT),
    "streamed": Program(_streamed, TEXT),
    "awaited": Program(_awaited, TEXT),
    "awaited stream": Program(_awaited_stream, TEXT),
    "chat": Program(_chat, TEXT * 2, (Reply(usage=USED), Reply(usage=USED))),
    "tools": Program(
        _tools, TEXT, (Reply(usage=USED, tool_calls=(ToolCall("multiply", {"a": 6, "b": 7}),)), Reply(usage=USED))
    ),
    "structured": Program(
        _structured, Answer(value=42, reason="known"), (Reply('{"value": 42, "reason": "known"}', usage=USED),)
    ),
    "image": Program(_image, TEXT),
    "embedded": Program(_embedded, [[0.25, -0.5]] * 2, (Reply(usage=Tokens(input=4)),), EMBEDDINGS),
    "counted": Program(_counted, 11, (Reply(usage=USED),), None),
    "listed": Program(_listed, [f"models/{MODEL}", f"models/{MODEL}"], (Reply(), Reply()), None),
}


def client(base_url: str, key: str = "key") -> genai.Client:
    """A client with the arguments that the library also reads from `GOOGLE_GEMINI_BASE_URL` and `GEMINI_API_KEY`."""
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=base_url))
