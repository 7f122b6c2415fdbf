"""What requests of this process say beside what they are about.

An id, which is the idempotency key; the cell that makes them; and what is to become of charges that do not fit, as
``%governance --at-limit`` said it.
"""

from __future__ import annotations

import itertools
import os
import uuid
from typing import Any, Final

from ...errors import InvalidRequestError
from ...wire.protocol import MAX_TEXT, Cell

__all__ = ["at_limit_field", "choose_at_limit", "current_cell", "is_own", "new_ask_id"]

_process = ""
_numbers = itertools.count()
_AT_LIMIT: Final = ("ask", "deny")
_chosen: dict[str, str] = {}
"""The field that charges carry; empty where nothing was said, which leaves it to the server."""


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


def choose_at_limit(choice: str) -> None:
    """``ask`` lets calls wait for a user at a limit, ``deny`` does not; for this kernel, until it ends.

    Raises InvalidRequestError for anything else.
    """
    global _chosen  # noqa: PLW0603 - one process is one kernel
    if choice not in _AT_LIMIT:
        raise InvalidRequestError(f"--at-limit takes ask or deny, not {choice[:40]!r}.")
    _chosen = {"at_limit": choice}


def at_limit_field() -> dict[str, str]:
    """What a request says of it."""
    return _chosen
