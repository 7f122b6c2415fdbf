"""The interface `ProviderApi`, through which the gateway reads requests of one provider's API and reports errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...integrations.guarding.calls import ApiRequest, Paid
from ...integrations.guarding.provider import Provider
from ...integrations.guarding.readers import Reader


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that the gateway sends to a client instead of forwarding the request or the provider's response."""

    status: int
    """The HTTP status of the response: 402 if the call is denied, 401 if the client's key is not valid, 400 if the cost
    of the call cannot be known, 503 if the ledger did not decide."""
    code: str
    """The code of the ledger's denial or of the gateway's error, for example ``BUDGET_EXCEEDED``."""
    message: str
    """A sentence that states what happened and what the user can do."""


@dataclass(frozen=True, slots=True)
class ClientCall:
    """A client's request in the two forms that the gateway needs: to compute the call's cost, and to forward it."""

    request: ApiRequest
    """The request from which the cost is computed. Its path is the one that the `Provider` for this API recognizes, for
    example ``/chat/completions`` also for a deployment at Azure."""
    path: str
    """The path at the provider to which the request is forwarded, without the query. It is appended to the base URL."""
    from_host: bool = False
    """Whether ``path`` replaces the path of the base URL instead of being appended to it."""


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """The limit of output tokens in a request to a model, and how far the gateway may lower it."""

    stated: int | None
    """The limit, in tokens, that the request states; None if it states no limit."""
    least: int = 1
    """The lowest limit, in tokens, that the provider accepts for this request. For a request with a thinking budget it
    is that budget plus 1."""


class ProviderApi(Protocol):
    """One provider's API, as the gateway reads and limits its requests.

    The methods keep no state, and may be called from any thread.
    """

    @property
    def provider(self) -> Provider:
        """The adapter, shared with `govern`, that recognizes the paid requests of this API and computes their costs."""
        ...

    @property
    def withheld_headers(self) -> frozenset[str]:
        """The names, in lower case, of the client's headers that are not forwarded, such as ``openai-project``.

        Such a header would let a client choose, for example, the account that pays. To no provider does the gateway
        forward a client's key, cookies, or headers that concern only the connection.
        """
        ...

    def credential(self, base_url: str, key: str) -> Mapping[str, str]:
        """Return the headers that carry the provider's key in a request to this base URL, by name."""
        ...

    def read(self, request: ApiRequest) -> ClientCall:
        """Return the client's request with the paths that the gateway uses to compute its cost and to forward it.

        The path of ``request`` includes the query, but neither ``/llm/<name>`` nor the path of the base URL. Raises
        ConfigurationError for a value that the provider could read differently from the gateway, such as a number
        written as text.
        """
        ...

    def forwards(self, request: ApiRequest) -> bool:
        """Whether the gateway forwards ``request``, the `ClientCall.request` of a call that costs nothing.

        False for requests that would show or change what belongs to other users of the provider's key: for example
        those that list files, change the organization or create credentials.
        """
        ...

    def models(self, request: ApiRequest) -> tuple[str, ...]:
        """Return the other models that may serve a paid request, such as fallbacks, besides the model that it calls.

        The gateway forwards the request only if the upstream's configuration allows all of them.
        """
        ...

    def output_limit(self, request: ApiRequest) -> OutputLimit | None:
        """Return the request's limit of output tokens; None if it cannot have one, such as a request for embeddings."""
        ...

    def limited(self, request: ApiRequest, tokens: int, base_url: str) -> ApiRequest:
        """Return a copy of ``request`` that limits the output to ``tokens`` tokens.

        ``base_url`` is the upstream's, since some servers know the limit only by an older field name.
        """
        ...

    def reader(self, paid: Paid, content_type: str) -> Reader:
        """Return a reader that finds the usage in the response to the call ``paid``.

        ``content_type`` is the ``Content-Type`` header of the response, which states whether it is a stream.
        """
        ...

    def error(self, refusal: Refusal) -> Mapping[str, Any]:
        """Return the body of an error response that reports ``refusal`` as this API reports its own errors.

        So client libraries raise their usual exceptions, with the refusal's message.
        """
        ...
