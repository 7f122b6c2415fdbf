"""The command ``jupyter governance``: it reads governed servers or a ledger, and manages ceilings and keys.

Importing this package imports neither Jupyter nor a database library.
"""

from __future__ import annotations


def main() -> int:
    """Run the command ``jupyter-governance`` and return its exit code."""
    from .command import main as run

    return run()
