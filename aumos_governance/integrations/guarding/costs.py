"""What a response cost, and what is charged where that stays in doubt: the rules, without any hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ... import money
from ...errors import AumOSGovernanceError, ConfigurationError
from ..pricing.price_terms import billed_model
from ..pricing.prices import Rates, UnusableUsageError
from ..pricing.seen import Seen
from ..pricing.sellers import STATE_COSTS, stated_cost
from .calls import Cost, Paid, UsageMissingError

__all__ = ["charged", "charged_partly", "cost_of"]

CostOf = Callable[[Mapping[str, Any], Seen | None], Cost]


def cost_of(paid: Paid, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
    """What a call cost: by what the seller states, else by the prices of the model that responded.

    Raises as `Paid.cost`, and ConfigurationError.
    """
    if rates.flat is not None and not rates.assumed:
        return Cost(rates.flat + rates.fee)
    stated = stated_cost(rates.seller, response)
    if stated is not None and rates.seller in STATE_COSTS:
        return Cost(stated + rates.fee)
    billed = billed_model(paid.model, response.get("model"))
    if (rates.found or rates.assumed) and billed != paid.model:
        # A name of the provider's own is what was requested.
        with suppress(ConfigurationError):
            rates = rates.of(billed)
    cost = Cost(rates.flat) if rates.flat is not None else paid.cost(rates, response, seen)
    if stated is not None:
        # Of a server of which it is not known what its figure includes, the larger one.
        cost = Cost(max(stated, cost.usd), cost.estimated or stated < cost.usd)
    return Cost(cost.usd + rates.fee, cost.estimated) if rates.fee else cost


def charged(cost: CostOf, held: int, response: Mapping[str, Any] | None, seen: Seen | None) -> tuple[int, bool]:
    """What is charged for a response, in nano-USD, and whether that is an estimate; ``held`` where nothing is known."""
    if response is None and seen is None:
        return held, True
    try:
        found = cost(response or {}, seen)
        return money.ceil_nano(found.usd), found.estimated
    except UsageMissingError as missing:
        return max(held, money.ceil_nano(missing.least)), True
    except (UnusableUsageError, AumOSGovernanceError):
        return held, True


def charged_partly(cost: CostOf, held: int, response: Mapping[str, Any] | None, seen: Seen | None) -> tuple[int, bool]:
    """As `charged`, for a response that broke off: always an estimate."""
    if seen is None:
        # Of a body that is no stream, a part shows nothing.
        return held, True
    return charged(cost, held, response, seen)[0], True
