"""The interface of an adapter for a provider's API.

An adapter decides which requests cost money, and which responses state the cost of an earlier call, for example the
response with the results of a batch.
"""

from __future__ import annotations

from typing import Protocol

from ...errors import AumOSGovernanceError
from .calls import ApiRequest, Paid, cannot_measure
from .guard import Guard
from .later import Later


class Provider(Protocol):
    """An adapter for one provider's API; a governed client calls its methods for each request."""

    @property
    def price_id(self) -> str:
        """The provider's id in genai-prices, such as ``openai``.

        The provider's prices apply unless the client's address belongs to another vendor that genai-prices knows.
        """
        ...

    def paid(self, request: ApiRequest) -> Paid | None:
        """Return the paid call that a request makes, or None for a free request.

        Raises ConfigurationError for a request that is not known to be free or paid.
        """
        ...

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        """Return a reader for the response to a free request that may state the cost of an earlier call, or None.

        An example is the retrieval of a response that a model wrote in the background. The reader corrects or settles
        the earlier call's charge with ``guard``.
        """
        ...


def paid_by(provider: Provider, request: ApiRequest) -> Paid | None:
    """Return ``provider.paid(request)``, and raise ConfigurationError if it raises an error of another package.

    A request may contain objects of the user, which may raise any error when the adapter reads them.
    """
    try:
        return provider.paid(request)
    except AumOSGovernanceError:
        raise
    except Exception as error:
        raise cannot_measure(request.name, error) from error
