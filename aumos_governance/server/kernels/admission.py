"""How many requests of kernels are in flight at once: a flood is refused at once, and not kept waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ...errors import BusyError
from ...service.service import Reply
from ...wire.operations import ENDING

__all__ = ["MOST_IN_FLIGHT", "MOST_OF_ALL", "SHARE", "Admission", "Admitted"]

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
        """Let one request in until its response; raises BusyError at once where too many are in flight.

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
