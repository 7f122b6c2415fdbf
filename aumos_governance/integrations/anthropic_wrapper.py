"""The earlier SDK's governed client for Anthropic, kept for programs that use it.

New programs use `govern`: it covers more methods, and holds each call's worst case instead of the caller's estimate.
"""

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
    """The record of the decision about one call; its ``call_type`` is ``message`` or ``completion``."""


class GovernedAnthropicClient(AuditedClient[AnthropicAuditRecord]):
    """A client for one agent's Anthropic calls. It holds each call's ``estimated_cost``, then charges its true cost.

    ``anthropic_client`` is a client of Anthropic's library, or an object with the same methods. ``default_cost`` USD
    are held for a call without an ``estimated_cost``, and charged for a call of a model whose price is not known. If a
    response does not report its usage, the held amount is charged. ``budget_category`` names the budget that every call
    is charged to.
    """

    _provider = calls.PROVIDER
    _record = AnthropicAuditRecord

    def governed_message(
        self, model: str, max_tokens: int, messages: Any, *, estimated_cost: Amount | None = None, **kwargs: Any
    ) -> Any:
        """Call ``messages.create`` and return its response; other keyword arguments are passed on.

        ``estimated_cost`` USD are held before the call, ``default_cost`` if it is None. Raises GovernanceDeniedError,
        without sending the request, if the call is denied.
        """
        arguments = {"model": model, "max_tokens": max_tokens, "messages": messages, **kwargs}
        return self._call("message", "/v1/messages", self._client.messages.create, arguments, estimated_cost)

    def governed_completion(
        self, model: str, prompt: str, max_tokens_to_sample: int, *, estimated_cost: Amount | None = None, **kwargs: Any
    ) -> Any:
        """Call ``completions.create`` of Anthropic's legacy interface, governed like `governed_message`.

        Its responses never report their usage, so the held amount is charged, flagged as an estimate. Raises
        ConfigurationError if the installed version of Anthropic's library no longer has this interface.
        """
        completions = getattr(self._client, "completions", None)
        if completions is None:
            raise ConfigurationError(
                "The installed version of Anthropic's library has no legacy completions; use governed_message()."
            )
        arguments = {"model": model, "prompt": prompt, "max_tokens_to_sample": max_tokens_to_sample, **kwargs}
        return self._call("completion", "/v1/complete", completions.create, arguments, estimated_cost)
