"""Measures the visible output in a response of OpenAI's APIs, in a whole body or in one event of a stream.

A usage report that counts less output than this is not believed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..pricing.seen import Seen
from ..pricing.usage import weight

_PLAIN_MODELS: Final = re.compile(
    r"(?:[\w.-]+/)?(?:ft:)?(?:chatgpt-4o|gpt-4o|gpt-4\.1|gpt-4-|gpt-4$|gpt-3\.5|gpt-audio|gpt-5(?:\.\d)?-chat)",
    re.IGNORECASE,
)
"""Matches the names of models that do not reason: https://platform.openai.com/docs/models."""


def shows_all(model: str) -> bool:
    """Whether responses show all output of a model, because the model does no hidden reasoning."""
    return _PLAIN_MODELS.match(model) is not None


def see_chat(body: Mapping[str, Any], seen: Seen) -> None:
    """Add the visible output of a chat completion or completion to ``seen``.

    ``body`` is the whole body of the response, or one event of a stream.
    """
    choices = body.get("choices")
    if not choices:
        return
    for choice in choices if isinstance(choices, list) else ():
        if type(choice) is not dict and not isinstance(choice, Mapping):
            continue
        message = choice.get("message") or choice.get("delta")
        if type(message) is dict or isinstance(message, Mapping):
            _see_message(message, seen)
        else:
            seen.text += _weight(choice.get("text"))


def see_response(body: Mapping[str, Any], seen: Seen) -> None:
    """Add the visible output of a whole response of the Responses API to ``seen``."""
    output = body.get("output")
    for item in output if isinstance(output, list) else ():
        if not isinstance(item, Mapping):
            continue
        kind = str(item.get("type"))
        if kind == "message":
            for part in item.get("content") or ():
                if isinstance(part, Mapping):
                    seen.text += _weight(part.get("text")) + _weight(part.get("refusal"))
        elif kind == "reasoning":
            for part in (*(item.get("content") or ()), *(item.get("summary") or ())):
                seen.reasoning += _weight(part.get("text")) if isinstance(part, Mapping) else 0
        elif kind == "image_generation_call":
            seen.media += _weight(item.get("result"))
        elif kind.endswith("function_call") or kind == "custom_tool_call":
            seen.tools += sum(_weight(item.get(name)) for name in ("name", "arguments", "input"))


def _see_message(message: Mapping[str, Any], seen: Seen) -> None:
    content = message.get("content")
    if isinstance(content, str):
        seen.text += weight(content)
    elif isinstance(content, list):
        seen.text += sum(_weight(part.get("text")) for part in content if isinstance(part, Mapping))
    if len(message) < 3 and isinstance(content, str):
        return
    seen.text += _weight(message.get("refusal"))
    # DeepSeek and most servers of open models show the reasoning; OpenRouter shows a summary if it has no more.
    seen.reasoning += _weight(message.get("reasoning_content") or message.get("reasoning"))
    for call in message.get("tool_calls") or ():
        function = (call.get("function") or call.get("custom")) if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            seen.tools += sum(_weight(function.get(name)) for name in ("name", "arguments", "input"))
    called = message.get("function_call")
    if isinstance(called, Mapping):
        seen.tools += _weight(called.get("name")) + _weight(called.get("arguments"))
    audio = message.get("audio")
    if isinstance(audio, Mapping):
        seen.media += _weight(audio.get("data"))
    if message.get("images"):
        seen.media += 1


def _weight(text: object) -> int:
    return weight(text) if isinstance(text, str) else 0
