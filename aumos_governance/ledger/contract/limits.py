"""What is on record of calls that wait at a limit on money."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...frozen import quick
from .audit_facts import Recorded
from .facts import Limit, NotebookKey
from .requests import Request

__all__ = ["LimitEvent", "RecordLimitRequest"]


class LimitEvent(str, Enum):
    """What happened to one call, or with ``DENIED`` to all of a session."""

    REQUESTED = "limit_requested"
    DENIED = "limit_denied"
    WITHDRAWN = "limit_withdrawn"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLimitRequest(Request[Recorded]):
    """Put on record that a call waits for a limit to be raised, that a user denies it, or that it waits no longer.

    It is no decision and changes no figure: the call's outcome is decided, and recorded, when it is requested once
    more. With no open session it is recorded in the ledger's own chain.
    """

    notebook: NotebookKey
    event: LimitEvent
    amount: int = 0
    """What the call requests, in nano-USD."""
    needs: int = 0
    """By how much it does not fit, in nano-USD."""
    limit: Limit | None = None
    tool: str | None = None
    agent_id: str | None = None
    count: int = 1
    """How many calls a user denies."""
