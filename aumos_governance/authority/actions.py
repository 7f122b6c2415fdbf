"""Actions of agents, and decisions about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from .. import money
from ..frozen import quick
from ..ledger.contract.facts import Decision, Limit
from ..types import GovernanceOutcome


@quick
@dataclass(frozen=True, slots=True)
class GovernanceAction:
    """An action that an agent wants to take. A check whose fields are not set is skipped.

    ``budget_amount`` is in USD. ``tool`` is the tool that is used, for example a model; costs are summed by tool, and
    without it by ``action_type``. ``extra`` is recorded with the decision: JSON values, never prompts or keys.

    ``kind`` is ``"act"`` for a governed action, which has effects beyond the notebook: the trust level decides whether
    it runs, waits for an approval or is only suggested. ``shown`` is the description that the user must see before
    approving the action (tool, arguments, code). The description is never written to the audit trail.
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
    """A decision about an action. ``reasons`` has one sentence for each check; the last one is the cause of a denial.

    A decision by ``begin`` or ``authorize`` has reasons only if it is a denial, or allows the action with a caveat.
    """

    outcome: GovernanceOutcome
    allowed: bool
    reasons: list[str]
    audit_record_id: str
    action: GovernanceAction
    code: str | None = None
    """The reason for a denial or a caveat as a stable word, such as ``BUDGET_EXCEEDED``; None if there is none."""
    limit: Limit | None = None
    """The limit that forbids the action, with its name and numbers; None if no limit does."""


def decision_of(action: GovernanceAction, decision: Decision) -> GovernanceDecision:
    """Return the ledger's decision about an action as a `GovernanceDecision`."""
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
    """Return the name of the tool that an action uses; the costs of all its actions are summed under this name."""
    return action.tool or action.action_type or action.budget_category or "unknown"


def shown_of(action: GovernanceAction, tool: str, amount: int) -> dict[str, Any]:
    """Return the description of an action that a user sees, as JSON values; ``amount`` is its cost in nano-USD."""
    return {"tool": tool, "cost": money.to_text(amount), **(action.shown or {})}


def result_of(cost: int | None, estimated: bool) -> str:
    """Return the text for a report on how the action ended. ``cost`` is None if the action's hold was released."""
    if cost is None:
        return "failed, and cost nothing"
    return "interrupted" if estimated else "done"
