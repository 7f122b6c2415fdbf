"""Letting a magic give a value to whoever assigns it, and show none where it stands alone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

__all__ = ["quiet_value"]

_STATEMENT: Final = "<module>"
_BARE: Final = frozenset({"get_ipython", "run_line_magic"})
"""The names in the code of a statement that is a line magic and nothing else."""


class _QuietHook:
    """A display hook that passes over the value of a bare magic, and hands everything else on.

    IPython puts its own hook in place for each cell and takes this one away with it at the cell's end.
    """

    def __init__(self, hook: Callable[[object], Any]) -> None:
        self._hook = hook
        self._of_thread = threading.local()

    def pass_over(self, value: object, statement: CodeType, around: frozenset[CodeType]) -> None:
        self._of_thread.last = (value, statement, around)

    def __call__(self, value: object) -> Any:
        last = getattr(self._of_thread, "last", None)
        # IPython compiles each statement of a cell by itself. So the value of `%magic` is displayed by the code that
        # ran the magic, while `d = %magic` and then `d` are two, and the user who writes `d` wants to see it.
        if last is not None and value is last[0]:
            shows = sys._getframe(1).f_code
            if shows is last[1] or shows in last[2]:
                return None
        return self._hook(value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hook, name)


def quiet_value(shell: Any, value: object, *, depth: int) -> None:
    """Show no ``Out[n]`` for ``value``, should the statement ``depth`` frames above the caller have it as its value.

    Nor where another magic runs that statement and passes its value on, as ``%%time`` does.
    """
    if not shell.display_trap.is_active:
        # No cell is running, so nothing will be displayed, and our hook would not be taken away again.
        return
    hook = sys.displayhook
    if not isinstance(hook, _QuietHook):
        # IPython's own, or the one of `%%capture`, which puts back what was there before.
        hook = sys.displayhook = _QuietHook(hook)
    frame = sys._getframe(depth + 1)
    hook.pass_over(value, frame.f_code, _around(frame))


def _around(frame: FrameType) -> frozenset[CodeType]:
    """The statements that had this one run; none where it is more than the magic, so that its value is another."""
    code = frame.f_code
    if code.co_name != _STATEMENT or not _BARE.issuperset(code.co_names):
        return frozenset()
    found, outer = [], frame.f_back
    while outer is not None:
        if outer.f_code.co_name == _STATEMENT:
            found.append(outer.f_code)
        outer = outer.f_back
    return frozenset(found)
