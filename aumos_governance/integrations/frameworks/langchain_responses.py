"""Converts the result of a LangChain model to the provider's own response body, from which the cost is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from ..guarding.calls import UsageMissingError, whole_number

CHAT: Final = "chat.completion"
RESPONSE: Final = "response"
MESSAGE: Final = "message"
LANGCHAIN: Final = "langchain"
"""The four forms of a usage report: `CHAT` is that of OpenAI's chat completions, `RESPONSE` that of OpenAI's Responses
API, `MESSAGE` is Anthropic's, and `LANGCHAIN` is LangChain's own, which has the fewest counts."""
_LISTED_ELSEWHERE: Final = frozenset(
    {None, "text", "output_text", "refusal"}
    | {"function_call", "custom_tool_call", "tool_call", "invalid_tool_call", "tool_call_chunk"}
)
"""Types of content blocks that `_items` leaves out, since it yields the message's text and tool calls separately."""
_TIERS: Final = ("flex", "priority")


def response_of(result: LLMResult) -> dict[str, Any]:
    """Return a model's result as a response body; the body is empty for a text completion without usage.

    Two fields are added: ``shape`` is the form of the usage, one of the constants above, and ``visible`` is the number
    of bytes of visible text and tool calls.
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
        return {**response, "shape": MESSAGE, "usage": raw, "content": [*_content(message)]}
    if metadata.get("object") == RESPONSE or str(metadata.get("id")).startswith("resp_"):
        usage_ = None if usage is None else _response_usage(usage)
        return {
            **response,
            "shape": RESPONSE,
            "usage": usage_,
            "output": [*_items(message)],
            "status": metadata.get("status"),
        }
    response["content"] = [*_content(message), *message.tool_calls]
    return {**response, "shape": LANGCHAIN, "usage": usage, "grounding_metadata": metadata.get("grounding_metadata")}


def anthropic_usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return LangChain's usage in the form of Anthropic's, whose input tokens do not include cached tokens.

    Raises UsageMissingError for values that are no counts. For a stream, langchain-anthropic 1.7 does not pass on
    which cached tokens are kept for an hour.
    """
    details = usage.get("input_token_details") or {}
    read, unnamed, five, hour = (
        whole_number(details.get(name) or 0)
        for name in ("cache_read", "cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    )
    written = unnamed + five + hour
    return {
        "input_tokens": whole_number(whole_number(usage.get("input_tokens")) - read - written),
        "output_tokens": usage.get("output_tokens"),
        "total_tokens": usage.get("total_tokens"),
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "cache_creation": {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour},
    }


def google_usage(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return LangChain's usage in the form of Google's ``usageMetadata``, whose output tokens do not include thoughts.

    Raises UsageMissingError for a response without usage, and for values that are no counts.
    """
    usage = response.get("usage")
    if not isinstance(usage, Mapping):
        raise UsageMissingError
    into, out = Details(usage.get("input_token_details")), Details(usage.get("output_token_details"))
    thought = out.count("reasoning")
    return {
        "promptTokenCount": whole_number(usage.get("input_tokens")),
        "candidatesTokenCount": whole_number(whole_number(usage.get("output_tokens")) - thought),
        "thoughtsTokenCount": thought,
        "cachedContentTokenCount": into.count("cache_read"),
        "totalTokenCount": usage.get("total_tokens"),
    }


def is_from_cache(result: LLMResult) -> bool:
    """Whether a result came from LangChain's cache, so that no request was sent to the provider."""
    message = _message(result)
    usage: Mapping[str, Any] = (message.usage_metadata if message is not None else None) or {}
    return usage.get("total_cost") == 0


class Details:
    """The parts of one of LangChain's counts, for example ``input_token_details`` with the part ``cache_read``.

    In the service tiers flex and priority, langchain-openai puts the tier before the part's name: ``flex_cache_read``.
    The attribute `tier` is this tier, or None.
    """

    def __init__(self, details: Any) -> None:
        self._details = details if isinstance(details, Mapping) else {}
        self.tier = next((tier for tier in _TIERS if tier in self._details), None)

    def count(self, name: str) -> int:
        """Return the count of the part ``name``, or 0 if it is missing. Raises UsageMissingError if it is no count."""
        stated = (self._details.get(key) for key in (name, f"{self.tier}_{name}"))
        return sum(whole_number(value) for value in stated if value is not None)


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
    into, out = Details(usage.get("input_token_details")), Details(usage.get("output_token_details"))
    return {
        **{name: usage.get(name) for name in ("input_tokens", "output_tokens", "total_tokens")},
        "input_tokens_details": {
            "cached_tokens": into.count("cache_read"),
            "cache_write_tokens": into.count("cache_creation"),
        },
        "output_tokens_details": {"reasoning_tokens": out.count("reasoning")},
    }


def _items(message: AIMessage) -> Iterator[Mapping[str, Any]]:
    """Yield the output items of OpenAI's Responses API that a message was made from, for `ResponseCall.cost`.

    These are the calls of hosted tools, the calls of functions, and the text.
    """
    for block in [*_blocks(message), *(message.additional_kwargs.get("tool_outputs") or ())]:
        if isinstance(block, Mapping) and block.get("type") not in _LISTED_ELSEWHERE:
            yield _item(block)
    for call in (*message.tool_calls, *message.invalid_tool_calls):
        yield {"type": "function_call", "name": call["name"], "arguments": str(call["args"])}
    yield {"type": "message", "content": [{"type": "output_text", "text": _text(message)}]}


def _item(block: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the output item of the Responses API that LangChain converted to ``block`` (``output_version="v1"``)."""
    kind, value = block.get("type"), block.get("value")
    if kind == "non_standard" and isinstance(value, Mapping):
        return value
    if kind == "server_tool_call":
        return {"type": f"{block.get('name')}_call", "action": block.get("args")}
    if kind == "image":
        return {"type": "image_generation_call", "result": block.get("base64")}
    if kind == "reasoning" and isinstance(block.get("reasoning"), str):
        return {"type": "reasoning", "content": [{"text": block["reasoning"]}]}
    return block


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
        block if isinstance(block, str) else str(block.get("text") or block.get("refusal") or "")
        for block in _blocks(message)
        if isinstance(block, (str, Mapping))
    )


def _content(message: AIMessage) -> Iterator[Any]:
    """Return the content blocks of a message, with a block of type ``text`` in place of each plain string."""
    return ({"type": "text", "text": block} if isinstance(block, str) else block for block in _blocks(message))


def _blocks(message: AIMessage) -> Iterable[Any]:
    return [message.content] if isinstance(message.content, str) else message.content
