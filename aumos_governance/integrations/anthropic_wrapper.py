"""The earlier SDK's governed client for Anthropic. `govern` governs more, and holds the worst case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError
from .anthropic import calls
from .audited_client import AuditedClient, CallRecord
from .pricing.prices import Amount

__all__ = ["AnthropicAuditRecord", "GovernedAnthropicClient"]


@dataclass(frozen=True, slots=True)
class AnthropicAuditRecord(CallRecord):
    """One call: ``call_type`` is ``message`` or ``completion``."""


class GovernedAnthropicClient(AuditedClient[AnthropicAuditRecord]):
    """Calls Anthropic for one agent: each call is decided, ``estimated_cost`` USD is held, and its true cost charged.

    ``anthropic_client`` is a client of Anthropic's library, or an object that is used like one. Without an estimate
    ``default_cost`` is held; it is what a call costs as well whose model has no known price, and the held amount is
    charged where a response does not say what it used. ``budget_category`` is the budget that all of it is charged to.
    """

    _provider = calls.PROVIDER
    _record = AnthropicAuditRecord

    def governed_message(
        self, model: str, max_tokens: int, messages: Any, *, estimated_cost: Amount | None = None, **kwargs: Any
    ) -> Any:
        """``messages.create``; other keywords are passed on.

        Raises GovernanceDeniedError when it is denied: then nothing was sent.
        """
        arguments = {"model": model, "max_tokens": max_tokens, "messages": messages, **kwargs}
        return self._call("message", "/v1/messages", self._client.messages.create, arguments, estimated_cost)

    def governed_completion(
        self, model: str, prompt: str, max_tokens_to_sample: int, *, estimated_cost: Amount | None = None, **kwargs: Any
    ) -> Any:
        """``completions.create``, the legacy interface, as `governed_message`.

        Its responses never say what they used, so what was held is charged, flagged as an estimate. Raises
        ConfigurationError for a version of Anthropic's library that has it no more.
        """
        completions = getattr(self._client, "completions", None)
        if completions is None:
            raise ConfigurationError(
                "This version of Anthropic's library has no legacy completions; use governed_message()."
            )
        arguments = {"model": model, "prompt": prompt, "max_tokens_to_sample": max_tokens_to_sample, **kwargs}
        return self._call("completion", "/v1/complete", completions.create, arguments, estimated_cost)
