"""The action that an agent wants to take, as callers of an engine describe it, and the engine's decision about it."""

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
    """An action that an agent wants to take, for an engine to decide.

    The engine checks the agent's level (for ``scope``, a part of the agent's work) if ``required_trust_level`` is set,
    the budget ``budget_category`` if ``budget_amount`` (in USD) is set, and the consent (for ``purpose``) if
    ``data_type`` is set. ``tool`` is the tool that is used, for example a model; costs are summed by tool, and without
    it by ``action_type``. ``resource`` names what the action is applied to, for the record. ``extra`` is recorded with
    the decision: JSON values, never prompts or keys.

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
    """An engine's decision about an action. ``audit_record_id`` is the id of its record in the audit trail.

    ``reasons`` has one sentence for each check; the last one is the cause of a denial. A decision by ``begin`` or
    ``authorize`` has reasons only if it is a denial, or allows the action with a caveat.
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
    """Return the ledger's decision about an action in the form that users of an engine get."""
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
    """Return the name under which an action's cost is recorded: its tool, else its type, its category or "unknown"."""
    return action.tool or action.action_type or action.budget_category or "unknown"


def shown_of(action: GovernanceAction, tool: str, amount: int) -> dict[str, Any]:
    """Return the description of an action that its user sees before approving it, as JSON values.

    ``tool`` is the name from `tool_of`, and ``amount`` is the cost in nano-USD.
    """
    return {"tool": tool, "cost": money.to_text(amount), **(action.shown or {})}


def result_of(cost: int | None, estimated: bool) -> str:
    """Return the text that says, in the report of an action, how the action ended.

    ``cost`` is its cost in nano-USD, or None if it failed and its hold was released. ``estimated`` says that its true
    cost is not known, because the action was interrupted.
    """
    if cost is None:
        return "failed, and cost nothing"
    return "interrupted" if estimated else "done"
