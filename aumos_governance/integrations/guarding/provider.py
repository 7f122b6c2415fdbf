"""The interface of a provider's adapter: which requests are paid, and which responses state earlier calls' costs."""

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
        """The provider's id in genai-prices.

        The provider's prices apply unless the client's address belongs to another vendor that genai-prices knows.
        """
        ...

    def paid(self, request: ApiRequest) -> Paid | None:
        """Return the paid call that a request makes, or None for a free request.

        Raises ConfigurationError for a request that is not known to be free or paid.
        """
        ...

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        """Return a reader for the response to a free request if the response states an earlier call's cost, or None."""
        ...


def paid_by(provider: Provider, request: ApiRequest) -> Paid | None:
    """Return ``provider.paid(request)``; raise ConfigurationError if the adapter raises an error of any kind."""
    try:
        return provider.paid(request)
    except AumOSGovernanceError:
        raise
    except Exception as error:
        raise cannot_measure(request.name, error) from error
