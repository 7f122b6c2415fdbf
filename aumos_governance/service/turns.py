"""The calls that wait for their turn: which of them may be requested now, and how many may wait.

A call waits for its turn if other calls hold, or may get before it, the amounts that it needs; see `limit_waits`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Final

from ..errors import BusyError
from ..ledger.contract.charges import Charging
from ..ledger.contract.facts import NotebookKey
from ..ledger.contract.ledger import Ledger
from .queues import Queue, Queues, in_order
from .waiting_calls import WaitingCall

_MOST_OF_CALLER: Final = 256
"""The number of calls of one caller that may wait for their turn at the same time. It is lower than the number for a
notebook, so that one caller in a loop cannot keep its notebook's other callers from waiting."""
_MOST_OF_NOTEBOOK: Final = 1_024


class Turns:
    """Determines the order among ``calls``, all calls of a server's `LimitWaits`, by scope and request id.

    The lock of `LimitWaits` must be held during all methods except `queues_of` and `read_queues`, which read the
    ledger.
    """

    def __init__(self, ledger: Ledger, calls: Mapping[tuple[str, str], WaitingCall], log: logging.Logger) -> None:
        self._calls = calls
        self._queues = Queues(ledger)
        self._log = log

    def any(self) -> bool:
        """Whether any call of this server waits for its turn."""
        return any(call.queued for call in self._calls.values())

    def free(self) -> set[WaitingCall]:
        """Return the queued calls whose turn it is: no earlier call blocks their queues."""
        calls = self._queued()
        if not calls:
            self._queues.forget()
            return set()
        return {call for call, is_free in zip(calls, _order(calls), strict=True) if is_free}

    def is_free(self, new: WaitingCall) -> bool:
        """Whether a new call may be requested at once, since no queued call blocks any of its queues."""
        return _order([*self._queued(), new])[-1]

    def move_up(self, gone: WaitingCall) -> None:
        """Have the calls checked at once that share a queue with ``gone``, a call that has just stopped waiting."""
        for call in self._queued():
            if call.place == gone.place or call.queues & gone.queues:
                call.check_at, call.changed = -math.inf, call.trying

    def beside(self, call: WaitingCall) -> int:
        """Return how many other calls of this server wait, or may wait, for their turn at one of this call's limits.

        The ledger divides the remaining amount among these calls when it decides how much to grant to this call.
        """
        return sum(
            other.takes_turns and (other.place == call.place or not other.queues.isdisjoint(call.queues))
            for other in self._calls.values()
            if other is not call and not other.at_limit
        )

    def check_room(self, new: WaitingCall) -> None:
        """Raise BusyError if too many calls of this call's caller or notebook already wait for their turn."""
        queued = self._queued()
        of_caller = sum(call.caller.scope == new.caller.scope for call in queued)
        of_notebook = sum(call.place == new.place for call in queued)
        if of_caller >= _MOST_OF_CALLER or of_notebook >= _MOST_OF_NOTEBOOK:
            raise BusyError(
                f"{of_notebook} calls of this notebook already wait for others to end, so nothing was done; make this"
                " call again later."
            )

    def unread(self) -> list[WaitingCall]:
        """Return the queued calls of which only the queue at the session's budget is known so far."""
        return [call for call in self._queued() if not call.queues]

    def queues_of(self, notebook: NotebookKey, request: Charging) -> frozenset[Queue]:
        """Return the queues at all limits that apply to a request of this notebook."""
        return self._queues.of(notebook, request)

    def read_queues(self, call: WaitingCall) -> None:
        """Read the queues at all limits of a queued call from the ledger, and set them in the call.

        If the ledger cannot be read, the call gets only the queue at its session's budget.
        """
        try:
            call.queues = self.queues_of(call.caller.notebook, call.request)
        except Exception as error:  # noqa: BLE001 - the call can wait in one queue alone
            self._log.warning(
                "The ceilings around %s could not be read, so a call waits for its turn only at the session's budget:"
                " %s",
                call.caller.notebook.path,
                error,
            )
            call.queues = frozenset((call.place,))

    def _queued(self) -> list[WaitingCall]:
        return [call for call in self._calls.values() if call.queued]


def _order(calls: list[WaitingCall]) -> list[bool]:
    return in_order((call.queues or frozenset((call.place,)), call.queue) for call in calls)
