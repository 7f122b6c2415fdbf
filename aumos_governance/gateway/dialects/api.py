"""The interface behind which the gateway keeps what it knows of one provider's API."""

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
    """Why a request is not forwarded, or has no response of the provider."""

    status: int
    """402: denied; 503: there is no decision; 401: not a valid key; 400: what it may cost cannot be known; ..."""
    code: str
    """The decision's code, for example ``BUDGET_EXCEEDED``."""
    message: str
    """What happened, and what the user can do."""


@dataclass(frozen=True, slots=True)
class ClientCall:
    """A client's request, as the provider's adapter measures it and as it is forwarded."""

    request: ApiRequest
    """Its path is the one that the `Provider` of `integrations` knows."""
    path: str
    """What follows the upstream's base URL, without the query."""
    from_host: bool = False
    """Whether ``path`` follows the host of the base URL instead."""


@dataclass(frozen=True, slots=True)
class OutputLimit:
    """How many output tokens a request allows."""

    stated: int | None
    """None: the request states no limit."""
    least: int = 1
    """The lowest limit that the provider accepts for this request, for example one above its thinking budget."""


class ProviderApi(Protocol):
    """One provider's API. Its methods keep no state, and may be called from any thread."""

    @property
    def provider(self) -> Provider:
        """Knows which requests are paid, and what they cost."""
        ...

    @property
    def withheld_headers(self) -> frozenset[str]:
        """Headers of the client that are not forwarded, in lower case: those that choose an account, for example.

        The headers in which any provider takes a key, cookies, and the headers of the connection never are.
        """
        ...

    def credential(self, base_url: str, key: str) -> Mapping[str, str]:
        """The headers that carry the provider's key to this address."""
        ...

    def read(self, request: ApiRequest) -> ClientCall:
        """What the request is whose path, with its query, follows ``/llm/<name>`` and the path of the base URL.

        What follows ``/llm/<name>`` alone comes here as well, since some clients leave that path out.

        Raises ConfigurationError where a value could be read otherwise by the provider than it is measured here, such
        as a number written as text.
        """
        ...

    def forwards(self, request: ApiRequest) -> bool:
        """Whether a request that costs nothing is forwarded, by the path that the `Provider` knows.

        False for what one user could do with the provider's key that concerns others: listing files, changing the
        organization, making credentials.
        """
        ...

    def models(self, request: ApiRequest) -> tuple[str, ...]:
        """The models that the request names beside the one of its `Paid`, such as fallbacks."""
        ...

    def output_limit(self, request: ApiRequest) -> OutputLimit | None:
        """The request's limit of output tokens; None for a call that has none, such as embeddings."""
        ...

    def limited(self, request: ApiRequest, tokens: int, base_url: str) -> ApiRequest:
        """The same request with this limit of output tokens."""
        ...

    def reader(self, paid: Paid, request: ApiRequest, content_type: str) -> Reader:
        """Reads a paid call's response as it passes. ``content_type`` is the response's."""
        ...

    def error(self, refusal: Refusal) -> Mapping[str, Any]:
        """The body of a refusal, in the shape of the API's own errors."""
        ...
