"""The ledger in memory: for one process, gone with it. Also the reference for the other backends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future

from ..errors import LedgerError, NotFoundError
from .base import AnswerT_co, Listener, Query, Request, SessionState, VerifyResult
from .chain import LEDGER_CHAIN
from .clock import Clock, system_clock
from .dispatch import begin, perform
from .listeners import Listeners
from .memory_reads import answer
from .memory_store import MemoryStore
from .operations.states import state_of
from .rows import ChainRow
from .verify import ChainEnd, Walk, walk_all
from .work import Work

__all__ = ["MemoryLedger"]


class MemoryLedger:
    """A `Ledger` that does each request at once, in the caller's thread."""

    at_once = True

    def __init__(self, *, clock: Clock = system_clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._store = MemoryStore()
        self._listeners = Listeners()
        self._closed = False
        self._pid = os.getpid()

    def execute(self, request: Request[AnswerT_co]) -> AnswerT_co:
        self._check()
        store = self._store
        with self._lock:
            store.finish()
            now = self._clock()
            states = self._expire(now) if store.due(now) else ()
            work = Work(store)
            done: AnswerT_co = perform(work, request, now)
            work.write()
            store.purge(now)
            if self._listeners:
                states += self._changed(work)
        if states:
            self._listeners.tell(states)
        return done

    def _expire(self, now: int) -> tuple[SessionState, ...]:
        # In a transaction of its own, so that it stands when the request is refused.
        work = Work(self._store)
        begin(work, now)
        work.write()
        return self._changed(work)

    def _changed(self, work: Work) -> tuple[SessionState, ...]:
        return tuple(state_of(work, notebook) for notebook in work.touched())

    def submit(self, request: Request[AnswerT_co]) -> Future[AnswerT_co]:
        future: Future[AnswerT_co] = Future()
        try:
            future.set_result(self.execute(request))
        except Exception as error:  # noqa: BLE001 - it is raised from the future
            future.set_exception(error)
        return future

    def read(self, query: Query[AnswerT_co]) -> AnswerT_co:
        self._check()
        with self._lock:
            self._store.finish()
            found: AnswerT_co = answer(self._store, query, self._clock)
            return found

    def verify(
        self, session_id: str | None = None, *, known_head: str | None = None, under: tuple[str, str] | None = None
    ) -> VerifyResult:
        self._check()
        with self._lock:
            self._store.finish()
            records = {name: tuple(rows) for name, rows in self._store.chains.items()}
            ends = {
                row.chain: ChainEnd(row.count, row.head)
                for row in self._store.tables[ChainRow].values()
                if isinstance(row, ChainRow)
            }
            of_server = None if under is None else self._store.of_server(*under)
        walk = Walk(known_head)
        if of_server is not None:
            walk.notebooks, sessions = of_server
            own = {LEDGER_CHAIN, *sessions}
            records = {name: rows for name, rows in records.items() if name in own}
            ends = {name: end for name, end in ends.items() if name in own}
        if session_id is None:
            ledger = records.pop(LEDGER_CHAIN)
            return walk_all(walk, ledger, (row for rows in records.values() for row in rows), ends)
        if session_id not in ends:
            raise NotFoundError(f"There is no session {session_id!r}.")
        walk.chain(session_id, records.get(session_id, ()), ends[session_id])
        return walk.result(walked_all=False)

    def attending(self) -> frozenset[str]:
        # No other process can see it.
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
                "This ledger was opened before the process forked, and a copy of it would go its own way;"
                " open a ledger after the fork."
            )
