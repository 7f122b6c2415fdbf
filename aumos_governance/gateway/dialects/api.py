"""`ProviderApi`, the interface that the gateway uses for one provider's API, and the types of its methods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ...integrations.guarding.calls import ApiRequest, Paid
from ...integrations.guarding.provider import Provider
from ...integrations.guarding.readers import Reader


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
    """A client's request, with one path for measuring its cost and one path for forwarding it."""

    request: ApiRequest
    """The request to measure. Its path has the form that the `Provider` of `integrations` knows."""
    path: str
    """The path to forward the request to, without the query. It is appended to the upstream's base URL."""
    from_host: bool = False
    """Whether ``path`` is appended only to the scheme and host of the base URL, without the base URL's own path."""


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """The number of output tokens that a request allows."""

    stated: int | None
    """The limit that the request states; None if it states no limit."""
    least: int = 1
    """The lowest limit that the provider accepts for this request: for some requests the thinking budget plus 1."""


class ProviderApi(Protocol):
    """One provider's API. The methods keep no state, and may be called from any thread."""

    @property
    def provider(self) -> Provider:
        """The `Provider` of `integrations`; it recognizes paid requests and computes their costs."""
        ...

    @property
    def withheld_headers(self) -> frozenset[str]:
        """The names, in lower case, of further client headers that are not forwarded, such as the choice of an account.

        For any provider, the gateway forwards no headers with a key, no cookies and no headers of the connection.
        """
        ...

    def credential(self, base_url: str, key: str) -> Mapping[str, str]:
        """Return the headers with the provider's key for requests to this base URL."""
        ...

    def read(self, request: ApiRequest) -> ClientCall:
        """Return the client's request in the forms that the gateway measures and forwards.

        The path of ``request`` includes the query, but neither ``/llm/<name>`` nor the path of the base URL. Raises
        ConfigurationError for a value that the provider could read differently from the gateway, such as a number
        written as text.
        """
        ...

    def forwards(self, request: ApiRequest) -> bool:
        """Whether the gateway forwards ``request``, the `ClientCall.request` of a call that costs nothing.

        False for requests that would show or change the data of others who use the same provider's key: listing files,
        changing the organization, making credentials.
        """
        ...

    def models(self, request: ApiRequest) -> tuple[str, ...]:
        """Return the models, such as fallbacks, that the request names in addition to `Paid.model`."""
        ...

    def output_limit(self, request: ApiRequest) -> OutputLimit | None:
        """Return the request's limit of output tokens; None for calls that can have no limit, such as embeddings."""
        ...

    def limited(self, request: ApiRequest, tokens: int, base_url: str) -> ApiRequest:
        """Return a copy of ``request`` with a limit of ``tokens`` output tokens.

        ``base_url`` is the upstream's; some servers know the limit only by an older field name.
        """
        ...

    def reader(self, paid: Paid, content_type: str) -> Reader:
        """Return a reader for the usage in the response to a paid call; ``content_type`` is the response's type."""
        ...

    def error(self, refusal: Refusal) -> Mapping[str, Any]:
        """Return the response body that reports ``refusal`` to the client, in the shape of the API's own errors."""
        ...
