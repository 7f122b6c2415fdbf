"""Computes the worst case and the cost of a call through LiteLLM, and whether a failed call may have cost something."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from ..guarding.calls import ApiRequest, Cost, Paid, UsageMissingError
from ..guarding.guard import Outcome, body_of, outcome_of
from ..openai.seen import see_chat
from ..openai.text import ChatCall, EmbeddingCall, ResponseCall
from ..pricing.gateway_address import address_in_environment
from ..pricing.rates import Rates
from ..pricing.seen import Seen
from ..pricing.sellers import STATE_COSTS, UsagePaths
from ..pricing.usage import DoubtError, checked
from . import litellm_usage
from .anthropic_model import ANTHROPIC_TERMS, AnthropicModelCall
from .google_model import GoogleModelCall, is_gemini

_REQUEST: Final[tuple[str, ...]] = (
    "functions",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "modalities",
    "n",
    "prediction",
    "response_format",
    "service_tier",
    "stream",
    "stream_options",
    "tools",
    "web_search_options",
)
"""The arguments of a completion that are sent to the provider; LiteLLM uses the others, such as keys and addresses."""
_LIMITS: Final = ("max_completion_tokens", "max_tokens")
# The tools that LiteLLM requests of the provider for ``web_search_options``.
_ANTHROPIC_SEARCH: Final = {"type": "web_search_20250305", "name": "web_search"}
_GOOGLE_SEARCH: Final[Mapping[str, Any]] = {"googleSearch": {}}
_OTHER_REQUESTS: Final = frozenset(
    {"input", "instructions", "max_output_tokens", "max_tool_calls", "previous_response_id", "prompt", "reasoning"}
    | {"service_tier", "text", "tools", "background", "store"}
)
"""The arguments of responses and embeddings that are sent to the provider."""
_PRICE_IDS: Final = {
    "anthropic_text": "anthropic",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "together_ai": "together",
    "vertex_ai": "google",
    "xai": "x-ai",
}
"""The ids of providers in genai-prices, by LiteLLM's names; for other providers the id is LiteLLM's name."""
_USAGE: Final = {
    "input_tokens": ("prompt_tokens",),
    "cache_read_tokens": ("prompt_tokens_details", "cached_tokens"),
    "cache_write_tokens": ("prompt_tokens_details", "cache_creation_tokens"),
    "cache_write_1h_tokens": ("prompt_tokens_details", "cache_creation_token_details", "ephemeral_1h_input_tokens"),
    "input_audio_tokens": ("prompt_tokens_details", "audio_tokens"),
    "output_tokens": ("completion_tokens",),
    "output_audio_tokens": ("completion_tokens_details", "audio_tokens"),
    "output_reasoning_tokens": ("completion_tokens_details", "reasoning_tokens"),
}
_USAGE_PATHS: Final = UsagePaths(_USAGE.items())
_NO_RESPONSE: Final = frozenset(
    {"APIConnectionError", "APITimeoutError", "Timeout", "TimeoutException", "TransportError"}
)
"""The exceptions of calls without a response; LiteLLM replaces them by exceptions with a status that no server sent."""


class LiteLLMCall(ChatCall):
    """A paid call of LiteLLM's ``completion``, made from the function's arguments.

    LiteLLM uses OpenAI's fields for all providers, so this is a chat completion of OpenAI's API. Only the calls of
    Anthropic's models and of Gemini are measured and priced by the adapters for these providers' own APIs.
    """

    name = "completion"

    def __init__(self, model: str, arguments: Mapping[str, Any], provider: str = "") -> None:
        stated = {name: value for name, value in arguments.items() if value is not None}
        body = {name: stated[name] for name in _REQUEST if name in stated}
        super().__init__(ApiRequest("post", "/chat/completions", {"model": model, **body}))
        self._own: AnthropicModelCall | GoogleModelCall | None = None
        limit = next((stated[name] for name in _LIMITS if type(stated.get(name)) is int), None)
        messages = list(stated.get("messages") or ())
        searches = "web_search_options" in stated
        if provider == "anthropic":
            terms = {str(name): stated[name] for name in ANTHROPIC_TERMS if name in stated}
            if searches:
                terms["tools"] = [*terms.get("tools", ()), _ANTHROPIC_SEARCH]
            self._own = AnthropicModelCall(model, messages, terms, limit)
        elif provider == "google" and is_gemini(model):
            terms = {"response_modalities": stated.get("modalities"), **stated}
            if searches:
                terms["tools"] = [*terms.get("tools", ()), _GOOGLE_SEARCH]
            self._own = GoogleModelCall(model, messages, terms, limit)

    def worst(self, rates: Rates) -> Decimal:
        """Implement `Paid.worst`: return the most USD that the call can cost."""
        return super().worst(rates) if self._own is None else self._own.worst(rates)

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Implement `Paid.cost`: return the cost according to the usage that the response reports."""
        usage = response.get("usage")
        if self._own is None or rates.flat is not None or not isinstance(usage, Mapping):
            return super().cost(rates, _with_tier(response, self._request), seen)
        if isinstance(self._own, AnthropicModelCall):
            if seen is None:
                seen = Seen(whole=True)
                see_chat(response, seen)
            stated = {"model": response.get("model"), "usage": litellm_usage.to_anthropic(usage)}
            return self._own.cost(rates, stated, seen, has_iterations=False)
        grounding = response.get("vertex_ai_grounding_metadata")
        if self._own.is_grounded and self._streamed:
            # The chunk with the usage does not show which searches were made.
            raise UsageMissingError
        content = litellm_usage.content_of(response)
        metadata = grounding[0] if isinstance(grounding, list) and grounding else None
        return self._own.cost(rates, litellm_usage.to_google(usage), content, metadata)

    def _used(self, rates: Rates, response: Mapping[str, Any], seen: Seen) -> tuple[Mapping[str, int | float], bool]:
        usage = response.get("usage")
        report = _USAGE_PATHS.report(usage) if isinstance(usage, Mapping) else None
        if report is None:
            raise UsageMissingError
        try:
            return checked(report, seen)
        except DoubtError as doubt:
            raise UsageMissingError(str(doubt)) from None


def _with_tier(response: Mapping[str, Any], request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the response; if it names no service tier and the request named the tier ``priority``, add this tier.

    This tier is dearer than the standard tier.
    """
    tier = request.get("service_tier")
    return {**response, "service_tier": tier} if tier == "priority" and not response.get("service_tier") else response


def call_of(kind: str, model: str, arguments: Mapping[str, Any], provider: str) -> Paid:
    """Return the paid call that one of LiteLLM's functions makes with ``arguments``.

    ``kind`` is ``completion``, ``responses`` or ``embeddings``; ``provider`` is the provider's id in genai-prices.
    """
    if kind == "completion":
        return LiteLLMCall(model, arguments, provider)
    body = {name: value for name, value in arguments.items() if name in _OTHER_REQUESTS and value is not None}
    request = ApiRequest("post", f"/{kind}", {**body, "model": model})
    return ResponseCall(request) if kind == "responses" else EmbeddingCall(request)


def response_of(paid: Paid, response: object) -> Mapping[str, Any]:
    """Return a response as a mapping, without the cost that LiteLLM computes itself.

    LiteLLM writes its own figure into the field ``cost`` of the usage. The field is kept if the seller is one of
    `STATE_COSTS`, which state the charged cost there.
    """
    body, usage = body_of(response), body_of(response).get("usage")
    seller = None if paid.quoted is None else paid.quoted.seller
    if seller in STATE_COSTS or not isinstance(usage, Mapping) or "cost" not in usage:
        return body
    return {**body, "usage": {name: value for name, value in usage.items() if name != "cost"}}


def address_of(provider: str, arguments: Mapping[str, Any], found: str | None) -> str:
    """Return the address that a call is sent to, or an empty string for the provider's default address.

    ``found`` is the address that LiteLLM found for the call's model.
    """
    address = arguments.get("api_base") or arguments.get("base_url") or found
    if address is None and provider in ("openai", "text-completion-openai"):
        # LiteLLM reads these variables in this order.
        address = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
    return str(address or address_in_environment(price_id(provider)))


def price_id(provider: str) -> str:
    """Return the id in genai-prices of a provider, by LiteLLM's name such as ``vertex_ai``."""
    return _PRICE_IDS.get(provider, provider)


def failure_of(error: BaseException) -> str:
    """Return whether a failed call may have cost something, as a value of `Outcome`.

    LiteLLM's exceptions have a status even if no response arrived, so the exceptions that caused them are checked
    first.
    """
    errors = list(_chain(error))
    if any(_NO_RESPONSE & {kind.__name__ for kind in type(each).__mro__} for each in errors):
        return _outcome_without_response(errors)
    return outcome_of(error)


def _outcome_without_response(errors: list[BaseException]) -> str:
    """Return `Outcome.FREE` if the errors show that the request was never sent, otherwise `Outcome.UNKNOWN`."""
    never_sent = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ClientConnectorError")
    return Outcome.FREE if any(type(each).__name__ in never_sent for each in errors) else Outcome.UNKNOWN


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
