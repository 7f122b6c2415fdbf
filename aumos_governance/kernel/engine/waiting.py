"""Shows in a cell's output that a call or action waits for a user or for its turn, and later the outcome."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from ...errors import GovernanceDeniedError
from ..requests.in_flight import OnWaiting
from ..text.action_text import ends_at, outcome_text, waiting_text, withdrawn_text
from ..text.limit_line import LimitLine, limit_text
from ..text.notice import Notice
from ..transports.waiter import interruptible


@contextmanager
def showing_wait(
    shell: Any, body: Mapping[str, Any], on_waiting: OnWaiting | None, *, blocks: bool = True
) -> Iterator[OnWaiting | None]:
    """Return a context for making one request; while the request waits, the cell's output shows that.

    The context's value is a function to be called when the request begins to wait: ``on_waiting`` if that is not None,
    else one that shows a line in the cell's output. When the context ends, the outcome replaces the line.

    ``body`` is the request's body. ``blocks`` is whether the request blocks its thread; in the main thread, an
    interrupt then ends the wait, whichever cell runs.
    """
    if "shown" not in body:
        yield from _at_limit(shell, body, on_waiting, blocks)
        return
    with interruptible() if blocks else nullcontext():
        if on_waiting is not None or shell is None:
            yield on_waiting
            return
        line = _ApprovalLine(shell, body["shown"])
        try:
            yield line.show_waiting
        except GovernanceDeniedError as error:
            line.show_outcome(error.denial_reason)
            raise
        except (KeyboardInterrupt, CancelledError):
            line.show_withdrawn()
            raise
        line.show_outcome("Approved")


def _at_limit(
    shell: Any, body: Mapping[str, Any], on_waiting: OnWaiting | None, blocks: bool
) -> Iterator[OnWaiting | None]:
    if on_waiting is not None or "amount" not in body:
        yield on_waiting
        return
    line = LimitLine(shell, body)
    with showing_outcome(line, body, blocks=blocks):
        yield line.show_waiting


@contextmanager
def showing_outcome(line: LimitLine, body: Mapping[str, Any], *, blocks: bool) -> Iterator[None]:
    """Return a context for waiting for the decision on a charge; at its end, the outcome replaces ``line``, if shown.

    ``body`` is the body of the request for the charge, and ``blocks`` is whether waiting blocks the thread.
    """
    with interruptible() if blocks and "at_limit" in body else nullcontext():
        try:
            yield
        except GovernanceDeniedError:
            line.show_outcome("Denied")
            raise
        except (KeyboardInterrupt, CancelledError):
            line.show_outcome("Withdrawn")
            raise
        line.show_outcome("Allowed")


class _ApprovalLine:
    """The line that a cell shows while an action waits for approval; ``shown`` has what the user sees of the action."""

    def __init__(self, shell: Any, shown: Mapping[str, Any]) -> None:
        self._notice = Notice(shell)
        self._shown = shown

    def show_waiting(self, waiting: Mapping[str, Any]) -> None:
        if "needs" in waiting:
            self._notice.show(limit_text({**self._shown, "amount": self._shown.get("cost", "0")}, waiting))
            return
        self._notice.show(waiting_text(self._shown, ends_at(waiting)))

    def show_outcome(self, outcome: str) -> None:
        if self._notice.shown:
            self._notice.show(outcome_text(self._shown, outcome))

    def show_withdrawn(self) -> None:
        if self._notice.shown:
            self._notice.show(withdrawn_text(self._shown))
