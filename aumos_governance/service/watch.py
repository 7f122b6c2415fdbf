"""The thread that checks waiting requests, and the times at which each waiting request must be checked.

Approval requests (`approval_watch`) and calls that wait at a limit (`limit_waits`) have such a thread each.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..ledger.contract.ledger import Ledger, Listener

BEAT_SECONDS: Final = 5.0
"""The seconds between two messages that inform a client that its request still waits."""
CHECK_SECONDS: Final = 1.0
"""The most seconds between two checks of a waiting request. It is checked even if this server changed nothing, since
another server may have changed the ledger."""


@dataclass(eq=False, slots=True, kw_only=True)
class Waiter:
    """A request that waits, with the times of its next events. All times are in seconds of the monotonic clock."""

    lease: float
    """The time when the client stops waiting. Another copy of the request may extend this time."""
    check_at: float = -math.inf
    """The time of the request's next check."""
    beat_at: float = -math.inf
    """The time of the next message that informs the client that its request still waits."""

    @property
    def due(self) -> float:
        """The time of the request's next event: the earliest of `lease`, `check_at` and `beat_at`."""
        return min(self.check_at, self.beat_at, self.lease)


class Watch:
    """A thread that calls ``check`` whenever a waiting request is due. It runs only while requests wait.

    ``due`` returns the time of the next check, by the clock ``monotonic``, or None if no request waits; it is called
    with `changed` held. The ledger calls ``on_commit`` after each commit. ``name`` is the thread's name. Every method
    may be called from any thread.
    """

    def __init__(
        self,
        ledger: Ledger,
        name: str,
        *,
        due: Callable[[], float | None],
        check: Callable[[], None],
        on_commit: Listener,
        monotonic: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._name = name
        self._due = due
        self._check = check
        self._on_commit = on_commit
        self._monotonic = monotonic
        self.changed = threading.Condition()
        """The lock that guards the owner's waiting requests. Its owner notifies it if the next check is due earlier."""
        self._watching = False
        self._closed = False
        self._unsubscribe: Callable[[], None] | None = None

    def listen(self) -> None:
        """Have the ledger call ``on_commit`` after each commit from now on. Must be called with `changed` held."""
        if self._unsubscribe is None and not self._closed:
            self._unsubscribe = self._ledger.subscribe(self._on_commit)

    def wake(self) -> None:
        """Start the thread if it does not run, and have it compute again when the next check is due.

        Must be called with `changed` held, after a request was added or the time of its next check was changed.
        """
        if not self._watching and not self._closed:
            self._watching = True
            threading.Thread(target=self._run, name=self._name, daemon=True).start()
        self.changed.notify_all()

    def close(self) -> None:
        """Unsubscribe from the ledger. The thread ends as soon as no request waits."""
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
            self._check()
