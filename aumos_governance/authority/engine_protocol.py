"""The interface of an engine. `GovernanceEngine` has its own ledger; `NotebookEngine` uses a server's ledger."""

from __future__ import annotations

from typing import Any, Protocol

from .actions import GovernanceAction, GovernanceDecision
from .authorization import AsyncGrant, Authorization, Begun, Grant


class Engine(Protocol):
    """The interface of all engines: they decide about actions with a ledger of their own or a server's ledger."""

    @property
    def agent_id(self) -> str:
        """The id under which this engine records the actions of governed clients and functions."""
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
        """Like `evaluate_sync`, awaited."""
        ...

    def record_refusal(self, action: GovernanceAction, code: str, reason: str) -> GovernanceDecision:
        """Record that the caller itself denied an action. Nothing is checked. Can be called from any thread."""
        ...

    def begin(self, action: GovernanceAction) -> Grant:
        """Check an action and hold its amount, in one step. The caller must settle or release the grant, once.

        Raises GovernanceDeniedError if the action is denied; nothing is held then.
        """
        ...

    def begin_ahead(self, action: GovernanceAction) -> Begun:
        """Send the request of `begin`, for an action with an amount, and return before the decision.

        ``grant()`` of the returned object waits for the decision.
        """
        ...

    async def begin_async(self, action: GovernanceAction) -> AsyncGrant:
        """Like `begin`, awaited. If the task is cancelled during the call, nothing stays held."""
        ...

    def authorize(self, action: GovernanceAction) -> Authorization:
        """Return a context manager that holds the action's amount, and after the block charges the true cost."""
        ...
