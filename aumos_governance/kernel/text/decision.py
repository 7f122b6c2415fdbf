"""What a spend came to, as notebook code sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ... import money
from ...types import GovernanceOutcome

__all__ = ["SpendDecision"]


@dataclass(frozen=True, slots=True, repr=False)
class SpendDecision:
    """A decision on one spend, with the figures as they stood right after it; it is true where it is allowed.

    Amounts are exact Decimals in USD, and None where the notebook was never governed.
    """

    outcome: GovernanceOutcome
    allowed: bool
    reasons: tuple[str, ...]
    amount: Decimal
    tool: str
    code: str | None
    overrun: bool
    record_id: str | None
    charge_id: str | None
    agent_id: str | None
    spent: Decimal | None
    budget: Decimal | None
    remaining: Decimal | None
    limit: Mapping[str, Any] | None = None
    """Which limit forbids it: ``kind``, ``name``, ``asked`` and ``allowed``, as in the wire protocol."""

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any]) -> SpendDecision:
        """Read the answer to a ``spend``."""
        told: Mapping[str, Any] = answer["decision"]
        state: Mapping[str, Any] = answer.get("state") or {}
        return cls(
            outcome=GovernanceOutcome(told["outcome"]),
            allowed=told["allowed"] is True,
            reasons=tuple(told["reasons"]),
            amount=Decimal(told["amount"]),
            tool=told["tool"],
            code=told["code"],
            overrun=told["overrun"] is True,
            record_id=told["record_id"],
            charge_id=told["charge_id"],
            agent_id=state.get("agent_id"),
            spent=_decimal(state.get("spent")),
            budget=_decimal(state.get("budget")),
            remaining=_decimal(state.get("remaining")),
            limit=told.get("limit"),
        )

    def __bool__(self) -> bool:
        return self.allowed

    def __repr__(self) -> str:
        left = "" if self.remaining is None else f", {money.display(money.parse(self.remaining))} remaining"
        why = "".join(f" ({reason})" for reason in self.reasons)
        amount = money.display(money.parse(self.amount))
        return f"<SpendDecision {self.outcome.value}: {amount} for {self.tool!r}{left}{why}>"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
