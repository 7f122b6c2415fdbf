"""What every request of this process has: an id, which is its idempotency key, and the cell that makes it."""

from __future__ import annotations

import itertools
import os
import uuid
from typing import Any

from ...wire.protocol import MAX_TEXT, Cell

__all__ = ["current_cell", "is_own", "new_ask_id"]

_process = ""
_numbers = itertools.count()


def new_ask_id() -> str:
    """An id that nothing else ever has: what names this process, then a number that counts up.

    Counting, so that the ledger's index of them grows at its end: random ones touch a page of it each, and that took a
    third of a decision's own cost in a batch of 100.
    """
    return f"{_process}-{next(_numbers):08x}"


def is_own(ask_id: str) -> bool:
    """Whether this process gave the id, and not the one that it was forked off."""
    return ask_id.startswith(f"{_process}-")


def _name_process() -> None:
    global _process  # noqa: PLW0603  one for each process
    _process = uuid.uuid4().hex


_name_process()
if hasattr(os, "register_at_fork"):
    # A child goes on counting where its parent was, so it must not go by the same name.
    os.register_at_fork(after_in_child=_name_process)


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
