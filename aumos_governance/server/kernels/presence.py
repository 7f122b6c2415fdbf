"""The conditions under which a kernel's request is admitted: its process exists, and few requests are in flight.

When a process has ended, its holds become unresolved. Requests beyond the limits are refused at once, and do not wait.
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
from ...service.callers import Reply
from ...wire.operations import ENDING
from ...wire.protocol import HELLO_REQUIRED


class Departures:
    """The reporter of ended kernel processes. It reports each to the ledger, and repeats reports that fail."""

    def __init__(self, ledger: Ledger, log: logging.Logger) -> None:
        self._ledger = ledger
        self._log = log
        self._unreported: set[str] = set()

    def report(self, incarnation: str) -> None:
        """Report to the ledger that a process has ended. Any thread may call this; it does not wait or raise."""

        def done(future: Future[int]) -> None:
            error = future.exception()
            if error is None:
                self._unreported.discard(incarnation)
            else:
                self._log.warning("The holds of a kernel that has ended could not be marked as unresolved: %s", error)

        self._unreported.add(incarnation)
        try:
            request = KernelGone(key="", origin=Origin("server"), incarnation=incarnation)
            self._ledger.submit(request).add_done_callback(done)
        except AumOSGovernanceError as error:
            # The ledger is closed, so the next server marks them at its start.
            self._log.warning("The holds of a kernel that has ended could not be marked as unresolved: %s", error)

    def report_again(self) -> None:
        """Repeat the reports that have failed or are under way; a repeated report changes nothing."""
        for incarnation in tuple(self._unreported):
            self.report(incarnation)


class Presence:
    """The current process of one kernel, identified by the nonce of its hello.

    Every method may be called from any thread. ``process`` returns the process that the kernel's manager runs now.
    """

    def __init__(self, kernel_id: str, departures: Departures, process: Callable[[], object]) -> None:
        self._kernel_id = kernel_id
        self._departures = departures
        self._process = process
        # Reentrant, since a ledger in memory calls back in the thread of the request.
        self._lock = threading.RLock()
        self._met_in: object = None
        """The kernel manager's process at the time of the hello."""
        self.transport: str | None = None
        """The transport of the latest request, ``comm`` or ``socket``; None before the first hello."""
        self.nonce: str | None = None
        """The nonce of the process; None before the first hello, and after the process has ended."""

    def incarnation(self, nonce: str) -> str:
        """Return the ledger's name of a process: server, kernel id and nonce. The nonce alone may not be unique."""
        return f"{self._kernel_id}:{nonce}"

    def meet(self, nonce: str) -> None:
        """Note the hello of a process. If another process sent the hello before, report that process as ended."""
        with self._lock:
            before, self.nonce = self.nonce, nonce
            self._met_in = self._process()
        if before is not None and before != nonce:
            self._departures.report(self.incarnation(before))

    @contextmanager
    def attending(self, nonce: str) -> Iterator[None]:
        """Delay the report that the process has ended, so that requests submitted in this context are executed first.

        Raises UnavailableError if the process with this nonce has ended, or never sent a hello.
        """
        with self._lock:
            self.check(nonce)
            yield

    @contextmanager
    def staying(self, nonce: str) -> Iterator[None]:
        """Like `attending`, for requests that may take long, so that the server's loop need not wait for them.

        The report that the process has ended is not delayed. If it was made within the context, it is repeated
        afterwards.
        Raises UnavailableError if the process with this nonce has ended, or never sent a hello.
        """
        self.check(nonce)
        try:
            yield
        finally:
            if nonce != self.nonce:
                self._departures.report(self.incarnation(nonce))

    def check(self, nonce: str | None) -> None:
        """Raise UnavailableError unless this is the nonce of the current process."""
        if nonce is None or nonce != self.nonce:
            raise UnavailableError(
                "The governance server has no connection to this kernel since it (re)started, so nothing was done;"
                " send a hello first.",
                HELLO_REQUIRED,
            )

    def leave(self) -> bool:
        """Note and report that the process has ended; return whether it had sent a hello."""
        with self._lock:
            before, self.nonce = self.nonce, None
            self.transport = None
        if before is not None:
            self._departures.report(self.incarnation(before))
        return before is not None

    def leave_unless_in(self, process: object) -> bool:
        """Call `leave` and return its result, unless the current process, ``process``, sent the hello.

        Do nothing and return False if ``process`` is None, since the current process is not known then.
        """
        return process is not None and self._met_in is not process and self.leave()


def process_of(kernel_manager: Any) -> object:
    """Return an object that identifies the process that a kernel's manager runs now; it differs after a restart."""
    provisioner = getattr(kernel_manager, "provisioner", None)
    process = getattr(provisioner, "process", None)
    return process if process is not None else getattr(provisioner, "pid", None)


# ---- how many requests are in flight

MOST_IN_FLIGHT: Final = 1_000
"""The most requests of one kernel in flight: as many as one message may have."""
MOST_OF_ALL: Final = 10_000
"""The most requests of all kernels in flight. Beyond that, each kernel may only have its share in flight."""
SHARE: Final = 64
"""The requests that a kernel may have in flight regardless of the others' number."""


class Admission:
    """The numbers of requests in flight of all kernels of a server, and their limits. May be used from any thread."""

    def __init__(self, most: int = MOST_IN_FLIGHT, of_all: int = MOST_OF_ALL, share: int = SHARE) -> None:
        self._most = most
        self._of_all = of_all
        self._share = share
        self._lock = threading.Lock()
        self._by_kernel: dict[str, int] = {}
        self._actions: set[tuple[str, str]] = set()
        self._all = 0

    def enter(self, kernel: str, op: str, request_id: str, reply: Reply) -> Admitted:
        """Count a request as in flight until its first message to the client; raises BusyError beyond a limit.

        The first message is the response or, if the request waits, the message that states this. Copies of an
        ``authorize`` in flight are not counted.
        """
        # The limit is twice as high for operations that end or cancel a charge: one may arrive for each request in
        # flight, and a kernel that ends sends each of them only once.
        room = 2 if op in ENDING else 1
        action = (kernel, request_id) if op == "authorize" else None
        with self._lock:
            if action is not None and action in self._actions:
                return Admitted(reply, partial(self._leave, kernel, action))
            mine = self._by_kernel.get(kernel, 0)
            if mine >= self._most * room:
                raise BusyError(
                    f"This kernel has {mine} requests in flight, the most that the governance server allows for one"
                    " kernel, so nothing was done; send the request again when others have their responses."
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
        """Return the number of requests in flight, of one kernel or of all."""
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
    """The reply function of an admitted request: it calls ``reply`` with each message, and `leave` before the first."""

    __slots__ = ("_leave", "_reply")

    def __init__(self, reply: Reply, leave: Callable[[], None]) -> None:
        self._reply = reply
        self._leave: Callable[[], None] | None = leave

    def __call__(self, response: dict[str, Any]) -> None:
        # Before the client has the message, since its next request may come at once.
        self.leave()
        self._reply(response)

    def leave(self) -> None:
        """Count the request as no longer in flight. Idempotent."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
