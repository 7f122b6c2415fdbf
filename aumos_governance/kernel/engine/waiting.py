"""The line that a cell shows while it waits for a user, and then the outcome in its place."""

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

__all__ = ["until_decided", "waited"]


@contextmanager
def waited(
    shell: Any, body: Mapping[str, Any], on_waiting: OnWaiting | None, *, blocks: bool = True
) -> Iterator[OnWaiting | None]:
    """Around a request with this body: gives the function to call when it begins to wait for a user.

    That is ``on_waiting``, where there is one; else it shows a line in the cell's output, which the outcome replaces.
    Where the request does not wait, nothing is shown. A request that ``blocks`` the main thread can be interrupted in
    any cell.
    """
    if "shown" not in body:
        yield from _at_limit(shell, body, on_waiting, blocks)
        return
    with interruptible() if blocks else nullcontext():
        if on_waiting is not None or shell is None:
            yield on_waiting
            return
        line = _Line(shell, body["shown"])
        try:
            yield line.waits
        except GovernanceDeniedError as error:
            line.ended(error.denial_reason)
            raise
        except (KeyboardInterrupt, CancelledError):
            line.withdrawn()
            raise
        line.ended("Approved")


def _at_limit(
    shell: Any, body: Mapping[str, Any], on_waiting: OnWaiting | None, blocks: bool
) -> Iterator[OnWaiting | None]:
    if on_waiting is not None or "amount" not in body:
        yield on_waiting
        return
    line = LimitLine(shell, body)
    with until_decided(line, body, blocks=blocks):
        yield line.waits


@contextmanager
def until_decided(line: LimitLine, body: Mapping[str, Any], *, blocks: bool) -> Iterator[None]:
    """Around the wait for the decision of a charge with this body: shows the outcome in its line."""
    with interruptible() if blocks and "at_limit" in body else nullcontext():
        try:
            yield
        except GovernanceDeniedError:
            line.ended("Denied")
            raise
        except (KeyboardInterrupt, CancelledError):
            line.ended("Withdrawn")
            raise
        line.ended("Allowed")


class _Line:
    def __init__(self, shell: Any, shown: Mapping[str, Any]) -> None:
        self._notice = Notice(shell)
        self._shown = shown

    def waits(self, waiting: Mapping[str, Any]) -> None:
        if "needs" in waiting:
            self._notice.say(limit_text({**self._shown, "amount": self._shown.get("cost", "0")}, waiting))
            return
        self._notice.say(waiting_text(self._shown, ends_at(waiting)))

    def ended(self, outcome: str) -> None:
        if self._notice.shown:
            self._notice.say(outcome_text(self._shown, outcome))

    def withdrawn(self) -> None:
        if self._notice.shown:
            self._notice.say(withdrawn_text(self._shown))
