"""What an agent wants to do, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from ..frozen import quick
from ..ledger.contract.facts import Limit
from ..types import GovernanceOutcome

__all__ = ["GovernanceAction", "GovernanceDecision"]


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
