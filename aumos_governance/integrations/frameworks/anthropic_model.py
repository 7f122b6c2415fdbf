"""Calls of Anthropic's models through a framework, measured and priced by the adapter for Anthropic's own API."""

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
"""The parameters of a call that change its price, or are part of its input."""
_IMAGES: Final = ("image", "image_url")
_DOCUMENTS: Final = ("audio", "input_audio", "file", "video", "document")
_OWN_TOOLS: Final = frozenset({"function", "custom", "tool", "None"})
"""The types of tools that the caller's program runs; the provider runs all others."""


class AnthropicModelCall:
    """A call of one of Anthropic's models through a framework, converted to a call of Anthropic's own API."""

    def __init__(self, model: str, messages: list[Any], terms: Mapping[str, Any], limit: int | None) -> None:
        """Convert the call.

        ``messages`` have content blocks in the form of LangChain, OpenAI or Anthropic. ``terms`` are the parameters
        of `ANTHROPIC_TERMS`, and ``fallbacks``, that the call states. ``limit`` is the most output tokens; None means
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
        """Return the cost of the call; ``response`` is in the form of Anthropic's API, and ``seen`` as in `Paid.cost`.

        ``has_tools`` is whether the response's usage includes the use of the provider's tools. ``has_iterations`` is
        whether the usage lists the runs of models that are billed beside its sums, such as a summary of the
        conversation. Raises UsageMissingError if the call may have costs that the usage does not show.
        """
        hosted = hosted_kinds(self._body.get("tools"))
        beside = size_of(self._body).compacted_at is not None or self._body.get("fallbacks")
        if (hosted and not has_tools) or (beside and not has_iterations):
            raise UsageMissingError
        return self._paid.cost(rates, response, seen)


def hosted_kinds(tools: Any) -> set[str]:
    """Return the types of the tools that the provider of a model runs itself."""
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
