"""Computes the worst case and the cost of a call of a LangChain model.

The adapters for the providers' own APIs measure and price the calls of OpenAI's, Anthropic's and Google's models. For
the models of other providers, LangChain's own usage figures are used.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from langchain_core.messages import BaseMessage

from ...errors import ConfigurationError
from ..guarding.calls import ApiRequest, Cost, UsageMissingError, whole_number
from ..openai.text import CONTEXT_TOKENS, OUTPUT_TOKENS, ChatCall, ResponseCall
from ..pricing.gateway_address import address_in_environment
from ..pricing.rates import Rates
from ..pricing.seen import Seen
from ..pricing.sizes import size_of
from ..pricing.usage import DoubtError, Report, checked
from .anthropic_model import ANTHROPIC_TERMS, AnthropicModelCall, hosted_kinds
from .google_model import GoogleModelCall, is_gemini
from .langchain_responses import CHAT, MESSAGE, RESPONSE, Details, anthropic_usage, google_usage

_LIMITS: Final = ("max_completion_tokens", "max_tokens", "max_output_tokens", "max_tokens_to_sample", "num_predict")
_INPUTS: Final = ("tools", "functions", "response_format", "system", "text", "mcp_servers")
_TERMS: Final = ("n", "service_tier", "web_search_options", "modalities", "prediction", "max_tool_calls", "background")
_ON_THE_SERVER: Final = ("previous_response_id", "conversation", "prompt")
"""Parameters of OpenAI's Responses API that refer to further input; the provider stores this input."""
_NESTED: Final = ("model_kwargs", "extra_body")
"""Arguments of LangChain's models that hold a mapping with further parameters of the provider's API."""
_PRICE_IDS: Final = {
    "amazon_bedrock": "aws",
    "bedrock": "aws",
    "google_genai": "google",
    "google_vertexai": "google",
    "mistralai": "mistral",
    "xai": "x-ai",
}
"""The ids of providers in genai-prices, by LangChain's names; for other providers the id is LangChain's name."""
_ADDRESSES: Final = ("base_url", "api_base", "api_url", "endpoint")
"""Endings of the names of the fields in which LangChain's models keep the provider's address."""
_FILE: Final = {"type": "file", "file_id": "unseen"}
_MEDIA: Final[Mapping[object, Mapping[str, Any]]] = {
    "image": {"type": "image_url", "image_url": {}},
    "audio": {"type": "input_audio"},
    "file": _FILE,
    "video": _FILE,
    "document": _FILE,
}
"""For each type of LangChain's media blocks, the block of OpenAI's API that is measured in place of it."""
_CONVERT_MEDIA: Final = ("anthropic", "google")
"""Providers whose adapters for frameworks (`AnthropicModelCall`, `GoogleModelCall`) convert media blocks themselves."""


class LangChainCall:
    """The paid call of one LangChain model, made from the arguments of LangChain's callbacks."""

    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(
        self,
        inputs: list[Any],
        parameters: Mapping[str, Any],
        metadata: Mapping[str, Any],
        constructed: Mapping[str, Any] | None = None,
    ) -> None:
        """Prepare the call; ``inputs`` are prompts, or lists of messages.

        ``parameters`` are the invocation parameters, which LangChain passes to its callbacks with ``metadata``.
        ``constructed`` are the arguments of the model's constructor: LangChain sends some of these with each call, and
        does not list them in ``parameters``.
        """
        parameters = _merged(constructed or {}, parameters)
        model = metadata.get("ls_model_name") or parameters.get("model") or parameters.get("model_name")
        self.model = str(model or "unknown")
        self.name = str(metadata.get("ls_model_type") or "chat")
        self._parameters = parameters
        self._metadata = metadata
        self._provider = provider_of(metadata, parameters)
        self._inputs = [_plain(each, converted=self._provider not in _CONVERT_MEDIA) for each in inputs]

    def worst(self, rates: Rates) -> Decimal:
        """Implement `Paid.worst`: return the most USD that the call can cost.

        The adapters for the providers' own APIs compute the worst case of OpenAI's, Anthropic's and Gemini models. For
        other models it is computed from the size of the input, the limit of the output and the dearest prices. Raises
        ConfigurationError if a tool that their provider runs may have charges in addition to the tokens.
        """
        if self._is_openai():
            continued = any(self._parameters.get(name) for name in _ON_THE_SERVER)
            return (self._response() if continued or self._has_hosted_tools() else self._chat()).worst(rates)
        if self._provider == "anthropic":
            return self._anthropic().worst(rates)
        if self._is_gemini():
            return self._google().worst(rates)
        if self._has_hosted_tools() and rates.flat is None and not rates.fee:
            cause = f"{self.model} was not called: a tool that its provider runs may cost more than the tokens"
            raise ConfigurationError(
                f"{cause}, so state what to add to each call with GovernedCalls(fee=...), or what each call costs with"
                " cost=...",
                cause=cause,
            )
        size = size_of([self._inputs, self._parameters_named(*_INPUTS)])
        window = rates.context_window
        if size.unseen or self._has_hosted_tools():
            tokens = window or CONTEXT_TOKENS
        else:
            tokens = size.tokens if window is None else min(size.tokens, window)
        count = self._parameters.get("n")
        output = self._output_limit(window) * (count if isinstance(count, int) and count > 0 else 1)
        return rates.bound(tokens, output, kinds=size.kinds | {"cache_write", "cache_write_1h"})

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Implement `Paid.cost`; ``response`` is a result of `response_of` in `langchain_responses`.

        The cost is computed from the provider's own usage if LangChain passes it on, otherwise from LangChain's.
        """
        shape = response.get("shape")
        if shape == CHAT:
            return self._chat().cost(rates, response, seen)
        if shape == RESPONSE:
            return self._response().cost(rates, response, seen)
        if shape == MESSAGE and self._provider == "anthropic":
            return self._anthropic().cost(rates, response, seen)
        usage = response.get("usage")
        if self._provider == "anthropic" and rates.flat is None and isinstance(usage, Mapping):
            seen = Seen(text=response.get("visible") or 0, whole=True)
            stated = {**response, "usage": anthropic_usage(usage)}
            return self._anthropic().cost(rates, stated, seen, has_tools=False, has_iterations=False)
        if self._is_gemini() and rates.flat is None:
            return self._google().cost(
                rates, google_usage(response), response.get("content") or (), response.get("grounding_metadata")
            )
        return self._by_langchain(rates, response)

    def _by_langchain(self, rates: Rates, response: Mapping[str, Any]) -> Cost:
        usage = response.get("usage")
        if not isinstance(usage, Mapping):
            raise UsageMissingError
        into, out = Details(usage.get("input_token_details")), Details(usage.get("output_token_details"))
        hour = into.count("ephemeral_1h_input_tokens")
        counts: dict[str, int | float] = {
            "input_tokens": whole_number(usage.get("input_tokens")),
            "output_tokens": whole_number(usage.get("output_tokens")),
            "cache_read_tokens": into.count("cache_read"),
            "cache_write_tokens": into.count("cache_creation") + into.count("ephemeral_5m_input_tokens") + hour,
            "cache_write_1h_tokens": hour,
            "input_audio_tokens": into.count("audio"),
            "output_audio_tokens": out.count("audio"),
            "output_reasoning_tokens": out.count("reasoning"),
        }
        total = usage.get("total_tokens")
        # LangChain's counts may be 0 because the provider reported none; `checked` compares them with the visible text.
        report = Report(counts, total=total if type(total) is int else None)
        try:
            used, estimated = checked(report, Seen(text=response.get("visible") or 0, whole=True))
        except DoubtError as doubt:
            raise UsageMissingError(str(doubt)) from None
        tier = into.tier or out.tier
        return Cost(rates.cost(used, {"service_tier": tier} if tier else None), estimated)

    # ---- the same call in the form of the provider's own client

    def _chat(self) -> ChatCall:
        limit = {"max_completion_tokens": self._stated_limit()}
        body = {"model": self.model, "messages": self._inputs, **self._parameters_named(*_INPUTS, *_TERMS), **limit}
        return ChatCall(ApiRequest("post", "/chat/completions", body))

    def _response(self) -> ResponseCall:
        limit = {"max_output_tokens": self._stated_limit()}
        terms = self._parameters_named(*_INPUTS, *_TERMS, *_ON_THE_SERVER)
        body = {"model": self.model, "input": self._inputs, **terms, **limit}
        return ResponseCall(ApiRequest("post", "/responses", body))

    def _anthropic(self) -> AnthropicModelCall:
        terms = self._parameters_named(*ANTHROPIC_TERMS, "fallbacks")
        return AnthropicModelCall(self.model, self._messages(), terms, self._stated_limit())

    def _google(self) -> GoogleModelCall:
        return GoogleModelCall(self.model, self._messages(), self._parameters, self._stated_limit(), sums_only=True)

    def _is_gemini(self) -> bool:
        return self._provider == "google" and is_gemini(self.model)

    def _messages(self) -> list[Any]:
        return [message for each in self._inputs for message in (each if isinstance(each, list) else [each])]

    def _parameters_named(self, *names: str) -> dict[str, Any]:
        return {name: self._parameters[name] for name in names if self._parameters.get(name) is not None}

    def _is_openai(self) -> bool:
        return "openai" in str(self._parameters.get("_type")) or self._provider in ("openai", "azure")

    def _has_hosted_tools(self) -> bool:
        return bool(hosted_kinds(self._parameters.get("tools")))

    def _stated_limit(self) -> int | None:
        for limit in (*(self._parameters.get(name) for name in _LIMITS), self._metadata.get("ls_max_tokens")):
            if type(limit) is int and limit > 0:
                return limit
        return None

    def _output_limit(self, window: int | None) -> int:
        return self._stated_limit() or (OUTPUT_TOKENS if window is None else min(OUTPUT_TOKENS, window))


def _merged(constructed: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a call; if the call does not state one, the value from the model's constructor applies.

    A parameter within one of the mappings in `_NESTED` has priority over the same parameter outside it.
    """
    layers = (constructed, *(constructed.get(name) for name in _NESTED), parameters)
    stated = [layer for layer in (*layers, *(parameters.get(name) for name in _NESTED)) if isinstance(layer, Mapping)]
    return {name: value for layer in stated for name, value in layer.items() if value is not None}


def provider_of(metadata: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """Return the id in genai-prices of the provider of a LangChain model, such as ``aws``.

    ``metadata`` and ``parameters`` are as in `LangChainCall`.
    """
    name = str(metadata.get("ls_provider") or parameters.get("_type") or "")
    return _PRICE_IDS.get(name, name)


def address_of(model: Mapping[str, Any] | None, metadata: Mapping[str, Any], parameters: Mapping[str, Any]) -> str:
    """Return the address that a model's requests are sent to, or an empty string if it is not known.

    ``model`` is LangChain's serialized model. It has the arguments of the model's constructor, and the arguments that
    LangChain read from environment variables.
    """
    stated = (model or {}).get("kwargs") or {}
    for name, value in stated.items():
        if isinstance(value, str) and value.startswith("http") and name.endswith(_ADDRESSES):
            return value
    provider = provider_of(metadata, parameters)
    if provider == "google" and isinstance(stated.get("location"), str):
        return f"https://{stated['location']}-aiplatform.googleapis.com"
    if provider == "aws" and isinstance(stated.get("region_name"), str):
        return f"https://bedrock-runtime.{stated['region_name']}.amazonaws.com"
    # OpenAI's own library reads this variable.
    return os.environ.get("OPENAI_BASE_URL", "") if provider == "openai" else address_in_environment(provider)


# ---- the input


def _plain(given: Any, *, converted: bool) -> Any:
    """Return LangChain's messages as mappings in the form of the provider's API; return prompts unchanged.

    If ``converted``, LangChain's media blocks are replaced by those in `_MEDIA`.
    """
    if isinstance(given, list):
        return [_plain(each, converted=converted) for each in given]
    if not isinstance(given, BaseMessage):
        return given
    content = given.content
    blocks = [_block(each) for each in content] if converted and isinstance(content, list) else content
    calls = getattr(given, "tool_calls", None) or given.additional_kwargs.get("tool_calls")
    return {"role": given.type, "content": blocks, **({"tool_calls": calls} if calls else {})}


def _block(block: Any) -> Any:
    """Return the block in `_MEDIA` for one of LangChain's media blocks; return any other block unchanged.

    Only sound keeps its bytes: the number of bytes of other media does not show their tokens.
    """
    kind = block.get("type") if isinstance(block, Mapping) else None
    if kind not in _MEDIA:
        return block
    if not {"url", "base64", "data", "file_id", "id"} & block.keys() or "source" in block:
        # The block has the provider's form already.
        return block
    if kind == "audio":
        # The length of a recording bounds its tokens.
        return {"type": "input_audio", "input_audio": {"data": block.get("base64") or block.get("data")}}
    return _MEDIA[kind]
