"""The calls that wait at a limit on money, as a user sees them and denies them: one entry for each session."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, Final

from ..clock import MICROS
from ..errors import IdempotencyError, NotFoundError
from ..ledger.contract.facts import NotebookKey, SessionState
from ..ledger.contract.ledger import Ledger
from ..ledger.contract.queries import ReadState
from ..wire.waiting_bodies import limit_request_body
from .limit_waits import LimitWaits
from .users import User
from .waiting_calls import WaitingCall

__all__ = ["LimitRequests"]

_KEPT: Final = 1_000
"""How many denials are known again by their keys."""


class LimitRequests:
    """What waits at limits on one server. A user lets it go on by raising the limit, not here."""

    def __init__(self, ledger: Ledger, waits: LimitWaits) -> None:
        self._ledger = ledger
        self._waits = waits
        self._denying = threading.Lock()
        self._denied: dict[tuple[str, str], tuple[str, int]] = {}
        """By scope and key: the session, and how many calls were denied."""

    def waiting(self, notebook: NotebookKey | None) -> dict[str, Any]:
        """One entry for each session that waits, the first to wait first; those of one notebook where it is given."""
        sessions: dict[str, list[WaitingCall]] = {}
        for call in self._waits.waiting():
            if call.session_id is not None:
                sessions.setdefault(call.session_id, []).append(call)
        if notebook is not None:
            # The file may have another name now than when the call came.
            own = self._ledger.read(ReadState(notebook=notebook)).session_id
            sessions = {session: calls for session, calls in sessions.items() if session == own}
        return {"limit_requests": [self._body(session, calls) for session, calls in sessions.items()]}

    def deny(self, user: User, session_id: str, key: str | None) -> dict[str, Any]:
        """A user denies all calls of a session that wait. Raises NotFoundError where none waits."""
        origin = user.origin()
        with self._denying:
            known = None if key is None else self._denied.get((origin.scope, key))
            if known is not None:
                if known[0] != session_id:
                    raise IdempotencyError("The Idempotency-Key was used before with other content.")
                return {"denied": known[1]}
            denied = self._waits.deny(origin, session_id)
            if not denied:
                raise NotFoundError(f"No call of the session {session_id[:80]!r} waits at a limit.")
            if key is not None:
                while len(self._denied) >= _KEPT:
                    self._denied.pop(next(iter(self._denied)))
                self._denied[origin.scope, key] = (session_id, denied)
            return {"denied": denied}

    def _body(self, session_id: str, calls: list[WaitingCall]) -> dict[str, Any]:
        first = calls[0]
        state = self._ledger.read(ReadState(notebook=first.caller.notebook))
        requested = _requested(first, state)
        further = sum(call.least for call in calls[1:])
        return limit_request_body(
            replace(first.request, amount=first.least),
            first.limit,
            id=session_id,
            agent_id=first.request.agent_id or state.agent_id,
            count=len(calls),
            needs=max(0, requested - first.limit.allowed),
            needs_all=max(0, requested + further - first.limit.allowed),
            cell={"id": first.wire_request.cell.id, "count": first.wire_request.cell.count},
            notebook=first.caller.notebook.path,
            at=int(first.since * MICROS),
            until=int(first.until * MICROS),
        )


def _requested(call: WaitingCall, state: SessionState) -> int:
    """What the limit would have to be for this call alone, in nano-USD, as of now."""
    balance = state.balance
    if call.limit.kind != "session" or state.session_id != call.session_id or balance is None:
        return call.limit.asked
    return balance.spent + balance.held + call.least
