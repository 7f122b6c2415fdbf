"""Costs that Anthropic reports later: the results of batches."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigurationError
from ..guarding.batches import BatchCall, BatchCosts, PaidOf
from ..guarding.calls import ApiRequest
from ..guarding.later import Later, LaterBody, LaterLines

if TYPE_CHECKING:
    from ..guarding.guard import Guard

__all__ = ["batch_of", "later"]

_BATCH: Final = re.compile(r"(?:https?://.*)?/v1/messages/batches/([^/]+)(/results|/cancel)?")
"""The library reads results at the address that the batch names."""


def batch_of(request: ApiRequest, paid_of: PaidOf) -> BatchCall:
    """The submission of a batch, whose requests are in its body. Raises ConfigurationError."""
    return BatchCall(_requests(request), paid_of)


def _requests(request: ApiRequest) -> Iterator[tuple[str, ApiRequest]]:
    for each in request.body.get("requests") or ():
        body = each.get("params") if isinstance(each, Mapping) else None
        if not isinstance(body, Mapping):
            raise ConfigurationError(
                f"{request.name} was not sent: each request in it must have a custom_id and params."
            )
        yield str(each.get("custom_id")), ApiRequest("POST", "/v1/messages", body)


def later(request: ApiRequest, guard: Guard) -> Later | None:
    """Reads the response to a free request that may say what an earlier one cost; None for any other."""
    found = _BATCH.fullmatch(request.path.partition("?")[0])
    if found is None or request.method.lower() not in ("get", "post"):
        return None
    reference = guard.reference(found[1])
    charge = guard.followups.batch(reference)
    if charge is None or not isinstance(charge.paid, BatchCall):
        return None
    if found[2] != "/results":

        def ended(body: Mapping[str, Any]) -> None:
            counts = body.get("request_counts")
            succeeded = counts.get("succeeded") if isinstance(counts, Mapping) else None
            if body.get("processing_status") == "ended" and succeeded == 0:
                # Only what has succeeded is charged.
                guard.followups.read(reference, None)

        return LaterBody(ended)
    costs = BatchCosts(charge.paid, guard.cost)

    def take(line: Mapping[str, Any]) -> None:
        result = line.get("result")
        message = result.get("message") if isinstance(result, Mapping) and result.get("type") == "succeeded" else None
        costs.result(str(line.get("custom_id")), _at_list_price(message) if isinstance(message, Mapping) else None)

    return LaterLines(take, lambda: guard.followups.read(reference, costs.total))


def _at_list_price(message: Mapping[str, Any]) -> Mapping[str, Any]:
    # Reported with the tier "batch", whose share of the price is the batch's to apply.
    usage = message.get("usage")
    if not isinstance(usage, Mapping) or usage.get("service_tier") != "batch":
        return message
    return {**message, "usage": {**usage, "service_tier": "standard"}}
