"""Which cell is running."""

from __future__ import annotations

from typing import Any

from ...wire.protocol import MAX_TEXT, Cell

__all__ = ["current_cell"]


def current_cell(shell: Any) -> Cell:
    """The id and execution count of the cell that runs in ``shell``, as far as front end and kernel tell them.

    From a thread that outlives its cell it is the cell that runs now.
    """
    # The number that Out[n] would get: IPython's versions count execution_count up before or after the cell.
    count = getattr(getattr(shell, "displayhook", None), "prompt_count", None)
    return Cell(_cell_id(shell), count if isinstance(count, int) and count > 0 else None)


def _cell_id(shell: Any) -> str | None:
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return None
    try:
        told = kernel.get_parent("shell")["metadata"]["cellId"]
    except (AttributeError, KeyError, TypeError, LookupError):
        return None
    return told if isinstance(told, str) and 0 < len(told) <= MAX_TEXT else None
