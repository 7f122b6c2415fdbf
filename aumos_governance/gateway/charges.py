"""What is held for one call that was sent, until it ends: settled, settled as an estimate, or released."""

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

__all__ = ["OpenCharge"]

_PLACES: Final = ("usage", "usageMetadata")
"""Where OpenAI's and Anthropic's, and where Google's responses have their counts."""
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,48}")
_MOST: Final = 32
_LARGEST: Final = 1 << 53


class OpenCharge:
    """A hold of the gateway. A second end changes nothing. ``reference`` names a response as the ledger knows it, and
    ``source`` whose call it was.

    An end is sent and not waited for: until it is recorded the hold stands, and the ledger takes in what the same
    client requests next after it.
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
        """The call as it is sent."""
        self.sent = False
        """Whether the request may have reached the provider."""

    @property
    def open(self) -> bool:
        """Whether nothing has ended it."""
        return self._hold_id is not None

    def settle(self, reader: Reader) -> None:
        """A response arrived to its end: charge what it reports."""
        response, seen = evidence_of(reader)
        self._end(*charged(self._cost, self._held, response, seen), response)

    def settle_partly(self, reader: Reader) -> None:
        """A response broke off: charge what can have been paid for so far, as an estimate."""
        response = reader.response()
        self._end(*charged_partly(self._cost, self._held, response, reader.seen()), response)

    def estimate(self) -> None:
        """The request was sent, and what became of it is not known: charge what was held, as an estimate."""
        self._end(self._held, True)

    def release(self) -> None:
        """It cost nothing: it was not sent, or the response is an error."""
        if (hold_id := self._taken()) is not None:
            self._service.post(self._caller, "release", {"hold_id": hold_id})

    def abandon(self) -> None:
        """Nothing else will end it."""
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
                    # By it a later response adjusts the charge.
                    body["reference"] = self._reference(id)
            self._service.post(self._caller, "settle", body)

    def _taken(self) -> str | None:
        hold_id, self._hold_id = self._hold_id, None
        return hold_id

    def _cost(self, response: Mapping[str, Any], seen: Seen | None) -> Any:
        assert self.paid.quoted is not None
        return cost_of(self.paid, self.paid.quoted, response, seen)


def _counts_of(response: Mapping[str, Any]) -> dict[str, int]:
    """The counts of a response by their names there, such as ``prompt_tokens_details.cached_tokens``; without zeros."""
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
