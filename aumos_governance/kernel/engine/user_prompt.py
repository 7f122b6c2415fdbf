"""Prompts the user at this kernel to approve an action, where no panel can."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from ..requests.session import Link
from ..text.action_text import approval_text

__all__ = ["user_at_prompt"]

Shown = Mapping[str, Any]


def user_at_prompt(link: Link, shell: Any) -> Callable[[Shown], bool] | None:
    """A function that prompts the user at this kernel; None where a server's panel does that, or no input is possible.

    It shows exactly what would run, and returns True only for the word yes. It raises KeyboardInterrupt when it is
    interrupted.
    """
    return _approves if link.state_file is not None and _can_type(shell) else None


def _can_type(shell: Any) -> bool:
    if threading.current_thread() is not threading.main_thread():
        # What is typed goes to the main thread.
        return False
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        # Whether the front end takes input for this cell; no public API states it before a prompt.
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
