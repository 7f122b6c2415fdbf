"""The engine: trust, then budget, then consent, then one audit record, in one step of the ledger."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from . import money
from .audit.logger import AuditLogger
from .audit.record import EVENT, detail_of
from .authority.actions import GovernanceAction, GovernanceDecision, decision_of
from .authority.approvals import Approver
from .authority.authorization import AsyncGrant, Authorization, Begun, Grant
from .authority.engine_protocol import Engine
from .authority.engine_registry import default_engine, register_default_engine, registered_engine
from .authority.grants import Holder
from .budget.manager import BudgetManager
from .config import GovernanceConfig
from .consent.manager import ConsentManager
from .ledger.contract.agreements import Evaluate, Record
from .ledger.contract.ledger import Ledger
from .realm import Realm, named, to_level
from .trust.manager import TrustManager
from .types import GovernanceOutcome, TrustLevel

__all__ = [
    "Engine",
    "GovernanceAction",
    "GovernanceDecision",
    "GovernanceEngine",
    "default_engine",
    "register_default_engine",
    "registered_engine",
]

_REQUIRED: Final = "required_trust_level"


class GovernanceEngine:
    """Decides what agents may do, and records every decision.

    ``ledger`` holds the state: a ledger, a URL (``memory://``, ``sqlite:///file.db``, ``postgresql://...``), or None
    for a private one in memory. Engines of one user on one ledger share levels, budgets, consents and the record,
    from any thread or process, and together never spend above a budget.

    ``approver`` is called where a governed action needs approval, with what the user must see (``tool``, ``cost`` and
    the content of the action's ``shown``). It returns whether the user approved, or is a coroutine function that does.
    Without an approver, such an action is denied.
    """

    def __init__(
        self,
        config: GovernanceConfig | None = None,
        *,
        ledger: Ledger | str | None = None,
        approver: Approver | None = None,
    ) -> None:
        self.config = config or GovernanceConfig()
        self.realm = Realm(ledger)
        self._default_level = to_level(self.config.trust.default_level)
        self.trust = TrustManager(self.config.trust, realm=self.realm)
        self.budget = BudgetManager(self.config.budget, realm=self.realm)
        self.consent = ConsentManager(self.config.consent, realm=self.realm)
        self.audit = AuditLogger(self.config.audit, realm=self.realm)
        self.agent_id = "agent"
        """The agent of an action whose caller, such as a governed client, names none."""
        self._holder = Holder(self.realm, self.config, self._request, approver)

    def evaluate_sync(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action: trust, then budget, then consent; the first that fails denies. It charges nothing.

        Every decision is one audit record. It runs in the calling thread, with or without a running event loop.
        Raises ValueError, without a record, for an invalid action (no agent, an invalid amount, a level that does
        not exist), and LedgerError when no decision could be recorded: then nothing is allowed.
        """
        return decision_of(action, self.realm.execute(self._request(action)))

    async def evaluate(self, action: GovernanceAction) -> GovernanceDecision:
        """Like `evaluate_sync`; while a ledger on disk writes the record, the event loop goes on."""
        return decision_of(action, await self.realm.execute_async(self._request(action)))

    def record_refusal(self, action: GovernanceAction, code: str, reason: str) -> GovernanceDecision:
        """Record a denial that the caller decided, such as that of a call whose cost is not known.

        ``code`` is a word for programs, ``reason`` a sentence for users; neither ever has a prompt or a key.
        Nothing is checked and nothing charged. Raises ValueError where no agent is named, and LedgerError when it
        could not be recorded.
        """
        named(agent_id=action.agent_id)
        keep = self.config.audit.include_context
        recorded = self.realm.execute(
            Record(
                key="",
                origin=self.realm.origin,
                notebook=self.realm.notebook,
                event=EVENT,
                outcome=GovernanceOutcome.DENY,
                code=code,
                reasons=(reason,),
                agent_id=action.agent_id,
                tool=action.tool,
                action_type=action.action_type if keep else None,
                resource=action.resource if keep else None,
                detail=detail_of(action) if keep else {},
            )
        )
        return GovernanceDecision(GovernanceOutcome.DENY, False, [reason], recorded.record_id, action, code)

    def begin(self, action: GovernanceAction) -> Grant:
        """Check an action and hold its amount, in one step; the caller settles or releases the grant, once.

        `authorize` does both around a block. An action with no amount holds nothing, and what is settled is recorded
        in full. Raises GovernanceDeniedError when it is denied, and as `evaluate_sync`: then nothing is held.
        """
        return self._holder.begin(action)

    def begin_ahead(self, action: GovernanceAction) -> Begun:
        """Like `begin`, for a call that names an amount, but only request it; the value returned waits for the
        decision.
        """
        return self._holder.begin_ahead(action)

    async def begin_async(self, action: GovernanceAction) -> AsyncGrant:
        """Like `begin`, awaited. A task that is cancelled meanwhile holds nothing."""
        return await self._holder.begin_async(action)

    def authorize(self, action: GovernanceAction) -> Authorization:
        """Hold the action's amount, run the block, then charge what it truly cost: see `Authorization`."""
        return Authorization(self, action)

    def close(self) -> None:
        """Close the ledger if this engine opened it; what is recorded stays."""
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
