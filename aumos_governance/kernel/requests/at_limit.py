"""What is to become of this kernel's calls that do not fit, as ``%governance --at-limit`` said it."""

from __future__ import annotations

from typing import Final

from ...errors import InvalidRequestError

__all__ = ["at_limit_field", "choose"]

_CHOICES: Final = ("ask", "deny")
_chosen: dict[str, str] = {}
"""The field that requests carry; empty where nothing was said, which leaves it to the server."""


def choose(choice: str) -> None:
    """``ask`` lets calls wait for a user at a limit, ``deny`` does not; for this kernel, until it ends.

    Raises InvalidRequestError for anything else.
    """
    global _chosen  # noqa: PLW0603 - one process is one kernel
    if choice not in _CHOICES:
        raise InvalidRequestError(f"--at-limit takes ask or deny, not {choice[:40]!r}.")
    _chosen = {"at_limit": choice}


def at_limit_field() -> dict[str, str]:
    """What a request says of it."""
    return _chosen
