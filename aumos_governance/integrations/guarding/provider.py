"""The interface of a provider's adapter: which requests are paid, and which responses state earlier calls' costs."""

from __future__ import annotations

from typing import Protocol

from ...errors import AumOSGovernanceError
from .calls import ApiRequest, Paid, cannot_measure
from .guard import Guard
from .later import Later

__all__ = ["Provider", "paid_by"]


class Provider(Protocol):
    """An adapter for one provider's API, which a governed client consults about each request."""

    @property
    def price_id(self) -> str:
        """The id in genai-prices of the provider whose prices apply where the client's address names no other."""
        ...

    def paid(self, request: ApiRequest) -> Paid | None:
        """Return the paid call that a request makes, or None for a free request.

        Raises ConfigurationError for a request that is not known to be free or paid.
        """
        ...

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        """Return a reader for the response to a free request that states an earlier call's cost; None for any other."""
        ...


def paid_by(provider: Provider, request: ApiRequest) -> Paid | None:
    """Return ``provider.paid(request)``. Raises ConfigurationError where that raises an error of any kind."""
    try:
        return provider.paid(request)
    except AumOSGovernanceError:
        raise
    except Exception as error:
        raise cannot_measure(request.name, error) from error
