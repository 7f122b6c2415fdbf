"""The one line that a cell shows while a person is waited for, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from .act_text import cost_text, interrupted_text, waiting_text
from .notice import Notice

__all__ = ["Waiting"]


class Waiting:
    """Called with a server's word that it waits; `ended` then puts the outcome in the line's place.

    Where nothing was waited for, nothing is shown.
    """

    def __init__(self, shell: Any, shown: Mapping[str, Any]) -> None:
        self._notice = Notice(shell)
        self._shown = shown

    def __call__(self, waiting: Mapping[str, Any]) -> None:
        """Say that it waits."""
        until = waiting.get("until")
        ends_at = None if until is None else datetime.fromtimestamp(float(until), tz=timezone.utc).astimezone()
        self._notice.say(waiting_text(self._shown, ends_at))

    def ended(self, outcome: str) -> None:
        """Say what came of it: ``Approved`` or a denial's reason."""
        if self._notice.said:
            self._notice.say(f"{outcome}: {cost_text(self._shown)}.")

    def interrupted(self) -> None:
        """Say that nobody waits any more."""
        if self._notice.said:
            self._notice.say(interrupted_text(self._shown))
