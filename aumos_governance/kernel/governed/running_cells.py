"""Tracks which cells run, so that functions can be called when a cell has ended, for example to settle its cost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Ending = Callable[[BaseException | None], None]


@dataclass(slots=True)
class RunningCell:
    """A cell while it runs, with the functions to call at its end."""

    info: Any
    """IPython's `ExecutionInfo` of the cell, which identifies it: the same object is passed when the cell begins and
    ends."""
    endings: list[Ending] = field(default_factory=list)
    """The functions to call when the cell has ended, the last one first. Their argument is the exception that the cell
    raised, or None."""

    @property
    def text(self) -> str:
        """The cell as the user typed it."""
        return str(self.info.raw_cell)


class _Stack(threading.local):
    """The cells that run in one thread, the innermost last.

    There may be several, since a cell can run another cell. Each thread has its own, since each of a kernel's subshells
    runs cells in a thread of its own.
    """

    def __init__(self) -> None:
        self.cells: list[RunningCell] = []


_stack = _Stack()
_leaving: set[int] = set()
"""The ids of shells for which `unfollow` was called while a cell was running. They are tracked until their cells have
ended."""


def follow(shell: Any) -> None:
    """Track the cells of ``shell`` from now on; a second call changes nothing."""
    _leaving.discard(id(shell))
    shell.events.register("pre_run_cell", _begin)
    shell.events.register("post_run_cell", _end)


def unfollow(shell: Any) -> None:
    """Stop tracking the cells of ``shell``, but only after its running cells have ended and their costs are settled."""
    if not _stack.cells:
        _forget(shell)
        return
    _leaving.add(id(shell))
    _stack.cells[0].endings.insert(0, lambda _: _forget(shell) if id(shell) in _leaving else None)


def current() -> RunningCell | None:
    """Return the innermost cell that runs in this thread.

    Returns None outside a cell, and in a cell that a front end runs silently, since IPython does not announce that.
    """
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
    # A cell has no entry if it began before the extension was loaded, or if its start was interrupted.
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
        except BaseException as error:  # noqa: BLE001 - the error must stop Run All as an error of the cell does
            _fail(result, error)


def _fail(result: Any, error: BaseException) -> None:
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None:
        raise error
    shell.showtraceback((type(error), error, error.__traceback__))
    if result is not None and result.success:
        # IPython makes the reply to the front end from this field after all `post_run_cell` callbacks have run.
        result.error_in_exec = error
