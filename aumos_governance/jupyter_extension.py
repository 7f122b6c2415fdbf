"""The IPython extension that ``%load_ext aumos_governance.jupyter_extension`` loads."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .engine import Engine

__all__ = ["load_ipython_extension", "unload_ipython_extension"]


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics in ``shell``, for ``%load_ext``. Nothing is sent or opened before a magic is used."""
    from .authority.engine_registry import register_default_engine
    from .kernel.governed import cell_reports, governed_cells, running_cells
    from .kernel.magics.magics import GovernanceMagics

    shell.register_magics(GovernanceMagics)
    register_default_engine(_notebook_engine, partial(_has_session, shell))
    governed_cells.install(shell)
    running_cells.follow(shell)
    cell_reports.follow(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Remove the magics from ``shell``, for ``%unload_ext``. The notebook's governance session stays open."""
    from .authority.engine_registry import register_default_engine
    from .kernel.governed import cell_reports, governed_cells, running_cells
    from .kernel.magics.magics import GovernanceMagics

    register_default_engine(None)
    GovernanceMagics.unregister(shell)
    governed_cells.uninstall(shell)
    running_cells.unfollow(shell)
    cell_reports.unfollow(shell)


def _notebook_engine() -> Engine:
    from .kernel.engine.notebook_engine import notebook_engine

    return notebook_engine()


def _has_session(shell: InteractiveShell) -> bool:
    from .kernel.requests.connection import connect

    return connect(shell).client.request("status", {})["state"]["active"] is True
