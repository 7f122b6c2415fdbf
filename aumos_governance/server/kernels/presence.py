"""The conditions under which a kernel's request is admitted: its process runs, and few requests are in flight.

When a process has ended, the server reports this to the ledger, where the process's holds become unresolved: a user
must state what their calls cost. Requests beyond the limits are refused at once, and do not wait.
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

_NOT_MARKED: Final = (
    "The holds of the ended kernel process %s could not be marked as unresolved; this is repeated, at the latest by the"
    " next server: %s"
)


class Departures:
    """Reports kernels' processes that have ended to the ledger. Reports that fail are repeated by `report_again`."""

    def __init__(self, ledger: Ledger, log: logging.Logger) -> None:
        self._ledger = ledger
        self._log = log
        self._unreported: set[str] = set()

    def report(self, incarnation: str) -> None:
        """Report to the ledger that a kernel's process has ended, without waiting for the ledger.

        ``incarnation`` is the ledger's name of the process. Any thread may call this, and it raises nothing.
        """

        def done(future: Future[int]) -> None:
            error = future.exception()
            if error is None:
                self._unreported.discard(incarnation)
            else:
                self._log.warning(_NOT_MARKED, incarnation, error)

        self._unreported.add(incarnation)
        try:
            request = KernelGone(key="", origin=Origin("server"), incarnation=incarnation)
            self._ledger.submit(request).add_done_callback(done)
        except AumOSGovernanceError as error:
            # The ledger is closed, so the next server marks them at its start.
            self._log.warning(_NOT_MARKED, incarnation, error)

    def report_again(self) -> None:
        """Repeat the reports that have failed, or that the ledger has not executed yet.

        The ledger ignores a report that it has executed before.
        """
        for incarnation in tuple(self._unreported):
            self.report(incarnation)


class Presence:
    """The record of which process of one kernel may make requests: the one that sent the latest hello and still runs.

    The process is identified by its nonce, a random text in its hello. ``kernel_id`` is the kernel's id with the
    server's name before it. ``process`` returns the process that the kernel's manager runs now. Every method may be
    called from any thread.
    """

    def __init__(self, kernel_id: str, departures: Departures, process: Callable[[], object]) -> None:
        self._kernel_id = kernel_id
        self._departures = departures
        self._process = process
        # Reentrant, since a ledger in memory calls back in the thread of the request.
        self._lock = threading.RLock()
        self._met_in: object = None
        """The process that the kernel's manager ran at the time of the latest hello."""
        self.transport: str | None = None
        """The transport of the kernel's latest request, ``comm`` or ``socket``; None while ``nonce`` is None."""
        self.nonce: str | None = None
        """The nonce of the process that may make requests; None before the first hello, and after the process has
        ended."""

    def incarnation(self, nonce: str) -> str:
        """Return the ledger's name of the process with this nonce: server, kernel id and nonce.

        The nonce alone may not be unique, since the kernel chooses it.
        """
        return f"{self._kernel_id}:{nonce}"

    def meet(self, nonce: str) -> None:
        """Note that a process has sent a hello with this nonce, and may make requests from now on.

        If the hello before was from another process, that process is reported as ended.
        """
        with self._lock:
            before, self.nonce = self.nonce, nonce
            self._met_in = self._process()
        if before is not None and before != nonce:
            self._departures.report(self.incarnation(before))

    @contextmanager
    def attending(self, nonce: str) -> Iterator[None]:
        """Return a context in which the requests of the process with this nonce must be submitted to the ledger.

        If the process ends meanwhile, the report of its end is delayed until the context is left, so that the ledger
        executes these requests first. Raises UnavailableError if the process has ended or never sent a hello.
        """
        with self._lock:
            self.check(nonce)
            yield

    @contextmanager
    def staying(self, nonce: str) -> Iterator[None]:
        """Return a context like that of `attending`, for a request whose execution is waited for within the context.

        The report of the process's end is not delayed, since the server's loop would have to wait for it. If the report
        is made within the context, it is repeated afterwards, to include the request. Raises UnavailableError if the
        process with this nonce has ended or never sent a hello.
        """
        self.check(nonce)
        try:
            yield
        finally:
            if nonce != self.nonce:
                self._departures.report(self.incarnation(nonce))

    def check(self, nonce: str | None) -> None:
        """Raise UnavailableError unless the process with this nonce may make requests."""
        if nonce is None or nonce != self.nonce:
            raise UnavailableError(
                "The governance server has no connection to this kernel since it (re)started, so nothing was done;"
                " send a hello first.",
                HELLO_REQUIRED,
            )

    def leave(self) -> bool:
        """Note that the kernel's process has ended, and report it to the ledger if it had sent a hello.

        Returns whether it had. No process may make requests until the next hello.
        """
        with self._lock:
            before, self.nonce = self.nonce, None
            self.transport = None
        if before is not None:
            self._departures.report(self.incarnation(before))
        return before is not None

    def leave_unless_in(self, process: object) -> bool:
        """Call `leave` and return its result, unless the latest hello was sent while ``process`` ran.

        ``process`` is what the kernel's manager runs now. If it is None, the manager does not know its process, so this
        does nothing and returns False.
        """
        return process is not None and self._met_in is not process and self.leave()


def process_of(kernel_manager: Any) -> object:
    """Return an object that stands for the process that a kernel's manager runs now; another one after a restart.

    None if the manager does not know its process.
    """
    provisioner = getattr(kernel_manager, "provisioner", None)
    process = getattr(provisioner, "process", None)
    return process if process is not None else getattr(provisioner, "pid", None)


# ---- how many requests are in flight

MOST_IN_FLIGHT: Final = 1_000
"""The most requests that one kernel may have in flight, i.e. without a response yet: as many as fit in one message."""
MOST_OF_ALL: Final = 10_000
"""The most requests that all kernels together may have in flight. Beyond that, each kernel may have only `SHARE`."""
SHARE: Final = 64
"""The number of requests that each kernel may have in flight, however many the other kernels have."""


class Admission:
    """Counts the requests in flight of a server's kernels, and refuses requests beyond the limits.

    ``most`` is the limit for one kernel and ``of_all`` that for all kernels together. ``share`` is the number that each
    kernel may have in flight even beyond ``of_all``. Any thread may use this.
    """

    def __init__(self, most: int = MOST_IN_FLIGHT, of_all: int = MOST_OF_ALL, share: int = SHARE) -> None:
        self._most = most
        self._of_all = of_all
        self._share = share
        self._lock = threading.Lock()
        self._by_kernel: dict[str, int] = {}
        self._actions: set[tuple[str, str]] = set()
        self._all = 0

    def enter(self, kernel: str, op: str, request_id: str, reply: Reply) -> Admitted:
        """Count a request as in flight, and return the function with which to reply to it.

        The request counts until the first message to its client: the response or, if the request waits, the message
        that states this. A copy of an ``authorize`` that is in flight is not counted. Raises BusyError if the request
        would exceed a limit.
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
        """Return the number of requests in flight, of one kernel or, with None, of all kernels."""
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
    """The reply function of one admitted request. It calls `leave`, and then passes each message to ``reply``."""

    __slots__ = ("_leave", "_reply")

    def __init__(self, reply: Reply, leave: Callable[[], None]) -> None:
        self._reply = reply
        self._leave: Callable[[], None] | None = leave

    def __call__(self, response: dict[str, Any]) -> None:
        # Called before the client has the message, since the client's next request may come at once.
        self.leave()
        self._reply(response)

    def leave(self) -> None:
        """Count the request as no longer in flight. Only the first call has an effect."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()
