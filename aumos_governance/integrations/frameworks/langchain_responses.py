"""Conversion of a LangChain model's result to the form of the provider's own response body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

__all__ = ["CHAT", "LANGCHAIN", "MESSAGE", "RESPONSE", "is_from_cache", "response_of"]

CHAT: Final = "chat.completion"
RESPONSE: Final = "response"
MESSAGE: Final = "message"
LANGCHAIN: Final = "langchain"
"""The forms of usage reports: those of OpenAI's two APIs, of Anthropic's, or LangChain's own with the fewest counts."""


def response_of(result: LLMResult) -> dict[str, Any]:
    """Return a model's result as a response body.

    The field ``shape`` is the form of its usage, and ``visible`` is the bytes of its visible text and tool calls.
    """
    message = _message(result)
    if message is None:
        return _of_completion(result)
    metadata = message.response_metadata
    model, usage = metadata.get("model_name") or metadata.get("model"), message.usage_metadata
    response: dict[str, Any] = {"model": model, "visible": _visible(message), "id": metadata.get("id")}
    response["service_tier"] = metadata.get("service_tier")
    raw = metadata.get("token_usage")
    if isinstance(raw, Mapping) and raw.get("prompt_tokens") is not None:
        # Each of several responses to one prompt reports the usage of all of them.
        choices = [_choice(each) for each in result.generations[0]]
        return {**response, "shape": CHAT, "usage": raw, "choices": choices}
    raw = metadata.get("usage")
    if isinstance(raw, Mapping) and raw.get("input_tokens") is not None:
        return {**response, "shape": MESSAGE, "usage": raw, "content": message.content}
    if metadata.get("object") == RESPONSE or str(metadata.get("id")).startswith("resp_"):
        usage_ = None if usage is None else _response_usage(usage)
        return {
            **response,
            "shape": RESPONSE,
            "usage": usage_,
            "output": [*_items(message)],
            "status": metadata.get("status"),
        }
    return {**response, "shape": LANGCHAIN, "usage": usage}


def is_from_cache(result: LLMResult) -> bool:
    """Whether a result came from LangChain's cache, so that no request was sent to the provider."""
    message = _message(result)
    usage: Mapping[str, Any] = (message.usage_metadata if message is not None else None) or {}
    return usage.get("total_cost") == 0


def _message(result: LLMResult) -> AIMessage | None:
    first = result.generations[0][0] if result.generations and result.generations[0] else None
    message = first.message if isinstance(first, ChatGeneration) else None
    return message if isinstance(message, AIMessage) else None


def _of_completion(result: LLMResult) -> dict[str, Any]:
    output = result.llm_output or {}
    usage = output.get("token_usage")
    if not isinstance(usage, Mapping):
        return {}
    names = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens", "total_tokens": "total_tokens"}
    texts = [each.text for each in result.generations[0]] if result.generations else []
    return {
        "shape": LANGCHAIN,
        "model": output.get("model_name"),
        "usage": {name: usage.get(theirs) for name, theirs in names.items()},
        "visible": sum(len(text.encode()) for text in texts),
    }


def _response_usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    into, out = usage.get("input_token_details") or {}, usage.get("output_token_details") or {}
    return {
        **{name: usage.get(name) for name in ("input_tokens", "output_tokens", "total_tokens")},
        "input_tokens_details": {
            "cached_tokens": into.get("cache_read"),
            "cache_write_tokens": into.get("cache_creation"),
        },
        "output_tokens_details": {"reasoning_tokens": out.get("reasoning")},
    }


def _items(message: AIMessage) -> Iterator[Mapping[str, Any]]:
    """Return a message as output items of OpenAI's Responses API: hosted tools' calls, functions' calls, and text."""
    for block in [*_blocks(message), *(message.additional_kwargs.get("tool_outputs") or ())]:
        if isinstance(block, Mapping) and block.get("type") not in ("text", "output_text", None):
            yield block
    for call in message.tool_calls:
        yield {"type": "function_call", "name": call["name"], "arguments": str(call["args"])}
    yield {"type": "message", "content": [{"type": "output_text", "text": _text(message)}]}


def _choice(generation: Any) -> dict[str, Any]:
    message = getattr(generation, "message", None)
    content = _text(message) if isinstance(message, AIMessage) else generation.text
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    functions = [{"name": call["name"], "arguments": str(call["args"])} for call in calls]
    return {"message": {"content": content, "tool_calls": [{"function": function} for function in functions]}}


def _visible(message: AIMessage) -> int:
    return len(_text(message).encode()) + sum(len(str(call["args"]).encode()) for call in message.tool_calls)


def _text(message: AIMessage) -> str:
    return "".join(
        block if isinstance(block, str) else str(block.get("text") or "")
        for block in _blocks(message)
        if isinstance(block, (str, Mapping))
    )


def _blocks(message: AIMessage) -> Iterable[Any]:
    return [message.content] if isinstance(message.content, str) else message.content
