"""The interface of an engine. `GovernanceEngine` has its own ledger; `NotebookEngine` uses a server's ledger."""

from __future__ import annotations

from typing import Any, Protocol

from .actions import GovernanceAction, GovernanceDecision
from .authorization import AsyncGrant, Authorization, Begun, Grant


class Engine(Protocol):
    """The interface of all engines: they decide about actions with a ledger of their own or a server's ledger."""

    @property
    def agent_id(self) -> str:
        """The agent id under which this engine records the actions of governed clients and functions."""
        ...

    @property
    def trust(self) -> Any: ...

    @property
    def budget(self) -> Any: ...

    @property
    def consent(self) -> Any: ...

    @property
    def audit(self) -> Any: ...

    def evaluate_sync(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action, and record the decision. Nothing is charged."""
        ...

    async def evaluate(self, action: GovernanceAction) -> GovernanceDecision:
        """Check an action and record the decision like `evaluate_sync`, in a coroutine."""
        ...

    def record_refusal(self, action: GovernanceAction, code: str, reason: str) -> GovernanceDecision:
        """Record that the caller itself has denied an action, for example a call whose cost is not known.

        ``code`` is the reason as a stable word for programs, and ``reason`` a sentence for users. Nothing is checked.
        The method can be called from any thread.
        """
        ...

    def begin(self, action: GovernanceAction) -> Grant:
        """Check an action and hold its amount, in one step, and return the grant, which permits the action.

        After the action, the caller must settle or release the grant, once. Raises GovernanceDeniedError if the action
        is denied; nothing is held then.
        """
        ...

    def begin_ahead(self, action: GovernanceAction) -> Begun:
        """Do what `begin` does, but return before the decision, so that the caller can work meanwhile.

        The action must have an amount. The returned object's ``grant()`` waits for the decision and returns the grant.
        """
        ...

    async def begin_async(self, action: GovernanceAction) -> AsyncGrant:
        """Check an action and hold its amount like `begin`, in a coroutine.

        If the current task is cancelled during the call, nothing stays held.
        """
        ...

    def authorize(self, action: GovernanceAction) -> Authorization:
        """Return a context manager for ``with engine.authorize(action) as grant:``, which governs the action.

        On entry it checks the action and holds its amount; after the block it charges the true cost.
        """
        ...
