"""Free responses that state what an estimated call cost, such as a poll of a response that ran in the background."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast

from .. import money
from ..errors import AumOSGovernanceError
from ..integrations.guarding.calls import ApiRequest, Paid, UsageMissingError
from ..integrations.guarding.costs import cost_of
from ..integrations.guarding.guard import Guard
from ..integrations.guarding.later import Later
from ..integrations.pricing.rates import UnusableUsageError
from ..service.callers import Caller
from ..wire.protocol import MAX_TEXT
from .service_requests import ServiceRequests
from .upstreams import Destination

__all__ = ["later_of", "reference_of"]


def reference_of(destination: Destination, id: str) -> str:
    """The provider's name for a response, as the ledger knows it: the same that `govern` gives it."""
    return f"{destination.api.provider.price_id}/{id}"[:MAX_TEXT]


def later_of(destination: Destination, request: ApiRequest, service: ServiceRequests, caller: Caller) -> Later | None:
    """Reads the response to a free request that may state what an earlier call cost; None for any other."""
    hearing = _Hearing(destination, service, caller)
    # Of a guard the adapters use what `_Hearing` has.
    return destination.api.provider.later(request, cast("Guard", hearing))


class _Hearing:
    """A guard, as far as the adapters need it to read such a response, and its followups."""

    def __init__(self, destination: Destination, service: ServiceRequests, caller: Caller) -> None:
        self._destination = destination
        self._service = service
        self._caller = caller

    @property
    def followups(self) -> _Hearing:
        return self

    def reference(self, id: str) -> str:
        return reference_of(self._destination, id)

    def stated(self, guard: object, reference: str, response: Mapping[str, Any], paid: Paid | None) -> None:
        """As `Followups.stated`: the ledger finds the charge by its reference, and refuses any that is no estimate."""
        if paid is None:
            return
        with suppress(UsageMissingError, UnusableUsageError, AumOSGovernanceError):
            paid.quoted = rates = self._destination.measuring.rates(paid.model)
            cost = cost_of(paid, rates, response)
            if not cost.estimated:
                amount = money.to_text(money.ceil_nano(cost.usd))
                self._service.post(self._caller, "adjust", {"reference": reference, "amount": amount})

    def batch(self, reference: str) -> None:
        """Batches do not pass the gateway."""

    def batch_of(self, file_id: str) -> None:
        """As `batch`."""
