"""Letting a magic give a value to whoever assigns it, and show none where it stands alone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import CodeType
from typing import Any

__all__ = ["quiet_value"]


class _QuietHook:
    """A display hook that passes over the value of a bare magic, and hands everything else on.

    IPython puts its own hook in place for each cell and takes this one away with it at the cell's end.
    """

    def __init__(self, hook: Callable[[object], Any]) -> None:
        self._hook = hook
        self._of_thread = threading.local()

    def pass_over(self, value: object, statement: CodeType) -> None:
        self._of_thread.last = (value, statement)

    def __call__(self, value: object) -> Any:
        last = getattr(self._of_thread, "last", None)
        # IPython compiles each statement of a cell by itself. So the value of `%magic` is displayed by the code that
        # ran the magic, while `d = %magic` and then `d` are two, and the person who writes `d` wants to see it.
        if last is not None and value is last[0] and sys._getframe(1).f_code is last[1]:
            return None
        return self._hook(value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hook, name)


def quiet_value(shell: Any, value: object, *, depth: int) -> None:
    """Show no ``Out[n]`` for ``value``, should the statement ``depth`` frames above the caller have it as its value."""
    hook = sys.displayhook
    if hook is shell.display_trap.hook:
        hook = sys.displayhook = _QuietHook(hook)
    elif not isinstance(hook, _QuietHook):
        # No cell is running, so nothing will be displayed, and nobody would take our hook away again.
        return
    hook.pass_over(value, sys._getframe(depth + 1).f_code)
