"""Charges a batch of requests when the caller reads its results, since only these report the usage."""

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

_BATCH: Final = re.compile(r"(?:https?://.*)?/v1/messages/batches/([^/]+)(/results|/cancel)?")
"""Matches the paths of a batch. The library reads a batch's results at the absolute address that the batch states."""


def batch_of(request: ApiRequest, paid_of: PaidOf) -> BatchCall:
    """Return the paid call of ``request``, which submits a batch.

    ``paid_of`` returns the paid call of each request in the batch. Raises ConfigurationError if the worst case of any
    of these requests is not known.
    """
    return BatchCall(_requests(request), paid_of)


def _requests(request: ApiRequest) -> Iterator[tuple[str, ApiRequest]]:
    for each in request.body.get("requests") or ():
        body = each.get("params") if isinstance(each, Mapping) else None
        if not isinstance(body, Mapping):
            raise ConfigurationError(
                f"{request.name} was not sent: each request in the batch must have a custom_id and params."
            )
        yield str(each.get("custom_id")), ApiRequest("POST", "/v1/messages", body)


def later(request: ApiRequest, guard: Guard) -> Later | None:
    """Return a reader for the response to a free request that may show the cost of a batch with an open charge.

    Return None for any other request. ``guard`` settles or releases the charge.
    """
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
                # Only requests that succeeded are charged.
                guard.followups.read(reference, None)

        return LaterBody(ended)
    costs = BatchCosts(charge.paid, guard.cost)

    def add_result(line: Mapping[str, Any]) -> None:
        result = line.get("result")
        message = result.get("message") if isinstance(result, Mapping) and result.get("type") == "succeeded" else None
        costs.result(str(line.get("custom_id")), _at_list_price(message) if isinstance(message, Mapping) else None)

    return LaterLines(add_result, lambda: guard.followups.read(reference, costs.total))


def _at_list_price(message: Mapping[str, Any]) -> Mapping[str, Any]:
    # `BatchCosts` applies the batch price itself, so the tier "batch" must not reduce the price once more.
    usage = message.get("usage")
    if not isinstance(usage, Mapping) or usage.get("service_tier") != "batch":
        return message
    return {**message, "usage": {**usage, "service_tier": "standard"}}
