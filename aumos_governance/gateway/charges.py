"""The hold for one call through the gateway, and its end: an exact charge, an estimated charge, or a release.

A hold is an amount that the ledger sets aside in a notebook's governance session before a paid call is forwarded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from .. import money
from ..integrations.guarding.calls import Paid
from ..integrations.guarding.costs import charged, charged_partly, cost_of
from ..integrations.guarding.readers import Reader, evidence_of
from ..integrations.pricing.seen import Seen
from ..service.callers import Caller
from .service_requests import ServiceRequests

_PLACES: Final = ("usage", "usageMetadata")
"""The fields of a response that have its token counts: the first is used by OpenAI and Anthropic, the second by
Google."""
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,48}")
_MOST: Final = 32
"""The most token counts of one response that are recorded with the charge; further counts are left out."""
_LARGEST: Final = 1 << 53
"""Token counts of at least this number are not recorded, since JavaScript cannot read them exactly."""


class OpenCharge:
    """The open hold for one call, until one of the methods ends it; all methods that are called after that do nothing.

    The methods return at once: they post a settlement or release to the ledger, which executes it before the next
    request of the same client. Until then the ledger still shows the hold as open.

    Args:
        hold_id: The ledger's id of the hold.
        held: The held amount, in nano-USD.
        paid: The paid call, whose prices and response determine the cost.
        reference: Returns the name under which the ledger records an estimated charge, for the id of the provider's
            response. A later response that states the true cost adjusts the charge with this name.
        source: The provider and the gateway key of the call, for the audit record.

    """

    def __init__(
        self,
        service: ServiceRequests,
        caller: Caller,
        hold_id: str,
        held: int,
        paid: Paid,
        reference: Callable[[str], str],
        source: Mapping[str, str],
    ) -> None:
        self._service = service
        self._caller = caller
        self._hold_id: str | None = hold_id
        self._held = held
        self._reference = reference
        self._source = source
        self.paid = paid
        """The paid call as it is sent to the provider; its output limit may be lower than in the client's request."""
        self.sent = False
        """Whether the call may have reached the provider. The caller of this class sets it just before it sends the
        call."""

    @property
    def open(self) -> bool:
        """Whether the hold is still open, because no method has settled or released it yet."""
        return self._hold_id is not None

    def settle(self, reader: Reader) -> None:
        """Charge the cost of the complete response, which ``reader`` has read.

        If the response does not report its usage, an estimate is charged: the held amount, or more if the visible
        output alone costs more.
        """
        response, seen = evidence_of(reader)
        self._end(*charged(self._cost, self._held, response, seen), response)

    def settle_partly(self, reader: Reader) -> None:
        """Charge an estimate for a response that broke off before its end; ``reader`` read the part that arrived."""
        response = reader.response()
        self._end(*charged_partly(self._cost, self._held, response, reader.seen()), response)

    def estimate(self) -> None:
        """Charge the held amount as an estimate, because the call was sent and it is not known what became of it."""
        self._end(self._held, True)

    def release(self) -> None:
        """Release the hold and charge nothing, because the call was not sent or the response is an error."""
        if (hold_id := self._taken()) is not None:
            self._service.post(self._caller, "release", {"hold_id": hold_id})

    def abandon(self) -> None:
        """End the hold of a call that ended without a result, for example because the client disconnected.

        If the call may have reached the provider, the held amount is charged as an estimate; otherwise it is released.
        Does nothing if the hold was settled or released before.
        """
        self.estimate() if self.sent else self.release()

    def _end(self, amount: int, estimated: bool, response: Mapping[str, Any] | None = None) -> None:
        if (hold_id := self._taken()) is not None:
            body: dict[str, Any] = {
                "hold_id": hold_id,
                "amount": money.to_text(amount),
                "estimated": estimated,
                "source": self._source,
            }
            if usage := _counts_of(response or {}):
                body["usage"] = usage
            if estimated and getattr(self.paid, "retrievable", False):
                id = (response or {}).get("id")
                if isinstance(id, str) and id:
                    # With this reference a later response, such as a poll, adjusts the charge.
                    body["reference"] = self._reference(id)
            self._service.post(self._caller, "settle", body)

    def _taken(self) -> str | None:
        hold_id, self._hold_id = self._hold_id, None
        return hold_id

    def _cost(self, response: Mapping[str, Any], seen: Seen | None) -> Any:
        assert self.paid.quoted is not None
        return cost_of(self.paid, self.paid.quoted, response, seen)


def _counts_of(response: Mapping[str, Any]) -> dict[str, int]:
    """Return a response's token counts that are not 0, by names such as ``prompt_tokens_details.cached_tokens``.

    Returns an empty dict if the response has no usage report. At most `_MOST` counts are returned.
    """
    for place in _PLACES:
        usage = response.get(place)
        if isinstance(usage, Mapping):
            return dict(list(_counted(usage, ""))[:_MOST])
    return {}


def _counted(usage: Mapping[str, Any], within: str) -> Iterator[tuple[str, int]]:
    for name, value in usage.items():
        if _NAME.fullmatch(str(name)) is None:
            continue
        if type(value) is int and 0 < value < _LARGEST:
            yield f"{within}{name}", value
        elif isinstance(value, Mapping) and not within:
            yield from _counted(value, f"{name}.")
