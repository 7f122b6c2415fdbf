"""The check that a command runs in the user's own terminal.

Commands such as changing a ceiling need it, since only a user may decide on them: in a notebook, an agent might run
them.
"""

from __future__ import annotations

import os

from ..errors import NotAllowedError
from ..wire.protocol import KERNEL_ENV, STRICT_ENV


def require_own_terminal(subject: str) -> None:
    """Raise NotAllowedError if this process is a kernel, a child process of one, or one of a strict server's children.

    ``subject`` is the beginning of the error's message, such as "Keys can only be issued and revoked".
    """
    for name in (KERNEL_ENV, STRICT_ENV):
        if os.environ.get(name):
            raise NotAllowedError(
                f"{subject} in a terminal of your own, not in a notebook or in a strict server ({name} is set here)."
            )
