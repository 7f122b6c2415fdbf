"""What an agent wants to do, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from .. import money
from ..frozen import quick
from ..ledger.contract.facts import Decision, Limit
from ..types import GovernanceOutcome

__all__ = ["GovernanceAction", "GovernanceDecision", "decision_of", "result_of", "shown_of", "tool_of"]


@quick
@dataclass(frozen=True, slots=True)
class GovernanceAction:
    """What an agent wants to do. A check whose field is not given is skipped.

    ``budget_amount`` is in USD. ``tool`` is what is used, a model for example, where that is not the ``action_type``;
    costs are summed by it. ``extra`` is recorded with the decision: JSON values, never prompts or keys.

    ``kind`` is ``"act"`` for what changes the world: see the trust levels. ``shown`` is what the user must see of such
    an action before approving it (tool, arguments, code); it is never recorded.
    """

    agent_id: str
    required_trust_level: int | None = None
    scope: str | None = None
    budget_category: str | None = None
    budget_amount: float | Decimal | str | None = None
    data_type: str | None = None
    purpose: str | None = None
    action_type: str | None = None
    resource: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    kind: Literal["call", "act"] = "call"
    shown: Mapping[str, Any] | None = None
    tool: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class GovernanceDecision:
    """A decision. ``reasons`` has the result of each check; of a denial, the last one is the cause.

    An amount that was held at once has reasons only where it was denied, or allowed with a caveat.
    """

    outcome: GovernanceOutcome
    allowed: bool
    reasons: list[str]
    audit_record_id: str
    action: GovernanceAction
    code: str | None = None
    """Why it is denied or has a caveat, for programs, such as ``BUDGET_EXCEEDED``."""
    limit: Limit | None = None
    """Which limit forbids it, with its name and numbers; None where none does."""


def decision_of(action: GovernanceAction, decision: Decision) -> GovernanceDecision:
    """The ledger's decision about an action."""
    return GovernanceDecision(
        decision.outcome,
        decision.allowed,
        list(decision.reasons),
        decision.record_id,
        action,
        decision.code,
        decision.limit,
    )


def tool_of(action: GovernanceAction) -> str:
    """What an action uses, by which its costs are summed."""
    return action.tool or action.action_type or action.budget_category or "unknown"


def shown_of(action: GovernanceAction, tool: str, amount: int) -> dict[str, Any]:
    """What a user sees of an action that costs ``amount`` nano-USD."""
    return {"tool": tool, "cost": money.to_text(amount), **(action.shown or {})}


def result_of(cost: int | None, estimated: bool) -> str:
    """How an action ended, as its report states it, by what it cost: None where it cost nothing."""
    if cost is None:
        return "failed, and cost nothing"
    return "interrupted" if estimated else "done"
