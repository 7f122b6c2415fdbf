"""Charges whose caller is gone: settled in a thread of their own, or when the interpreter ends.

A stream that is dropped is found by the garbage collector, which may run in any thread, also within the ledger. There
nothing may be waited for, so what is left over is only noted, and settled from here.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from queue import Empty, SimpleQueue
from typing import Final, Protocol

from ...errors import AumOSGovernanceError, ConflictError, UnavailableError

__all__ = ["Leftover", "Leftovers", "leftovers"]

_log = logging.getLogger(__name__)
_WAITS: Final = (0.0, 0.2, 1.0, 5.0)
"""Seconds before each attempt to settle what could not be settled."""
_PATIENCE: Final = 10.0
_RESPONDED_AFTER: Final = 0.05
"""Seconds after which a response is looked for; in most cases the next request has read it before."""


class Leftover(Protocol):
    """A charge that can be ended from any thread."""

    def end_now(self) -> None:
        """Settle it. Raises UnavailableError when that could not be recorded; then it is tried again."""
        ...


class Leftovers:
    """Notes charges from anywhere, and ends them one after the other."""

    def __init__(self) -> None:
        self._open: set[Leftover] = set()
        self._sent: set[Leftover] = set()
        self._looking = False
        self._queue: SimpleQueue[Leftover | threading.Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def precede(self) -> None:
        """When the interpreter ends, settle before anything registered so far runs, such as a ledger's end."""
        # What was registered last runs first.
        atexit.unregister(self.finish)
        atexit.register(self.finish)

    def opened(self, charge: Leftover) -> None:
        """A charge was made: when the interpreter ends before `ended`, it is settled then."""
        self._open.add(charge)
        if self._thread is None:
            self._start()

    def ended(self, charge: Leftover) -> None:
        """A charge was settled or released."""
        self._open.discard(charge)
        self._sent.discard(charge)

    def sent(self, charge: Leftover) -> None:
        """A charge's end was sent, and is on record when `ended` says so; else it is looked after, in a moment."""
        self._sent.add(charge)
        if not self._looking:
            self._looking = True
            self._queue.put(None)

    def note(self, charge: Leftover) -> None:
        """Have a charge settled soon. Never waits, so it may be called by a finalizer."""
        self._queue.put(charge)

    def wait(self, timeout: float = _PATIENCE) -> bool:
        """Wait until all that was noted so far is settled; False when it takes longer."""
        if self._thread is None:
            return True
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout)

    def finish(self) -> None:
        """Settle everything that is open: the interpreter ends."""
        for charge in list(self._open):
            self.note(charge)
        self.wait()

    def forget(self) -> None:
        """In the child after a fork: start empty, since open charges and the thread belong to the parent process."""
        self.__init__()  # type: ignore[misc]

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name="aumos-governance-leftovers", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        look_at: float | None = None
        while True:
            try:
                found = self._queue.get(timeout=None if look_at is None else max(0.0, look_at - time.monotonic()))
            except Empty:
                look_at = None
                self._look()
                continue
            if found is None:
                look_at = time.monotonic() + _RESPONDED_AFTER
            elif isinstance(found, threading.Event):
                self._look()
                found.set()
            else:
                self._end(found)

    def _look(self) -> None:
        # What is sent from here on is looked after by itself.
        self._looking = False
        for charge in list(self._sent):
            self._end(charge)

    def _end(self, charge: Leftover) -> None:
        for wait in _WAITS:
            time.sleep(wait)
            try:
                charge.end_now()
            except UnavailableError as error:
                _log.warning("A charge could not be settled yet: %s", error)
            except ConflictError:
                break
            except AumOSGovernanceError as error:
                _log.warning("A charge could not be settled, and stays held: %s", error)
                break
            except Exception:  # noqa: BLE001 - the thread must go on for the others
                _log.exception("A charge could not be settled, and stays held")
                break
            else:
                break
        self.ended(charge)


leftovers: Final = Leftovers()
"""Those of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=leftovers.forget)
