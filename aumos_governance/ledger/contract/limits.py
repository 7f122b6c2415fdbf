"""The request that records what happens to a call that waits at a limit on money, until a user raises the limit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ...frozen import quick
from .audit_facts import Recorded
from .facts import Limit, NotebookKey
from .requests import Request


class LimitEvent(str, Enum):
    """An event in the life of a call that waits at a limit on money. The values are events of audit records."""

    REQUESTED = "limit_requested"
    """The call began to wait for a user to raise the limit."""
    DENIED = "limit_denied"
    """A user denied the raise. This is one event for all waiting calls of the session."""
    WITHDRAWN = "limit_withdrawn"
    """The call no longer waits, since its client has cancelled it or is gone."""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class RecordLimitRequest(Request[Recorded]):
    """Record that a call waits for a user to raise a limit, that a user denied this, or that the call no longer waits.

    The record changes no amount, and it does not decide the call. The ledger decides the call, and records this, when
    the caller makes the call's request again. Without an open session, the event is recorded in the ledger's own chain
    of audit records instead of the session's.
    """

    notebook: NotebookKey
    event: LimitEvent
    amount: int = 0
    """The amount that the call needs, in nano-USD; for the event `LimitEvent.DENIED`, the sum for all denied calls."""
    needs: int = 0
    """The amount, in nano-USD, by which the limit must be raised so that the call stays within it."""
    limit: Limit | None = None
    tool: str | None = None
    agent_id: str | None = None
    count: int = 1
    """For the event `LimitEvent.DENIED`, the number of waiting calls that the user denied."""
