"""The base class of the adapters for frameworks such as LangChain.

One adapter may govern calls of several providers, so it makes a guard for each call's provider and address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine import Engine, default_engine
from ...realm import to_level
from ...types import TrustLevel
from ..pricing.prices import Amount, Prices
from .guard import Guard


class Guards:
    """A factory of guards for calls of different providers that share an engine, agent, budget and stated prices.

    The constructor has the keyword arguments of `govern`.
    """

    def __init__(
        self,
        *,
        engine: Engine | None = None,
        agent_id: str | None = None,
        budget_category: str | None = None,
        required_trust_level: int = TrustLevel.L1_MONITOR,
        default_cost: Amount | None = None,
        price: Mapping[str, Any] | None = None,
        cost: Amount | None = None,
        fee: Amount | None = None,
    ) -> None:
        self._engine = engine
        self._prices = Prices(cost=cost, price=price, default_cost=default_cost, fee=fee)
        self._options: dict[str, Any] = {
            "agent_id": agent_id,
            "budget_category": budget_category,
            "required_trust_level": to_level(required_trust_level, "required_trust_level"),
        }

    def _guard(self, provider: str, base_url: str = "") -> Guard:
        engine = self._engine or default_engine()
        return Guard(engine, self._prices, provider=provider, base_url=base_url, **self._options)
