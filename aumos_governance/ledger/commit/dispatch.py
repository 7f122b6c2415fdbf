"""What all backends of the ledger share: which operation executes a request, when, and which listeners are notified.

It is also the one place where idempotency keys and expiry are handled.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from ...errors import ConflictError, ExpiredError, IdempotencyError, InvalidRequestError
from ..contract.agreements import Evaluate
from ..contract.facts import UNDECIDED, NotebookKey, SessionState
from ..contract.ledger import Listener
from ..contract.queries import Query
from ..contract.requests import Request
from ..operations.agents import evaluations, trust
from ..operations.approvals import approvals, reports
from ..operations.budgets import ceilings, envelopes, limit_requests
from ..operations.charges import adjustments, charges, holds, reversals
from ..operations.keys import bindings, issues, lists, revocations
from ..operations.registry import OPERATIONS, READERS
from ..operations.sessions import notebooks, sessions
from ..rules.chain import check_whole
from ..rules.content import HOUR, KEEP_RESPONSES, digest
from ..transaction.rows import NotebookAliasRow, NotebookRow, ResponseRow
from ..transaction.work import Work

__all__ = ["MODULES", "Clock", "Listeners", "begin", "perform", "reader_of", "system_clock"]

_log = logging.getLogger(__name__)

MODULES: Final = (
    *(sessions, notebooks),
    *(charges, holds, adjustments, reversals),
    *(envelopes, ceilings, limit_requests),
    *(approvals, reports),
    *(trust, evaluations),
    *(issues, bindings, revocations, lists),
)
"""All modules of operations. Each registers what it does when it is loaded, so a new one has its place here."""


Clock = Callable[[], int]
"""Gives the time in microseconds since the epoch, UTC."""


def system_clock() -> int:
    return time.time_ns() // 1000


def reader_of(query: Query[Any]) -> Callable[[Work, Any], Any] | None:
    """The function that reads this query on every backend; None where each backend reads it in its own way."""
    return READERS.get(type(query))


def begin(work: Work, now: int) -> None:
    """Start a transaction: what has come to its stated time ends before anything is decided."""
    if work.store.due(now):
        work.now = now
        holds.expire(work)


def perform(work: Work, request: Request[Any], now: int) -> Any:
    """Do one request within a transaction, or return the stored response when it was done before.

    Raises what the operation raises, with the work as it was: the transaction may go on with other requests.
    """
    work.request, work.now = request, now
    operation = OPERATIONS.get(type(request))
    if operation is None:
        raise InvalidRequestError(f"The ledger does not know the request {type(request).__name__}.")
    scope, key = request.origin.scope, request.key
    if (number := request.origin.execution_count) is not None:
        check_whole(execution_count=number)
    if (number := request.expires_at) is not None:
        check_whole(expires_at=number)
    # In memory, what is only checked and recorded is looked at well enough when its record is hashed.
    content = "" if not key and work.in_memory and type(request) is Evaluate else digest(request)
    stored = work.find(ResponseRow, scope, key) if key else None
    if stored is not None:
        return _again(work, request, stored, content)
    if request.expires_at is not None:
        if now > request.expires_at:
            raise ExpiredError("The request came to the ledger after its expiry, so nothing was done.")
        if request.expires_at > now + KEEP_RESPONSES:
            # Else a copy of it could be done once more when the key is forgotten.
            raise InvalidRequestError(
                f"A request's expiry must be at most {KEEP_RESPONSES // HOUR} hours ahead, as long as its key is kept."
            )
    response = operation(work, request)
    if not key or getattr(response, "record_id", None) == UNDECIDED:
        return response
    notebook = _notebook(work, request)
    work.add(
        ResponseRow(
            scope,
            key,
            content,
            now,
            request.expires_at,
            None if notebook is None else notebook.id,
            getattr(response, "charge_id", None),
            False,
            _kept(response),
        )
    )
    return response


def _kept(response: Any) -> Any:
    # What a user is shown is deleted once it is decided, and no copy of it may stay.
    return response if getattr(response, "shown", None) is None else replace(response, shown=None)


def _again(work: Work, request: Request[Any], stored: ResponseRow, content: str) -> Any:
    if not stored.digest or (stored.cancelled and stored.digest == content):
        raise ConflictError("The request was cancelled, so nothing was done.")
    if stored.digest != content or not _same_notebook(work, request, stored):
        raise IdempotencyError(f"The idempotency key {request.key[:80]!r} was used before with other content.")
    return stored.answer


def _same_notebook(work: Work, request: Request[Any], stored: ResponseRow) -> bool:
    # By identity and not by path: between a request and its retry the notebook may have been renamed.
    notebook = _notebook(work, request)
    if notebook is None or stored.notebook_id in (None, notebook.id):
        return True
    # It was made for a notebook that turned out to be this one.
    alias = work.find(NotebookAliasRow, stored.notebook_id)
    return alias is not None and alias.notebook_id == notebook.id


def _notebook(work: Work, request: Request[Any]) -> NotebookRow | None:
    place: NotebookKey | None = getattr(request, "notebook", None)
    return None if place is None else work.notebook(place)


class Listeners:
    """A set of listeners; one that raises is logged, and the others are notified all the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Notify ``listener`` of changes from now on; calling the returned function ends it."""

        # A list of its own object, so that one listener added twice is ended once at a time.
        def call(states: tuple[SessionState, ...]) -> None:
            listener(states)

        with self._lock:
            self._listeners = (*self._listeners, call)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not call)

        return end

    def notify(self, states: tuple[SessionState, ...]) -> None:
        if not states:
            return
        for listener in self._listeners:
            try:
                listener(states)
            except Exception:  # noqa: BLE001 - whatever it raises, the others are notified
                _log.exception("A listener of the governance ledger failed.")
