"""Entries that wait in lanes, one lane for each caller, and are taken in turns."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

__all__ = ["Lanes"]

EntryT = TypeVar("EntryT")


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
