"""The entry that ``%load_ext aumos_governance.jupyter_extension`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics. Nothing is asked and nothing is opened before the first one is used."""
    from .kernel.magics import GovernanceMagics

    shell.register_magics(GovernanceMagics)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away. The governance session stays as it is: only a person's act or a magic closes it."""
    from .kernel.magics import GovernanceMagics

    GovernanceMagics.unregister(shell)
