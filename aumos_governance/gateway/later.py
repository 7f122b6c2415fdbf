"""Adjusts the charge of an earlier call when a later, free response states what that call cost.

For example, a client starts a response in the background, and polls ``GET /responses/<id>`` until it is complete. The
call was charged as an estimate, and the poll's response reports the usage.
"""

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
from ..wire.fields import MAX_TEXT
from .service_requests import ServiceRequests
from .upstreams import Destination


def reference_of(destination: Destination, id: str) -> str:
    """Return the name under which the ledger records the charge for the provider's response with this id.

    `govern` makes the same names, so that either of them can adjust a charge that the other made.
    """
    return f"{destination.api.provider.price_id}/{id}"[:MAX_TEXT]


def later_reader(
    destination: Destination, request: ApiRequest, service: ServiceRequests, caller: Caller
) -> Later | None:
    """Return a reader for the response to the free ``request``, which adjusts an earlier call's charge by the response.

    Returns None if the response cannot state the cost of an earlier call.
    """
    # The adapters use only those members of a guard that `_GuardStandIn` has.
    return destination.api.provider.later(request, cast("Guard", _GuardStandIn(destination, service, caller)))


class _GuardStandIn:
    """Takes the place of the `Guard` of a governed client, so that the adapters of `govern` also work in the gateway.

    It has the members of `Guard` and `Followups` that they use to adjust charges, and makes requests to the service.
    """

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
        """Adjust the charge with this reference to the cost that ``response`` states, like `Followups.stated`.

        The ledger refuses the adjustment if the charge is not an estimate.
        """
        with suppress(UsageMissingError, UnusableUsageError, AumOSGovernanceError):
            paid.quoted = rates = self._destination.measuring.rates(paid.model)
            cost = cost_of(paid, rates, response)
            if not cost.estimated:
                amount = money.to_text(money.ceil_nano(cost.usd))
                self._service.post(self._caller, "adjust", {"reference": reference, "amount": amount})

    def batch(self, reference: str) -> None:
        """Do nothing, since the gateway forwards no batches."""

    def batch_of(self, file_id: str) -> None:
        """Do nothing, since the gateway forwards no batches."""
