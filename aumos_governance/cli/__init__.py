"""``jupyter governance``: reads governed servers or a ledger in a terminal or a script, and manages ceilings and keys.

Importing this package imports neither Jupyter nor a database library.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> int:
    """The entry point of ``jupyter-governance``; returns the exit code."""
    from .command import main as run

    return run()
