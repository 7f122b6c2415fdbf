"""The earlier SDK's governed client for OpenAI, kept for programs that use it.

New programs use `govern`: it covers more methods, and holds each call's worst case instead of the caller's estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .audited_client import AuditedClient, CallRecord
from .openai import calls
from .pricing.prices import Amount

__all__ = ["GovernedOpenAIClient", "OpenAIAuditRecord"]


@dataclass(frozen=True, slots=True)
class OpenAIAuditRecord(CallRecord):
    """The record of the decision about one call; its ``call_type`` is ``chat_completion`` or ``embedding``."""


class GovernedOpenAIClient(AuditedClient[OpenAIAuditRecord]):
    """A client for one agent's OpenAI calls. It holds each call's ``estimated_cost``, then charges its true cost.

    ``openai_client`` is a client of OpenAI's library, or an object with the same methods. ``default_cost`` USD are held
    for a call without an ``estimated_cost``, and charged for a call of a model whose price is not known. If a response
    does not report its usage, the held amount is charged. ``budget_category`` names the budget that every call is
    charged to.
    """

    _provider = calls.PROVIDER
    _record = OpenAIAuditRecord

    def governed_chat_completion(
        self, model: str, messages: Any, *, estimated_cost: Amount | None = None, **kwargs: Any
    ) -> Any:
        """Call ``chat.completions.create`` and return its response; other keyword arguments are passed on.

        ``estimated_cost`` USD are held before the call, ``default_cost`` if it is None. Raises GovernanceDeniedError,
        without sending the request, if the call is denied.
        """
        arguments = {"model": model, "messages": messages, **kwargs}
        create = self._client.chat.completions.create
        return self._call("chat_completion", "/chat/completions", create, arguments, estimated_cost)

    def governed_embedding(self, model: str, input: Any, *, estimated_cost: Amount | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """Call ``embeddings.create``, governed like `governed_chat_completion`."""
        arguments = {"model": model, "input": input, **kwargs}
        return self._call("embedding", "/embeddings", self._client.embeddings.create, arguments, estimated_cost)
