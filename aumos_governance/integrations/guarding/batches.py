"""Batches: many requests submitted at once, held at the batch price until their results are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from ...errors import ConfigurationError
from ..pricing.rates import Rates, UnusableUsageError
from ..pricing.seen import Seen
from .calls import ApiRequest, Cost, Paid, UsageMissingError

__all__ = ["BATCH_SHARE", "BatchCall", "BatchCosts"]

BATCH_SHARE: Final = Decimal("0.5")
"""The share of its usual price that a request in a batch costs.

OpenAI: "50% cost discount compared to synchronous APIs" (platform.openai.com/docs/guides/batch). Anthropic: "All usage
is charged at 50% of the standard API prices" (platform.claude.com/docs/en/build-with-claude/batch-processing).
"""

_WITHOUT_FEES: Final = frozenset({None, "function", "custom", "namespace"})
"""The types of tools that only the caller runs."""

PaidOf = Callable[[ApiRequest], Paid | None]
RatesOf = Callable[[str], Rates]


class BatchCall:
    """The submission of a batch. Its charge is settled once its results are read."""

    name = "batches"
    body: Mapping[str, Any] | None = None
    later = True

    def __init__(self, requests: Iterable[tuple[str, ApiRequest]], paid_of: PaidOf) -> None:
        """``requests`` are the batch's own, by their ids. Raises ConfigurationError for what cannot be held."""
        self.quoted: Rates | None = None
        self.rates_of: RatesOf | None = None
        """How the prices of each request's model are found; set by the guard."""
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
        """As `Paid.worst`: all of its requests at their worst."""
        found = {paid.model: self._rates(paid.model, rates) for paid in self._calls.values()}
        for paid in self._calls.values():
            paid.quoted = found[paid.model]
        parts = (paid.worst(found[paid.model]) * self.share(id) for id, paid in self._calls.items())
        return sum(parts, Decimal(0))

    def cost(self, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
        """As `Paid.cost`: the response to a submission states none."""
        raise UsageMissingError("A batch's cost is known from its results.")

    def may_have_fees(self, id: str) -> bool:
        """Whether one of its requests may use what is charged beside tokens."""
        return id in self._fees

    @property
    def has_fees(self) -> bool:
        """Whether some of its requests may use what is charged beside tokens."""
        return bool(self._fees)

    def share(self, id: str) -> Decimal:
        """The share of its usual price that one of its requests costs."""
        paid = self._calls[id]
        if paid.quoted is None or paid.quoted.flat is not None or id in self._fees:
            # What the user states for each call is what it costs in a batch too; and only tokens are cheaper there.
            return Decimal(1)
        return BATCH_SHARE

    def of(self, id: str) -> Paid | None:
        """The call that the request of this id is."""
        return self._calls.get(id)

    def _rates(self, model: str, rates: Rates) -> Rates:
        return rates if model == self.model or self.rates_of is None else self.rates_of(model)


class BatchCosts:
    """Adds up what the results of a batch cost."""

    def __init__(self, batch: BatchCall, cost_of: Callable[[Paid, Mapping[str, Any]], Cost]) -> None:
        self._batch = batch
        self._cost_of = cost_of
        self._usd = Decimal(0)
        self._estimated = False
        self._seen: set[str] = set()

    def result(self, id: str, response: Mapping[str, Any] | None) -> None:
        """The result of one request; None for one that failed, expired or was cancelled, and costs nothing."""
        paid = self._batch.of(id)
        if paid is None or response is None or id in self._seen:
            return
        self._seen.add(id)
        share = self._batch.share(id)
        try:
            cost = self._cost_of(paid, response)
            # Whether searches and the like are cheaper in a batch is not published.
            estimated = cost.estimated or self._batch.may_have_fees(id)
        except (UsageMissingError, UnusableUsageError, ConfigurationError):
            cost, estimated = Cost(Decimal(0) if paid.quoted is None else paid.worst(paid.quoted)), True
        self._usd += cost.usd * share
        self._estimated = self._estimated or estimated

    @property
    def total(self) -> Cost:
        """What all of them cost, in USD."""
        return Cost(self._usd, self._estimated)


def _may_have_fees(body: Mapping[str, Any]) -> bool:
    tools = body.get("tools")
    kinds = [tool.get("type") for tool in tools if isinstance(tool, Mapping)] if isinstance(tools, list) else []
    searches = body.get("web_search_options") is not None or "-search-" in str(body.get("model"))
    return searches or any(kind not in _WITHOUT_FEES for kind in kinds)
