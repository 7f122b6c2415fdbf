"""Decides what a call is charged: which of several stated or computed costs, and how much if there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ... import money
from ...errors import AumOSGovernanceError, ConfigurationError
from ..pricing.price_terms import billed_model
from ..pricing.rates import Rates, UnusableUsageError
from ..pricing.seen import Seen
from ..pricing.sellers import STATE_COSTS, stated_cost
from .calls import Cost, Paid, UsageMissingError

CostOf = Callable[[Mapping[str, Any], Seen | None], Cost]


def cost_of(paid: Paid, rates: Rates, response: Mapping[str, Any], seen: Seen | None = None) -> Cost:
    """Return the cost of a call: the user's price per call, the cost that the seller states, or the cost of the usage.

    The seller is the vendor whose price list applies. The usage is charged at the prices of the model that responded,
    or, if these are not known, of the requested model; ``rates`` are the requested model's prices. If a seller that is
    not in `STATE_COSTS` states a cost, the higher of this cost and the cost of the usage is charged. Raises as
    `Paid.cost` does, and ConfigurationError if prices are not known.
    """
    if rates.flat is not None and not rates.assumed:
        return Cost(rates.flat + rates.fee)
    stated = stated_cost(rates.seller, response)
    if stated is not None and rates.seller in STATE_COSTS:
        return Cost(stated + rates.fee)
    billed = billed_model(paid.model, response.get("model"))
    if (rates.found or rates.assumed) and billed != paid.model:
        # Without prices under the name in the response, which may be the provider's own name for the requested model,
        # the requested model's prices apply.
        with suppress(ConfigurationError):
            rates = rates.of(billed)
    cost = Cost(rates.flat) if rates.flat is not None else paid.cost(rates, response, seen)
    if stated is not None:
        # It is not known what the cost stated by another seller includes, so the larger amount is charged.
        cost = Cost(max(stated, cost.usd), cost.estimated or stated < cost.usd)
    return Cost(cost.usd + rates.fee, cost.estimated) if rates.fee else cost


def charged(cost: CostOf, held: int, response: Mapping[str, Any] | None, seen: Seen | None) -> tuple[int, bool]:
    """Return the nano-USD to charge for a response, and whether that is an estimate.

    ``cost`` computes the cost of ``response`` and ``seen``, which are as in `Paid.cost`; both are None if there was no
    response. The held amount, ``held`` nano-USD, is charged if the cost cannot be computed.
    """
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
    """Return the nano-USD to charge for a response that broke off, and True, since this is always an estimate.

    The arguments are as in `charged`.
    """
    if seen is None:
        # A part of an unstreamed body shows nothing about its usage.
        return held, True
    return charged(cost, held, response, seen)[0], True
