"""What a call of a LangChain model may cost at worst, and what its result says that it used."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from .calls import Cost, Meter, UsageMissingError
from .openai_events import EventMeter
from .openai_text import CONTEXT_TOKENS, OUTPUT_TOKENS
from .pricing import Rates
from .seen import Seen
from .sizes import size_of

__all__ = ["LangChainCall", "answer_of", "is_from_cache", "provider_of"]

_LIMITS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens", "max_tokens_to_sample", "num_predict")
_INPUTS: Final = ("tools", "functions", "response_format", "system")
_TIERS: Final = ("flex", "priority")
_PRICE_IDS: Final = {
    "amazon_bedrock": "aws",
    "bedrock": "aws",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "xai": "x-ai",
}
"""What genai-prices calls a provider where LangChain calls it something else."""


class LangChainCall:
    """One call of one model."""

    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, inputs: list[Any], parameters: Mapping[str, Any], metadata: Mapping[str, Any]) -> None:
        model = metadata.get("ls_model_name") or parameters.get("model") or parameters.get("model_name")
        self.model = str(model or "unknown")
        self.name = str(metadata.get("ls_model_type") or "chat")
        self._inputs = inputs
        self._parameters = parameters
        self._metadata = metadata

    def worst(self, rates: Rates) -> Decimal:
        """As long an answer as it allows, to an input that is all text of one byte a token."""
        size = size_of([self._inputs, {name: self._parameters[name] for name in _INPUTS if name in self._parameters}])
        window = rates.context_window
        if size.unseen:
            tokens = window or CONTEXT_TOKENS
        else:
            tokens = size.tokens if window is None else min(size.tokens, window)
        count = self._parameters.get("n")
        output = self._limit(window) * (count if isinstance(count, int) and count > 0 else 1)
        return rates.bound(tokens, output, kinds=size.kinds | {"cache_write", "cache_write_1h"})

    def cost(self, rates: Rates, answer: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """By LangChain's own figures. Raises UsageMissingError."""
        usage = answer.get("usage")
        if not isinstance(usage, Mapping):
            raise UsageMissingError
        into, out = _Details(usage.get("input_token_details")), _Details(usage.get("output_token_details"))
        hour = into.count("ephemeral_1h_input_tokens")
        used = {
            "input_tokens": _whole(usage.get("input_tokens")),
            "output_tokens": _whole(usage.get("output_tokens")),
            "cache_read_tokens": into.count("cache_read"),
            "cache_write_tokens": into.count("cache_creation") + into.count("ephemeral_5m_input_tokens") + hour,
            "cache_write_1h_tokens": hour,
            "input_audio_tokens": into.count("audio"),
            "output_audio_tokens": out.count("audio"),
            "output_reasoning_tokens": out.count("reasoning"),
        }
        tier = into.tier or out.tier
        return Cost(rates.cost(used, {"service_tier": tier} if tier else None))

    def meter(self) -> Meter:
        """Never asked for: LangChain reads the streams."""
        return EventMeter(swallow=False)

    def _limit(self, window: int | None) -> int:
        for name in _LIMITS:
            limit = self._parameters.get(name)
            if isinstance(limit, int) and limit > 0:
                return limit
        limit = self._metadata.get("ls_max_tokens")
        if isinstance(limit, int) and limit > 0:
            return limit
        return OUTPUT_TOKENS if window is None else min(OUTPUT_TOKENS, window)


class _Details:
    """The counts within a sum; those of another service tier have its name before theirs."""

    def __init__(self, details: Any) -> None:
        self._details = details if isinstance(details, Mapping) else {}
        self.tier = next((tier for tier in _TIERS if tier in self._details), None)

    def count(self, name: str) -> int:
        return sum(
            _whole(self._details[key]) for key in (name, f"{self.tier}_{name}") if self._details.get(key) is not None
        )


def provider_of(metadata: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """What genai-prices calls the provider of a model."""
    told = str(metadata.get("ls_provider") or parameters.get("_type") or "")
    return _PRICE_IDS.get(told, told)


def answer_of(result: LLMResult) -> dict[str, Any]:
    """A result in the shape of an answer: the model that gave it, and its usage where it says that."""
    message = _message(result)
    if message is not None:
        model = message.response_metadata.get("model_name") or message.response_metadata.get("model")
        return {"model": model, "usage": message.usage_metadata}
    told = result.llm_output or {}
    usage = told.get("token_usage")
    if not isinstance(usage, Mapping):
        return {}
    names = {"input_tokens": "prompt_tokens", "output_tokens": "completion_tokens"}
    return {"model": told.get("model_name"), "usage": {name: usage.get(theirs) for name, theirs in names.items()}}


def is_from_cache(result: LLMResult) -> bool:
    """Whether LangChain had the answer, and the provider was not asked."""
    message = _message(result)
    usage: Mapping[str, Any] = (message.usage_metadata if message is not None else None) or {}
    return usage.get("total_cost") == 0


def _message(result: LLMResult) -> AIMessage | None:
    # Each of several answers to one prompt says what all of them used.
    first = result.generations[0][0] if result.generations and result.generations[0] else None
    message = first.message if isinstance(first, ChatGeneration) else None
    return message if isinstance(message, AIMessage) else None


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise UsageMissingError
    return value
