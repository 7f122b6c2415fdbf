"""Conversion of calls of LangChain's models of Google to Google's own API, so that both are held and charged alike."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ..google.calls import PROVIDER
from ..guarding.calls import ApiRequest, Cost, Paid, UsageMissingError
from ..pricing.prices import Rates
from .langchain_responses import Details, whole_number

__all__ = ["GoogleModelCall"]

_TERMS: Final = {"response_modalities": "responseModalities", "n": "candidateCount"}
"""The fields of Google's ``generationConfig``, by LangChain's names for them."""
_FIELDS: Final = {"cached_content": "cachedContent", "service_tier": "serviceTier"}
"""The fields of Google's request, by LangChain's names for them."""
_SOUND: Final = ("audio", "video", "media", "file", "document")
"""Types of content blocks that may have sound, which costs more than text. LangChain's usage does not separate it."""


class GoogleModelCall:
    """A call of a LangChain model of Google, measured and priced by the adapter for Google's own API."""

    def __init__(self, model: str, messages: list[Any], parameters: Mapping[str, Any], limit: int | None) -> None:
        """Convert the call.

        ``messages`` are mappings with LangChain's content blocks, or texts; ``limit`` is the most output tokens.
        """
        self._may_have_sound = any(_may_have_sound(block) for message in messages for block in _blocks(message))
        terms = {theirs: _plain(parameters[name]) for name, theirs in _TERMS.items() if parameters.get(name)}
        fields = {theirs: parameters[name] for name, theirs in _FIELDS.items() if parameters.get(name)}
        config = {**terms, **({} if limit is None else {"maxOutputTokens": limit})}
        tools = [_tool(tool) for tool in parameters.get("tools") or ()]
        contents = [{"parts": [_part(block) for block in _blocks(message)]} for message in messages]
        body = {"contents": contents, "generationConfig": config, "tools": tools, **fields}
        path = model if "/" in model else f"models/{model}"
        paid = PROVIDER.paid(ApiRequest("post", f"/v1beta/{path}:generateContent", body))
        assert paid is not None
        self._paid: Paid = paid

    def worst(self, rates: Rates) -> Decimal:
        """Return the worst case in USD, as `Paid.worst`."""
        return self._paid.worst(rates)

    def cost(self, rates: Rates, response: Mapping[str, Any]) -> Cost:
        """Return the cost by LangChain's usage and the provider's grounding metadata. Raises UsageMissingError."""
        usage = response.get("usage")
        if not isinstance(usage, Mapping):
            raise UsageMissingError
        into, out = Details(usage.get("input_token_details")), Details(usage.get("output_token_details"))
        read, thought = whole_number(usage.get("input_tokens")), out.count("reasoning")
        counts: dict[str, Any] = {
            "promptTokenCount": read,
            "candidatesTokenCount": whole_number(whole_number(usage.get("output_tokens")) - thought),
            "thoughtsTokenCount": thought,
            "cachedContentTokenCount": into.count("cache_read"),
            "totalTokenCount": usage.get("total_tokens"),
        }
        if self._may_have_sound:
            # The whole input is charged as sound, since the usage does not show how much of it is text.
            counts["promptTokensDetails"] = [{"modality": "AUDIO", "tokenCount": read}]
        candidate = {
            "content": {"parts": [_part(block) for block in response.get("content") or ()]},
            "groundingMetadata": _stated(response.get("grounding_metadata")),
        }
        cost = self._paid.cost(
            rates, {"usageMetadata": counts, "candidates": [candidate], "modelVersion": response.get("model")}
        )
        return Cost(cost.usd, cost.estimated or self._may_have_sound)


def _blocks(message: Any) -> list[Any]:
    if not isinstance(message, Mapping):
        return [message]
    content = message.get("content")
    blocks = content if isinstance(content, list) else [content]
    return [*blocks, *(message.get("tool_calls") or ())]


def _part(block: Any) -> dict[str, Any]:
    """Return the part of Google's API for a content block of LangChain's; for media, a part of the same worst case."""
    if not isinstance(block, Mapping):
        return {"text": str(block)}
    kind, mime = block.get("type"), str(block.get("mime_type") or "")
    if kind == "text":
        return {"text": str(block.get("text") or "")}
    if kind in ("image", "image_url") or mime.startswith("image/"):
        return {"inlineData": {"mimeType": "image/png", "data": "-"}}
    sound = block.get("base64") or block.get("data")
    if kind == "audio" and isinstance(sound, str):
        return {"inlineData": {"mimeType": "audio/wav", "data": sound}}
    if kind in _SOUND:
        # The request does not show the number of a document's pages or the length of a video.
        return {"fileData": {"mimeType": mime}}
    # The block is a tool call or a thought, which has at most as many tokens as bytes.
    return {"functionCall": {"name": block.get("name"), "args": {**block}}}


def _tool(tool: Any) -> Any:
    """Return a tool in the form of Google's API; LangChain may pass functions in OpenAI's form."""
    if isinstance(tool, Mapping) and tool.get("type") == "function":
        return {"functionDeclarations": [tool.get("function")]}
    return tool


def _stated(value: Any) -> Any:
    """Return a value without the fields that are None, which LangChain includes and Google's API leaves out."""
    if isinstance(value, Mapping):
        return {name: _stated(inner) for name, inner in value.items() if inner is not None}
    return [_stated(inner) for inner in value] if isinstance(value, list) else value


def _may_have_sound(block: Any) -> bool:
    if not isinstance(block, Mapping) or block.get("type") not in _SOUND:
        return False
    return not str(block.get("mime_type") or "").startswith(("image/", "text/", "application/pdf"))


def _plain(value: Any) -> Any:
    """Return a list of modalities by their names, where LangChain has members of an enumeration."""
    return [getattr(each, "name", each) for each in value] if isinstance(value, (list, tuple)) else value
