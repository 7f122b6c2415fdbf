"""The execution of one request, the same on all backends.

`perform` checks the request's idempotency key and its expiry, and calls the function of its class in `operations`. The
module also has the clock and the listeners that all backends use.
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

_log = logging.getLogger(__name__)

MODULES: Final = (
    *(sessions, notebooks),
    *(charges, holds, adjustments, reversals),
    *(envelopes, ceilings, limit_requests),
    *(approvals, reports),
    *(trust, evaluations),
    *(issues, bindings, revocations, lists),
)
"""All modules with functions that execute requests. A module registers its functions when it is imported, so each must
be listed here."""


Clock = Callable[[], int]
"""A function that returns the current time in microseconds since the epoch, UTC."""


def system_clock() -> int:
    """Return the system's time in microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


def reader_of(query: Query[Any]) -> Callable[[Work, Any], Any] | None:
    """Return the function that executes queries of this class on every backend, or None if each backend has its own."""
    return READERS.get(type(query))


def begin(work: Work, now: int) -> None:
    """Begin a transaction: end the holds and approval requests that have expired at ``now`` (microseconds).

    So they do not count any more when the transaction's requests are decided.
    """
    if work.store.due(now):
        work.now = now
        holds.expire(work)


def perform(work: Work, request: Request[Any], now: int) -> Any:
    """Execute one request and return its response; if it was executed before, only return the stored response.

    The changes are collected in ``work``, the rows and records of the current transaction. ``now`` is the current time
    in microseconds since the epoch. Raises ConflictError if the request was cancelled, IdempotencyError if its key was
    used with other content, ExpiredError if its expiry has passed, InvalidRequestError, and the errors of the function
    that executes it. After an error, ``work`` is unchanged, so the transaction may go on with other requests.
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
    # The digest also checks the request's text. In memory, an evaluation without a key needs neither: its text is
    # checked when its record is hashed.
    content = "" if not key and work.in_memory and type(request) is Evaluate else digest(request)
    stored = work.find(ResponseRow, scope, key) if key else None
    if stored is not None:
        return _again(work, request, stored, content)
    if request.expires_at is not None:
        if now > request.expires_at:
            raise ExpiredError("The request reached the ledger after its expiry, so nothing was done; make it again.")
        if request.expires_at > now + KEEP_RESPONSES:
            # Otherwise a copy of the request could be executed again after its key was purged.
            raise InvalidRequestError(
                f"A request's expiry must be at most {KEEP_RESPONSES // HOUR} hours ahead: its key is kept no longer."
            )
    response = operation(work, request)
    if not key or getattr(response, "record_id", None) == UNDECIDED:
        return response
    notebook = _notebook(work, request)
    # The text shown to a user is deleted after the decision, so no copy of it may be stored.
    stored_response = response if getattr(response, "shown", None) is None else replace(response, shown=None)
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
            stored_response,
        )
    )
    return response


def _again(work: Work, request: Request[Any], stored: ResponseRow, content: str) -> Any:
    if not stored.digest or (stored.cancelled and stored.digest == content):
        raise ConflictError("The request was cancelled, so nothing was done.")
    if stored.digest != content or not _same_notebook(work, request, stored):
        raise IdempotencyError(
            f"The idempotency key {request.key[:80]!r} was used before with other content; use a new key."
        )
    return stored.answer


def _same_notebook(work: Work, request: Request[Any], stored: ResponseRow) -> bool:
    # Compared by id and not by path, since the notebook may have been renamed between the request and its retry.
    notebook = _notebook(work, request)
    if notebook is None or stored.notebook_id in (None, notebook.id):
        return True
    # The request may have been made for a notebook that was joined to this one.
    alias = work.find(NotebookAliasRow, stored.notebook_id)
    return alias is not None and alias.notebook_id == notebook.id


def _notebook(work: Work, request: Request[Any]) -> NotebookRow | None:
    place: NotebookKey | None = getattr(request, "notebook", None)
    return None if place is None else work.notebook(place)


class Listeners:
    """The functions that a ledger calls after each commit with the changed states of notebooks.

    If a listener raises an error, the error is logged, and the other listeners are still called.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after each commit from now on, and return a function that removes it again."""

        # Each call creates a function of its own, so that a listener that was added twice is removed once at a time.
        def call(states: tuple[SessionState, ...]) -> None:
            listener(states)

        with self._lock:
            self._listeners = (*self._listeners, call)

        def end() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not call)

        return end

    def notify(self, states: tuple[SessionState, ...]) -> None:
        """Call all listeners with the changed states; do nothing if no state has changed."""
        if not states:
            return
        for listener in self._listeners:
            try:
                listener(states)
            except Exception:  # noqa: BLE001 - whatever it raises, the others are notified
                _log.exception(
                    "A function that the governance ledger calls after each change failed; the change itself is stored."
                )
