"""The hold of one call through the gateway, until the call is charged exactly, charged as an estimate, or released."""

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
"""The fields with the token counts: the first in responses of OpenAI and Anthropic, the second in Google's."""
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,48}")
_MOST: Final = 32
"""The most token counts of one response that are recorded."""
_LARGEST: Final = 1 << 53
"""Token counts of at least this number are not recorded, since JavaScript cannot read them exactly."""


class OpenCharge:
    """The open hold of one call. The first method that ends the hold takes effect; later ones change nothing.

    ``held`` is the held amount in nano-USD. ``reference`` makes the ledger's reference from a response's id. ``source``
    states who made the call, for the audit record.

    The methods post a settlement or release and return without waiting. The hold stays open in the ledger until this
    is recorded, and the ledger executes it before the next request of the same client.
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
        """The paid call in the form that is sent; its output limit may be lower than the client's."""
        self.sent = False
        """Whether the request may have reached the provider."""

    @property
    def open(self) -> bool:
        """Whether no method has ended the hold yet."""
        return self._hold_id is not None

    def settle(self, reader: Reader) -> None:
        """Charge the cost that the complete response reports; ``reader`` has read the response."""
        response, seen = evidence_of(reader)
        self._end(*charged(self._cost, self._held, response, seen), response)

    def settle_partly(self, reader: Reader) -> None:
        """Charge an estimate of what a response has cost that broke off before its end."""
        response = reader.response()
        self._end(*charged_partly(self._cost, self._held, response, reader.seen()), response)

    def estimate(self) -> None:
        """Charge the held amount as an estimate: the request was sent, and its outcome is not known."""
        self._end(self._held, True)

    def release(self) -> None:
        """Release the hold of a call that cost nothing: it was not sent, or the response is an error."""
        if (hold_id := self._taken()) is not None:
            self._service.post(self._caller, "release", {"hold_id": hold_id})

    def abandon(self) -> None:
        """End the hold of a call that has ended, unless the hold has ended already.

        If the request may have reached the provider, the held amount is charged as an estimate; else it is released.
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
    """Return a response's token counts that are not 0, by names such as ``prompt_tokens_details.cached_tokens``."""
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
