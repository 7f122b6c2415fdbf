"""What waits for the writer's thread, in the order in which it is done: the callers take turns."""

from __future__ import annotations

from collections import deque
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from ..contract.requests import Request

__all__ = ["MAX_BATCH", "MAX_OF_ONE", "Arrivals", "Lanes"]

MAX_BATCH: Final = 500
"""The most requests of one transaction, so that the first of them does not wait for ever."""
MAX_OF_ONE: Final = 100
"""The most requests of one caller in a transaction. Another caller's request waits for the transaction that has begun,
so a flood must not make it long; and 100 requests share the price of a commit nearly as well as 500."""
_OWN: Final = frozenset({"server", "ledger"})

EntryT = TypeVar("EntryT")
WaitingT = TypeVar("WaitingT")


class Lanes(Generic[EntryT]):
    """Round robin between lanes: a long lane delays no other one. Each lane keeps its own order.

    Used by one thread at a time.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, deque[EntryT]] = {}
        self._turns: deque[str] = deque()
        """The lanes that have entries, the next first."""

    def __bool__(self) -> bool:
        return bool(self._turns)

    def add(self, lane: str, entry: EntryT) -> None:
        """Put the entry at the end of its lane; a lane that was empty gets its turn after all others."""
        waiting = self._lanes.get(lane)
        if waiting is None:
            waiting = self._lanes[lane] = deque()
            self._turns.append(lane)
        waiting.append(entry)

    def take(self, most: int, of_each: int) -> list[EntryT]:
        """Take at most ``most`` entries, one of each lane in turn, and at most ``of_each`` of a lane.

        The next call goes on with the lane that follows.
        """
        taken: list[EntryT] = []
        turns, lanes = self._turns, self._lanes
        if len(turns) == 1:
            # As nearly always: what the loops below do, in half the time.
            waiting = lanes[turns[0]]
            taken = [waiting.popleft() for _ in range(min(len(waiting), most, of_each))]
            if not waiting:
                del lanes[turns.popleft()]
            return taken
        for _ in range(of_each):
            for _ in range(min(len(turns), most - len(taken))):
                lane = turns.popleft()
                waiting = lanes[lane]
                taken.append(waiting.popleft())
                if waiting:
                    turns.append(lane)
                else:
                    del lanes[lane]
            if not turns or len(taken) == most:
                break
        return taken


class Arrivals(Generic[WaitingT]):
    """A queue to which any thread adds, and from which the writer's thread takes.

    Requests of one caller, which is the scope of their origin, keep their order, and callers take turns. What the
    server or the ledger requests of its own accord (a rename, the end of a kernel) keeps its place among all others: a
    kernel's requests must not be overtaken by its end, nor by a rename of its notebook.
    """

    def __init__(self) -> None:
        # Added to by finalizers and signal handlers as well, so by one call that nothing interrupts.
        self._arrived: SimpleQueue[tuple[Request[Any], WaitingT] | None] = SimpleQueue()
        self._lanes: Lanes[tuple[Request[Any], WaitingT]] = Lanes()
        self._own: tuple[Request[Any], WaitingT] | None = None
        """A request of the server's own, before which all that the lanes hold is done."""
        self._ended = False

    def add(self, request: Request[Any], waiting: WaitingT) -> None:
        """From any thread, before `end`."""
        self._arrived.put((request, waiting))

    def end(self) -> None:
        """From any thread: nothing is added after this."""
        self._arrived.put(None)

    # ---- in the writer's thread

    @property
    def over(self) -> bool:
        """Whether the end was reached, and everything before it was taken."""
        return self._ended and not self._lanes and self._own is None

    @property
    def empty(self) -> bool:
        """Whether everything that was added is taken."""
        return not self._lanes and self._own is None and self._arrived.empty()

    def wait(self, seconds: float | None) -> bool:
        """Wait until there is something to take, or the end; False where neither came within so long."""
        if not self._lanes and self._own is None and not self._ended:
            try:
                self._sort(self._arrived.get(timeout=seconds))
            except Empty:
                return False
        return True

    def take(self) -> list[tuple[Request[Any], WaitingT]]:
        """The requests of the next transaction."""
        batch: list[tuple[Request[Any], WaitingT]] = []
        while True:
            self._sort_arrived()
            batch += self._lanes.take(MAX_BATCH - len(batch), MAX_OF_ONE)
            if self._lanes or self._own is None or len(batch) == MAX_BATCH:
                return batch
            batch.append(self._own)
            self._own = None

    def _sort_arrived(self) -> None:
        # All that are there, and some that come meanwhile; not all, or a flood could keep the writer from writing.
        for _ in range(self._arrived.qsize() + MAX_OF_ONE):
            if self._own is not None:
                break
            try:
                entry = self._arrived.get_nowait()
            except Empty:
                break
            self._sort(entry)

    def _sort(self, entry: tuple[Request[Any], WaitingT] | None) -> None:
        if entry is None:
            self._ended = True
            return
        origin = entry[0].origin
        if origin.actor in _OWN and not origin.person:
            self._own = entry
        else:
            self._lanes.add(origin.scope, entry)
