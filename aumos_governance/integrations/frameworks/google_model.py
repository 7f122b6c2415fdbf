"""Prices a framework's calls of Google's models.

A call is converted to a request of Google's own API, and the adapter for this API measures and prices it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ..google.calls import PROVIDER
from ..google.fields import names_of
from ..guarding.calls import ApiRequest, Cost, Paid
from ..pricing.rates import Rates

_TERMS: Final = {"response_modalities": "responseModalities", "n": "candidateCount"}
_FIELDS: Final = {"cached_content": "cachedContent", "service_tier": "serviceTier"}
_OWN_TOOLS: Final = frozenset({"functionDeclarations"})
_SOUND: Final = ("audio", "input_audio", "video", "video_url", "media", "file", "document")
"""Types of content blocks that may have sound; sound costs more than text."""


class GoogleModelCall:
    """A framework's call of one of Google's models, converted to a call of Google's own API."""

    def __init__(
        self,
        model: str,
        messages: list[Any],
        parameters: Mapping[str, Any],
        limit: int | None,
        *,
        sums_only: bool = False,
    ) -> None:
        """Convert the call.

        ``messages`` are texts, or mappings with content blocks in the form of LangChain or OpenAI. ``parameters`` are
        the framework's parameters of the call. ``limit`` is the most output tokens. ``sums_only`` is whether the
        framework's usage does not show how much of the input is sound.
        """
        self._may_have_sound = sums_only and any(
            _may_have_sound(block) for message in messages for block in _blocks(message)
        )
        terms = {theirs: _plain(parameters[name]) for name, theirs in _TERMS.items() if parameters.get(name)}
        fields = {theirs: parameters[name] for name, theirs in _FIELDS.items() if parameters.get(name)}
        config = {**terms, **({} if limit is None else {"maxOutputTokens": limit})}
        tools = [_tool(tool) for tool in parameters.get("tools") or ()]
        self.is_grounded = any(isinstance(tool, Mapping) and names_of(tool) - _OWN_TOOLS for tool in tools)
        """Whether the provider may run a tool for the call, such as a search, that costs a fee besides the tokens."""
        contents = [{"parts": [_part(block) for block in _blocks(message)]} for message in messages]
        body = {"contents": contents, "generationConfig": config, "tools": tools, **fields}
        path = model if "/" in model else f"models/{model}"
        paid = PROVIDER.paid(ApiRequest("post", f"/v1beta/{path}:generateContent", body))
        assert paid is not None
        self._paid: Paid = paid

    def worst(self, rates: Rates) -> Decimal:
        """Implement `Paid.worst`: return the most USD that the call can cost."""
        return self._paid.worst(rates)

    def cost(self, rates: Rates, usage: Mapping[str, Any], content: Iterable[Any], grounding: Any) -> Cost:
        """Return the cost of the call by its response.

        ``usage`` is in the form of Google's ``usageMetadata``, and ``content`` are the output's content blocks.
        ``grounding`` is Google's ``groundingMetadata``, which lists the searches. Raises UsageMissingError as
        `Paid.cost` does.
        """
        if self._may_have_sound:
            # The whole input is charged as sound, since the usage does not show how much of it is text.
            details = [{"modality": "AUDIO", "tokenCount": usage.get("promptTokenCount")}]
            usage = {**usage, "promptTokensDetails": details}
        candidate = {"content": {"parts": [_part(block) for block in content]}, "groundingMetadata": _stated(grounding)}
        cost = self._paid.cost(rates, {"usageMetadata": usage, "candidates": [candidate]})
        return Cost(cost.usd, cost.estimated or self._may_have_sound)


def is_gemini(model: str) -> bool:
    """Whether a model of Google's cloud is a Gemini model; Vertex AI also serves other vendors' models."""
    return "gemini" in model


def _blocks(message: Any) -> list[Any]:
    if not isinstance(message, Mapping):
        return [message]
    content = message.get("content")
    blocks = content if isinstance(content, list) else [content]
    return [*blocks, *(message.get("tool_calls") or ())]


def _part(block: Any) -> dict[str, Any]:
    """Return a framework's content block as a part of Google's API; media become a part with the same worst case."""
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
        # The request does not show the number of a document's pages or the length of a video.
        return {"fileData": {"mimeType": mime}}
    # The block is a tool call or a thought; both have at most as many tokens as bytes.
    return {"functionCall": {"name": block.get("name"), "args": {**block}}}


def _tool(tool: Any) -> Any:
    """Return a tool in the form of Google's API; LangChain may pass functions in OpenAI's form."""
    if isinstance(tool, Mapping) and tool.get("type") == "function":
        return {"functionDeclarations": [tool.get("function")]}
    return tool


def _stated(value: Any) -> Any:
    """Return a value without the fields that are None, which LangChain adds and Google's API does not send."""
    if isinstance(value, Mapping):
        return {name: _stated(inner) for name, inner in value.items() if inner is not None}
    return [_stated(inner) for inner in value] if isinstance(value, list) else value


def _may_have_sound(block: Any) -> bool:
    if not isinstance(block, Mapping) or block.get("type") not in _SOUND:
        return False
    return not str(block.get("mime_type") or "").startswith(("image/", "text/", "application/pdf"))


def _plain(value: Any) -> Any:
    """Return a list of modalities as their names, such as ``AUDIO``; an element may be a name or an enum member.

    Any other value is returned unchanged.
    """
    return [getattr(each, "name", each) for each in value] if isinstance(value, (list, tuple)) else value
