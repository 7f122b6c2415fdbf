"""Users' REST requests about calls that wait at a limit on money: ``GET limit-requests``, and the denial of such calls.

The calls of one session that wait for a user are shown as one limit request, since the user decides on them together.
"""

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

_KEPT: Final = 1_000
"""The number of denials whose idempotency keys are kept in memory; older keys are forgotten."""


class LimitRequests:
    """The handler of users' requests about calls that wait at limits.

    A user can deny the calls here. To allow them, the user raises the limit by another request.
    """

    def __init__(self, ledger: Ledger, waits: LimitWaits) -> None:
        self._ledger = ledger
        self._waits = waits
        self._denying = threading.Lock()
        self._denied: dict[tuple[str, str], tuple[str, int]] = {}
        """The session and the number of calls of each denial, by the scope and the key of its request."""

    def waiting(self, notebook: NotebookKey | None) -> dict[str, Any]:
        """Return the body of ``GET limit-requests``: one entry for each session with waiting calls, oldest first.

        With ``notebook``, the body has only the entry of that notebook's session, if calls of it wait.
        """
        sessions: dict[str, list[WaitingCall]] = {}
        for call in self._waits.waiting():
            if call.session_id is not None:
                sessions.setdefault(call.session_id, []).append(call)
        if notebook is not None:
            # Compared by session, since the notebook may have been renamed after the call arrived.
            own = self._ledger.read(ReadState(notebook=notebook)).session_id
            sessions = {session: calls for session, calls in sessions.items() if session == own}
        return {"limit_requests": [self._body(session, calls) for session, calls in sessions.items()]}

    def deny(self, user: User, session_id: str, key: str | None) -> dict[str, Any]:
        """Deny all calls of a session that wait for a user, and return the response's body with their number.

        ``key`` is the request's idempotency key: a denial with the same key and session only returns the first result.
        Raises NotFoundError if no call of the session waits, and IdempotencyError if ``key`` was used before for
        another session.
        """
        origin = user.origin()
        with self._denying:
            known = None if key is None else self._denied.get((origin.scope, key))
            if known is not None:
                if known[0] != session_id:
                    raise IdempotencyError(
                        "The Idempotency-Key was used before for another session; send this denial with a new key."
                    )
                return {"denied": known[1]}
            denied = self._waits.deny(origin, session_id)
            if not denied:
                raise NotFoundError(
                    f"No call of the session {session_id[:80]!r} waits at a limit; GET limit-requests lists the calls"
                    " that wait."
                )
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
    """Return the lowest limit, in nano-USD, that would allow a waiting call if no other call were allowed before it.

    It is the sum of the amounts that are charged and held now and of the least amount that the call needs.
    """
    balance = state.balance
    if call.limit.kind != "session" or state.session_id != call.session_id or balance is None:
        return call.limit.asked
    return balance.spent + balance.held + call.least
