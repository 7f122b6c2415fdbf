"""The name of the owner of notebooks and agents, by the same rule in the server, the embedded engine and the SDK."""

from __future__ import annotations

import getpass
import os


def owner() -> str:
    """Return the user's name: ``JUPYTERHUB_USER``, else the operating system's user name, else ``uid:<number>``."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (ImportError, KeyError, OSError):
        # A container may run with a user id that has no name.
        return f"uid:{os.getuid()}" if hasattr(os, "getuid") else ""
