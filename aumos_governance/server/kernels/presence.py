"""Whether a kernel's request is admitted: its process exists, and not too many requests are in flight.

When a process is gone, what it held becomes unresolved. A flood is refused at once, and not kept waiting.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from ...errors import AumOSGovernanceError, BusyError, UnavailableError
from ...ledger.contract.charges import KernelGone
from ...ledger.contract.facts import Origin
from ...ledger.contract.ledger import Ledger
from ...service.service import Reply
from ...wire.operations import ENDING
from ...wire.protocol import HELLO_REQUIRED

__all__ = [
    "MOST_IN_FLIGHT",
    "MOST_OF_ALL",
    "SHARE",
    "Admission",
    "Admitted",
    "Departures",
    "Presence",
    "process_of",
]


class Departures:
    """Reports to the ledger which kernel processes are gone, and repeats reports that failed."""

    def __init__(self, ledger: Ledger, log: logging.Logger) -> None:
        self._ledger = ledger
        self._log = log
        self._unnotified: set[str] = set()

    def report(self, incarnation: str) -> None:
        """From any thread; waits for nothing and raises nothing."""

        def done(future: Future[int]) -> None:
            error = future.exception()
            if error is None:
                self._unnotified.discard(incarnation)
            else:
                self._log.warning("What a kernel that is gone held could not be marked unresolved: %s", error)

        self._unnotified.add(incarnation)
        try:
            request = KernelGone(key="", origin=Origin("server"), incarnation=incarnation)
            self._ledger.submit(request).add_done_callback(done)
        except AumOSGovernanceError as error:
            # The ledger is closed, so the next start of a server will do it.
            self._log.warning("What a kernel that is gone held could not be marked unresolved: %s", error)

    def report_again(self) -> None:
        """Repeat the reports that failed, or are still under way: a repeated one changes nothing."""
        for incarnation in tuple(self._unnotified):
            self.report(incarnation)


class Presence:
    """One kernel's process, known by the nonce of its hello. Every method may be called from any thread.

    ``process`` names the process that the kernel's manager runs at the moment.
    """

    def __init__(self, kernel_id: str, departures: Departures, process: Callable[[], object]) -> None:
        self._kernel_id = kernel_id
        self._departures = departures
        self._process = process
        # Taken again by what goes on in the thread of the request, as with a ledger in memory.
        self._lock = threading.RLock()
        self._met_in: object = None
        self.transport: str | None = None
        """How its last request came, ``comm`` or ``socket``; None while no process is met."""
        self.nonce: str | None = None
        """None before the first hello, and when the process is gone."""

    def incarnation(self, nonce: str) -> str:
        """The process as the ledger knows it; a nonce alone could be another kernel's."""
        return f"{self._kernel_id}:{nonce}"

    def meet(self, nonce: str) -> None:
        """The kernel's process has sent its hello; the one before, if it was another, is gone."""
        with self._lock:
            before, self.nonce = self.nonce, nonce
            self._met_in = self._process()
        if before is not None and before != nonce:
            self._departures.report(self.incarnation(before))

    @contextmanager
    def attending(self, nonce: str) -> Iterator[None]:
        """Keep the process of this nonce from leaving, so that its request comes before its departure.

        Raises UnavailableError where it has left, or was never met.
        """
        with self._lock:
            self.check(nonce)
            yield

    @contextmanager
    def staying(self, nonce: str) -> Iterator[None]:
        """Around what may take long, which `attending` would make the server's loop wait for.

        A request of a process that left meanwhile comes before its departure all the same: that is reported again.
        Raises UnavailableError where it has left, or was never met.
        """
        self.check(nonce)
        try:
            yield
        finally:
            if nonce != self.nonce:
                self._departures.report(self.incarnation(nonce))

    def check(self, nonce: str | None) -> None:
        """Raises UnavailableError unless the process of this nonce is the one that was met last."""
        if nonce is None or nonce != self.nonce:
            raise UnavailableError(
                "The governance server has no connection to this kernel since it (re)started, so nothing was done;"
                " send a hello first.",
                HELLO_REQUIRED,
            )

    def leave(self) -> bool:
        """The process is gone; returns whether it had been met."""
        with self._lock:
            before, self.nonce = self.nonce, None
            self.transport = None
        if before is not None:
            self._departures.report(self.incarnation(before))
        return before is not None

    def leave_unless_in(self, process: object) -> bool:
        """As `leave`, unless this process, which runs now, is the one that was met; None: that is not known."""
        return process is not None and self._met_in is not process and self.leave()


def process_of(kernel_manager: Any) -> object:
    """What identifies the process that a kernel's manager runs now: another one after a restart."""
    provisioner = getattr(kernel_manager, "provisioner", None)
    process = getattr(provisioner, "process", None)
    return process if process is not None else getattr(provisioner, "pid", None)


# ---- how many requests are in flight

MOST_IN_FLIGHT: Final = 1_000
"""The most requests of one kernel: as many as one message holds."""
MOST_OF_ALL: Final = 10_000
"""The most requests of all kernels together. Beyond that a kernel is served up to its share alone."""
SHARE: Final = 64
"""How many requests of a kernel are in flight however many others' are."""


class Admission:
    """Counts the requests in flight of all kernels of a server. May be used from any thread."""

    def __init__(self, most: int = MOST_IN_FLIGHT, of_all: int = MOST_OF_ALL, share: int = SHARE) -> None:
        self._most = most
        self._of_all = of_all
        self._share = share
        self._lock = threading.Lock()
        self._by_kernel: dict[str, int] = {}
        self._actions: set[tuple[str, str]] = set()
        self._all = 0

    def enter(self, kernel: str, op: str, request_id: str, reply: Reply) -> Admitted:
        """Admit one request until its response; raises BusyError at once where too many are in flight.

        An ``authorize`` is in flight until its response, or until it is known to wait for a user, however often it is
        sent meanwhile.
        """
        # What ends a charge, or takes one back, may come for each of the requests that are in flight, so it has as much
        # room again: a kernel that ends sends it once.
        room = 2 if op in ENDING else 1
        action = (kernel, request_id) if op == "authorize" else None
        with self._lock:
            if action is not None and action in self._actions:
                return Admitted(reply, partial(self._leave, kernel, action))
            mine = self._by_kernel.get(kernel, 0)
            if mine >= self._most * room:
                raise BusyError(
                    f"This kernel has {mine} requests in flight, the most that the governance server takes of one, so"
                    " nothing was done; send the request again when others have their responses."
                )
            if self._all >= self._of_all * room and mine >= self._share:
                raise BusyError(
                    f"The governance server has {self._all} requests in flight, and {mine} of them are this kernel's,"
                    " so nothing was done; send the request again in a moment."
                )
            if action is not None:
                self._actions.add(action)
            self._by_kernel[kernel] = mine + 1
            self._all += 1
        return Admitted(reply, partial(self._leave, kernel, action))

    def in_flight(self, kernel: str | None = None) -> int:
        """The requests in flight of one kernel, or of all."""
        return self._all if kernel is None else self._by_kernel.get(kernel, 0)

    def _leave(self, kernel: str, action: tuple[str, str] | None) -> None:
        with self._lock:
            if action is not None:
                if action not in self._actions:
                    return
                self._actions.discard(action)
            self._all -= 1
            mine = self._by_kernel.pop(kernel) - 1
            if mine:
                self._by_kernel[kernel] = mine


class Admitted:
    """The way back of one request: calls ``reply`` with each message, and ends its flight with the first."""

    __slots__ = ("_leave", "_reply")

    def __init__(self, reply: Reply, leave: Callable[[], None]) -> None:
        self._reply = reply
        self._leave: Callable[[], None] | None = leave

    def __call__(self, response: dict[str, Any]) -> None:
        # Before the client hears of it, whose next request comes at once.
        self.leave()
        self._reply(response)

    def leave(self) -> None:
        """It is in flight no more. Idempotent."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
