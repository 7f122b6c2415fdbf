"""Batches: many requests that a provider runs later at a lower price.

A batch's worst case is held from its submission until its results are read, since only these report the usage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ...errors import ConfigurationError
from ..pricing.rates import Rates, UnusableUsageError
from ..pricing.seen import Seen
from .calls import ApiRequest, Cost, Paid, UsageMissingError

BATCH_SHARE: Final = Decimal("0.5")
"""The price of a request in a batch, as a share of its usual price.

OpenAI: "50% cost discount compared to synchronous APIs" (platform.openai.com/docs/guides/batch). Anthropic: "All usage
is charged at 50% of the standard API prices" (platform.claude.com/docs/en/build-with-claude/batch-processing).
"""

_WITHOUT_FEES: Final = frozenset({None, "function", "custom", "namespace"})
"""The types of tools that run in the caller's program, so that the provider charges no fees for them."""

PaidOf = Callable[[ApiRequest], Paid | None]
RatesOf = Callable[[str], Rates]


class BatchCall:
    """The paid call that submits a batch; its charge is settled once the batch's results are read."""

    name = "batches"
    body: Mapping[str, Any] | None = None
    later = True

    def __init__(self, requests: Iterable[tuple[str, ApiRequest]], paid_of: PaidOf) -> None:
        """Find the paid calls among ``requests``, which are pairs of an id and a request.

        ``paid_of`` returns the paid call of a request, or None for a free one. Raises ConfigurationError for a request
        whose worst case cannot be computed.
        """
        self.quoted: Rates | None = None
        self.rates_of: RatesOf | None = None
        """The function that returns the prices of a model; set by the guard."""
        self._calls: dict[str, Paid] = {}
        self._fees: set[str] = set()
        for id, request in requests:
            paid = paid_of(request)
            if paid is not None:
                self._calls[id] = paid
                if _may_have_fees(request.body):
                    self._fees.add(id)
        self.models = tuple(sorted({paid.model for paid in self._calls.values()}))
        self.model = self.models[0] if self.models else "unknown"

    def worst(self, rates: Rates) -> Decimal:
        """Return the sum of the requests' worst cases at batch prices, in USD; ``rates`` are the prices of `model`."""
        found = {paid.model: self._rates(paid.model, rates) for paid in self._calls.values()}
        for paid in self._calls.values():
            paid.quoted = found[paid.model]
        parts = (paid.worst(found[paid.model]) * self.share(id) for id, paid in self._calls.items())
        return sum(parts, Decimal(0))

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """Raise UsageMissingError, since the response to the submission states no cost."""
        raise UsageMissingError("A batch's cost is only known from its results.")

    def may_have_fees(self, id: str) -> bool:
        """Whether the request ``id`` may use hosted tools or searches; these are charged in addition to its tokens."""
        return id in self._fees

    @property
    def has_fees(self) -> bool:
        """Whether any request of the batch may use hosted tools or searches."""
        return bool(self._fees)

    def share(self, id: str) -> Decimal:
        """Return the factor for the usual price of the request ``id``: `BATCH_SHARE`, or 1 if it gets no discount."""
        paid = self._calls[id]
        if paid.quoted is None or paid.quoted.flat is not None or id in self._fees:
            # A price that the user states for each call applies in a batch too, and only tokens are cheaper in a batch.
            return Decimal(1)
        return BATCH_SHARE

    def of(self, id: str) -> Paid | None:
        """Return the paid call of the request ``id``; None for a free or unknown request."""
        return self._calls.get(id)

    def _rates(self, model: str, rates: Rates) -> Rates:
        return rates if model == self.model or self.rates_of is None else self.rates_of(model)


class BatchCosts:
    """The sum of the costs of a batch's results; `result` adds each result when it is read."""

    def __init__(self, batch: BatchCall, cost_of: Callable[[Paid, Mapping[str, Any]], Cost]) -> None:
        self._batch = batch
        self._cost_of = cost_of
        self._usd = Decimal(0)
        self._estimated = False
        self._seen: set[str] = set()

    def result(self, id: str, response: Mapping[str, Any] | None) -> None:
        """Add the cost of one request's result.

        ``response`` is None for a request that failed, expired or was cancelled; it costs nothing. A second
        result of the same request is ignored.
        """
        paid = self._batch.of(id)
        if paid is None or response is None or id in self._seen:
            return
        self._seen.add(id)
        share = self._batch.share(id)
        try:
            cost = self._cost_of(paid, response)
            # The providers do not publish whether searches and hosted tools are cheaper in a batch.
            estimated = cost.estimated or self._batch.may_have_fees(id)
        except (UsageMissingError, UnusableUsageError, ConfigurationError):
            cost, estimated = Cost(Decimal(0) if paid.quoted is None else paid.worst(paid.quoted)), True
        self._usd += cost.usd * share
        self._estimated = self._estimated or estimated

    @property
    def total(self) -> Cost:
        """The cost of all results so far."""
        return Cost(self._usd, self._estimated)


def _may_have_fees(body: Mapping[str, Any]) -> bool:
    tools = body.get("tools")
    kinds = [tool.get("type") for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, list) else []
    searches = body.get("web_search_options") is not None or "-search-" in str(body.get("model"))
    return searches or any(kind not in _WITHOUT_FEES for kind in kinds)
