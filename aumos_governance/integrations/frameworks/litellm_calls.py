"""The worst case and the cost of a call through LiteLLM, and the outcome of a failed call."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ..guarding.calls import ApiRequest, Cost, Paid, UsageMissingError
from ..guarding.guard import Outcome, body_of, outcome_of
from ..openai.seen import see_chat
from ..openai.text import ChatCall, EmbeddingCall, ResponseCall
from ..pricing.gateway_address import address_in_environment
from ..pricing.prices import Rates
from ..pricing.seen import Seen
from ..pricing.sellers import STATE_COSTS, UsagePaths
from ..pricing.usage import DoubtError, checked

__all__ = ["LiteLLMCall", "address_of", "call_of", "failure_of", "price_id", "response_of"]

_REQUEST: Final = (
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
"""The arguments of a completion that are sent to the provider; others, such as keys and addresses, are LiteLLM's."""
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
"""The ids of providers in genai-prices, by LiteLLM's names where these differ."""
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
"""The names of exceptions without a response, which LiteLLM replaces by exceptions with a made-up status."""


class LiteLLMCall(ChatCall):
    """A paid completion; LiteLLM uses OpenAI's fields for the requests and responses of all providers."""

    name = "completion"

    def __init__(self, model: str, arguments: Mapping[str, Any]) -> None:
        body = {name: arguments[name] for name in _REQUEST if arguments.get(name) is not None}
        super().__init__(ApiRequest("post", "/chat/completions", {"model": model, **body}))

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost by the response's usage. Raises UsageMissingError, as `Paid.cost`."""
        if seen is None:
            seen = Seen(whole=True)
            see_chat(response, seen)
        usage = response.get("usage")
        report = _USAGE_PATHS.report(usage) if isinstance(usage, Mapping) else None
        if report is None:
            raise UsageMissingError
        try:
            used, estimated = checked(report, seen)
        except DoubtError as doubt:
            raise UsageMissingError(str(doubt)) from None
        return Cost(rates.cost(used), estimated)


def call_of(kind: str, model: str, arguments: Mapping[str, Any]) -> Paid:
    """Return the paid call of a function of LiteLLM; ``kind`` is ``completion``, ``responses`` or ``embeddings``."""
    if kind == "completion":
        return LiteLLMCall(model, arguments)
    body = {name: value for name, value in arguments.items() if name in _OTHER_REQUESTS and value is not None}
    request = ApiRequest("post", f"/{kind}", {**body, "model": model})
    return ResponseCall(request) if kind == "responses" else EmbeddingCall(request)


def response_of(paid: Paid, response: object) -> Mapping[str, Any]:
    """Return a response as a mapping, without the cost that LiteLLM computes itself.

    LiteLLM writes that cost into the field in which some providers state theirs.
    """
    body, usage = body_of(response), body_of(response).get("usage")
    seller = None if paid.quoted is None else paid.quoted.seller
    if seller in STATE_COSTS or not isinstance(usage, Mapping) or "cost" not in usage:
        return body
    return {**body, "usage": {name: value for name, value in usage.items() if name != "cost"}}


def address_of(provider: str, arguments: Mapping[str, Any], found: str | None) -> str:
    """Return the address of a call if it is not the provider's own, otherwise an empty string.

    ``found`` is the address that LiteLLM found for the call's model.
    """
    address = arguments.get("api_base") or arguments.get("base_url") or found
    if address is None and provider in ("openai", "text-completion-openai"):
        # LiteLLM reads these variables in this order.
        address = os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE")
    return str(address or address_in_environment(price_id(provider)))


def price_id(provider: str) -> str:
    """Return the id in genai-prices of a provider of LiteLLM."""
    return _PRICE_IDS.get(provider, provider)


def failure_of(error: BaseException) -> str:
    """Return which `Outcome` a failed call had.

    LiteLLM's exceptions have a status even where no response arrived, so the exceptions behind them are checked first.
    """
    errors = list(_chain(error))
    if any(_NO_RESPONSE & {kind.__name__ for kind in type(each).__mro__} for each in errors):
        return _outcome_without_response(errors)
    return outcome_of(error)


def _outcome_without_response(errors: list[BaseException]) -> str:
    """Return whether a call without a response was sent (`Outcome.UNKNOWN`) or not (`Outcome.FREE`), by its errors."""
    never_sent = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ClientConnectorError")
    return Outcome.FREE if any(type(each).__name__ in never_sent for each in errors) else Outcome.UNKNOWN


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__
