"""The request that records events of calls that wait at a limit on money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...frozen import quick
from .audit_facts import Recorded
from .facts import Limit, NotebookKey
from .requests import Request


class LimitEvent(str, Enum):
    """An event of a call that waits at a limit. A denial is one event for all waiting calls of a session."""

    REQUESTED = "limit_requested"
    DENIED = "limit_denied"
    WITHDRAWN = "limit_withdrawn"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLimitRequest(Request[Recorded]):
    """Record that a call waits for a limit to be raised, that a user denied it, or that it no longer waits.

    This event is not a decision and changes no figure: the call is decided, and the decision recorded, when the call is
    requested again. Without an open session the event is recorded in the ledger's own chain.
    """

    notebook: NotebookKey
    event: LimitEvent
    amount: int = 0
    """The amount that the call requests, in nano-USD."""
    needs: int = 0
    """How much the limit must be raised, in nano-USD, so that the call stays within it."""
    limit: Limit | None = None
    tool: str | None = None
    agent_id: str | None = None
    count: int = 1
    """The number of calls that a user denied."""
