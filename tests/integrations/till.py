"""An engine with one budget, and the figures and records that tests read from it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from importlib.metadata import version
from typing import Any

import pytest
from genai_prices import calc_price
from genai_prices.types import Usage

from aumos_governance import GovernanceEngine
from aumos_governance.integrations.guarding.leftovers import leftovers
from aumos_governance.ledger.contract.audit_facts import AuditEntry

# Python 3.10 gets 0.1.13, whose data lacks some prices; there such a call is refused.
needs_prices_of_0_2 = pytest.mark.skipif(
    version("genai-prices").startswith("0.1."), reason="genai-prices 0.1 does not have this price"
)
NANO = Decimal(1).scaleb(-9)


class Till:
    """An engine with a budget named ``llm``, of 10 USD by default."""

    def __init__(self, engine: GovernanceEngine | None = None, limit: float = 10) -> None:
        self.engine = engine or GovernanceEngine()
        self.engine.budget.create_budget("llm", limit, "lifetime")

    @property
    def spent(self) -> Decimal:
        return self.engine.budget.balance("llm").spent

    @property
    def held(self) -> Decimal:
        """The held amount, after all dropped charges are settled."""
        assert leftovers.wait()
        return self.engine.budget.balance("llm").held

    def records(self, *events: str) -> list[AuditEntry]:
        """The audit records of charges, oldest first."""
        assert leftovers.wait()
        wanted = events or ("hold", "settle", "release")
        return [entry for entry in self.engine.audit.entries() if entry.event in wanted]

    def events(self) -> list[str]:
        """The events of the charges, with ``estimated`` for a settlement as an estimate."""
        return ["estimated" if entry.detail.get("estimated") else entry.event for entry in self.records()]


def priced(model: str, usage: Mapping[str, Any], *, provider: str = "openai", tier: str | None = None) -> Decimal:
    """The cost of the usage by genai-prices, rounded up to the nano-dollar."""
    context = None if tier is None else {"service_tier": tier}
    cost = calc_price(Usage(**usage), model, provider_id=provider, price_context=context).total_price
    return cost.quantize(NANO, rounding=ROUND_CEILING).normalize()
