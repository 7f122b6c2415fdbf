"""Where threads wait for the writer's answers, and how they are woken: each by the one before it.

Woken all at once, they would wake only to wait for the interpreter's lock, and be woken again when it is their turn:
two wake-ups for each decision, which a hundred callers feel. Woken one by one, most of them need a single one.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

__all__ = ["PATIENCE_SECONDS", "Slot", "Wakings"]

PATIENCE_SECONDS: Final = 0.005
"""How long those who were answered together wait for one another, before they are all woken.

A wake-up comes late where the thread before is interrupted, or where another thread keeps the interpreter's lock.
"""


class Slot:
    """Where one thread waits for one answer; cheaper than a future."""

    __slots__ = ("_answer", "_done", "_error", "follower", "woken")

    def __init__(self) -> None:
        self._done = threading.Lock()
        self._done.acquire()
        self._answer: Any = None
        self._error: BaseException | None = None
        self.follower: Slot | None = None
        """Whom the thread that waits here wakes as soon as it is woken itself."""
        self.woken = False

    def set_running_or_notify_cancel(self) -> bool:
        return True

    def set_result(self, result: Any, /) -> None:
        self._answer = result

    def set_exception(self, exception: BaseException, /) -> None:
        self._error = exception

    def result(self) -> Any:
        """The answer, once this slot is woken. An interrupt comes through; the request may be done all the same."""
        self._done.acquire()
        follower = self.follower
        if follower is not None:
            follower.wake()
        if self._error is not None:
            raise self._error
        return self._answer

    def wake(self) -> None:
        """The answer is there. Once more does no harm, since nobody waits here twice."""
        try:  # noqa: SIM105 - the other way takes twice as long
            self._done.release()
        except RuntimeError:
            # Two did it at the same moment.
            pass
        # Only now: whoever is interrupted in between leaves it to `Wakings` to do it again.
        self.woken = True


class Wakings:
    """The slots that were answered and wait for one another. Used by the writer's thread alone."""

    def __init__(self) -> None:
        self._begun: deque[tuple[float, Sequence[Slot]]] = deque()

    def begin(self, slots: Sequence[Slot]) -> None:
        """Wake the first of these, which have their answers; each of them wakes the next."""
        for slot, follower in pairwise(slots):
            slot.follower = follower
        if len(slots) > 1:
            self._begun.append((time.monotonic() + PATIENCE_SECONDS, slots))
        if slots:
            slots[0].wake()

    def wait(self) -> float | None:
        """Wake those who have waited too long. Gives the seconds until others will have; None where nobody waits."""
        while self._begun:
            until, slots = self._begun[0]
            left = until - time.monotonic()
            if left > 0 and not slots[-1].woken:
                return left
            self._wake(slots)
            self._begun.popleft()
        return None

    def end(self) -> None:
        """Wake all."""
        while self._begun:
            self._wake(self._begun.popleft()[1])

    @staticmethod
    def _wake(slots: Sequence[Slot]) -> None:
        for slot in slots:
            if not slot.woken:
                slot.wake()
