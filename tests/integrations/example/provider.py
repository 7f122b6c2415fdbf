"""The example of the recipe "A provider" in docs/developing.md: the least that a provider's module must have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from aumos_governance.integrations.guarding.calls import (
    ApiRequest,
    Cost,
    Meter,
    Paid,
    UsageMissingError,
    body_of_json,
    is_free,
    unknown_method,
)
from aumos_governance.integrations.guarding.guard import Guard
from aumos_governance.integrations.guarding.later import Later
from aumos_governance.integrations.pricing.rates import Rates
from aumos_governance.integrations.pricing.seen import Seen
from aumos_governance.integrations.pricing.sizes import size_of
from aumos_governance.integrations.pricing.usage import DoubtError, Report, checked

_FREE_POSTS: Final = re.compile(r"/responses/input_tokens")
"""Matches the free paths by the example's price list: counting tokens."""


class ExampleProvider:
    """The adapter for the example's API."""

    price_id = "groq"

    def paid(self, requested: ApiRequest) -> Paid | None:
        """Return the paid call of a request, or None for a free request, as `Provider.paid`."""
        if is_free(requested, _FREE_POSTS):
            return None
        if requested.path == "/chat/completions":
            return ExampleCall(requested)
        raise unknown_method(requested)

    def later(self, requested: ApiRequest, guard: Guard) -> Later | None:
        """Return None, since no response of the example states an earlier call's cost."""
        return None


PROVIDER: Final = ExampleProvider()


class ExampleCall:
    """A paid chat."""

    name = "chat"
    body: Mapping[str, Any] | None = None
    quoted: Rates | None = None

    def __init__(self, requested: ApiRequest) -> None:
        self.model = str(requested.body.get("model"))
        self._requested = requested.body

    def worst(self, rates: Rates) -> Decimal:
        """Return the worst case in USD, as `Paid.worst`."""
        return rates.bound(size_of(self._requested).tokens, int(self._requested["max_tokens"]))

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Return the cost by the response's usage, as `Paid.cost`."""
        usage = response.get("usage") or {}
        counts = {"input_tokens": usage.get("prompt_tokens", 0), "output_tokens": usage.get("completion_tokens", 0)}
        try:
            used, estimated = checked(Report(counts), seen)
        except DoubtError as doubt:
            raise UsageMissingError(str(doubt)) from None
        return Cost(rates.cost(used), estimated)

    def meter(self) -> Meter:
        """Return a new meter for the stream of this call's response."""
        return ExampleMeter()


class ExampleMeter:
    """A meter for the example's streams, whose last event has the usage."""

    def __init__(self) -> None:
        self.response: Mapping[str, Any] | None = None
        self.ended = False
        self.seen = Seen(hidden=False)

    def see(self, data: bytes) -> bool:
        """Read the data of one event, as `Meter.see`."""
        event = body_of_json(data)
        for choice in event.get("choices") or ():
            self.seen.text += len(choice["delta"].get("content") or "")
        if event.get("usage"):
            self.response, self.ended = event, True
        return False
