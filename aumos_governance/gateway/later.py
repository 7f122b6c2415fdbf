"""Reads free responses that state the true cost of an earlier call, such as polls, and adjusts that call's charge."""

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

__all__ = ["later_reader", "reference_of"]


def reference_of(destination: Destination, id: str) -> str:
    """Return the ledger's reference for the response with this id; calls through `govern` have the same reference."""
    return f"{destination.api.provider.price_id}/{id}"[:MAX_TEXT]


def later_reader(
    destination: Destination, request: ApiRequest, service: ServiceRequests, caller: Caller
) -> Later | None:
    """Return a reader for the response to ``request``; None if it cannot state the cost of an earlier call."""
    # The adapters use only those members of a guard that `_GuardStandIn` has.
    return destination.api.provider.later(request, cast("Guard", _GuardStandIn(destination, service, caller)))


class _GuardStandIn:
    """Replaces a `Guard` and its `Followups`: it adjusts charges by requests that the gateway makes."""

    def __init__(self, destination: Destination, service: ServiceRequests, caller: Caller) -> None:
        self._destination = destination
        self._service = service
        self._caller = caller

    @property
    def followups(self) -> _GuardStandIn:
        return self

    def reference(self, id: str) -> str:
        return reference_of(self._destination, id)

    def stated(self, guard: object, reference: str, response: Mapping[str, Any], paid: Paid) -> None:
        """Adjust the charge with this reference to the cost that the response states; see `Followups.stated`.

        The ledger refuses the adjustment unless the charge was settled as an estimate.
        """
        with suppress(UsageMissingError, UnusableUsageError, AumOSGovernanceError):
            paid.quoted = rates = self._destination.measuring.rates(paid.model)
            cost = cost_of(paid, rates, response)
            if not cost.estimated:
                amount = money.to_text(money.ceil_nano(cost.usd))
                self._service.post(self._caller, "adjust", {"reference": reference, "amount": amount})

    def batch(self, reference: str) -> None:
        """Do nothing: the gateway does not forward batches."""

    def batch_of(self, file_id: str) -> None:
        """Do nothing: the gateway does not forward batches."""
