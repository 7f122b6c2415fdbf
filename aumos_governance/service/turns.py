"""Whose turn it is among the calls that wait for what others hold, and how many may wait."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Final

from ..errors import BusyError
from ..ledger.contract.charges import Charging
from ..ledger.contract.facts import NotebookKey
from ..ledger.contract.ledger import Ledger
from .lines import Line, Lines, in_order
from .waiting_calls import WaitingCall

__all__ = ["Turns"]

_MOST_OF_CALLER: Final = 256
"""How many calls of one caller wait at most, so that one that loops leaves others a place."""
_MOST_OF_NOTEBOOK: Final = 1_024


class Turns:
    """The order among ``calls``, which came in the order that they have there.

    The lock that guards these must be held, but for `lines_of` and `read_lines`, which read the ledger.
    """

    def __init__(self, ledger: Ledger, calls: Mapping[tuple[str, str], WaitingCall], log: logging.Logger) -> None:
        self._calls = calls
        self._lines = Lines(ledger)
        self._log = log

    def any(self) -> bool:
        """Whether any call waits for its turn."""
        return any(call.in_line for call in self._calls.values())

    def free(self) -> set[WaitingCall]:
        """The calls in a line that no earlier one keeps from being tried."""
        calls = self._in_line()
        if not calls:
            self._lines.forget()
            return set()
        return {call for call, is_free in zip(calls, _order(calls), strict=True) if is_free}

    def is_free(self, new: WaitingCall) -> bool:
        """Whether a call that comes now may be tried, since none waits in any of its lines."""
        return _order([*self._in_line(), new])[-1]

    def move_up(self, gone: WaitingCall) -> None:
        """Have those in the same lines tried as soon as they are first, since this one waits no more."""
        for call in self._in_line():
            if call.place == gone.place or call.lines & gone.lines:
                call.look_at, call.changed = -math.inf, call.trying

    def beside(self, call: WaitingCall) -> int:
        """How many other calls need a share of what this one does, as far as they are known here."""
        return sum(
            other.takes_turns and (other.place == call.place or not other.lines.isdisjoint(call.lines))
            for other in self._calls.values()
            if other is not call and not other.at_limit
        )

    def check_room(self, new: WaitingCall) -> None:
        """Raises BusyError where this call may not wait, since too many of its caller or notebook do."""
        in_line = self._in_line()
        of_caller = sum(call.caller.scope == new.caller.scope for call in in_line)
        of_notebook = sum(call.place == new.place for call in in_line)
        if of_caller >= _MOST_OF_CALLER or of_notebook >= _MOST_OF_NOTEBOOK:
            raise BusyError(
                f"{of_notebook} calls of this notebook wait for others to end already, so nothing was done; make this"
                " one again later."
            )

    def unread(self) -> list[WaitingCall]:
        """The calls in a line whose other lines are not known yet."""
        return [call for call in self._in_line() if not call.lines]

    def lines_of(self, notebook: NotebookKey, request: Charging) -> frozenset[Line]:
        """The lines at all limits that this request must fit in."""
        return self._lines.of(notebook, request)

    def read_lines(self, call: WaitingCall) -> None:
        """Let it know its lines."""
        try:
            call.lines = self.lines_of(call.caller.notebook, call.request)
        except Exception as error:  # noqa: BLE001 - it only stands in one line then
            self._log.warning("The ceilings around a call that waits for its turn could not be read: %s", error)
            call.lines = frozenset((call.place,))

    def _in_line(self) -> list[WaitingCall]:
        return [call for call in self._calls.values() if call.in_line]


def _order(calls: list[WaitingCall]) -> list[bool]:
    return in_order((call.lines or frozenset((call.place,)), call.line) for call in calls)
