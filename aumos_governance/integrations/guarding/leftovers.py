"""Ends the charges that their callers leave open, in one background thread and when the interpreter ends.

A stream that its caller dropped is found by the garbage collector. The collector may run in any thread, even while that
thread executes the ledger's code, which must not wait for the ledger. So the finalizer only puts the stream's charge
into a queue, and the background thread ends the charge.
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

_log = logging.getLogger(__name__)
_WAITS: Final = (0.0, 0.2, 1.0, 5.0)
"""Seconds to wait before each attempt to end a charge."""
_PATIENCE: Final = 10.0
"""Seconds to wait, when the interpreter ends, until all charges in the queue are ended."""
_RESPONDED_AFTER: Final = 0.05
"""Seconds until the thread checks the charges in `_sent`. Usually a later request has read the ledger's responses about
them by then."""


class Leftover(Protocol):
    """The part of `Charge` that the background thread needs."""

    def end_now(self) -> None:
        """Settle or release the charge.

        Raises UnavailableError when that could not be recorded; the caller then tries again.
        """
        ...


class Leftovers:
    """The open charges of this process, and a queue of charges that a background thread ends one after the other."""

    def __init__(self) -> None:
        self._open: set[Leftover] = set()
        """Charges that have not ended, or that ended without a confirmation by the ledger so far."""
        self._sent: set[Leftover] = set()
        """Charges whose settlement or release was sent to the ledger and is not confirmed yet."""
        self._looking = False
        """Whether the thread was notified to check the charges in `_sent`, and has not begun."""
        self._queue: SimpleQueue[Leftover | threading.Event | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def precede(self) -> None:
        """Have `finish` run at exit before all functions registered so far, one of which may close the ledger."""
        # `atexit` runs the function that was registered last first.
        atexit.unregister(self.finish)
        atexit.register(self.finish)

    def opened(self, charge: Leftover) -> None:
        """Add a new charge; it is settled when the interpreter ends unless `ended` is called before."""
        self._open.add(charge)
        if self._thread is None:
            self._start()

    def ended(self, charge: Leftover) -> None:
        """Remove a charge that was settled or released."""
        self._open.discard(charge)
        self._sent.discard(charge)

    def sent(self, charge: Leftover) -> None:
        """Note that a charge's end was sent; the thread ends the charge itself unless `ended` is called soon."""
        self._sent.add(charge)
        if not self._looking:
            self._looking = True
            self._queue.put(None)

    def note(self, charge: Leftover) -> None:
        """Have the thread end a charge soon. Never waits, so a finalizer may call this."""
        self._queue.put(charge)

    def wait(self, timeout: float = _PATIENCE) -> bool:
        """Wait until all charges noted so far are ended; return False if that takes longer than ``timeout`` seconds."""
        if self._thread is None:
            return True
        done = threading.Event()
        self._queue.put(done)
        return done.wait(timeout)

    def finish(self) -> None:
        """End all open charges, because the interpreter ends."""
        for charge in list(self._open):
            self.note(charge)
        self.wait()

    def forget(self) -> None:
        """Forget all charges, in a forked child process; they and the thread belong to the parent process."""
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
        # This is reset first, so that a charge that is sent from now on requests another look.
        self._looking = False
        for charge in list(self._sent):
            self._end(charge)

    def _end(self, charge: Leftover) -> None:
        for wait in _WAITS:
            time.sleep(wait)
            try:
                charge.end_now()
            except UnavailableError as error:
                _log.warning("The cost of a call could not be recorded yet: %s", error)
            except ConflictError:
                break
            except AumOSGovernanceError as error:
                _log.warning("The cost of a call could not be recorded, so the amount stays held: %s", error)
                break
            except Exception:  # noqa: BLE001 - the thread must go on for the others
                _log.exception("The cost of a call could not be recorded, so the amount stays held")
                break
            else:
                break
        self.ended(charge)


leftovers: Final = Leftovers()
"""The open charges of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=leftovers.forget)
