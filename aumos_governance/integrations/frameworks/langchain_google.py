"""Calls of LangChain's models of Google as Google's own API has them, so that both are held and charged alike."""

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
_FIELDS: Final = {"cached_content": "cachedContent", "service_tier": "serviceTier"}
_SOUND: Final = ("audio", "video", "media", "file", "document")
"""Content blocks that may have sound, which costs more than text, and which LangChain's usage does not tell apart."""


class GoogleModelCall:
    """One call, measured and priced by the same code as one of Google's own client."""

    def __init__(self, model: str, messages: list[Any], parameters: Mapping[str, Any], limit: int | None) -> None:
        """``messages`` are roles with content blocks of LangChain's, or texts; ``limit`` is in tokens of output."""
        self._may_sound = any(_may_sound(block) for message in messages for block in _blocks(message))
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
        """As `Paid.worst`."""
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
        if self._may_sound:
            # All of it at the price of sound, since the usage does not say how much is text.
            counts["promptTokensDetails"] = [{"modality": "AUDIO", "tokenCount": read}]
        candidate = {
            "content": {"parts": [_part(block) for block in response.get("content") or ()]},
            "groundingMetadata": _stated(response.get("grounding_metadata")),
        }
        cost = self._paid.cost(
            rates, {"usageMetadata": counts, "candidates": [candidate], "modelVersion": response.get("model")}
        )
        return Cost(cost.usd, cost.estimated or self._may_sound)


def _blocks(message: Any) -> list[Any]:
    if not isinstance(message, Mapping):
        return [message]
    content = message.get("content")
    blocks = content if isinstance(content, list) else [content]
    return [*blocks, *(message.get("tool_calls") or ())]


def _part(block: Any) -> dict[str, Any]:
    """Return a part of Google's in place of a block of LangChain's; for media, one that is measured alike."""
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
        # A document's pages and the length of a film are not to be seen in the request.
        return {"fileData": {"mimeType": mime}}
    # A call of a tool, or a thought, which has no more tokens than bytes.
    return {"functionCall": {"name": block.get("name"), "args": {**block}}}


def _tool(tool: Any) -> Any:
    """Return a tool as Google's API has it; functions may be in OpenAI's form."""
    if isinstance(tool, Mapping) and tool.get("type") == "function":
        return {"functionDeclarations": [tool.get("function")]}
    return tool


def _stated(value: Any) -> Any:
    """Return a value without the fields that are None, which LangChain lists and Google leaves out."""
    if isinstance(value, Mapping):
        return {name: _stated(inner) for name, inner in value.items() if inner is not None}
    return [_stated(inner) for inner in value] if isinstance(value, list) else value


def _may_sound(block: Any) -> bool:
    if not isinstance(block, Mapping) or block.get("type") not in _SOUND:
        return False
    return not str(block.get("mime_type") or "").startswith(("image/", "text/", "application/pdf"))


def _plain(value: Any) -> Any:
    """Return modalities by their names, where LangChain has an enumeration of them."""
    return [getattr(each, "name", each) for each in value] if isinstance(value, (list, tuple)) else value
