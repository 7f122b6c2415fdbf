"""Programs as users write them, with unmodified libraries; a notebook's kernel imports this module.

No program has a URL or a key, since each library reads them from the environment. Each program imports its library
itself, since some imports take seconds.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from tests.integrations.endpoint.replies import Reply, Tokens, ToolCall
from tests.integrations.examples import MESSAGES

GPT: Final = "gpt-4o-mini"
CLAUDE: Final = "claude-haiku-4-5"
GEMINI: Final = "gemini-2.5-flash"
QUESTION: Final = "What is six times seven?"
TEXT: Final = Reply().text
_CALLED: Final = ToolCall("multiply", {"left": 6, "right": 7})
_PARSED: Final = '{"value": 42}'


class Answer(BaseModel):
    """The schema of a structured output."""

    value: int


def multiply(left: int, right: int) -> int:
    """Multiply two numbers.

    Args:
        left: One number.
        right: The other.
    """
    return left * right


TOOL: Final[Any] = {
    "type": "function",
    "function": {
        "name": "multiply",
        "parameters": {
            "type": "object",
            "properties": {"left": {"type": "integer"}, "right": {"type": "integer"}},
        },
    },
}


@dataclass(frozen=True)
class Program:
    """A program, and the provider's responses to it."""

    run: Callable[[], Any]
    """Makes the calls and returns their results; may return an awaitable."""
    model: str = GPT
    got: Any = TEXT
    replies: tuple[Reply, ...] = (Reply(),)
    needs: str = ""
    """An object that not every version of the library has, as ``module:path``."""


# ---- OpenAI


def _openai_structured() -> Any:
    from openai import OpenAI

    client = OpenAI()
    responses = [
        client.chat.completions.parse(model=GPT, messages=MESSAGES, max_tokens=50, response_format=Answer)
        .choices[0]
        .message.parsed,
        client.responses.parse(model=GPT, input=QUESTION, max_output_tokens=50, text_format=Answer).output_parsed,
    ]
    return [response.value for response in responses if response is not None]


async def _openai_awaited() -> Any:
    from openai import AsyncOpenAI

    async with AsyncOpenAI() as client:
        chunks = await client.chat.completions.create(model=GPT, messages=MESSAGES, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])
        parsed = await client.chat.completions.parse(model=GPT, messages=MESSAGES, response_format=Answer)
        called = await client.chat.completions.create(model=GPT, messages=MESSAGES, tools=[TOOL])
        assert parsed.choices[0].message.parsed is not None
        calls: Any = called.choices[0].message.tool_calls
        return [text, parsed.choices[0].message.parsed.value, calls[0].function.name]


def _openai_streamed_tools() -> Any:
    from openai import OpenAI

    with OpenAI().chat.completions.stream(model=GPT, messages=MESSAGES, tools=[TOOL]) as stream:
        return [call.function.name for call in stream.get_final_completion().choices[0].message.tool_calls or ()]


async def _agents_sdk() -> Any:
    from agents import Agent, Runner, function_tool

    agent = Agent(name="A", model=GPT, tools=[function_tool(multiply)])
    return (await Runner.run(agent, QUESTION)).final_output


# ---- Anthropic


def _anthropic_structured() -> Any:
    from anthropic import Anthropic

    message = Anthropic().messages.parse(model=CLAUDE, max_tokens=50, messages=MESSAGES, output_format=Answer)
    assert message.parsed_output is not None
    return message.parsed_output.value


async def _anthropic_awaited() -> Any:
    from anthropic import AsyncAnthropic

    async with AsyncAnthropic() as client:
        message = await client.messages.create(model=CLAUDE, max_tokens=50, messages=MESSAGES)
        async with client.messages.stream(model=CLAUDE, max_tokens=50, messages=MESSAGES) as stream:
            text = "".join([piece async for piece in stream.text_stream])
        return [message.content[0].text, text]  # type: ignore[union-attr]


# ---- LiteLLM


def _litellm(model: str) -> Callable[[], Any]:
    def run() -> Any:
        import litellm

        response: Any = litellm.completion(model=model, max_tokens=50, messages=MESSAGES)
        chunks: Any = litellm.completion(model=model, max_tokens=50, messages=MESSAGES, stream=True)
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        return [response.choices[0].message.content, streamed]

    return run


async def _litellm_awaited() -> Any:
    import litellm

    response: Any = await litellm.acompletion(model=GPT, max_tokens=50, messages=MESSAGES, tools=[TOOL])
    chunks: Any = await litellm.acompletion(model=GPT, max_tokens=50, messages=MESSAGES, stream=True)
    streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in chunks])
    return [response.choices[0].message.tool_calls[0].function.name, streamed]


def _litellm_responses() -> Any:
    import litellm

    return litellm.responses(model=GPT, input=QUESTION, max_output_tokens=50).output[0].content[0].text  # type: ignore[union-attr,index]


def _litellm_embedding() -> Any:
    import litellm

    return litellm.embedding(model="text-embedding-3-small", input=["one"]).data[0]["embedding"]


# ---- LangChain


def _langchain() -> Any:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=GPT, max_tokens=50)  # type: ignore[call-arg]
    return [model.invoke(QUESTION).text, "".join(chunk.text for chunk in model.stream(QUESTION))]


async def _langchain_awaited() -> Any:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=GPT, max_tokens=50)  # type: ignore[call-arg]
    chunks = [chunk.text async for chunk in model.astream(QUESTION)]
    return [(await model.ainvoke(QUESTION)).text, "".join(chunks)]


def _langchain_structured() -> Any:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=GPT)
    called: Any = model.bind_tools([multiply]).invoke(QUESTION)
    response: Any = model.with_structured_output(Answer).invoke(QUESTION)
    return [called.tool_calls[0]["args"], response.value]


def _langchain_responses() -> Any:
    from langchain_openai import ChatOpenAI

    model = ChatOpenAI(model=GPT, use_responses_api=True)
    return [model.invoke(QUESTION).text, "".join(chunk.text for chunk in model.stream(QUESTION))]


# ---- Pydantic AI


def _pydantic_ai(model: str | Callable[[], Any]) -> Callable[[], Any]:
    async def run() -> Any:
        from pydantic_ai import Agent

        agent = Agent(model if isinstance(model, str) else model())
        agent.tool_plain(multiply)
        whole = (await agent.run(QUESTION)).output
        async with agent.run_stream(QUESTION) as stream:
            return [whole, await stream.get_output()]

    return run


def _gemini() -> Any:
    from pydantic_ai.models.google import GoogleModel

    # Pydantic AI 2.0 has renamed the prefix of a model's name that means the Gemini API.
    return GoogleModel(GEMINI)


async def _pydantic_ai_structured() -> Any:
    from pydantic_ai import Agent, NativeOutput

    return (await Agent(f"openai:{GPT}", output_type=NativeOutput(Answer)).run(QUESTION)).output.value


# ---- curl


def _curl(command: str) -> Callable[[], Any]:
    """Return a function that runs a command and returns the expected words that its output lacks."""

    def run() -> Any:
        printed = subprocess.run(["sh", "-c", command.replace("\n", " ")], capture_output=True, text=True, check=True)
        return [piece for piece in (*TEXT.split(" "), "usage") if piece not in printed.stdout]

    return run


_JSON: Final = '-H "Content-Type: application/json" -d'
_CHAT: Final = f"""
curl -sSfN "$OPENAI_BASE_URL/chat/completions" -H "Authorization: Bearer $OPENAI_API_KEY" {_JSON}
'{{"model": "{GPT}", "messages": [{{"role": "user", "content": "{QUESTION}"}}] %s}}'
"""
_MESSAGE: Final = f"""
curl -sSfN "$ANTHROPIC_BASE_URL/v1/messages" -H "x-api-key: $ANTHROPIC_API_KEY"
-H "anthropic-version: 2023-06-01" {_JSON}
'{{"model": "{CLAUDE}", "max_tokens": 50, "messages": [{{"role": "user", "content": "{QUESTION}"}}] %s}}'
"""
_GENERATE: Final = f"""
curl -sSfN "$GOOGLE_GEMINI_BASE_URL/v1beta/models/{GEMINI}:%s" -H "x-goog-api-key: $GEMINI_API_KEY" {_JSON}
'{{"contents": [{{"parts": [{{"text": "{QUESTION}"}}]}}]}}'
"""
_STREAM: Final = ', "stream": true'
_USAGE: Final = ', "stream_options": {"include_usage": true}'
_TWICE: Final = (Reply(), Reply())
_AGENT: Final = (Reply(tool_calls=(_CALLED,)), Reply(), Reply())

PROGRAMS: Final = {
    "openai structured": Program(_openai_structured, got=[42, 42], replies=(Reply(_PARSED), Reply(_PARSED))),
    "openai awaited": Program(
        _openai_awaited,
        got=[TEXT, 42, "multiply"],
        replies=(Reply(), Reply(_PARSED), Reply(tool_calls=(_CALLED,))),
    ),
    "openai streamed tools": Program(_openai_streamed_tools, got=["multiply"], replies=(Reply(tool_calls=(_CALLED,)),)),
    "openai agents": Program(_agents_sdk, replies=_AGENT[:2]),
    "anthropic structured": Program(
        _anthropic_structured, CLAUDE, 42, (Reply(_PARSED),), needs="anthropic.resources.messages:Messages.parse"
    ),
    "anthropic awaited": Program(_anthropic_awaited, CLAUDE, [TEXT] * 2, _TWICE),
    "litellm of openai": Program(_litellm(GPT), GPT, [TEXT] * 2, _TWICE),
    "litellm of anthropic": Program(_litellm(f"anthropic/{CLAUDE}"), CLAUDE, [TEXT] * 2, _TWICE),
    "litellm of google": Program(_litellm(f"gemini/{GEMINI}"), GEMINI, [TEXT] * 2, _TWICE),
    "litellm awaited": Program(_litellm_awaited, GPT, ["multiply", TEXT], (Reply(tool_calls=(_CALLED,)), Reply())),
    "litellm responses": Program(_litellm_responses),
    "litellm embedding": Program(
        _litellm_embedding, "text-embedding-3-small", [0.25, -0.5, 0.125], (Reply(usage=Tokens(11, 0)),)
    ),
    "langchain": Program(_langchain, GPT, [TEXT] * 2, _TWICE),
    "langchain awaited": Program(_langchain_awaited, GPT, [TEXT] * 2, _TWICE),
    "langchain structured": Program(
        _langchain_structured, GPT, [{"left": 6, "right": 7}, 42], (Reply(tool_calls=(_CALLED,)), Reply(_PARSED))
    ),
    "langchain responses": Program(_langchain_responses, GPT, [TEXT] * 2, _TWICE),
    "pydantic-ai of openai": Program(_pydantic_ai(f"openai:{GPT}"), GPT, [TEXT] * 2, _AGENT),
    "pydantic-ai of openai chat": Program(_pydantic_ai(f"openai-chat:{GPT}"), GPT, [TEXT] * 2, _AGENT),
    "pydantic-ai of anthropic": Program(_pydantic_ai(f"anthropic:{CLAUDE}"), CLAUDE, [TEXT] * 2, _AGENT),
    "pydantic-ai of google": Program(_pydantic_ai(_gemini), GEMINI, [TEXT] * 2, _AGENT),
    "pydantic-ai structured": Program(_pydantic_ai_structured, GPT, 42, (Reply(_PARSED),)),
    "curl of openai": Program(_curl(_CHAT % ""), got=[]),
    "curl of openai streamed": Program(
        _curl(_CHAT % (_STREAM + ', "stream_options": {"include_usage": true}')), got=[]
    ),
    "curl of anthropic": Program(_curl(_MESSAGE % ""), CLAUDE, []),
    "curl of anthropic streamed": Program(_curl(_MESSAGE % _STREAM), CLAUDE, []),
    "curl of google": Program(_curl(_GENERATE % "generateContent"), GEMINI, []),
    "curl of google streamed": Program(_curl(_GENERATE % "streamGenerateContent?alt=sse"), GEMINI, []),
}
