"""The cells that are running, and what is to be done when one of them has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["RunningCell", "current", "follow", "unfollow"]

Ending = Callable[[BaseException | None], None]


@dataclass(slots=True)
class RunningCell:
    """One cell from its beginning to its end."""

    info: Any
    """IPython's own description of it; the same object when it begins and when it ends."""
    endings: list[Ending] = field(default_factory=list)
    """Called when it has ended, the last one first, with what it raised."""

    @property
    def text(self) -> str:
        """The cell as it was typed."""
        return str(self.info.raw_cell)


class _Stack(threading.local):
    """A cell may run another one, and subshells run theirs in threads of their own."""

    def __init__(self) -> None:
        self.cells: list[RunningCell] = []


_stack = _Stack()
_leaving: set[int] = set()
"""The shells to be forgotten when their running cells have ended, unless they are followed again."""


def follow(shell: Any) -> None:
    """Follow each cell of ``shell``; a second call changes nothing."""
    _leaving.discard(id(shell))
    shell.events.register("pre_run_cell", _begin)
    shell.events.register("post_run_cell", _end)


def unfollow(shell: Any) -> None:
    """Follow no more cells. Those that run are followed to their end, which may settle what they cost."""
    if not _stack.cells:
        _forget(shell)
        return
    _leaving.add(id(shell))
    _stack.cells[0].endings.insert(0, lambda _: _forget(shell) if id(shell) in _leaving else None)


def current() -> RunningCell | None:
    """The cell that runs in this thread, the innermost one; None outside any, and in one that runs silently."""
    return _stack.cells[-1] if _stack.cells else None


def _forget(shell: Any) -> None:
    _leaving.discard(id(shell))
    for event, function in (("pre_run_cell", _begin), ("post_run_cell", _end)):
        if function in shell.events.callbacks[event]:
            shell.events.unregister(event, function)


def _begin(info: Any) -> None:
    _stack.cells.append(RunningCell(info))


def _end(result: Any) -> None:
    cells = _stack.cells
    # Loaded in the middle of a cell, or a cell whose own description got lost with an interrupt.
    info = getattr(result, "info", None)
    place = next((number for number, cell in enumerate(cells) if cell.info is info), max(0, len(cells) - 1))
    ended, cells[place:] = cells[place:], []
    for cell in reversed(ended):
        _finish(cell, result, _raised(result) if cell.info is info else KeyboardInterrupt())


def _raised(result: Any) -> BaseException | None:
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    return error


def _finish(cell: RunningCell, result: Any, raised: BaseException | None) -> None:
    for ending in reversed(cell.endings):
        try:
            ending(raised)
        except BaseException as error:  # noqa: BLE001 - it stops Run All as if the cell had raised it
            _fail(result, error)


def _fail(result: Any, error: BaseException) -> None:
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise error
    shell.showtraceback((type(error), error, error.__traceback__))
    if result is not None and result.success:
        # IPython reads the reply to the front end from here, after all callbacks of the cell's end have run.
        result.error_in_exec = error
