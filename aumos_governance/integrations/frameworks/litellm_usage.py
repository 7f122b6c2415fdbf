"""Converts LiteLLM's usage report to Anthropic's or Google's form; LiteLLM uses OpenAI's fields for every provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..guarding.calls import whole_number

_KEPT: Final = ("server_tool_use", "inference_geo", "speed")
_KINDS: Final = {"audio_tokens": "AUDIO", "image_tokens": "IMAGE", "video_tokens": "VIDEO"}


def to_anthropic(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return LiteLLM's usage in the form of Anthropic's, whose input tokens do not include cached tokens.

    Raises UsageMissingError for values that are no counts.
    """
    details = _mapping(usage, "prompt_tokens_details")
    read, written = (_count(details, name) for name in ("cached_tokens", "cache_creation_tokens"))
    return {
        "input_tokens": whole_number(whole_number(usage.get("prompt_tokens")) - read - written),
        "output_tokens": usage.get("completion_tokens"),
        "total_tokens": usage.get("total_tokens"),
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "cache_creation": _mapping(details, "cache_creation_token_details"),
        **{name: usage[name] for name in _KEPT if usage.get(name) is not None},
    }


def to_google(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return LiteLLM's usage in the form of Google's ``usageMetadata``, whose output tokens do not include thoughts.

    Raises UsageMissingError for values that are no counts.
    """
    into, out = _mapping(usage, "prompt_tokens_details"), _mapping(usage, "completion_tokens_details")
    thought = _count(out, "reasoning_tokens")
    return {
        "promptTokenCount": whole_number(usage.get("prompt_tokens")),
        "promptTokensDetails": [*_by_kind(into)],
        "candidatesTokenCount": whole_number(whole_number(usage.get("completion_tokens")) - thought),
        "candidatesTokensDetails": [*_by_kind(out)],
        "thoughtsTokenCount": thought,
        "cachedContentTokenCount": _count(into, "cached_tokens"),
        "totalTokenCount": usage.get("total_tokens"),
    }


def content_of(response: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the content blocks, tool calls and images of all choices of one of LiteLLM's responses."""
    for choice in response.get("choices") or ():
        message = choice.get("message") if isinstance(choice, Mapping) else None
        if isinstance(message, Mapping):
            yield from (message.get("content") or "", *(message.get("tool_calls") or ()))
            yield from ({"type": "image"} for _ in message.get("images") or ())


def _by_kind(details: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, modality in _KINDS.items():
        if count := _count(details, name):
            yield {"modality": modality, "tokenCount": count}


def _mapping(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _count(details: Mapping[str, Any], name: str) -> int:
    return whole_number(details.get(name) or 0)
