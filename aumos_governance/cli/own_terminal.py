"""The check that a command runs in the user's own terminal, for commands whose effect only a user may decide."""

from __future__ import annotations

import os

from ..errors import NotAllowedError
from ..wire.protocol import KERNEL_ENV, STRICT_ENV


def require_own_terminal(subject: str) -> None:
    """Raise NotAllowedError in a kernel or a child process of a strict server: an agent might run the command there.

    ``subject`` begins the message, as in "Keys can only be issued and revoked".
    """
    for name in (KERNEL_ENV, STRICT_ENV):
        if os.environ.get(name):
            raise NotAllowedError(
                f"{subject} in a terminal of your own, not in a notebook or in a strict server ({name} is set here)."
            )
