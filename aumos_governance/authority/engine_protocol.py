"""What every engine offers: the one with a ledger of its own, and the one of a notebook that a server governs."""

from __future__ import annotations

from typing import Any, Protocol

from .actions import GovernanceAction, GovernanceDecision
from .authorization import AsyncGrant, Authorization, Begun, Grant

__all__ = ["Engine"]


class Engine(Protocol):
    """What decides, whether its ledger is its own or the one of the server that governs this notebook."""

    @property
    def agent_id(self) -> str:
        """The agent of an action that names none."""
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
        """Check an action. It charges nothing."""
        ...

    async def evaluate(self, action: GovernanceAction) -> GovernanceDecision:
        """Like `evaluate_sync`, awaited."""
        ...

    def record_refusal(self, action: GovernanceAction, code: str, reason: str) -> GovernanceDecision:
        """Record that the caller itself refuses an action; the engine decides nothing. From any thread."""
        ...

    def begin(self, action: GovernanceAction) -> Grant:
        """Check an action and hold its amount, in one step; the caller settles or releases the grant.

        Raises GovernanceDeniedError when it is denied: then nothing is held.
        """
        ...

    def begin_ahead(self, action: GovernanceAction) -> Begun:
        """Like `begin`, for a call that names an amount, but only request it; the value returned waits for the
        decision.
        """
        ...

    async def begin_async(self, action: GovernanceAction) -> AsyncGrant:
        """Like `begin`, awaited. A task that is cancelled meanwhile holds nothing."""
        ...

    def authorize(self, action: GovernanceAction) -> Authorization:
        """Hold the action's amount, run the block, then charge what it truly cost: see `Authorization`."""
        ...
