"""The name of the owner, i.e. the user whose notebooks and agents are governed.

The server, a kernel's embedded engine and the SDK find the name by the same rule, so that they share the user's data.
"""

from __future__ import annotations

import getpass
import os


def owner() -> str:
    """Return the name of the user whose process this is.

    It is the value of ``JUPYTERHUB_USER``, else the operating system's user name, else ``uid:<number>``.
    """
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (ImportError, KeyError, OSError):
        # A container may run with a user id that has no name.
        return f"uid:{os.getuid()}" if hasattr(os, "getuid") else ""
