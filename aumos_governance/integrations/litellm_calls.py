"""What a call through LiteLLM may cost at worst, what its answer says that it used, and how it failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from .calls import Asked, Cost
from .guard import Outcome, outcome_of
from .openai_text import ChatCall, read_usage
from .pricing import Rates
from .seen import Seen

__all__ = ["LiteLLMCall", "failure_of", "price_id"]

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
"""What is asked of the provider; other arguments are LiteLLM's own, keys and addresses among them."""
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
"""What genai-prices calls a provider where LiteLLM calls it something else."""
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
_NO_ANSWER: Final = frozenset(
    {"APIConnectionError", "APITimeoutError", "Timeout", "TimeoutException", "TransportError"}
)
"""Errors that LiteLLM hides behind one with a status of its own making."""


class LiteLLMCall(ChatCall):
    """One completion. LiteLLM takes and tells all providers' in OpenAI's words."""

    name = "completion"

    def __init__(self, model: str, arguments: Mapping[str, Any]) -> None:
        body = {name: arguments[name] for name in _REQUEST if arguments.get(name) is not None}
        super().__init__(Asked("post", "/chat/completions", {"model": model, **body}))

    def cost(self, rates: Rates, answer: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """As `Paid.cost`."""
        return Cost(rates.cost(read_usage(answer, _USAGE, ("input_tokens", "output_tokens"))))


def price_id(provider: str) -> str:
    """What genai-prices calls a provider of LiteLLM."""
    return _PRICE_IDS.get(provider, provider)


def failure_of(error: BaseException) -> str:
    """How a call failed: one of `Outcome`.

    LiteLLM gives each error a status, also where no answer came, so what it comes from is looked at first.
    """
    seen = list(_behind(error))
    if any(_NO_ANSWER & {kind.__name__ for kind in type(each).__mro__} for each in seen):
        return outcome_of_transport(seen)
    return outcome_of(error)


def outcome_of_transport(seen: list[BaseException]) -> str:
    """Of errors without an answer: whether the request was sent."""
    never_sent = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ClientConnectorError")
    return Outcome.FREE if any(type(each).__name__ in never_sent for each in seen) else Outcome.UNKNOWN


def _behind(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
