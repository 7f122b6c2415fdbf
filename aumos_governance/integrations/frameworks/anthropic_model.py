"""Prices a framework's calls of Anthropic's models.

A call is converted to a request of Anthropic's own API, and the adapter for this API measures and prices it.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from ..anthropic.calls import PROVIDER
from ..anthropic.sizes import size_of
from ..guarding.calls import ApiRequest, Cost, Paid, UsageMissingError
from ..openai.text import OUTPUT_TOKENS
from ..pricing.rates import Rates
from ..pricing.seen import Seen

ANTHROPIC_TERMS: Final[tuple[str, ...]] = (
    *("tools", "system", "mcp_servers", "speed", "inference_geo", "thinking", "cache_control", "container"),
    *("context_management", "response_format"),
)
"""The parameters of a call of Anthropic's models that change its price, or are part of its input."""
_IMAGES: Final = ("image", "image_url")
_DOCUMENTS: Final = ("audio", "input_audio", "file", "video", "document")
_OWN_TOOLS: Final = frozenset({"function", "custom", "tool", "None"})
"""The types of tools that the caller's program runs; the provider runs all others."""


class AnthropicModelCall:
    """A framework's call of one of Anthropic's models, converted to a call of Anthropic's own API."""

    def __init__(self, model: str, messages: list[Any], terms: Mapping[str, Any], limit: int | None) -> None:
        """Convert the call.

        ``messages`` have content blocks in the form of LangChain, OpenAI or Anthropic. ``terms`` are those parameters
        of the call that `ANTHROPIC_TERMS` lists, and ``fallbacks``. ``limit`` is the most output tokens; None means
        `OUTPUT_TOKENS`.
        """
        body = {"model": model, "messages": [_message(message) for message in messages], **terms}
        self._body = {**body, "max_tokens": limit or OUTPUT_TOKENS}
        paid = PROVIDER.paid(ApiRequest("post", "/v1/messages", self._body))
        assert paid is not None
        self._paid: Paid = paid

    def worst(self, rates: Rates) -> Decimal:
        """Implement `Paid.worst`: return the most USD that the call can cost."""
        return self._paid.worst(rates)

    def cost(
        self,
        rates: Rates,
        response: Mapping[str, Any],
        seen: Seen | None = None,
        *,
        has_tools: bool = True,
        has_iterations: bool = True,
    ) -> Cost:
        """Return the cost of the call; ``response`` is in the form of Anthropic's API.

        ``seen`` is the measure of the output that arrived. A framework may leave out parts of the usage:
        ``has_tools`` is whether the usage includes that of the provider's tools, such as web searches, and
        ``has_iterations`` whether the usage lists further runs of models that its sums do not include, such as the
        summary of a long conversation. Raises UsageMissingError if the call may have costs that the usage does not
        show.
        """
        hosted = hosted_kinds(self._body.get("tools"))
        beside = size_of(self._body).compacted_at is not None or self._body.get("fallbacks")
        if (hosted and not has_tools) or (beside and not has_iterations):
            raise UsageMissingError
        return self._paid.cost(rates, response, seen)


def hosted_kinds(tools: Any) -> set[str]:
    """Return the types of the tools in a request that the provider runs itself, such as ``web_search_20250305``."""
    # Anthropic's tools that the program runs have no type, or the type "custom".
    return {str(tool.get("type")) for tool in tools or () if isinstance(tool, Mapping)} - _OWN_TOOLS


def _message(message: Any) -> Any:
    content = message.get("content") if isinstance(message, Mapping) else None
    return {**message, "content": [_block(block) for block in content]} if isinstance(content, list) else message


def _block(block: Any) -> Any:
    """Return a content block in the form of Anthropic's API.

    Media in the form of another API become an image or a document without content, since the number of bytes does not
    show the number of tokens.
    """
    if not isinstance(block, Mapping) or "source" in block:
        return block
    kind = block.get("type")
    if kind not in (*_IMAGES, *_DOCUMENTS):
        return block
    measured: dict[str, Any] = {"type": "image" if kind in _IMAGES else "document"}
    return {**measured, "cache_control": block["cache_control"]} if "cache_control" in block else measured
