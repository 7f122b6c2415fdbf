"""Shows in a cell's output that a call exceeds a limit and waits for a user, and later the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...printing import printable
from ...wire.denials import CODE_BUDGET, SESSION_BUDGET
from .action_text import ends_at
from .display import usd
from .notice import Notice


class LimitLine:
    """The line in a cell's output about one call that waits at a limit; it is shown only if the call waits.

    ``call`` is the body of the call's request.
    """

    def __init__(self, shell: Any, call: Mapping[str, Any]) -> None:
        self._shell = shell
        self._call = call
        self._notice: Notice | None = None

    def show_waiting(self, waiting: Mapping[str, Any]) -> None:
        """Show that the call waits; ``waiting`` is the server's message, which states the missing amount."""
        if self._shell is None or "needs" not in waiting:
            return
        if self._notice is None:
            self._notice = Notice(self._shell)
        self._notice.show(limit_text(self._call, waiting))

    def show_outcome(self, outcome: str) -> None:
        """Replace the line by the outcome, ``Allowed``, ``Denied`` or ``Withdrawn``, if the line is shown."""
        if self._notice is not None:
            self._notice.show(f"{outcome} after waiting at the limit: {_call_text(self._call)}.")


def limit_text(call: Mapping[str, Any], waiting: Mapping[str, Any]) -> str:
    """Return the line about a call that waits at a limit: the missing amount, what a user can do, and until when."""
    limit: Mapping[str, Any] = waiting.get("limit") or {}
    kind, name = limit.get("kind"), printable(str(limit.get("name", "")))
    until = ends_at(waiting)
    ends = "" if until is None else f" Denied at {until:%H:%M:%S} otherwise."
    needs = f"Waiting at the limit: {_call_text(call)} needs {usd(str(waiting['needs']))} more than"
    place = "under the cell or in the governance panel"
    if kind == SESSION_BUDGET:
        return (
            f"{needs} the budget has left. Raise the budget or deny the call {place}; interrupt the kernel to"
            f" withdraw it.{ends}"
        )
    # Neither limit can be raised in the panel; the card under the cell states the same.
    raised = (
        f"the budget {name!r} has left. This budget is set by code, not in the panel."
        if kind == CODE_BUDGET
        else f"the limit {name!r} has left. Ask its administrator to raise it."
    )
    return f"{needs} {raised} Deny the call {place}, or interrupt the kernel to withdraw it.{ends}"


def _call_text(call: Mapping[str, Any]) -> str:
    return f"{printable(str(call.get('tool', 'unknown')))}, {usd(str(call.get('amount', '0')))}"
