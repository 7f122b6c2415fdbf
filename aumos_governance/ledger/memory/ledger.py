"""`MemoryLedger`, the ledger in the memory of one process. Ledgers on databases must behave in the same way."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future

from ...errors import LedgerError
from ..commit.dispatch import Clock, Listeners, begin, perform, system_clock
from ..contract.audit_facts import VerifyResult
from ..contract.facts import SessionState
from ..contract.ledger import Listener
from ..contract.queries import Query
from ..contract.requests import Request, ResponseT_co
from ..operations.balances import state_of
from ..transaction.work import Work
from .reads import read
from .store import MemoryStore


class MemoryLedger:
    """A `Ledger` in memory, which executes each request in the thread of its caller while other callers wait.

    ``clock`` returns the current time in microseconds since the epoch.
    """

    at_once = True

    def __init__(self, *, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._store = MemoryStore()
        self._listeners = Listeners()
        self._closed = False
        self._pid = os.getpid()

    def execute(self, request: Request[ResponseT_co]) -> ResponseT_co:
        self._check()
        store = self._store
        with self._lock:
            store.finish()
            now = self._clock()
            states = self._expire(now) if store.due(now) else ()
            work = Work(store)
            done: ResponseT_co = perform(work, request, now)
            work.write()
            store.purge(now)
            if self._listeners:
                states += self._changed(work)
        if states:
            self._listeners.notify(states)
        return done

    def _expire(self, now: int) -> tuple[SessionState, ...]:
        # In a transaction of its own, so that the expiry is kept when the request is refused.
        work = Work(self._store)
        begin(work, now)
        work.write()
        return self._changed(work)

    def _changed(self, work: Work) -> tuple[SessionState, ...]:
        return tuple(state_of(work, notebook) for notebook in work.touched())

    def submit(self, request: Request[ResponseT_co]) -> Future[ResponseT_co]:
        future: Future[ResponseT_co] = Future()
        try:
            future.set_result(self.execute(request))
        except Exception as error:  # noqa: BLE001 - it is raised from the future
            future.set_exception(error)
        return future

    def read(self, query: Query[ResponseT_co]) -> ResponseT_co:
        self._check()
        with self._lock:
            self._store.finish()
            found: ResponseT_co = read(self._store, query, self._clock)
            return found

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        self._check()
        # Imported here, since most programs never verify, and these modules take long to load.
        from ..proof.evidence import Scope
        from ..proof.verification import verify
        from .proof_reads import MemoryEvidence

        scope = Scope(session_id, under)
        with self._lock:
            self._store.finish()
            evidence = MemoryEvidence(self._store, scope)
        return verify(evidence, scope, known_head)

    def attending(self) -> frozenset[str]:
        # No other process can open this ledger.
        return frozenset()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self._listeners.add(listener)

    def close(self) -> None:
        self._closed = True

    def _check(self) -> None:
        if self._closed:
            raise LedgerError("The ledger is closed.")
        if os.getpid() != self._pid:
            raise LedgerError(
                "This ledger was opened before the process forked, and a copy of it would diverge;"
                " open a ledger after the fork."
            )
