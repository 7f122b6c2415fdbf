"""Corrects or settles earlier charges by responses that the caller reads later.

These are responses that OpenAI stored or generated in the background, and the states and results of batches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from ...errors import ConfigurationError
from ..guarding.batches import BATCH_SHARE, BatchCall, BatchCosts, PaidOf
from ..guarding.calls import ApiRequest, Cost, Paid, UsageMissingError, body_of_json
from ..guarding.later import Later, LaterBody, LaterEvents, LaterLines
from ..pricing.rates import UnusableUsageError
from .events import ResponseMeter
from .text import ChatCall, ResponseCall

if TYPE_CHECKING:
    from ..guarding.guard import Guard

_RESPONSE: Final = re.compile(r"/responses/([^/]+)(/cancel)?")
_CHAT: Final = re.compile(r"/chat/completions/([^/]+)")
_BATCH: Final = re.compile(r"/batches/([^/]+)(/cancel)?")
_FILE: Final = re.compile(r"/files/([^/]+)/content")
_ENDED: Final = frozenset({"completed", "incomplete", "failed", "cancelled"})
_BATCH_ENDED: Final = frozenset({"completed", "expired", "cancelled", "failed"})


def batch_of(request: ApiRequest, paid_of: PaidOf) -> BatchCall:
    """Return the paid call of ``request``, which submits a batch.

    ``paid_of`` returns the paid call of each request in the batch. Raises ConfigurationError if the client could not
    read the batch's input file, or if the worst case of a request in the file is not known.
    """
    if request.content is None:
        raise ConfigurationError(
            f"{request.name} was not sent: its input file cannot be read through this client, so it is not known what"
            " the batch may cost. Use the client that you gave to govern() for it, and record what it cost with"
            " %governance_spend.",
            cause=f"{request.name} was not sent: its input file is not in the request, so what it may cost is not"
            " known",
        )
    return BatchCall(_requests(request), paid_of)


def _requests(request: ApiRequest) -> Iterator[tuple[str, ApiRequest]]:
    for number, line in enumerate((request.content or b"").splitlines(), 1):
        if not line.strip():
            continue
        each = body_of_json(line)
        id, path, body = each.get("custom_id"), each.get("url"), each.get("body")
        if not isinstance(id, str) or not isinstance(path, str) or not isinstance(body, dict):
            raise ConfigurationError(
                f"{request.name} was not sent: line {number} of its input file must have a custom_id, a url and a body."
            )
        yield id, ApiRequest(str(each.get("method") or "POST"), path.removeprefix("/v1"), body)


def later(request: ApiRequest, guard: Guard) -> Later | None:
    """Return a reader for the response to a request that may retrieve the cost of an earlier call; None for all others.

    The reader corrects or settles the earlier call's charge with ``guard``.
    """
    path, method = request.path.partition("?")[0], request.method.lower()
    if found := _RESPONSE.fullmatch(path):
        if found[2] is None and method != "get":
            return None

        def stated(body: Mapping[str, Any]) -> None:
            if body.get("status") in _ENDED:
                _adjust(guard, body, ResponseCall)

        return LaterEvents(ResponseMeter(), stated) if request.streamed else LaterBody(stated)
    if method == "get" and _CHAT.fullmatch(path):
        return LaterBody(lambda body: _adjust(guard, body, ChatCall))
    if _BATCH.fullmatch(path) and method in ("get", "post"):
        return LaterBody(lambda body: _read_batch(guard, body))
    if path == "/batches" and method == "get":
        return LaterBody(lambda body: _read_batches(guard, body))
    if method == "get" and (found := _FILE.fullmatch(path)):
        return _results(guard, found[1])
    return None


def _adjust(guard: Guard, body: Mapping[str, Any], kind: type[ResponseCall | ChatCall]) -> None:
    id = body.get("id")
    if isinstance(id, str) and isinstance(body.get("usage"), Mapping):
        # The response repeats the request's model, tools and service tier, so it is used in place of the request.
        guard.followups.stated(guard, guard.reference(id), body, kind(ApiRequest("POST", "", body)))


def _read_batches(guard: Guard, body: Mapping[str, Any]) -> None:
    for batch in body.get("data") or ():
        if isinstance(batch, Mapping):
            _read_batch(guard, batch)


def _read_batch(guard: Guard, body: Mapping[str, Any]) -> None:
    """Note which file has a batch's results, and end the batch's charge if its state shows the whole cost.

    ``body`` is the state, as OpenAI returns it for ``GET /batches/{id}``.
    """
    id = body.get("id")
    if not isinstance(id, str):
        return
    reference = guard.reference(id)
    charge = guard.followups.batch(reference)
    if charge is None:
        return
    file = body.get("output_file_id")
    if isinstance(file, str):
        guard.followups.writes_to(reference, file)
    if body.get("status") not in _BATCH_ENDED:
        return
    usage = body.get("usage")
    if isinstance(usage, Mapping) and usage.get("total_tokens"):
        cost = _cost_of_usage(guard, charge.paid, body)
        if cost is not None:
            guard.followups.read(reference, cost)
    elif not body.get("output_file_id") and _nothing_done(body):
        guard.followups.read(reference, None)


def _cost_of_usage(guard: Guard, paid: Paid, body: Mapping[str, Any]) -> Cost | None:
    """Return the cost of a batch by the total usage in its state, or None if this total does not show the whole cost.

    It does not if the batch has several models, or requests that may cost fees in addition to their tokens.
    """
    if not isinstance(paid, BatchCall) or len(paid.models) != 1 or paid.has_fees:
        return None
    call = ResponseCall(ApiRequest("POST", "/responses", {"model": paid.model}))
    call.quoted = paid.quoted
    if paid.quoted is not None and paid.quoted.flat is not None:
        return None  # The price is per request; only the results show how many requests succeeded.
    try:
        cost = guard.cost(call, {"usage": body["usage"], "model": paid.model, "output": ()})
    except (UsageMissingError, UnusableUsageError, ConfigurationError):
        return None
    return None if cost.estimated else Cost(cost.usd * BATCH_SHARE)


def _nothing_done(body: Mapping[str, Any]) -> bool:
    counts = body.get("request_counts")
    # A batch has the status "failed" if it was refused before any request ran.
    return body.get("status") == "failed" or (isinstance(counts, Mapping) and counts.get("completed") == 0)


def _results(guard: Guard, file_id: str) -> Later | None:
    """Return a reader for a file that has the results of a batch whose charge is open, or None for any other file."""
    reference = guard.followups.batch_of(file_id)
    charge = None if reference is None else guard.followups.batch(reference)
    if reference is None or charge is None or not isinstance(charge.paid, BatchCall):
        return None
    costs = BatchCosts(charge.paid, guard.cost)

    def line(result: Mapping[str, Any]) -> None:
        response = result.get("response")
        body = response.get("body") if isinstance(response, Mapping) and response.get("status_code") == 200 else None
        costs.result(str(result.get("custom_id")), body if isinstance(body, Mapping) else None)

    return LaterLines(line, lambda: guard.followups.read(reference, costs.total))
