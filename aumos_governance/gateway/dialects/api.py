"""The interface of one provider's API, as the gateway handles it, and the types in its methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...integrations.guarding.calls import ApiRequest, Paid
from ...integrations.guarding.provider import Provider
from ...integrations.guarding.readers import Reader

__all__ = ["ClientCall", "OutputLimit", "ProviderApi", "Refusal"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a request is not forwarded, or why the client does not get the provider's response."""

    status: int
    """The HTTP status, for example 402: denied; 503: no decision; 401: no valid key; 400: cost cannot be known."""
    code: str
    """The code of the decision or error, for example ``BUDGET_EXCEEDED``."""
    message: str
    """A sentence that states what happened and what the user can do."""


@dataclass(frozen=True, slots=True)
class ClientCall:
    """A client's request, as it is measured and as it is forwarded."""

    request: ApiRequest
    """The request to measure, with a path that the `Provider` of `integrations` knows."""
    path: str
    """The path to forward to, without the query; it is appended to the upstream's base URL."""
    from_host: bool = False
    """Whether ``path`` is appended to scheme and host of the base URL, without the base URL's path."""


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """The number of output tokens that a request allows."""

    stated: int | None
    """The limit in the request; None: it states no limit."""
    least: int = 1
    """The lowest limit that the provider accepts for this request, for example one above its thinking budget."""


class ProviderApi(Protocol):
    """One provider's API. Its methods keep no state, and may be called from any thread."""

    @property
    def provider(self) -> Provider:
        """The provider of `integrations`, which recognizes paid requests and computes their costs."""
        ...

    @property
    def withheld_headers(self) -> frozenset[str]:
        """The client's headers, in lower case, that are not forwarded, such as those that choose an account.

        Headers with a key for any provider, cookies, and headers of the connection are never forwarded.
        """
        ...

    def credential(self, base_url: str, key: str) -> Mapping[str, str]:
        """Return the headers with the provider's key for requests to this base URL."""
        ...

    def read(self, request: ApiRequest) -> ClientCall:
        """Return the client's request as it is measured and forwarded.

        The path of ``request`` is what follows ``/llm/<name>`` and, where the client sent it, the path of the base URL;
        it has the query. Raises ConfigurationError for a value that the provider could read differently than it is
        measured here, such as a number written as text.
        """
        ...

    def forwards(self, request: ApiRequest) -> bool:
        """Whether a request that costs nothing is forwarded; ``request`` is `ClientCall.request`.

        False for requests with which a user could see or change what belongs to others who use the same provider's
        key: listing files, changing the organization, making credentials.
        """
        ...

    def models(self, request: ApiRequest) -> tuple[str, ...]:
        """Return the models, such as fallbacks, that the request names in addition to `Paid.model`."""
        ...

    def output_limit(self, request: ApiRequest) -> OutputLimit | None:
        """Return the request's limit of output tokens; None for a kind of call without one, such as embeddings."""
        ...

    def limited(self, request: ApiRequest, tokens: int, base_url: str) -> ApiRequest:
        """Return the same request with a limit of ``tokens`` output tokens."""
        ...

    def reader(self, paid: Paid, content_type: str) -> Reader:
        """Return a reader of the usage in a paid call's response, whose content type is ``content_type``."""
        ...

    def error(self, refusal: Refusal) -> Mapping[str, Any]:
        """Return the response body for a refusal, in the shape of the API's own errors."""
        ...
