"""``jupyter governance``: what the governed servers of this user, or a ledger, say to a terminal or a script.

It only reads. Importing this package imports neither Jupyter nor a database library.
"""

from __future__ import annotations

__all__ = ["main"]


def main() -> int:
    """The entry point of ``jupyter-governance``; returns the exit code."""
    from .command import main as run

    return run()
