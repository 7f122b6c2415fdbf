"""What a provider's adapter offers to a governed client: which requests are paid, and which say what others cost."""

from __future__ import annotations

from typing import Protocol

from ...errors import AumOSGovernanceError
from .calls import ApiRequest, Paid, cannot_measure
from .guard import Guard
from .later import Later

__all__ = ["Provider", "paid_by"]


class Provider(Protocol):
    """What a governed client knows of its provider."""

    @property
    def price_id(self) -> str:
        """The provider whose prices count where the client's address names none."""
        ...

    def paid(self, request: ApiRequest) -> Paid | None:
        """The call that a request makes; None for one that costs nothing.

        Raises ConfigurationError for a request that is not known to be free or paid.
        """
        ...

    def later(self, request: ApiRequest, guard: Guard) -> Later | None:
        """Reads the response to a free request that says what an earlier one cost; None for any other."""
        ...


def paid_by(provider: Provider, request: ApiRequest) -> Paid | None:
    """As `Provider.paid`. Raises ConfigurationError, whatever the request holds."""
    try:
        return provider.paid(request)
    except AumOSGovernanceError:
        raise
    except Exception as error:
        raise cannot_measure(request.name, error) from error
