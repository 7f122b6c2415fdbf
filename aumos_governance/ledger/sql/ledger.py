"""`SqlLedger`, the ledger that a server or an SDK engine uses on a database: it batches requests and commits them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Final

from ...clock import MICROS
from ...errors import AumOSGovernanceError, ExpiredError, LedgerError, NotConfirmedError
from ..commit.dispatch import Clock, Listeners, begin, perform, system_clock
from ..commit.writer import Writer
from ..contract.audit_facts import VerifyResult
from ..contract.charges import TakeBack
from ..contract.facts import SessionState
from ..contract.ledger import Listener
from ..contract.queries import Query
from ..contract.requests import Request, ResponseT_co
from ..operations.balances import state_of
from ..rules.content import KEEP_RESPONSES
from ..transaction.work import Work
from .database import Database
from .reads import Reader
from .unconfirmed import UnconfirmedCharges

OnCommit = Callable[[int], None]
"""A function that is called after each commit, in the thread that committed, with the number of requests in the commit.
It must not block or raise."""

_PURGE_EVERY: Final = 60 * MICROS
_PURGED_AT_ONCE: Final = 5_000


class SqlLedger:
    """A `Ledger` on SQLite or PostgreSQL, which executes the requests in its queue together, in one transaction.

    Once a minute, while it is in use, it also deletes stored responses that are older than `KEEP_RESPONSES`.
    """

    def __init__(self, database: Database, *, clock: Clock = system_clock, on_commit: OnCommit | None = None) -> None:
        self.at_once = database.at_once
        self._database = database
        self._clock = clock
        self._on_commit = on_commit
        self._listeners = Listeners()
        self._reader = Reader(database, clock)
        self._states: tuple[SessionState, ...] = ()
        self._next_purge = 0
        self._closed = False

        self._writer = Writer(self._batch, self._after, name="aumos-governance-ledger", at_once=database.at_once)
        self._unconfirmed = UnconfirmedCharges(self._writer.submit)

    def execute(self, request: Request[ResponseT_co]) -> ResponseT_co:
        done: ResponseT_co = self._writer.execute(request)
        return done

    def submit(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        return self._writer.submit(request)

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        self._check()
        found: ResponseT_co = self._reader.read(query)
        return found

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        self._check()
        return self._reader.verify(session_id, known_head, under)

    def attending(self) -> frozenset[str]:
        self._check()
        return self._database.attending()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self._listeners.add(listener)

    def close(self) -> None:
        self._closed = True
        self._unconfirmed.end()
        self._writer.close()
        self._database.close()

    # ---- called by the writer, in one thread at a time

    def _batch(self, requests: Sequence[Request[Any]]) -> Sequence[Any]:
        try:
            outcomes, states = self._transaction(requests)
        except Exception as error:  # noqa: BLE001 - it is raised where the requests were made
            # A batch that may be committed must not be executed again, and a batch that cannot succeed need not be.
            hopeless = isinstance(error, NotConfirmedError)
            hopeless = hopeless or (isinstance(error, LedgerError) and self._database.would_fail_again(error))
            if hopeless:
                # The purge is put off before the callers get the error, since it would wait as long, and fail as well.
                self._next_purge = self._clock() + _PURGE_EVERY
            if len(requests) == 1 or hopeless:
                return [error] * len(requests)
            # One request made the transaction fail, so each is tried in a transaction of its own.
            alone = [self._alone(request) for request in requests]
            outcomes = [outcome for outcome, _ in alone]
            latest = {state.notebook: state for _, states in alone for state in states}
            states = tuple(latest.values())
        self._states = states
        return outcomes

    def _alone(self, request: Request[Any]) -> tuple[Any, tuple[SessionState, ...]]:
        try:
            (outcome,), states = self._transaction([request])
        except Exception as error:  # noqa: BLE001 - it is raised where the request was made
            return error, ()
        return outcome, states

    def _transaction(self, requests: Sequence[Request[Any]]) -> tuple[list[Any], tuple[SessionState, ...]]:
        outcomes: list[Any] = []
        if self._unconfirmed.charges:
            requests = [self._current(request, requests) for request in requests]

        def do(work: Work) -> tuple[list[Any], tuple[SessionState, ...]]:
            outcomes.clear()
            expiry: int | None = None
            begin(work, self._clock())
            if len(requests) > 1:
                work.preload_responses((request.origin.scope, request.key) for request in requests)
            for request in requests:
                before = work.changes
                try:
                    outcomes.append(perform(work, request, self._clock()))
                except AumOSGovernanceError as error:
                    if work.changes != before or isinstance(error, LedgerError):
                        raise
                    outcomes.append(error)
                if work.changes != before and request.expires_at is not None:
                    expiry = min(expiry or request.expires_at, request.expires_at)
            work.write()
            if expiry is not None and self._clock() > expiry:
                # The process was suspended, or the batch took long. In a batch of several, each is then tried alone.
                raise ExpiredError(
                    "The request was not committed before its expiry, so nothing was done; make it again."
                )
            states = tuple(state_of(work, notebook) for notebook in work.touched()) if self._listeners else ()
            return outcomes, states

        try:
            done = self._database.perform(requests, do)
        except NotConfirmedError:
            self._unconfirmed.add(requests, outcomes)
            raise
        if self._unconfirmed.charges:
            self._unconfirmed.confirm(requests, outcomes)
        if self._on_commit is not None:
            self._on_commit(len(requests))
        return done

    def _current(self, request: Request[Any], beside: Sequence[Request[Any]]) -> Request[Any]:
        return replace(request, charges=self._unconfirmed.current(beside)) if isinstance(request, TakeBack) else request

    def _after(self) -> None:
        states, self._states = self._states, ()
        self._listeners.notify(states)
        now = self._clock()
        if now >= self._next_purge:
            self._next_purge = now + _PURGE_EVERY
            if self._purge(now - KEEP_RESPONSES) == _PURGED_AT_ONCE:
                self._next_purge = now

    def _purge(self, before: int) -> int:
        try:
            with self._database.writing() as cursor:
                return cursor.execute(self._database.statements.purge_responses, (before, _PURGED_AT_ONCE)).rowcount  # type: ignore[no-any-return]
        except LedgerError:
            # Old responses may stay longer; they are purged later.
            return 0

    def _check(self) -> None:
        if self._closed:
            raise LedgerError("The ledger is closed.")
        self._writer.check_process()
