"""Asks the user at this kernel, by a prompt, to approve an action. It is for kernels without a server and its panel."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..requests.connection import Connection
from ..text.action_text import approval_text

Shown = Mapping[str, Any]


def user_at_prompt(connection: Connection, shell: Any) -> Callable[[Shown], bool] | None:
    """Return a function that prompts the user at this kernel to approve an action; None if there can be no prompt.

    There can be none in a governed kernel, where users decide in the panel, and if the user cannot type input. The
    function shows exactly what would run, returns True only if the user types yes, and raises KeyboardInterrupt if it
    is interrupted.
    """
    return _approves if connection.state_file is not None and _can_type(shell) else None


def _can_type(shell: Any) -> bool:
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread can read the user's input.
        return False
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        # This states whether the front end allows input for this cell; no public API states it before a prompt.
        return bool(getattr(kernel, "_allow_stdin", False))
    return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty() and sys.stdout.isatty()


def _approves(shown: Shown) -> bool:
    sys.stdout.write("".join(f"{line}\n" for line in approval_text(shown)))
    sys.stdout.flush()
    try:
        typed = input("Run it? Type yes to run it; anything else denies it: ")
    except EOFError:
        return False
    return typed.strip().casefold() == "yes"
