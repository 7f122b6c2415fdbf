"""The engine: trust, then budget, then consent, then one audit record, in one step of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from . import money
from .audit.logger import AuditLogger
from .audit.record import detail_of
from .authorization import Authorization
from .budget.manager import BudgetManager
from .config import GovernanceConfig
from .consent.manager import ConsentManager
from .ledger.base import Decision, Evaluate, Ledger
from .realm import Realm, to_level
from .trust.manager import TrustManager
from .types import GovernanceOutcome, TrustLevel

__all__ = ["GovernanceAction", "GovernanceDecision", "GovernanceEngine"]

_REQUIRED: Final = "required_trust_level"


@dataclass(frozen=True, slots=True)
class GovernanceAction:
    """What an agent wants to do. A check whose field is not given is skipped.

    ``budget_amount`` is in USD. ``extra`` is recorded with the decision: JSON values, never prompts or keys.
    """

    agent_id: str
    required_trust_level: int | None = None
    scope: str | None = None
    budget_category: str | None = None
    budget_amount: float | None = None
    data_type: str | None = None
    purpose: str | None = None
    action_type: str | None = None
    resource: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GovernanceDecision:
    """What was decided. ``reasons`` tells what each check found; of a denial, the last one is why."""

    outcome: GovernanceOutcome
    allowed: bool
    reasons: list[str]
    audit_record_id: str
    action: GovernanceAction


class GovernanceEngine:
    """Decides what agents may do, and records every decision.

    ``ledger`` holds the state: a ledger, a URL (``memory://``, ``sqlite:///file.db``, ``postgresql://...``), or None
    for a private one in memory. Engines of one user on one ledger share levels, budgets, consents and the record,
    from any thread or process, and together never spend above a budget.
    """

    def __init__(self, config: GovernanceConfig | None = None, *, ledger: Ledger | str | None = None) -> None:
        self.config = config or GovernanceConfig()
        self.realm = Realm(ledger)
        self._default_level = to_level(self.config.trust.default_level)
        self.trust = TrustManager(self.config.trust, realm=self.realm)
        self.budget = BudgetManager(self.config.budget, realm=self.realm)
        self.consent = ConsentManager(self.config.consent, realm=self.realm)
        self.audit = AuditLogger(self.config.audit, realm=self.realm)

    def evaluate_sync(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action: trust, then budget, then consent; the first that fails denies. It charges nothing.

        Every decision is one audit record. It runs in the calling thread, with or without a running event loop.
        Raises ValueError, without a record, for an action that makes no sense (no agent, an amount that is none,
        a level that does not exist), and LedgerError when no decision could be recorded: then nothing is allowed.
        """
        return _decision(action, self.realm.execute(self._request(action)))

    async def evaluate(self, action: GovernanceAction) -> GovernanceDecision:
        """Like `evaluate_sync`; while a ledger on disk writes the record, the event loop goes on."""
        return _decision(action, await self.realm.execute_async(self._request(action)))

    def authorize(self, action: GovernanceAction) -> Authorization:
        """Hold the action's amount, run the block, then charge what it truly cost: see `Authorization`."""
        return Authorization(self, action)

    def close(self) -> None:
        """Let go of a ledger that was opened here; what is recorded stays."""
        self.realm.close()

    def __enter__(self) -> GovernanceEngine:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request(self, action: GovernanceAction) -> Evaluate:
        level, amount = action.required_trust_level, action.budget_amount
        keep = self.config.audit.include_context
        return Evaluate(
            key="",
            origin=self.realm.origin,
            notebook=self.realm.notebook,
            agent_id=action.agent_id,
            required_level=level if level is None or type(level) is TrustLevel else to_level(level, _REQUIRED),
            scope=action.scope or None,
            category=action.budget_category,
            amount=None if amount is None else money.parse(amount, what="budget_amount"),
            data_type=action.data_type,
            purpose=action.purpose or None,
            action_type=action.action_type if keep else None,
            resource=action.resource if keep else None,
            detail=detail_of(action) if keep else {},
            default_level=self._default_level,
            default_deny=self.config.consent.default_deny,
            overdraft=self.config.budget.allow_overdraft,
            realm=self.realm.name,
        )


def _decision(action: GovernanceAction, decision: Decision) -> GovernanceDecision:
    return GovernanceDecision(decision.outcome, decision.allowed, list(decision.reasons), decision.record_id, action)
