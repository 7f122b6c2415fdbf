"""The queue of requests that wait for the ledger's writer thread.

The thread takes requests of all callers in turn, so that a caller with many requests does not delay the others.
"""

from __future__ import annotations

from collections import deque
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, TypeVar

from ..contract.requests import Request

MAX_BATCH: Final = 500
"""The most requests in one transaction, so that the first of them does not wait too long for the commit."""
MAX_OF_CALLER: Final = 100
"""The most requests of one caller in one transaction. Other callers wait until that transaction ends, so one caller's
many requests must not make it long; and 100 requests share the cost of a commit nearly as well as 500."""
_OWN: Final = frozenset({"server", "ledger"})
"""The actors whose requests are executed exactly in order of arrival, and not in turn (see `Arrivals`)."""

EntryT = TypeVar("EntryT")
WaitingT = TypeVar("WaitingT")


class Lanes(Generic[EntryT]):
    """Several queues, called lanes. `take` takes entries from each in turn, so a long lane does not delay the others.

    Each lane keeps the order of its entries, and an empty lane is deleted. Only one thread at a time may use the
    object.
    """

    def __init__(self) -> None:
        self._lanes: dict[str, deque[EntryT]] = {}
        self._turns: deque[str] = deque()
        """The names of the lanes that have entries, in the order of their turns."""

    def __bool__(self) -> bool:
        return bool(self._turns)

    def add(self, lane: str, entry: EntryT) -> None:
        """Put an entry at the end of the lane of this name; an empty or new lane gets its turn after all others."""
        waiting = self._lanes.get(lane)
        if waiting is None:
            waiting = self._lanes[lane] = deque()
            self._turns.append(lane)
        waiting.append(entry)

    def take(self, most: int, of_each: int) -> list[EntryT]:
        """Remove entries and return them, one from each lane in turn.

        At most ``most`` entries are returned, and at most ``of_each`` from the same lane. The next call continues with
        the lane that has the next turn.
        """
        taken: list[EntryT] = []
        turns, lanes = self._turns, self._lanes
        if len(turns) == 1:
            # Nearly always there is one lane; this does the same as the loops below in half the time.
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
    """The queue of a ledger's requests: any thread adds requests, and the writer's thread takes and executes them.

    The requests of one caller, i.e. with the same ``origin.scope``, keep their order, and callers take turns. A request
    of the server or the ledger itself, such as a rename or the end of a kernel, is taken after all requests that were
    added before it, and before all that were added later: otherwise it could overtake the requests of that kernel.
    """

    def __init__(self) -> None:
        # Finalizers and signal handlers add requests as well, so adding must be one call that nothing can interrupt.
        self._arrived: SimpleQueue[tuple[Request[Any], WaitingT] | None] = SimpleQueue()
        self._lanes: Lanes[tuple[Request[Any], WaitingT]] = Lanes()
        self._own: tuple[Request[Any], WaitingT] | None = None
        """A request of the server or ledger itself. It is taken after all requests that are now in the lanes."""
        self._ended = False

    def add(self, request: Request[Any], waiting: WaitingT) -> None:
        """Add a request, and the object ``waiting`` to which the writer will pass its response or error.

        Any thread may call this, but not after `end`.
        """
        self._arrived.put((request, waiting))

    def end(self) -> None:
        """Close the queue: no request may be added, and the requests in it can still be taken.

        Any thread may call this.
        """
        self._arrived.put(None)

    # ---- in the writer's thread

    @property
    def over(self) -> bool:
        """Whether the queue was closed with `end`, and all its requests were taken."""
        return self._ended and not self._lanes and self._own is None

    @property
    def empty(self) -> bool:
        """Whether all requests that were added so far have been taken."""
        return not self._lanes and self._own is None and self._arrived.empty()

    def wait(self, seconds: float | None) -> bool:
        """Wait until the queue has a request or was closed; return False if neither happens within ``seconds``.

        None waits without a limit.
        """
        if not self._lanes and self._own is None and not self._ended:
            try:
                self._sort(self._arrived.get(timeout=seconds))
            except Empty:
                return False
        return True

    def take(self) -> list[tuple[Request[Any], WaitingT]]:
        """Remove the requests for the next transaction, at most `MAX_BATCH`, and return them in order of execution."""
        batch: list[tuple[Request[Any], WaitingT]] = []
        while True:
            self._sort_arrived()
            batch += self._lanes.take(MAX_BATCH - len(batch), MAX_OF_CALLER)
            if self._lanes or self._own is None or len(batch) == MAX_BATCH:
                return batch
            batch.append(self._own)
            self._own = None

    def _sort_arrived(self) -> None:
        # All requests that have arrived, and a limited number that arrive meanwhile: an endless stream of requests must
        # not keep the writer from writing.
        for _ in range(self._arrived.qsize() + MAX_OF_CALLER):
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
