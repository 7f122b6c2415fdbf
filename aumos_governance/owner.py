"""Whose notebooks and agents these are: one rule for the server, the embedded engine and the SDK."""

from __future__ import annotations

import getpass
import os

__all__ = ["owner"]


def owner() -> str:
    """The hub's user (``JUPYTERHUB_USER``), or else the operating system's; ``uid:<number>`` for one without a name."""
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (ImportError, KeyError, OSError):
        # A container may run under a number that has no name.
        return f"uid:{os.getuid()}" if hasattr(os, "getuid") else ""
