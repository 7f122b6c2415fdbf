"""An engine with one budget, and what tests read of it."""

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
    """Holds 10 USD for ``llm``."""

    def __init__(self, engine: GovernanceEngine | None = None, limit: float = 10) -> None:
        self.engine = engine or GovernanceEngine()
        self.engine.budget.create_budget("llm", limit, "lifetime")

    @property
    def spent(self) -> Decimal:
        return self.engine.budget.balance("llm").spent

    @property
    def held(self) -> Decimal:
        """What is still held once everything that was dropped is settled."""
        assert leftovers.wait()
        return self.engine.budget.balance("llm").held

    def records(self, *events: str) -> list[AuditEntry]:
        """Those of charges, oldest first."""
        assert leftovers.wait()
        wanted = events or ("hold", "settle", "release")
        return [entry for entry in self.engine.audit.entries() if entry.event in wanted]

    def events(self) -> list[str]:
        """What became of the charges, with ``estimated`` for a settlement that is one."""
        return ["estimated" if entry.detail.get("estimated") else entry.event for entry in self.records()]


def priced(model: str, usage: Mapping[str, Any], *, provider: str = "openai", tier: str | None = None) -> Decimal:
    """What genai-prices says that the usage costs, rounded up to the nano-dollar."""
    context = None if tier is None else {"service_tier": tier}
    cost = calc_price(Usage(**usage), model, provider_id=provider, price_context=context).total_price
    return cost.quantize(NANO, rounding=ROUND_CEILING).normalize()
