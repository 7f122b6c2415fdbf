"""`GovernanceEngine`, the SDK's engine, for programs that govern agents without a Jupyter server.

For each decision, one ledger transaction checks trust, then budget, then consent, and writes one audit record.
"""

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
from .realm import Realm, require_names, to_level
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
    """An engine that decides what agents may do, and records every decision in a ledger.

    ``ledger`` is a ledger, a URL (``memory://``, ``sqlite:///file.db``, ``postgresql://...``), or None for a private
    ledger in memory. Engines of one user on one ledger share levels, budgets, consents and the audit trail across
    threads and processes, and together never spend more than a budget allows.

    ``approver`` is a function or coroutine function that is called when a governed action needs approval. Its argument
    is a mapping with all that the user must see (``tool``, ``cost`` and the items of the action's ``shown``); it
    returns True if the user approved. Without an approver, an action that needs approval is denied.
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
        """The agent id under which governed clients and functions of this engine record their actions."""
        self._holder = Holder(self.realm, self.config, self._request, approver)

    def evaluate_sync(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action's trust level, then its budget, then its consent; the first check that fails denies it.

        Nothing is charged. Each decision is recorded as one audit record. The method runs in the calling thread, with
        or without a running event loop. Raises ValueError, without a record, for an invalid action (no agent, an
        invalid amount, a level that does not exist), and LedgerError if the decision could not be recorded: the action
        is not allowed then.
        """
        return decision_of(action, self.realm.execute(self._request(action)))

    async def evaluate(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action like `evaluate_sync`, but let the event loop run while a ledger on disk writes the record."""
        return decision_of(action, await self.realm.execute_async(self._request(action)))

    def record_refusal(self, action: GovernanceAction, code: str, reason: str) -> GovernanceDecision:
        """Record that the caller itself denied an action, for example a call whose cost is not known.

        ``code`` is a stable word for programs, ``reason`` a sentence for users; neither may contain a prompt or a key.
        Nothing is checked or charged. Raises ValueError if the action names no agent, and LedgerError if the denial
        could not be recorded.
        """
        require_names(agent_id=action.agent_id)
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
        """Check an action and hold its amount, in one step, and return the grant, which permits the action.

        After the action, the caller must settle or release the grant, once; `authorize` does so at the end of a
        ``with`` block. For an action without an amount nothing is held, and the settled cost is recorded in full.
        Raises GovernanceDeniedError if the action is denied, and the errors of `evaluate_sync`; nothing is held then.
        """
        return self._holder.begin(action)

    def begin_ahead(self, action: GovernanceAction) -> Begun:
        """Do what `begin` does, but return before the decision, so that the caller can work while the ledger decides.

        The action must have an amount. The returned object's ``grant()`` waits for the decision and returns the grant.
        """
        return self._holder.begin_ahead(action)

    async def begin_async(self, action: GovernanceAction) -> AsyncGrant:
        """Check an action and hold its amount like `begin`, but let the event loop run while the ledger decides.

        If the current task is cancelled during the call, nothing stays held.
        """
        return await self._holder.begin_async(action)

    def authorize(self, action: GovernanceAction) -> Authorization:
        """Return a context manager for ``with engine.authorize(action) as grant:``, which governs the action.

        On entry it checks the action and holds its amount; after the block it charges the true cost. See
        `Authorization`.
        """
        return Authorization(self, action)

    def close(self) -> None:
        """Close the ledger if this engine opened it. Nothing recorded on disk is lost."""
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
