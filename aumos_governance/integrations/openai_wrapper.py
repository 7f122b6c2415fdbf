"""The earlier SDK's governed client for OpenAI. `govern` governs more, and holds the worst case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .audited_client import AuditedClient, CallRecord
from .openai import calls
from .pricing.prices import Amount

__all__ = ["GovernedOpenAIClient", "OpenAIAuditRecord"]


@dataclass(frozen=True, slots=True)
class OpenAIAuditRecord(CallRecord):
    """One call: ``call_type`` is ``chat_completion`` or ``embedding``."""


class GovernedOpenAIClient(AuditedClient[OpenAIAuditRecord]):
    """Calls OpenAI for one agent: each call is decided, ``estimated_cost`` USD is held, and its true cost charged.

    ``openai_client`` is a client of OpenAI's library, or an object that is used like one. Without an estimate
    ``default_cost`` is held; it is what a call costs as well whose model has no known price, and the held amount is
    charged where a response does not say what it used. ``budget_category`` is the budget that all of it is charged to.
    """

    _provider = calls.PROVIDER
    _record = OpenAIAuditRecord

    def governed_chat_completion(
        self, model: str, messages: Any, *, estimated_cost: Amount | None = None, **kwargs: Any
    ) -> Any:
        """``chat.completions.create``; other keywords are passed on.

        Raises GovernanceDeniedError when it is denied: then nothing was sent.
        """
        arguments = {"model": model, "messages": messages, **kwargs}
        create = self._client.chat.completions.create
        return self._call("chat_completion", "/chat/completions", create, arguments, estimated_cost)

    def governed_embedding(self, model: str, input: Any, *, estimated_cost: Amount | None = None, **kwargs: Any) -> Any:  # noqa: A002
        """``embeddings.create``, as `governed_chat_completion`."""
        arguments = {"model": model, "input": input, **kwargs}
        return self._call("embedding", "/embeddings", self._client.embeddings.create, arguments, estimated_cost)
