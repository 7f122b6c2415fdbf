"""The thread that looks after requests that wait, while any do, and what all kinds of waiting have in common."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..ledger.contract.ledger import Ledger, Listener

__all__ = ["BEAT_SECONDS", "LOOK_SECONDS", "Waiter", "Watch"]

BEAT_SECONDS: Final = 5.0
"""How often a client receives the message that its request still waits."""
LOOK_SECONDS: Final = 1.0
"""How often a request is looked at though nothing is known to have changed: another server may share the ledger."""


@dataclass(eq=False, slots=True, kw_only=True)
class Waiter:
    """A request that waits; all times are by the monotonic clock."""

    lease: float
    """When its client waits no more, unless a copy of the request extends it."""
    look_at: float = -math.inf
    beat_at: float = -math.inf

    @property
    def due(self) -> float:
        """When there is something to do for it."""
        return min(self.look_at, self.beat_at, self.lease)


class Watch:
    """Runs ``look`` in a thread of its own whenever something is due, while there is anything to wait for.

    ``due`` is called with `changed` held; it gives the time of the next look, by the monotonic clock, or None where
    nothing waits. ``hear`` is called by the ledger after each commit. Every method may be called from any thread.
    """

    def __init__(
        self,
        ledger: Ledger,
        name: str,
        *,
        due: Callable[[], float | None],
        look: Callable[[], None],
        hear: Listener,
        monotonic: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._name = name
        self._due = due
        self._look = look
        self._hear = hear
        self._monotonic = monotonic
        self.changed = threading.Condition()
        """Guards what waits."""
        self._watching = False
        self._closed = False
        self._unsubscribe: Callable[[], None] | None = None

    def listen(self) -> None:
        """Listen to the commits from now on; with `changed` held."""
        if self._unsubscribe is None and not self._closed:
            self._unsubscribe = self._ledger.subscribe(self._hear)

    def wake(self) -> None:
        """Something waits, or is due at another time; with `changed` held."""
        if not self._watching and not self._closed:
            self._watching = True
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        self.changed.notify_all()

    def close(self) -> None:
        """Stop listening, and end the thread when nothing waits."""
        with self.changed:
            self._closed = True
            self.changed.notify_all()
            unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()

    def _run(self) -> None:
        while True:
            with self.changed:
                due = self._due()
                if due is None:
                    self._watching = False
                    return
                seconds = due - self._monotonic()
                if seconds > 0:
                    self.changed.wait(seconds)
            self._look()
