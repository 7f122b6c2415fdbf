"""Calls that a framework makes to Google, measured and priced by the same code as Google's own client."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ..google.calls import PROVIDER
from ..google.fields import names_of
from ..guarding.calls import ApiRequest, Cost, Paid
from ..pricing.prices import Rates

__all__ = ["GoogleModelCall", "is_gemini"]

_TERMS: Final = {"response_modalities": "responseModalities", "n": "candidateCount"}
_FIELDS: Final = {"cached_content": "cachedContent", "service_tier": "serviceTier"}
_OWN_TOOLS: Final = frozenset({"functionDeclarations"})
_SOUND: Final = ("audio", "input_audio", "video", "video_url", "media", "file", "document")
"""Content blocks that may have sound, which costs more than text."""


class GoogleModelCall:
    """One response of a model."""

    def __init__(
        self,
        model: str,
        messages: list[Any],
        parameters: Mapping[str, Any],
        limit: int | None,
        *,
        sums_only: bool = False,
    ) -> None:
        """``messages`` are texts, or have content blocks of LangChain or OpenAI; ``limit`` is in tokens of output.

        ``sums_only``: the framework's usage does not say how much of the input is sound.
        """
        self._may_sound = sums_only and any(_may_sound(block) for message in messages for block in _blocks(message))
        terms = {theirs: _plain(parameters[name]) for name, theirs in _TERMS.items() if parameters.get(name)}
        fields = {theirs: parameters[name] for name, theirs in _FIELDS.items() if parameters.get(name)}
        config = {**terms, **({} if limit is None else {"maxOutputTokens": limit})}
        tools = [_tool(tool) for tool in parameters.get("tools") or ()]
        self._grounds = any(isinstance(tool, Mapping) and names_of(tool) - _OWN_TOOLS for tool in tools)
        contents = [{"parts": [_part(block) for block in _blocks(message)]} for message in messages]
        body = {"contents": contents, "generationConfig": config, "tools": tools, **fields}
        path = model if "/" in model else f"models/{model}"
        paid = PROVIDER.paid(ApiRequest("post", f"/v1beta/{path}:generateContent", body))
        assert paid is not None
        self._paid: Paid = paid

    @property
    def is_grounded(self) -> bool:
        """Whether the provider may search for the call, which is billed beside the tokens."""
        return self._grounds

    def worst(self, rates: Rates) -> Decimal:
        """As `Paid.worst`."""
        return self._paid.worst(rates)

    def cost(self, rates: Rates, usage: Mapping[str, Any], content: Iterable[Any], grounding: Any) -> Cost:
        """Return the cost by Google's ``usageMetadata``, the output's content blocks and its grounding metadata.

        Raises UsageMissingError.
        """
        if self._may_sound:
            # All of it at the price of sound, since the usage does not say how much is text.
            details = [{"modality": "AUDIO", "tokenCount": usage.get("promptTokenCount")}]
            usage = {**usage, "promptTokensDetails": details}
        candidate = {"content": {"parts": [_part(block) for block in content]}, "groundingMetadata": _stated(grounding)}
        cost = self._paid.cost(rates, {"usageMetadata": usage, "candidates": [candidate]})
        return Cost(cost.usd, cost.estimated or self._may_sound)


def is_gemini(model: str) -> bool:
    """Whether a model that Google serves is its own, with the terms of its API; Vertex AI serves others as well."""
    return "gemini" in model


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
    stated = block.get("input_audio")
    sound = stated.get("data") if isinstance(stated, Mapping) else block.get("base64") or block.get("data")
    if kind in ("audio", "input_audio") and isinstance(sound, str):
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
